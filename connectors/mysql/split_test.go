package mysql

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
)

const (
	header = "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n--\n-- Host: x\n\n/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;\n/*!40103 SET TIME_ZONE='+00:00' */;\n"
	footer = "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n\n/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n-- Dump completed\n"
)

func tableDump(name, body string) string {
	return "\n--\n-- Table structure for table " + quote(name) + "\n--\n\nDROP TABLE IF EXISTS " + quote(name) + ";\nCREATE TABLE " + quote(name) + " (a TEXT COMMENT 'x''; y') ENGINE=InnoDB;\n" +
		"\n--\n-- Dumping data for table " + quote(name) + "\n--\n\n" + body
}

// parts splits a dump into memory.
func parts(r io.Reader) (out map[part]string, rows map[string]int64, longest int64, err error) {
	bufs := map[part]*bytes.Buffer{}
	rows, longest, err = split(r, func(p part) (io.WriteCloser, error) {
		bufs[p] = &bytes.Buffer{}
		return nopCloser{bufs[p]}, nil
	})
	out = map[part]string{}
	for p, b := range bufs {
		out[p] = b.String()
	}
	return out, rows, longest, err
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func TestSplit(t *testing.T) {
	t.Parallel()
	evil := "INSERT INTO `a` VALUES\n('\\n-- Table structure for table `b`\\n'),('it''s \\\\'),('\n--\n-- Table structure for table `b`\n--\n\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;'),(\"q\\\"(\"),(NULL),(_binary 'x);'),(0x28);\n" +
		"INSERT INTO `a` (`x(`, `y`) VALUES (1,'('),(2,')');\n"
	dump := header + "\n--\n-- Sequence structure for `s1`\n--\n\nCREATE SEQUENCE `s1`;\n\n--\n-- Sequence structure for `s2`\n--\n\nCREATE SEQUENCE `s2`;\n" +
		tableDump("a", evil) + tableDump("b`c", "") + tableDump("d", "INSERT INTO `d` VALUES (1);\n") + footer
	want := map[string]int64{"a": 9, "b`c": 0, "d": 1}
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(dump), "byte by byte": iotest.OneByteReader(strings.NewReader(dump))} {
		got, rows, longest, err := parts(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !maps.Equal(rows, want) {
			t.Errorf("%s: rows %v, want %v", name, rows, want)
		}
		if longest != int64(strings.Index(evil, ";\nINSERT")+1) {
			t.Errorf("%s: longest %d", name, longest)
		}
		if got[part{name: "a", table: true}] != tableDump("a", evil) {
			t.Errorf("%s: a is %q", name, got[part{name: "a", table: true}])
		}
		if !strings.HasSuffix(got[part{name: partFooter}], footer) || strings.Count(got[part{name: partSequences}], "CREATE SEQUENCE") != 2 {
			t.Errorf("%s: %v", name, got)
		}
		whole := got[part{}] + got[part{name: partSequences}] + got[part{name: "a", table: true}] + got[part{name: "b`c", table: true}] + got[part{name: "d", table: true}] + got[part{name: partFooter}]
		if _, all, _ := strings.Cut(dump, "\n"); whole != all {
			t.Errorf("%s: the parts are not the whole:\n%q\n%q", name, whole, all)
		}
	}
}

func TestSplit_refuses(t *testing.T) {
	t.Parallel()
	whole := header + tableDump("a", "INSERT INTO `a` VALUES (1);\n") + footer
	for name, dump := range map[string]string{
		"nothing":        "",
		"no end":         header + tableDump("a", "INSERT INTO `a` VALUES (1);\n"),
		"half a row":     header + tableDump("a", "INSERT INTO `a` VALUES (1"),
		"in a string":    header + tableDump("a", "INSERT INTO `a` VALUES ('"+footer),
		"a table twice":  header + tableDump("a", "") + tableDump("b", "") + tableDump("a", "") + footer,
		"after the end":  whole + tableDump("b", "") + "-- x\n",
		"only a header":  header,
		"only an ending": footer[:20],
	} {
		if _, _, _, err := parts(strings.NewReader(dump)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	broken := errors.New("broken")
	if _, _, _, err := parts(io.MultiReader(strings.NewReader(whole), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// FuzzSplit writes values as the dump programs do, and looks whether they stay
// in their table, whatever they are.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"", "a", "'", `\`, "\n-- Table structure for table `b`\n", "--\n-- Dumping data for table `a`", ";\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n", "*/ /* #", "`(),(", "\x00\x1a\"", `\\'`} {
		f.Add(seed, seed+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 1<<16 {
			t.Skip()
		}
		// As the programs write it, and as they would if they escaped nothing
		// but quotes and backslashes.
		bare := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
		body := "INSERT INTO `a` VALUES (" + literal(a) + "," + literal(b) + "),('" + bare.Replace(a) + "','" + bare.Replace(b) + "');\n"
		name := strings.NewReplacer("\n", "", "\r", "").Replace(b)
		if name == "a" || name == "" {
			name = "n"
		}
		dump := header + tableDump("a", body) + tableDump(name, body) + footer
		got, rows, _, err := parts(iotest.HalfReader(strings.NewReader(dump)))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 4 || rows["a"] != 2 || rows[name] != 2 || got[part{name: "a", table: true}] != tableDump("a", body) {
			t.Errorf("rows %v, parts %v", rows, got)
		}
	})
}

// FuzzLexer feeds anything: it must neither hang nor lose a byte.
func FuzzLexer(f *testing.F) {
	for _, seed := range []string{"", "SELECT 1;", "DELIMITER ;;\nCREATE x; y ;;\nDELIMITER ;\n", "/* x */ a /*! b */;", "--x;\n-- x;\n# y\n", "INSERT INTO a VALUES ('", "/*/ */;", "a--\n;"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		lex := newLexer(bytes.NewReader(in))
		var out []byte
		for {
			tok, err := lex.next()
			if err != nil {
				break
			}
			if len(tok.text) == 0 {
				t.Fatalf("an empty token after %q of %q", out, in)
			}
			out = append(out, tok.text...)
		}
		if !bytes.Equal(out, in) {
			t.Errorf("got %q of %q", out, in)
		}
	})
}

func TestLexer_rows(t *testing.T) {
	t.Parallel()
	var got []string
	lex := newLexer(iotest.OneByteReader(strings.NewReader("CREATE TABLE t (a INT);\nINSERT INTO t VALUES (1,'(a)'),\n(2,ST_X('b',(3)));\nINSERT INTO t (a,b) VALUES (4,NULL);\n")))
	lex.onRow = func(b []byte) { got = append(got, string(b)) }
	for {
		if _, err := lex.next(); err != nil {
			break
		}
	}
	if want := []string{"1,'(a)'", "2,ST_X('b',(3))", "4,NULL"}; !slices.Equal(got, want) || lex.rows != 3 {
		t.Errorf("got %q, %d", got, lex.rows)
	}
}

func TestDefinitions_survive(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"CREATE DEFINER=`a``b`@`%` FUNCTION `f`() RETURNS INT\nBEGIN\n-- FUNCTION `other`\nDELIMITER ;\n RETURN ';;'; ;; END -- no end",
		"CREATE PROCEDURE p() SELECT '\\' -- C:\\",
		"CREATE DEFINER=\"x\"@\"y\" PACKAGE \"p\" AS\nEND",
	} {
		v := survey{collation: "utf8mb4_bin", defs: []definition{
			{kind: kindFunction, name: "f`1", sql: sql, mode: "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", client: "utf8mb4", collation: "latin1_swedish_ci", database: "latin1_bin"},
			{kind: kindView, name: "gone", sql: "CREATE VIEW gone AS\nselect 1", broken: true},
			{kind: kindTrigger, name: "t", table: "ta`b", sql: sql, client: "utf8mb3", collation: "utf8mb3_general_ci"},
			{kind: kindEvent, name: "e", sql: "CREATE EVENT e ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE DISABLE DO SELECT 1", enabled: true, zone: "SYSTEM"},
		}}
		files := fstest.MapFS{}
		for path, b := range v.written() {
			files[path] = &fstest.MapFile{Data: b}
		}
		for path, want := range map[string]definition{fileRoutines: v.defs[0], fileTriggers: v.defs[2], fileEvents: v.defs[3]} {
			d, err := readDefined(files, path)
			if err != nil || len(d.blocks) != 1 {
				t.Fatalf("%s: %+v, %v", path, d, err)
			}
			b := d.blocks[0]
			if b.kind != want.kind || b.name != want.name || b.table != want.table || b.sql != want.sql {
				t.Errorf("%s: %+v", path, b)
			}
			again, err := parseDefined(strings.Replace(d.text(true), b.lead, "--\n-- "+want.title()+"\n--\n"+b.lead, 1))
			if err != nil || len(again.blocks) != 1 || again.blocks[0].sql != want.sql {
				t.Errorf("%s: written again %+v, %v", path, again, err)
			}
			if enables := strings.Contains(d.text(true), "ENABLE;"); enables != (path == fileEvents) || strings.Contains(d.text(false), "ENABLE;") {
				t.Errorf("%s: enables %v", path, enables)
			}
		}
		views, err := readDefined(files, fileViews)
		if err != nil || len(views.names()) != 0 || !strings.Contains(string(files[fileViews].Data), "-- select 1\n") {
			t.Errorf("%+v, %v\n%s", views, err, files[fileViews].Data)
		}
	}
}

func TestDisabled(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE COMMENT ' PRESERVE ENABLE' DO SELECT 1": "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE DISABLE COMMENT ' PRESERVE ENABLE' DO SELECT 1",
		"CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE ENABLE DO SELECT 1":                                "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE DISABLE DO SELECT 1",
		"CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE DISABLE DO SELECT ' PRESERVE ENABLE'":              "",
		"CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE DISABLE ON SLAVE DO SELECT 1":                      "",
	} {
		got, was := disabled(in)
		if was != (want != "") || was && got != want || !was && got != in {
			t.Errorf("%s: %s, %v", in, got, was)
		}
	}
}
