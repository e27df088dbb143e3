//go:build unix

package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// The same seed makes the same rows, in one go or in two, and every row has the
// columns of its table.
func TestShopData(t *testing.T) {
	t.Parallel()
	d := newShopData(0.001, 7)
	for i := range d.tables {
		tb := &d.tables[i]
		var one, again bytes.Buffer
		if err := d.stream(&one, tb, 1, tb.rows); err != nil {
			t.Fatal(err)
		}
		if err := newShopData(0.001, 7).stream(&again, tb, 1, tb.rows); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one.Bytes(), again.Bytes()) {
			t.Errorf("%s: the rows are other ones the second time", tb.name)
		}
		lines := strings.Split(strings.TrimSuffix(one.String(), "\n"), "\n")
		if len(lines) != tb.rows {
			t.Errorf("%s: %d rows, want %d", tb.name, len(lines), tb.rows)
		}
		columns := strings.Count(strings.NewReplacer("(12,2)", "", "(", "").Replace(tb.columns), ",") + 2
		for _, line := range lines {
			if n := strings.Count(line, "\t") + 1; n != columns {
				t.Fatalf("%s: %d fields for %d columns: %q", tb.name, n, columns, line)
			}
		}
	}
}

func TestTillData(t *testing.T) {
	t.Parallel()
	till := &tillData{file: filepath.Join(t.TempDir(), "kassa.db"), sales: 200, seed: 1}
	if err := till.make(t.Context()); err != nil {
		t.Fatal(err)
	}
	if what, err := till.quarter(t.Context()); err != nil || !strings.HasPrefix(what, "2 sales") {
		t.Errorf("%s, %v", what, err)
	}
	db, err := till.open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var sales, lines, movements, articles int
	err = db.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM sale), (SELECT count(*) FROM sale_line), (SELECT count(*) FROM stock_movement), (SELECT count(DISTINCT article_id) FROM sale_line)`).Scan(&sales, &lines, &movements, &articles)
	if err != nil || sales != 202 || lines != 606 || movements != 606 || articles < 100 {
		t.Errorf("%d sales, %d lines, %d movements, %d articles, %v", sales, lines, movements, articles, err)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	var r report
	r.against("a", inMB, "kopia", 2, 60, 1./25)
	r.against("b", inSeconds, "restic", 2, 4, 1./3)
	r.alone("c", inMillis, 7, 100)
	r.note("d", inMB, "kopia", 150, 100)
	var b bytes.Buffer
	r.print(&b)
	want := "| a | 2.00 MB | kopia | 60.0 MB | 1/30 | ≤ 1/25 | yes |\n| b | 2.00 s | restic | 4.00 s | 0.50 | ≤ 1/3 | **no** |\n| c | 7 ms | | | | ≤ 100 ms | yes |\n| d | 150 MB | kopia | 100 MB | 1.50 |  |  |\n"
	if !strings.HasSuffix(b.String(), want) {
		t.Errorf("got\n%s", b.String())
	}
}
