package webhotel

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// stopAt makes a restore end at a step as a kill would.
func stopAt(c *Connector, step string) {
	c.step = func(name string) error {
		if name == step {
			c.step = nil
			return errStopped
		}
		return nil
	}
}

// A restore that was killed anywhere goes on, and opens the shop again.
func TestConnector_Apply_killed(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"closed", "database", "file", "files"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			shopSite(t, dir, true)
			db := &fakeDB{rows: "one"}
			c, a := quick(t, db), serveSFTP(t).site(t, dir)
			c.pace.many = 1
			a.Source.Settings[fieldDBName], a.Source.Settings[fieldDBUser] = "butik", "shop"
			want := content(t, dir)
			got, stats, _ := point(t, c, a)
			db.rows = "two"
			put1(t, filepath.Join(dir, "index.php"), "changed", time.Now())
			put1(t, filepath.Join(dir, "wp-load.php"), "changed", time.Now())
			r := app.Restore{Access: a, From: os.DirFS(got), Stats: stats}
			stopAt(c, step)
			if err := c.Apply(t.Context(), r, connectortest.Silent{}); !errors.Is(err, errStopped) {
				t.Fatalf("apply: %v", err)
			}
			if b, err := os.ReadFile(filepath.Join(dir, maintenanceFile)); err != nil || !strings.Contains(string(b), "$upgrading") {
				t.Errorf("the shop is open in the middle of a restore: %v", err)
			}
			restore(t, c, r)
			if got := content(t, dir); got != want || db.rows != "one" {
				t.Errorf("restored:\n%s\nwant:\n%s; rows %q", got, want, db.rows)
			}
		})
	}
}

func TestConnector_Apply_partly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, true)
	db := &fakeDB{rows: "one"}
	c, a := quick(t, db), serveSFTP(t).site(t, dir)
	a.Source.Settings[fieldDBName], a.Source.Settings[fieldDBUser] = "butik", "shop"
	want := content(t, dir)
	got, stats, _ := point(t, c, a)
	r := app.Restore{Access: a, From: os.DirFS(got), Stats: stats, Paths: []string{"files/wp-content/uploads/2024"}}
	db.rows = "two"
	if err := os.RemoveAll(filepath.Join(dir, "wp-content", "uploads", "2024")); err != nil {
		t.Fatal(err)
	}
	restore(t, c, r)
	if content(t, dir) != want || db.rows != "two" {
		t.Errorf("restored:\n%s\nrows %q", content(t, dir), db.rows)
	}
	r.Paths = []string{"database"}
	put1(t, filepath.Join(dir, "index.php"), "changed", past)
	want = content(t, dir)
	restore(t, c, r)
	if content(t, dir) != want || db.rows != "one" {
		t.Error("restoring the database alone did something else")
	}
	r.Paths, r.Target.Database = nil, "beside"
	if checks := restore(t, c, r); slices.ContainsFunc(checks, func(ch app.Check) bool { return ch.Code == checkFiles }) || content(t, dir) != want {
		t.Error("a database beside touched the files")
	}
	r.Target.Database, r.Paths = "", []string{"files/nowhere"}
	_, err := c.Plan(t.Context(), r)
	wantCode(t, err, app.CodePathUnknown)
	r.Paths = []string{"../x"}
	_, err = c.Plan(t.Context(), r)
	wantCode(t, err, app.CodeUsage)
}

// A restore that fails leaves no shop closed, and one that fails at the database
// has changed nothing.
func TestConnector_Apply_fails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, false)
	db := &fakeDB{rows: "one"}
	c, a := quick(t, db), serveSFTP(t).site(t, dir)
	a.Source.Settings[fieldDBName], a.Source.Settings[fieldDBUser] = "butik", "shop"
	got, stats, _ := point(t, c, a)
	put1(t, filepath.Join(dir, "index.php"), "changed", past)
	want := content(t, dir)
	db.refuses = true
	r := app.Restore{Access: a, From: os.DirFS(got), Stats: stats}
	wantCode(t, c.Apply(t.Context(), r, connectortest.Silent{}), app.CodeSourceRight)
	if content(t, dir) != want {
		t.Errorf("changed:\n%s\nwant:\n%s", content(t, dir), want)
	}
	db.refuses = false
	c.step = func(string) error { return errors.New("no") }
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); err == nil {
		t.Error("a restore that failed was done")
	}
	if _, err := os.Stat(filepath.Join(dir, maintenanceFile)); !os.IsNotExist(err) {
		t.Errorf("the shop was left closed: %v", err)
	}
}

// What is not as in the backup is told the owner file by file, of the first few.
func TestConnector_Verify_findsDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, true)
	c, a := quick(t, &fakeDB{}), serveSFTP(t).site(t, dir)
	got, stats, _ := point(t, c, a)
	r := app.Restore{Access: a, From: os.DirFS(got), Stats: stats, Target: app.Target{Dir: filepath.Join(t.TempDir(), "ut")}}
	restore(t, c, r)
	uploads := filepath.Join(r.Target.Dir, filesDir, "wp-content", "uploads")
	if err := os.Remove(filepath.Join(uploads, "tom")); err != nil {
		t.Fatal(err)
	}
	put1(t, filepath.Join(uploads, "2024", "bild 1.jpg"), strings.Repeat("dlib", 40_000), past)
	stats["files"] += 2
	checks, err := c.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	const want = `files: files_missing 1 wp-content/uploads/tom
files: files_number 9/11
sample: files_differ 1 wp-content/uploads/2024/bild 1.jpg
sample: files_missing 1 wp-content/uploads/tom`
	if got := connectortest.Seen(t, checks); got != want {
		t.Errorf("the owner is told\n%s\nwant\n%s", got, want)
	}
}
