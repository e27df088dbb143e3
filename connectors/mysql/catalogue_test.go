package mysql

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"kvart/app"
)

const dumpedSale = "/*!40101 SET @saved_cs_client = @@character_set_client */;\n" +
	"CREATE TABLE `sale` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `na``me` varchar(255) DEFAULT 'a,(b' COMMENT 'x `y` (',\n  `price` decimal(10,2) DEFAULT NULL,\n" +
	"  `pic` longblob,\n  PRIMARY KEY (`id`),\n  KEY `k` (`price`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n" +
	"-- a remark; with 'quotes\n" +
	"INSERT INTO `sale` VALUES (1,'Blå kopp, 25 cl',129.00,NULL),(2,'It''s \\'good\\'\\n(really); \\\\',-1.5e3,0x00ff10);\n" +
	"INSERT INTO `sale` VALUES\n(3,'',NULL,_binary 'rå'),\n(4,_utf8mb4'\xff','2026-11-19 13:04:11',0x68656A);\n"

const dumpedMade = "CREATE TABLE `made` (\n  `a` int(11),\n  `b` int(11) GENERATED ALWAYS AS (`a` * 2) VIRTUAL,\n  `c` text\n);\nINSERT INTO `made` (`a`, `c`) VALUES (1,'x'),(2,'y');\n"

func shelvesOf(t *testing.T, point fstest.MapFS) app.Catalogue {
	t.Helper()
	c, err := (&Connector{}).Catalogue(t.Context(), point, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func rowsShown(t *testing.T, c app.Catalogue, shelf, text string) string {
	t.Helper()
	p, err := c.Records(t.Context(), shelf, text, 0, 100)
	if err != nil || p.Left != 0 || int(p.Total) != len(p.Records) {
		t.Fatalf("%s: %+v, %v", shelf, p, err)
	}
	var out []string
	for _, r := range p.Records {
		out = append(out, strings.Join(r.Cells, "|"))
	}
	return strings.Join(out, "\n")
}

func TestCatalogue_dump(t *testing.T) {
	t.Parallel()
	c := shelvesOf(t, fstest.MapFS{
		"00-database.sql":        {Data: []byte("-- kvart\n")},
		"tables/sale.sql":        {Data: []byte(dumpedSale)},
		"tables/made.sql":        {Data: []byte(dumpedMade)},
		"tables/odd%2Fname.sql":  {Data: []byte("CREATE TABLE `odd/name` (\n  `x` int\n);\n")},
		"tables/sub/nothing.sql": {Data: []byte("x")},
	})
	shelves, err := c.Shelves(t.Context())
	if err != nil || len(shelves) != 3 {
		t.Fatalf("%+v, %v", shelves, err)
	}
	columns := map[string]string{}
	for _, s := range shelves {
		columns[s.Code] = strings.Join(s.Columns, "|") + " " + s.Path
	}
	if columns["sale"] != "id|na`me|price|pic tables/sale.sql" || columns["made"] != "a|c tables/made.sql" || columns["odd/name"] != "x tables/odd%2Fname.sql" {
		t.Errorf("columns %q", columns)
	}
	want := "1|Blå kopp, 25 cl|129.00|\n2|It's 'good'\n(really); \\|-1.5e3|3 B\n3|||rå\n4|\uFFFD|2026-11-19 13:04:11|hej"
	if got := rowsShown(t, c, "sale", ""); got != want {
		t.Errorf("rows\n%q, want\n%q", got, want)
	}
	if got := rowsShown(t, c, "sale", "BLÅ"); got != "1|Blå kopp, 25 cl|129.00|" {
		t.Errorf("search %q", got)
	}
	if got := rowsShown(t, c, "made", ""); got != "1|x\n2|y" {
		t.Errorf("with a made column: %q", got)
	}
	if got := rowsShown(t, c, "odd/name", ""); got != "" {
		t.Errorf("empty: %q", got)
	}
}

// A dump that is cut off or was written over says so, in words for the owner.
func TestCatalogue_dumpBad(t *testing.T) {
	t.Parallel()
	big := "CREATE TABLE `big` (\n  `id` int,\n  `b` longblob,\n  `after` text\n);\nINSERT INTO `big` VALUES (1,0x" + strings.Repeat("ff", 2<<20) + ",'x'),(2,NULL,'y');\n"
	c := shelvesOf(t, fstest.MapFS{
		"tables/cut.sql":   {Data: []byte(dumpedSale[:strings.Index(dumpedSale, "It''s")+3])},
		"tables/noise.sql": {Data: []byte("\x00\x01PK\x03\x04 INSERT INTO `x` VALUES (,),('")},
		"tables/holes.sql": {Data: []byte("INSERT INTO `holes` VALUES (1,,2),(3);\n")},
		"tables/none.sql":  {},
		"tables/big.sql":   {Data: []byte(big)},
	})
	for shelf, code := range map[string]app.Code{"cut": app.CodeItemUnreadable, "noise": app.CodeItemUnreadable, "holes": app.CodeItemUnreadable, "gone": app.CodePathUnknown, "../big": app.CodePathUnknown} {
		if p, err := c.Records(t.Context(), shelf, "", 0, 9); app.CodeOf(err) != code {
			t.Errorf("%s: %+v, %v", shelf, p, err)
		}
	}
	if got := rowsShown(t, c, "none", ""); got != "" {
		t.Errorf("none: %q", got)
	}
	if got := rowsShown(t, c, "big", ""); got != "1|…\n2||y" {
		t.Errorf("big: %.200q", got)
	}
	if c, err := (&Connector{}).Catalogue(t.Context(), fstest.MapFS{}, ""); err != nil {
		t.Errorf("a point without tables: %v", err)
	} else if s, err := c.Shelves(t.Context()); err != nil || len(s) != 0 {
		t.Errorf("a point without tables: %+v, %v", s, err)
	}
}

// What the dump programs write is shown row by row, all of it.
func TestCatalogue_realDump(t *testing.T) {
	t.Parallel()
	s := shared(t)
	db := s.fresh(t, "shelves")
	s.in(t, db,
		"CREATE TABLE `odd ``one` (id INT PRIMARY KEY AUTO_INCREMENT, t TEXT, b BLOB, made INT AS (id * 2), d DATETIME, f DOUBLE, j BIT(4)) CHARACTER SET utf8mb4",
		"INSERT INTO `odd ``one` (t, b, d, f, j) VALUES ('Blå; (kopp), ''25''\\n', X'00ff', '2026-11-19 13:04:11', 1e300, b'101'), (NULL, NULL, NULL, NULL, NULL), ('', '', NULL, -0.5, NULL)",
		"CREATE TABLE many (id INT PRIMARY KEY, note VARCHAR(60))",
		"INSERT INTO many SELECT seq, CONCAT('Rad ', seq) FROM seq_1_to_5000")
	from, stats, _ := point(t, connector(t), s.access(db))
	c, err := connector(t).Catalogue(t.Context(), from, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, shelf := range []string{"odd `one", "many"} {
		p, err := c.Records(t.Context(), shelf, "", 0, 10)
		if err != nil || p.Left != 0 || p.Total != stats["table."+shelf] || p.Total == 0 {
			t.Errorf("%s: %d rows of %d, %v", shelf, p.Total, stats["table."+shelf], err)
		}
	}
	p, err := c.Records(t.Context(), "odd `one", "", 0, 10)
	if err != nil || len(p.Records) != 3 || strings.Join(p.Records[0].Cells, "|") != "1|Blå; (kopp), '25'\n|2 B|2|2026-11-19 13:04:11|1e300|1 B" {
		t.Errorf("%q, %v", p.Records, err)
	}
	if shelves, err := c.Shelves(t.Context()); err != nil || len(shelves) != 2 || shelves[1].Columns == nil || strings.Join(shelves[1].Columns, " ") != "id t b made d f j" {
		t.Errorf("%+v, %v", shelves, err)
	}
	// Cut off between two of its statements, a table is not taken for a smaller one.
	files := fstest.MapFS{}
	for _, name := range []string{"odd `one", "many"} {
		file := tableFile(name)
		b, err := fs.ReadFile(from, file)
		if err != nil {
			t.Fatal(err)
		}
		end := bytes.LastIndex(b, []byte("/*!40000 ALTER TABLE "))
		if end < 0 {
			t.Fatalf("no end in %.2000s", b)
		}
		files[file] = &fstest.MapFile{Data: b[:end]}
	}
	cut := shelvesOf(t, files)
	for _, shelf := range []string{"odd `one", "many"} {
		if p, err := cut.Records(t.Context(), shelf, "", 0, 10); app.CodeOf(err) != app.CodeItemUnreadable {
			t.Errorf("%s, cut off: %d rows, %v", shelf, p.Total, err)
		}
	}
	if p, err := c.Records(t.Context(), "many", "rad 4999", 0, 10); err != nil || p.Total != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}
