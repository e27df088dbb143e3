package mysql

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestSumOf(t *testing.T) {
	t.Parallel()
	of := func(sql string) sum {
		s, err := sumOf(t.Context(), strings.NewReader(sql))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one := of("CREATE TABLE `a` (x INT);\nINSERT INTO `a` VALUES (1,'a)b'),(2,'c'),(2,'c');\n")
	for name, sql := range map[string]string{
		"another order":  "INSERT INTO `a` VALUES (2,'c');\nINSERT INTO `a` VALUES\n(1,'a)b'),\n(2,'c');\n",
		"another layout": "-- a comment\nINSERT INTO `a` VALUES (2,'c'),(2,'c'),(1,'a)b');",
	} {
		if got := of(sql); got != one {
			t.Errorf("%s: another sum", name)
		}
	}
	for name, sql := range map[string]string{
		"a row less": "INSERT INTO `a` VALUES (1,'a)b'),(2,'c');", "another value": "INSERT INTO `a` VALUES (1,'a)b'),(2,'c'),(2,'d');", "nothing": "",
	} {
		if of(sql) == one {
			t.Errorf("%s: the same sum", name)
		}
	}
}

// A rehearsal finds a value that is not what it was, although every count is
// right.
func TestConnector_rehearseComparesValues(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := dataTypes(t, s)
	capture, err := c.Capture(t.Context(), s.access(db), "")
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := connectortest.Collect(t, capture)
	r := app.Restore{Access: s.access(db), From: os.DirFS(dir), Stats: capture.Stats()}
	contents := func() app.Check {
		t.Helper()
		checks, err := c.Rehearse(t.Context(), r, t.TempDir(), connectortest.Silent{})
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(checks, func(c app.Check) bool { return c.Code == checkContents })
		if at < 0 {
			t.Fatalf("values were not compared: %+v", checks)
		}
		return checks[at]
	}
	if got := contents(); !got.OK {
		t.Errorf("%+v", got)
	}
	// What comes after the rows changes one of them, as a defect would.
	file := filepath.Join(dir, "tables", "child.sql")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, "\nUPDATE `child` SET p = 2 WHERE id = 1;\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	got := contents()
	if got.OK || !strings.Contains(got.Detail, "child") {
		t.Errorf("%+v", got)
	}
	if got, want := connectortest.Seen(t, []app.Check{got}), "contents: tables_differ 1 child"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
}
