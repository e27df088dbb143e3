package webhotel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
)

// diffDB is a database that can be compared.
type diffDB struct{ *fakeDB }

type closing struct{ fs.FS }

func (closing) Close() error { return nil }

func (d diffDB) Live(_ context.Context, a app.Access, _ string) (app.PointFS, error) {
	return closing{fstest.MapFS{"tables/rows.sql": {Data: []byte(d.seen(a))}}}, nil
}

func (d diffDB) Diff(_ context.Context, before, after fs.FS, _ string) ([]app.Change, error) {
	one, err1 := fs.ReadFile(before, "tables/rows.sql")
	two, err2 := fs.ReadFile(after, "tables/rows.sql")
	if string(one) == string(two) {
		return nil, errors.Join(err1, err2)
	}
	return []app.Change{{Path: "tables/rows.sql", Kind: app.ChangeChanged, Changed: 1}}, errors.Join(err1, err2)
}

func differences(t *testing.T, c *Connector, before, after fs.FS) string {
	t.Helper()
	changes, err := c.Diff(t.Context(), before, after, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, ch := range changes {
		out = append(out, fmt.Sprintf("%s %s %d→%d", ch.Kind, ch.Path, ch.Before, ch.After))
	}
	return strings.Join(out, "\n")
}

func TestConnector_Diff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, true)
	db := diffDB{&fakeDB{rows: "order 1"}}
	server := serveSFTP(t)
	a := withDB(server.site(t, dir))
	c := quick(t, db.fakeDB)
	c.db = db
	got, _, _ := point(t, c, a)
	old := os.DirFS(got)
	live := func() app.PointFS {
		t.Helper()
		v, err := c.Live(t.Context(), a, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		})
		return v
	}
	if d := differences(t, c, old, live()); d != "" {
		t.Errorf("nothing moved, and it differs:\n%s", d)
	}
	later := past.Add(time.Hour)
	put1(t, filepath.Join(dir, "index.php"), "<?php // hack", later)             // same size
	put1(t, filepath.Join(dir, "wp-load.php"), "<?php", later)                   // touched alone
	put1(t, filepath.Join(dir, "wp-content/uploads/tom"), "nu inte", past)       // longer
	put1(t, filepath.Join(dir, "wp-content/uploads/ny.jpg"), "ny", past)         // new
	put1(t, filepath.Join(dir, "wp-content/cache/other.html"), "left out", past) // left out
	if err := errors.Join(os.Remove(filepath.Join(dir, ".htaccess")), os.Remove(filepath.Join(dir, "ut")), os.Symlink("wp-content", filepath.Join(dir, "ut"))); err != nil {
		t.Fatal(err)
	}
	db.rows = "order 2"
	want := `changed database/tables/rows.sql 0→0
removed files/.htaccess 17→0
changed files/index.php 13→13
changed files/ut 0→0
added files/wp-content/uploads/ny.jpg 0→2
changed files/wp-content/uploads/tom 0→7`
	v := live()
	if d := differences(t, c, old, v); d != want {
		t.Errorf("differs:\n%s\nwant:\n%s", d, want)
	}
	// What is shown as a point would be is what a point is.
	if err := fs.WalkDir(v, ".", func(string, fs.DirEntry, error) error { return nil }); err != nil {
		t.Error(err)
	}
	if b, err := fs.ReadFile(v, "files/wp-content/uploads/ny.jpg"); err != nil || string(b) != "ny" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := fs.Stat(v, "files/wp-content/cache/other.html"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is left out: %v", err)
	}
	again, _, _ := point(t, c, a)
	if d := differences(t, c, old, os.DirFS(again)); d != want {
		t.Errorf("two points differ:\n%s\nwant:\n%s", d, want)
	}
}

// TestConnector_lookReadsNoDatabase: asked whether anything moved, nothing is
// dumped, and then the database is read before the files.
func TestConnector_lookReadsNoDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, false)
	db := &fakeDB{rows: "order 1"}
	c, a := quick(t, db), withDB(serveSFTP(t).site(t, dir))
	_, _, next := point(t, c, a)
	put1(t, filepath.Join(dir, "new.php"), "new", past)
	dumps := 0
	db.captured = func() {
		dumps++
		put1(t, filepath.Join(dir, "late.php"), "late", past)
	}
	look := capture1(t, c, a, next)
	if look.Idle || dumps != 0 {
		t.Errorf("idle %v, %d dumps", look.Idle, dumps)
	}
	if err := look.Close(); err != nil {
		t.Error(err)
	}
	save := capture1(t, c, a, next)
	found := times(t, save)
	if _, ok := found["files/late.php"]; !ok || dumps != 1 {
		t.Errorf("%d dumps, and files from before the database was read: %v", dumps, found)
	}
	if err := save.Close(); err != nil {
		t.Error(err)
	}
	db.captured = nil
	if cp := capture1(t, c, a, save.Next); !cp.Idle {
		t.Error("the marker is not of what was read")
	}
}
