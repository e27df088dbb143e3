package rest_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// tabled is a stall with a table of its notes.
type tabled struct{ *stall }

func (s *tabled) Tables() []rest.Table {
	return []rest.Table{
		{Name: "notes", Kinds: []string{"notes"}, Mark: true, Write: func(from *rest.Reading, to *rest.Rows) error {
			if err := to.Add("ID", "Name"); err != nil {
				return err
			}
			return from.Each("notes", func(m map[string]any) error { return to.Add(rest.At(m, "id"), rest.At(m, "name")) })
		}},
		{Name: "bills", Kinds: []string{"bills"}, Write: func(*rest.Reading, *rest.Rows) error { return nil }},
	}
}

func TestEngine_Export(t *testing.T) {
	t.Parallel()
	s, _, a := newStall(t)
	nasty := map[string]string{
		"=1+2": "'=1+2", "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0", "@SUM(A1)": "'@SUM(A1)", "+A1": "'+A1", "-A1": "'-A1", "\t=1": "'\t=1", "\n=1": "'\n=1",
		"＝1": "'＝1", "-12.50": "-12.50", "-5": "-5", "+46 (0)33-12 34 56": "+46 (0)33-12 34 56", "-5+cmd|' /C calc'!A0": "'-5+cmd|' /C calc'!A0",
		"": "", "a,b;\"c\"\r\nÅsa\t=2": "a,b;\"c\"\r\nÅsa\t=2", "'=already": "'=already", "-": "'-", "1-=2": "1-=2",
	}
	names := map[string]string{}
	for name, want := range nasty {
		id := fmt.Sprint(len(names) + 7)
		names[id] = want
		s.add(id, map[string]any{"name": name})
	}
	e := rest.New(&tabled{s}, rest.Options{Dir: t.TempDir()})
	point, _ := capture(t, e, a)
	var b bytes.Buffer
	if err := e.Export(t.Context(), point, "notes", &b); err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(b.String(), "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !marked || len(rows) != 1+len(names) || strings.Join(rows[0], " ") != "ID Name" {
		t.Fatalf("%d rows, %v: %.200s", len(rows), err, text)
	}
	for i, row := range rows[1:] {
		// a reader of CSV makes one new line of any
		if want := strings.ReplaceAll(names[row[0]], "\r\n", "\n"); row[0] != fmt.Sprint(i+7) || row[1] != want {
			t.Errorf("row %d is %q, want %q", i, row, want)
		}
	}
	if !slices.Equal(e.Exports(), []string{"notes", "bills"}) {
		t.Errorf("exports %v", e.Exports())
	}
}

// What is not there is an error, never an empty file that says the shop had
// nothing.
func TestEngine_Export_refused(t *testing.T) {
	t.Parallel()
	s, _, a := newStall(t)
	e := rest.New(&tabled{s}, rest.Options{Dir: t.TempDir()})
	s.err["notes"] = app.Errorf(app.CodeShopScope, "test", "no").With("right", "read_notes")
	point, _ := capture(t, e, a)
	err := e.Export(t.Context(), point, "notes", io.Discard)
	if known := app.AsError(err); known == nil || known.Code != app.CodeShopScope || known.Args["right"] != "read_notes" {
		t.Errorf("never captured: %v", err)
	}
	err = e.Export(t.Context(), point, "shoes", io.Discard)
	if known := app.AsError(err); known == nil || known.Code != app.CodeUsage || known.Args["choices"] != "notes, bills" {
		t.Errorf("a wrong choice: %v", err)
	}
	if err := e.Export(t.Context(), fstest.MapFS{}, "notes", io.Discard); err == nil {
		t.Error("an empty folder is a point")
	}
	delete(s.err, "notes")
	s.add("1", nil)
	point, _ = capture(t, e, a)
	point["notes/1.json"].Data = []byte(`{"id":`)
	if err := e.Export(t.Context(), point, "notes", io.Discard); err == nil {
		t.Error("a broken record was passed over")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Export(ctx, point, "notes", io.Discard); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("canceled: %v", err)
	}
	if err := e.Export(t.Context(), point, "bills", io.Discard); err != nil {
		t.Errorf("a kind with no records: %v", err)
	}
}

// vast is a point of 100,000 notes that are made as they are read.
type vast struct{ fstest.MapFS }

const (
	vastDirs = 100
	vastEach = 1000
)

func (v vast) ReadDir(name string) (out []fs.DirEntry, err error) {
	var n int
	switch {
	case name == "notes":
		for i := range vastDirs {
			out = append(out, vastEntry{fmt.Sprint(i), true})
		}
		return out, nil
	case !strings.HasPrefix(name, "notes/"):
		return v.MapFS.ReadDir(name)
	}
	if _, err := fmt.Sscanf(name, "notes/%d", &n); err != nil {
		return nil, err
	}
	for i := range vastEach {
		out = append(out, vastEntry{fmt.Sprintf("%d.json", n*vastEach+i), false})
	}
	return out, nil
}

func (v vast) ReadFile(name string) ([]byte, error) {
	if !strings.HasPrefix(name, "notes/") {
		return v.MapFS.ReadFile(name)
	}
	return fmt.Appendf(nil, `{"id": %q, "name": "n"}`, strings.TrimSuffix(name[strings.LastIndex(name, "/")+1:], ".json")), nil
}

type vastEntry struct {
	name string
	dir  bool
}

func (e vastEntry) Name() string               { return e.name }
func (e vastEntry) IsDir() bool                { return e.dir }
func (e vastEntry) Type() fs.FileMode          { return 0 }
func (e vastEntry) Info() (fs.FileInfo, error) { return nil, fs.ErrInvalid }

// watching looks at the memory in use as rows come.
type watching struct {
	rows, writes int
	peak         uint64
}

func (w *watching) Write(p []byte) (int, error) {
	w.rows += bytes.Count(p, []byte("\n"))
	if w.writes++; w.writes%20 > 0 {
		return len(p), nil // looking stops the world
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.peak = max(w.peak, m.HeapAlloc)
	return len(p), nil
}

// A table of 100,000 records is written within constant memory. It is not
// parallel: others' memory would count.
func TestEngine_Export_vast(t *testing.T) { //nolint:paralleltest // measures memory
	s, _, _ := newStall(t)
	e := rest.New(&tabled{s}, rest.Options{Dir: t.TempDir()})
	point := vast{fstest.MapFS{"kvart-shop.json": {Data: []byte(`{"kinds": {"notes": {"records": 100000}}}`)}}}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	w := &watching{}
	began := time.Now()
	if err := e.Export(t.Context(), point, "notes", w); err != nil {
		t.Fatal(err)
	}
	grown := int64(w.peak) - int64(before.HeapAlloc)
	t.Logf("%d rows in %v, %d KB more at most", w.rows, time.Since(began), grown>>10)
	if w.rows != vastDirs*vastEach+1 || w.peak == 0 || grown > 16<<20 {
		t.Errorf("%d rows, %d MB", w.rows, grown>>20)
	}
}
