package postgres

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// statements reads a whole script; rows are in it as "rows: …".
func statements(r io.Reader) (list []string, err error) {
	s := newScript(r)
	for {
		text, err := s.next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		list = append(list, text)
		if s.rows {
			b, err := io.ReadAll(s.copyRows())
			if err != nil {
				return list, err
			}
			list = append(list, "rows: "+string(b))
		}
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{" -- only ; a comment\n\n--\n", nil},
		{"SELECT 1; SELECT 2 ;\n", []string{"SELECT 1", "SELECT 2 "}},
		{"SELECT ';', \"a;b\", 'it''s;', \"q\"\"\"; x;", []string{`SELECT ';', "a;b", 'it''s;', "q"""`, "x"}},
		{`SELECT 'back\'; SELECT E'esc\';', e'\\'; x;`, []string{`SELECT 'back\'`, `SELECT E'esc\';', e'\\'`, "x"}},
		{`SELECT E'a''b\';c'; x;`, []string{`SELECT E'a''b\';c'`, "x"}},
		{`SELECT nope'x\'; x;`, []string{`SELECT nope'x\'`, "x"}},
		{"SELECT $$a;$b$;$$; DO $body$ x; $$ $bod$ $body$; y;", []string{"SELECT $$a;$b$;$$", "DO $body$ x; $$ $bod$ $body$", "y"}},
		{"SELECT a$b$; SELECT $1; x$$;", []string{"SELECT a$b$", "SELECT $1", "x$$"}},
		{"SELECT $å$;$å$; x;", []string{"SELECT $å$;$å$", "x"}},
		{"a /* ; /* ; */ ; */ b; c -- ;\n d; 1 */* ; */ 2;", []string{"a /* ; /* ; */ ; */ b", "c -- ;\n d", "1 */* ; */ 2"}},
		{"a /**/; b /*/ ; */; c;", []string{"a /**/", "b /*/ ; */", "c"}},
		{"CREATE RULE r AS ON DELETE TO t DO (DELETE FROM a; DELETE FROM b); x;", []string{"CREATE RULE r AS ON DELETE TO t DO (DELETE FROM a; DELETE FROM b)", "x"}},
		{
			"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; x;",
			[]string{"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END", "x"},
		},
		{"create or replace procedure \"begin\"() begin atomic select 1; end; x;", []string{"create or replace procedure \"begin\"() begin atomic select 1; end", "x"}},
		{"BEGIN; CREATE TABLE begin (x int); END;", []string{"BEGIN", "CREATE TABLE begin (x int)", "END"}},
		{"COPY public.t (a, b) FROM stdin;\n1\t;\n\\\\.\n\\.\n\nSELECT 1;", []string{"COPY public.t (a, b) FROM stdin", "rows: 1\t;\n\\\\.\n", "SELECT 1"}},
		{"COPY t  FROM stdin;\n\n\n\\.\n", []string{"COPY t  FROM stdin", "rows: \n\n"}},
		{"COPY t FROM stdin;\r\na\r\n\\.\r\nx;", []string{"COPY t FROM stdin", "rows: a\r\n", "x"}},
		{"SELECT 'br\xe5;\xff'; x;", []string{"SELECT 'br\xe5;\xff'", "x"}},
	} {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in))} {
			got, err := statements(r)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s %q:\n got %q, %v\nwant %q", name, c.in, got, err, c.want)
			}
		}
	}
}

func TestScript_refuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"SELECT 1", "SELECT 'a;", "SELECT \"a;", "SELECT $$;", "/* ;", "SELECT (1;", "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1;",
		"COPY t FROM stdin;", "COPY t FROM stdin;\n1\n", "COPY t FROM stdin;\n1\n\\.", "COPY t FROM stdin; 1\n\\.\n", "COPY t FROM stdin;\n1\n \\.\n",
		"\\! rm -rf /\n", "SELECT 1;\n\\connect other\n", "\\.\n",
	} {
		if got, err := statements(strings.NewReader(in)); err == nil {
			t.Errorf("%q was taken for %q", in, got)
		}
	}
}

func TestScript_longRows(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 700<<10)
	in := "COPY t FROM stdin;\n" + long + "\n" + long + "\\.\nend\n\\.\nx;"
	got, err := statements(strings.NewReader(in))
	if err != nil || len(got) != 3 || got[1] != "rows: "+long+"\n"+long+"\\.\nend\n" {
		t.Errorf("%d parts, %v", len(got), err)
	}
}

// FuzzScript: whatever comes in, statements are found where they lie, nothing
// between them but space and comments is lost, and nothing hangs.
func FuzzScript(f *testing.F) {
	for _, s := range []string{"SELECT 1; -- a\nSELECT $a$;$a$;", "COPY t FROM stdin;\n1\n\\.\nx;", "/* /* */ */ a; E'\\'';", "CREATE FUNCTION f BEGIN ATOMIC a; END;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		list, err := statements(strings.NewReader(in))
		rest := in
		for _, text := range list {
			text = strings.TrimPrefix(text, "rows: ")
			at := strings.Index(rest, text)
			if at < 0 {
				t.Fatalf("%q is not in %q", text, rest)
			}
			rest = rest[at+len(text):]
		}
		if err != nil {
			return
		}
		// What was read is read the same again.
		var b strings.Builder
		for _, text := range list {
			if rows, ok := strings.CutPrefix(text, "rows: "); ok {
				fmt.Fprintf(&b, "%s\\.\n", rows)
			} else {
				fmt.Fprintf(&b, "%s;\n", text)
			}
		}
		again, err := statements(strings.NewReader(b.String()))
		if err != nil || !slices.Equal(list, again) {
			t.Fatalf("%q: %q, then %q, %v", in, list, again, err)
		}
	})
}

func TestClean(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("y", 200<<10)
	in := "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n-- Dumped\n\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n" +
		"CREATE FUNCTION f() AS $$\n\\restrict me\nSET transaction_timeout = 0;\n\\unrestrict me\n" + long + "\n$$;\n--\n" + dumpTrailer + "\n--\n\n\\unrestrict abc\n\n"
	for server, gone := range map[int][]string{15: {"\\restrict abc\n", "\\unrestrict abc\n", "SET transaction_timeout = 0;\n"}, 17: {"\\restrict abc\n", "\\unrestrict abc\n"}} {
		want := in
		for _, g := range gone {
			want = strings.Replace(want, g, "", 1)
		}
		var b strings.Builder
		if err := clean(&b, iotest.OneByteReader(strings.NewReader(in)), server); err != nil || b.String() != want {
			t.Errorf("%d: %v\n got %.400q\nwant %.400q", server, err, b.String(), want)
		}
	}
	if err := clean(io.Discard, iotest.ErrReader(io.ErrClosedPipe), 15); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

func TestBuiltOn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ALTER TABLE ONLY public.sale\n    ADD CONSTRAINT sale_pkey PRIMARY KEY (id)":                        "public.sale",
		`ALTER TABLE ONLY public."Kassans rader"` + "\n    ADD CONSTRAINT a UNIQUE (id)":                     `public."Kassans rader"`,
		"CREATE INDEX a ON public.sale USING btree (at)":                                                     "public.sale",
		`CREATE UNIQUE INDEX "a b" ON butik."order" USING btree (name) WHERE (name <> ' ON x USING '::text)`: `butik."order"`,
	} {
		if !buildsIndex(text) {
			t.Errorf("%q builds no index", text)
		}
		if got := builtOn(text); got != want {
			t.Errorf("%q: on %q, want %q", text, got, want)
		}
	}
}
