//go:build unix

package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func (w *world) rehearse(r app.Restore) []app.Check {
	w.t.Helper()
	checks, err := w.c.Rehearse(w.t.Context(), r, w.t.TempDir(), connectortest.Silent{})
	if err != nil || len(checks) == 0 {
		w.t.Fatalf("rehearse: %v, %v", checks, err)
	}
	return checks
}

func drillWas(t *testing.T, checks []app.Check, where string) {
	t.Helper()
	for _, c := range checks {
		if !c.OK || c.Source != "Shop" {
			t.Errorf("check %+v", c)
		}
	}
	if !slices.ContainsFunc(checks, func(c app.Check) bool { return c.Code == checkDrill && strings.Contains(c.Detail, where) }) {
		t.Errorf("not %s: %+v", where, checks)
	}
}

func (w *world) drills() []string {
	return w.column("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'kvart\\_drill\\_%'")
}

// TestConnector_rehearse is not run beside others, which have throw-away
// databases of their own.
func TestConnector_rehearse(t *testing.T) {
	w := newWorld(t)
	zoo(t, w)
	before := w.dump(w.name)
	point, stats, _ := w.point()
	left := drillPrefix + "abcdefgh27"
	w.on("postgres", "CREATE DATABASE "+left) // of one that was killed
	drillWas(t, w.rehearse(w.restore(point, stats)), "on the server")
	if names := w.drills(); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	same(t, w.dump(w.name), before)

	// One that fails cleans up as well, and tells what failed.
	stats["table.product"]++
	checks := w.rehearse(w.restore(point, stats))
	if !slices.ContainsFunc(checks, func(c app.Check) bool {
		return c.Code == checkRows && !c.OK && strings.Contains(c.Detail, "product: 502 rows, 503 expected")
	}) {
		t.Errorf("checks %+v", checks)
	}
	if got, want := connectortest.Seen(t, checks), "rows: rows_missing 1 product"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
	replace(t, filepath.Join(point, fileAfter), "CREATE INDEX", "CREATE NONSENSE")
	if _, err := w.c.Rehearse(t.Context(), w.restore(point, stats), t.TempDir(), connectortest.Silent{}); err == nil {
		t.Error("nonsense was loaded")
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.c.step = func(at string) {
		if at == "loaded 20-data/product.sql" {
			cancel()
		}
	}
	_, err := w.c.Rehearse(ctx, w.restore(point, stats), t.TempDir(), connectortest.Silent{})
	wantCode(t, err, app.CodeCanceled, "")
	if names := w.drills(); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// TestConnector_rehearseBesideAnother leaves the other's database alone.
func TestConnector_rehearseBesideAnother(t *testing.T) {
	w := newWorld(t)
	shop(w)
	point, stats, _ := w.point()
	other := w.connect("postgres")
	defer func() { _ = other.Close(context.Background()) }()
	if err := enterDrill(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	theirs := drillPrefix + "abcdefgh72"
	w.on("postgres", "CREATE DATABASE "+theirs)
	drillWas(t, w.rehearse(w.restore(point, stats)), "on the server")
	if names := w.drills(); !slices.Equal(names, []string{theirs}) {
		t.Errorf("there are %v", names)
	}
	w.on("postgres", "DROP DATABASE "+theirs)
}

func TestConnector_rehearseWithoutRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.limited("")
	shop(w)
	point, stats, _ := w.point()
	w.c.Folders = []string{t.TempDir()}
	t.Run("only reading", func(t *testing.T) {
		r := w.restore(point, stats)
		checks := w.rehearse(r)
		drillWas(t, checks, "only read, not loaded into a server: the user may not create databases")
		if !strings.Contains(checks[0].Detail, "600 rows") {
			t.Errorf("checks %+v", checks)
		}
		spoilt := t.TempDir()
		if err := os.CopyFS(spoilt, os.DirFS(point)); err != nil {
			t.Fatal(err)
		}
		replace(t, spoilt+"/20-data/goods.sql", "7\tg7\n", "")
		checks = w.rehearse(w.restore(spoilt, stats))
		if checks[0].OK || checks[1].Seen[0].Code != app.SeenTriedReading {
			t.Errorf("checks %+v", checks)
		}
		if got, want := connectortest.Seen(t, checks), "rows: backup_unread 1 20-data/goods.sql\nrows: rows_missing 1 goods"; got != want {
			t.Errorf("the owner is told %q, want %q", got, want)
		}
	})
}

// TestConnector_rehearseOnServerOfItsOwn runs as a user who may start one.
func TestConnector_rehearseOnServerOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zoo(t, w)
	point, stats, _ := w.point()
	w.user = "u_" + w.name
	w.on("postgres", "CREATE ROLE "+w.user+" LOGIN")
	t.Cleanup(func() { w.dropAll(); w.on("postgres", "DROP ROLE u_"+w.name) })

	// The test's program and the point have to be where that user may read.
	dir, err := os.MkdirTemp("/tmp", "kvpgown")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.CopyFS(filepath.Join(dir, "point"), os.DirFS(point)); err != nil {
		t.Fatal(err)
	}
	copyFile(t, os.Args[0], filepath.Join(dir, "test"))
	deep := filepath.Join(dir, strings.Repeat("deep", 20)) // too long for a socket
	if err := os.Mkdir(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if out, err := exec.Command("chown", "-R", "postgres:", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, tmp := range []string{dir, deep} {
		raw, err := json.Marshal(order{Source: w.access().Source, Point: filepath.Join(dir, "point"), Stats: stats, Die: tmp})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(filepath.Join(dir, "test"))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "KVART_TEST_REHEARSE="+string(raw), "HOME="+dir)
		if err := asPostgres(cmd); err != nil {
			t.Fatal(err)
		}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var checks []app.Check
		if err := json.Unmarshal(out, &checks); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		drillWas(t, checks, "on a server started for it")
	}
	left, err := filepath.Glob(filepath.Join(dir, "cluster*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// rehearseElsewhere rehearses for the test above.
func rehearseElsewhere() int {
	var o order
	if err := json.Unmarshal([]byte(os.Getenv("KVART_TEST_REHEARSE")), &o); err != nil {
		fmt.Println(err)
		return 2
	}
	c := New(slog.New(slog.DiscardHandler))
	c.Folders = []string{testBin}
	r := app.Restore{Access: app.Access{Source: o.Source}, From: os.DirFS(o.Point), Stats: o.Stats}
	checks, err := c.Rehearse(context.Background(), r, o.Die, connectortest.Silent{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if err := json.NewEncoder(os.Stdout).Encode(checks); err != nil {
		return 2
	}
	return 0
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(dst, src); err != nil {
		t.Fatal(err)
	}
	if err := dst.Close(); err != nil {
		t.Fatal(err)
	}
}
