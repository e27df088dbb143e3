package webhotel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

var past = time.Date(2024, 3, 9, 10, 11, 12, 0, time.UTC)

// put1 writes a file with a time of its own.
func put1(t *testing.T, at, text string, when time.Time) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644), os.Chtimes(at, when, when)); err != nil {
		t.Fatal(err)
	}
}

const wpConfig = `<?php
// define('DB_NAME', 'old');
define( 'DB_NAME', 'butik' );
define( 'DB_USER', "shop" ); /* define('DB_USER','x') */
define( 'DB_PASSWORD', 'it\'s "secret" #1 //' );
define( 'DB_HOST', 'localhost' );
$table_prefix = 'wp_';
`

// shopSite makes a WordPress site with everything that is awkward in it.
func shopSite(t *testing.T, root string, links bool) {
	t.Helper()
	for name, text := range map[string]string{
		"index.php": "<?php // shop", "wp-load.php": "<?php", "wp-config.php": wpConfig, ".htaccess": "Deny from nobody\n",
		"wp-content/uploads/2024/bild 1.jpg": strings.Repeat("bild", 40_000), "wp-content/uploads/tom": "",
		"wp-content/uploads/räksmörgås.png": "å", "wp-content/uploads/r*ck [1].png": "?", "wp-content/plugins/x/x.php": "<?php x();",
		"wp-content/cache/page.html": "cached",
	} {
		put1(t, filepath.Join(root, filepath.FromSlash(name)), text, past)
	}
	if err := errors.Join(os.Chmod(filepath.Join(root, "wp-config.php"), 0o600), os.Mkdir(filepath.Join(root, "tom mapp"), 0o750)); err != nil {
		t.Fatal(err)
	}
	if !links {
		return
	}
	for name, to := range map[string]string{"bilder": "wp-content/uploads", "ut": "../..", "runt": ".", "bruten": "/finns/inte"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// content describes everything below dir but times of folders and what backups
// leave out.
func content(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		if err != nil || at == dir {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(at, dir)
		if strings.HasPrefix(name, "/wp-content/cache") {
			return nil
		}
		fmt.Fprintf(&b, "%q %v", name, fi.Mode())
		if fi.Mode()&fs.ModeSymlink != 0 {
			to, err := os.Readlink(at)
			fmt.Fprintf(&b, " -> %s\n", to)
			return err
		}
		if fi.Mode().IsRegular() {
			data, err := os.ReadFile(at)
			if err != nil {
				return err
			}
			hash := sha256.Sum256(data)
			fmt.Fprintf(&b, " %d %d %s", fi.Size(), fi.ModTime().Truncate(time.Second).Unix(), hex.EncodeToString(hash[:8]))
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func capture1(t *testing.T, c *Connector, a app.Access, since app.Marker) *app.Capture {
	t.Helper()
	cp, err := c.Capture(t.Context(), a, since)
	if err != nil {
		t.Fatalf("capture: %+v", err)
	}
	return cp
}

// point captures a site into a folder.
func point(t *testing.T, c *Connector, a app.Access) (string, app.Stats, app.Marker) {
	t.Helper()
	cp := capture1(t, c, a, "")
	dir, problems := connectortest.Collect(t, cp)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return dir, cp.Stats(), cp.Next
}

// restore plans, applies and verifies.
func restore(t *testing.T, c *Connector, r app.Restore) []app.Check {
	t.Helper()
	plan, err := c.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) > 0 {
		t.Fatalf("plan: %v, %v", err, plan.Blockers)
	}
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatalf("apply: %v", err)
	}
	checks, err := c.Verify(t.Context(), r)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	for _, ch := range checks {
		if !ch.OK || ch.Source != r.Access.Source.Name {
			t.Errorf("check %+v", ch)
		}
	}
	return checks
}

func wantCode(t *testing.T, err error, want app.Code) {
	t.Helper()
	if got := app.CodeOf(err); got != want {
		t.Errorf("code %q, want %q: %v", got, want, err)
	}
}

// fakeDB is a database that is a text.
type fakeDB struct {
	mu       sync.Mutex
	rows     string
	gone     bool
	refuses  bool       // to restore
	access   app.Access // of the last call
	captured func()     // runs when it was read
}

var _ Database = (*fakeDB)(nil)

func (d *fakeDB) Spec() app.KindSpec { return app.KindSpec{Kind: "mysql"} }

func (d *fakeDB) seen(a app.Access) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.access = a
	return d.rows
}

func (d *fakeDB) Check(_ context.Context, a app.Access) (app.SourceInfo, error) {
	if d.seen(a); d.gone {
		return app.SourceInfo{}, app.Errorf(app.CodeUsage, "fake", "no").With("field", "database")
	}
	return app.SourceInfo{Bytes: 7, Changed: past, Details: map[string]string{"server": "fake"}}, nil
}

func (d *fakeDB) Capture(_ context.Context, a app.Access, since app.Marker) (*app.Capture, error) {
	rows := d.seen(a)
	if since == app.Marker(rows) {
		return &app.Capture{Idle: true, Close: func() error { return nil }}, nil
	}
	if d.captured != nil {
		d.captured()
	}
	return &app.Capture{
		Items: func(yield func(app.Item, error) bool) {
			if !yield(app.Item{Path: "tables", Mode: fs.ModeDir | 0o700}, nil) {
				return
			}
			yield(app.Item{Path: "tables/rows.sql", Size: int64(len(rows)), ModTime: past, Rolling: true, Open: func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(rows)), nil
			}}, nil)
		},
		Next: app.Marker(rows), Stats: func() app.Stats { return app.Stats{"bytes": int64(len(rows)), "table.rows": 1} }, Close: func() error { return nil },
	}, nil
}

func (d *fakeDB) Present(ctx context.Context, a app.Access) (*app.Capture, error) {
	return d.Capture(ctx, a, "")
}

func (d *fakeDB) Plan(_ context.Context, r app.Restore) (app.TargetPlan, error) {
	d.seen(r.Access)
	return app.TargetPlan{Where: "fake", Exists: r.Target.Original(), Overwrite: 1}, nil
}

func (d *fakeDB) Apply(_ context.Context, r app.Restore, _ app.Progress) error {
	if d.seen(r.Access); d.refuses {
		return app.Errorf(app.CodeSourceRight, "fake", "no")
	}
	text, err := fs.ReadFile(r.From, "tables/rows.sql")
	if err != nil {
		return err
	}
	if r.Target.Dir != "" {
		at := filepath.Join(r.Target.Dir, "tables", "rows.sql")
		return errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, text, 0o600))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows = string(text)
	return nil
}

func (d *fakeDB) Verify(_ context.Context, r app.Restore) ([]app.Check, error) {
	return []app.Check{{Code: "rows", OK: r.Stats == nil || r.Stats["table.rows"] == 1}}, nil
}

func (d *fakeDB) Rehearse(ctx context.Context, r app.Restore, tmp string, p app.Progress) ([]app.Check, error) {
	r.Target.Dir = tmp
	if err := d.Apply(ctx, r, p); err != nil {
		return nil, err
	}
	return []app.Check{{Code: "rehearsed", OK: true}}, nil
}

func itoa(n int64) string { return fmt.Sprint(n) }

// problemsOf collects a capture for what could not be read.
func problemsOf(t *testing.T, cp *app.Capture) map[string]error {
	t.Helper()
	_, problems := connectortest.Collect(t, cp)
	return problems
}
