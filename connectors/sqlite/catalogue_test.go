package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// shelvesOf opens the catalogue of a source's point.
func shelvesOf(t *testing.T, s app.Source) app.Catalogue {
	t.Helper()
	dir, _ := pointOf(t, s)
	c, err := newConnector().Catalogue(t.Context(), os.DirFS(dir), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, c); closed(t, c) })
	return c
}

func page(t *testing.T, c app.Catalogue, shelf, text string, offset, limit int) app.RecordsPage {
	t.Helper()
	p, err := c.Records(t.Context(), shelf, text, offset, limit)
	if err != nil || p.Left != 0 {
		t.Fatalf("%s %q: %+v, %v", shelf, text, p, err)
	}
	return p
}

// rowsShown writes a page as text.
func rowsShown(p app.RecordsPage) string {
	var out []string
	for _, r := range p.Records {
		out = append(out, strings.Join(r.Cells, ","))
	}
	return strings.Join(out, "|")
}

func TestCatalogue_sample(t *testing.T) {
	t.Parallel()
	c := shelvesOf(t, chinook(t, "wal"))
	shelves, err := c.Shelves(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var track app.Shelf
	for _, s := range shelves {
		if s.Code == "Track" {
			track = s
		}
	}
	if len(shelves) != 12 || track.Count != 3503 || track.Columns[1] != "Name" || track.Path != "tables/Track.sql" || track.Known {
		t.Fatalf("%d shelves, %+v", len(shelves), track)
	}
	for _, offset := range []int{0, 999, 1000, 1001, 2500, 3502} {
		p := page(t, c, "Track", "", offset, 1)
		if p.Total != 3503 || len(p.Records) != 1 || p.Records[0].Cells[0] != fmt.Sprint(offset+1) || p.Records[0].Title != p.Records[0].Cells[1] {
			t.Errorf("row %d: %+v", offset, p)
		}
	}
	if p := page(t, c, "Track", "", 3503, 10); p.Total != 3503 || len(p.Records) != 0 {
		t.Errorf("past the end: %+v", p)
	}
	if p := page(t, c, "Track", "BOHEMIAN", 0, 10); p.Total != 1 || !strings.HasPrefix(p.Records[0].Title, "Bohemian Rhapsody") {
		t.Errorf("search: %+v", p)
	}
	if p := page(t, c, "Track", "coração", 0, 100); p.Total == 0 || int(p.Total) != len(p.Records) || !strings.Contains(strings.ToLower(p.Records[0].Title), "coração") {
		t.Errorf("beyond ASCII: %+v", p)
	}
	if p := page(t, c, "Track", "the", 5, 5); p.Total < 10 || len(p.Records) != 5 {
		t.Errorf("a part of what was found: %+v", p)
	}
}

func TestCatalogue_awkward(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "awkward.db")
	db := till(t, file, "delete")
	do(t, db,
		`CREATE TABLE "it's ""a"" table/with 100%" ("col ""x""" TEXT, [select] INTEGER, b BLOB)`,
		`INSERT INTO "it's ""a"" table/with 100%" VALUES ('50% rea_1', 42, X'00ff27'), ('50 öre', NULL, NULL), ('ÅÄÖ', 7, X'c3b6'), (X'ff', 1, 2)`,
		`CREATE TABLE noid (a TEXT, b INTEGER, PRIMARY KEY (b, a)) WITHOUT ROWID`,
		`INSERT INTO noid VALUES ('Å', 1), ('ä', 1), ('ö', 0)`,
		`CREATE TABLE shadow (rowid TEXT, _rowid_ TEXT, oid TEXT)`,
		`INSERT INTO shadow VALUES ('x', 'y', 'z'), ('x', 'y', 'w')`,
		`CREATE TABLE gaps (id INTEGER PRIMARY KEY, v TEXT)`,
		`WITH RECURSIVE n(i) AS (SELECT -2500 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO gaps SELECT i * 7, 'rad ' || i FROM n`,
		`CREATE TABLE empty (x)`,
		`CREATE TABLE long (x TEXT)`, `INSERT INTO long VALUES (printf('%.*c', 5000, 'å'))`)
	closed(t, db)
	c := shelvesOf(t, sourceAt(file))
	odd := `it's "a" table/with 100%`
	for _, q := range []struct {
		shelf, text, want string
		offset            int
	}{
		{odd, "", "50% rea_1,42,3 B|50 öre,,|ÅÄÖ,7,2 B|1 B,1,2", 0},
		{odd, "%", "50% rea_1,42,3 B", 0},
		{odd, "_", "50% rea_1,42,3 B", 0},
		{odd, "åä", "ÅÄÖ,7,2 B", 0}, // and not the bytes that look like it
		{odd, "42", "50% rea_1,42,3 B", 0},
		{odd, `'; DROP TABLE gaps; --`, "", 0},
		{"noid", "", "ö,0|Å,1|ä,1", 0},
		{"noid", "", "ä,1", 2},
		{"noid", "å", "Å,1", 0},
		{"shadow", "", "x,y,w", 1},
		{"shadow", "Z", "x,y,z", 0},
		{"gaps", "rad -2500", "-17500,rad -2500", 0},
		{"empty", "", "", 0},
		{"empty", "x", "", 0},
	} {
		if got := rowsShown(page(t, c, q.shelf, q.text, q.offset, 10)); got != q.want {
			t.Errorf("%s %q from %d on: %s, want %s", q.shelf, q.text, q.offset, got, q.want)
		}
	}
	for _, offset := range []int{4000, 0, 1000, 999, 5000, 2500} {
		if got, want := rowsShown(page(t, c, "gaps", "", offset, 1)), fmt.Sprintf("%d,rad %d", (offset-2500)*7, offset-2500); got != want {
			t.Errorf("row %d is %s, want %s", offset, got, want)
		}
	}
	if r := page(t, c, "long", "", 0, 1).Records[0]; len([]rune(r.Cells[0])) != longCell {
		t.Errorf("a long cell has %d signs", len([]rune(r.Cells[0])))
	}
}

// What a point holds or a question says may be anything: the answer is one the
// owner can be told.
func TestCatalogue_bad(t *testing.T) {
	t.Parallel()
	s := chinook(t, "delete")
	c := shelvesOf(t, s)
	for _, unknown := range []string{"", "track", "sqlite_schema", "main.Track", `Track"`, "../Track", "tables/Track.sql"} {
		if _, err := c.Records(t.Context(), unknown, "", 0, 9); app.CodeOf(err) != app.CodePathUnknown {
			t.Errorf("shelf %q: %v", unknown, err)
		}
	}
	if _, _, err := c.Record(t.Context(), "chinook.sqlite"); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("a record: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Records(ctx, "Track", "x", 0, 9); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("canceled: %v", err)
	}
	if got := page(t, c, "Track", "", 0, 1); len(got.Records) != 1 {
		t.Errorf("after a cancel: %+v", got)
	}
	dir, _ := pointOf(t, s)
	body, err := os.ReadFile(filepath.Join(dir, "chinook.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	for name, point := range map[string]fstest.MapFS{
		"cut off":  {"chinook.sqlite": {Data: body[:len(body)/3]}},
		"no db":    {"chinook.sqlite": {Data: []byte(strings.Repeat("not a database at all ", 100))}},
		"empty":    {"chinook.sqlite": {}},
		"nothing":  {},
		"too many": {"a.db": {Data: body}, "b.db": {Data: body}},
	} {
		c, err := newConnector().Catalogue(t.Context(), point, t.TempDir())
		if err == nil {
			// it may open: then what can't be read says so, and nothing is shown for it
			_, err = c.Records(t.Context(), "Track", "", 3000, 10)
			closed(t, c)
		}
		if err == nil || app.CodeOf(err) == app.CodeInternal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCatalogue_sealedHasFilesOnly(t *testing.T) {
	t.Parallel()
	capture, err := sealedConnector().Capture(t.Context(), app.Access{Source: sealedShop(t, t.TempDir(), false)}, "")
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := connectortest.Collect(t, capture)
	c, err := newConnector().Catalogue(t.Context(), os.DirFS(dir), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, c)
	if shelves, err := c.Shelves(t.Context()); err != nil || len(shelves) != 0 {
		t.Errorf("%+v, %v", shelves, err)
	}
}

// BenchmarkCatalogue_rows prints how long a page far down a table of a million
// rows takes, at first and then, and how long a search.
func BenchmarkCatalogue_rows(b *testing.B) {
	file := filepath.Join(b.TempDir(), "big.db")
	db, err := open(b.Context(), file, create)
	if err != nil {
		b.Fatal(err)
	}
	for _, q := range []string{
		`CREATE TABLE sale (id INTEGER PRIMARY KEY, sold_at TEXT, total REAL, note TEXT)`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) INSERT INTO sale SELECT i * 3, '2026-11-19 13:04:11', i / 4.0, 'Stamkund nummer ' || i FROM n`,
	} {
		if err := db.exec(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	c, err := newConnector().Catalogue(b.Context(), os.DirFS(filepath.Dir(file)), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	})
	opened := time.Since(began)
	ask := func(b *testing.B, text string, offset int) {
		if p, err := c.Records(b.Context(), "sale", text, offset, 100); err != nil || len(p.Records) == 0 {
			b.Fatalf("%+v, %v", p, err)
		}
	}
	began = time.Now()
	ask(b, "", 900_000)
	far := time.Since(began)
	b.Run("list", func(b *testing.B) {
		b.ReportMetric(float64(opened.Milliseconds()), "ms/open")
		b.ReportMetric(float64(far.Milliseconds()), "ms/first-far-page")
		for i := range b.N {
			ask(b, "", i*100%900_000)
		}
	})
	b.Run("search", func(b *testing.B) {
		for i := range b.N {
			ask(b, fmt.Sprintf("nummer %d", i+1), 0)
		}
	})
}
