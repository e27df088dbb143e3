package postgres

import (
	"strings"
	"testing"
	"testing/fstest"

	"kvart/app"
)

const copiedSale = "--\n-- Kvart: rows of \"public\".\"sale\", times in UTC\n--\n\nSET client_encoding = 'UTF8';\n\n" +
	"COPY \"public\".\"sale\" (\"id\", \"na\"\"me\", \"price\", \"pic\") FROM stdin;\n" +
	"1\tBlå kopp\\t25 cl\t129.00\t\\N\n2\tback\\\\slash\\nand \\r\\b\t-1\t\\\\x00ff10\n3\t\t\\N\t\\\\xZZ\n\\.\n\n-- rows: 3\n"

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

func TestCatalogue_copy(t *testing.T) {
	t.Parallel()
	c := shelvesOf(t, fstest.MapFS{
		"10-schema.sql":            {Data: []byte("--\n")},
		"20-data/sale.sql":         {Data: []byte(copiedSale)},
		"20-data/sale@arkiv.sql":   {Data: []byte(strings.ReplaceAll(copiedSale, `"public"`, `"arkiv"`))},
		"20-data/empty.sql":        {Data: []byte("COPY \"public\".\"empty\" (\"x\") FROM stdin;\n\\.\n\n-- rows: 0\n")},
		"20-data/long.sql":         {Data: []byte("COPY \"public\".\"long\" (\"a\", \"b\") FROM stdin;\n\\\\x" + strings.Repeat("ff", 1<<20) + "\tå\n\\.\n\n-- rows: 1\n")},
		"20-data/sub/whatever.sql": {Data: []byte("x")},
	})
	shelves, err := c.Shelves(t.Context())
	if err != nil || len(shelves) != 4 {
		t.Fatalf("%+v, %v", shelves, err)
	}
	names := map[string]string{}
	for _, s := range shelves {
		names[s.Code] = strings.Join(s.Columns, "|") + " " + s.Path
	}
	if names["sale"] != `id|na"me|price|pic 20-data/sale.sql` || names["arkiv.sale"] != `id|na"me|price|pic 20-data/sale@arkiv.sql` {
		t.Errorf("tables %q", names)
	}
	want := "1|Blå kopp\t25 cl|129.00|\n2|back\\slash\nand \r\b|-1|3 B\n3|||\\xZZ"
	for _, of := range []string{"sale", "arkiv.sale"} {
		if got := rowsShown(t, c, of, ""); got != want {
			t.Errorf("rows of %s\n%q, want\n%q", of, got, want)
		}
	}
	if got := rowsShown(t, c, "sale", "SLASH"); !strings.HasPrefix(got, "2|") || strings.Contains(got, "1|Blå") {
		t.Errorf("search %q", got)
	}
	if got := rowsShown(t, c, "empty", ""); got != "" {
		t.Errorf("empty: %q", got)
	}
	if got := rowsShown(t, c, "long", ""); got != "1048576 B|å" {
		t.Errorf("long: %.100q", got)
	}
}

// A database in another encoding than UTF-8 is shown, and searched, in letters.
func TestCatalogue_copyLatin1(t *testing.T) {
	t.Parallel()
	text := "SET client_encoding = 'LATIN1';\n\nCOPY \"public\".\"k\xf6p\" (\"id\", \"f\xe4rg\") FROM stdin;\n1\tBl\xe5 kopp\n2\tR\xf6d \\\\ kopp\\n\n\\.\n\n-- rows: 2\n"
	c := shelvesOf(t, fstest.MapFS{
		"20-data/k%F6p.sql": {Data: []byte(text)},
		"20-data/win.sql":   {Data: []byte(strings.NewReplacer("LATIN1", "WIN1252", "Bl\xe5", "\x80", "k\xf6p", "win").Replace(text))},
		"20-data/jp.sql":    {Data: []byte(strings.ReplaceAll(strings.ReplaceAll(text, "LATIN1", "EUC_JP"), "k\xf6p", "jp"))},
	})
	shelves, err := c.Shelves(t.Context())
	if err != nil || len(shelves) != 3 || shelves[0].Code != "jp" || shelves[1].Code != "köp" || strings.Join(shelves[1].Columns, "|") != "id|färg" {
		t.Fatalf("%+v, %v", shelves, err)
	}
	if got := rowsShown(t, c, "köp", ""); got != "1|Blå kopp\n2|Röd \\ kopp\n" {
		t.Errorf("rows %q", got)
	}
	if got := rowsShown(t, c, "köp", "BLÅ"); got != "1|Blå kopp" {
		t.Errorf("search %q", got)
	}
	if got := rowsShown(t, c, "win", "€"); got != "1|€ kopp" {
		t.Errorf("of Windows: %q", got)
	}
	if got := rowsShown(t, c, "jp", ""); !strings.HasPrefix(got, "1|Bl\uFFFD kopp") {
		t.Errorf("an encoding that isn't known: %q", got)
	}
}

// What is cut off or is no table's rows says so, in words for the owner.
func TestCatalogue_copyBad(t *testing.T) {
	t.Parallel()
	c := shelvesOf(t, fstest.MapFS{
		"20-data/cut.sql":   {Data: []byte(copiedSale[:strings.Index(copiedSale, "129")])},
		"20-data/end.sql":   {Data: []byte(strings.ReplaceAll(copiedSale[:strings.Index(copiedSale, "\\.\n")], "sale", "end"))},
		"20-data/noise.sql": {Data: []byte("\x00\x01PK\x03\x04")},
		"20-data/order.sql": {Data: []byte("\\! rm -rf /\n")},
		"20-data/none.sql":  {},
	})
	shelves, err := c.Shelves(t.Context())
	if err != nil || len(shelves) != 5 {
		t.Fatalf("%+v, %v", shelves, err)
	}
	for _, s := range shelves {
		if p, err := c.Records(t.Context(), s.Code, "", 0, 9); app.CodeOf(err) != app.CodeItemUnreadable {
			t.Errorf("%s: %+v, %v", s.Path, p, err)
		}
	}
	if _, err := c.Records(t.Context(), "finns inte", "", 0, 9); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("unknown: %v", err)
	}
}
