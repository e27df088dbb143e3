package webhotel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
	"kvart/connectors/internal/tunnel"
)

const prestaParameters = `<?php return array (
  'parameters' =>
  array (
    'database_host' => '127.0.0.1',
    'database_port' => '3307',
    'database_name' => 'presta',
    'database_user' => 'ps',
    'database_password' => 'p\\w"',
    'database_prefix' => 'ps_',
    'locale' => 'sv-SE',
  ),
);`

func TestFindLogin(t *testing.T) {
	t.Parallel()
	define := func(key, value string) string { return "define('" + key + "', " + value + ");\n" }
	wp := "<?php\n" + define("DB_NAME", "'n'") + define("DB_USER", "'u'") + define("DB_PASSWORD", "'p'")
	for name, tt := range map[string]struct {
		file, text string
		want       login
		fails      bool
	}{
		"wordpress":  {"wp-config.php", wpConfig, login{site: siteWordPress, name: "butik", user: "shop", password: app.NewSecret(`it's "secret" #1 //`), host: "localhost", prefix: "wp_"}, false},
		"prestashop": {"app/config/parameters.php", prestaParameters, login{site: sitePrestaShop, name: "presta", user: "ps", password: app.NewSecret(`p\w"`), host: "127.0.0.1", port: "3307", prefix: "ps_"}, false},
		"prestashop 1.6": {
			"config/settings.inc.php", "<?php\n" + define("_DB_SERVER_", "'db:3306'") + define("_DB_NAME_", "'n'") + define("_DB_USER_", `"u"`) + define("_DB_PASSWD_", "''"),
			login{site: sitePrestaShop, name: "n", user: "u", host: "db", port: "3306"},
			false,
		},
		"above":       {"../wp-config.php", wp, login{site: siteWordPress, name: "n", user: "u", password: app.NewSecret("p"), host: "localhost"}, false},
		"socket":      {"wp-config.php", wp + define("DB_HOST", "'localhost:/run/my.sock'"), login{site: siteWordPress, name: "n", user: "u", password: app.NewSecret("p"), host: "localhost", socket: "/run/my.sock"}, false},
		"IPv6":        {"wp-config.php", wp + define("DB_HOST", "'[::1]:3306'"), login{site: siteWordPress, name: "n", user: "u", password: app.NewSecret("p"), host: "::1", port: "3306"}, false},
		"environment": {"wp-config.php", "<?php\n" + define("DB_NAME", "getenv('DB_NAME')") + define("DB_USER", "'u'") + define("DB_PASSWORD", "'p'"), login{}, true},
		"joined":      {"wp-config.php", "<?php\n" + define("DB_NAME", "'a' . $b") + define("DB_USER", "'u'") + define("DB_PASSWORD", "'p'"), login{}, true},
		"computed":    {"wp-config.php", "<?php\n" + define("DB_NAME", `"a$b"`) + define("DB_USER", "'u'") + define("DB_PASSWORD", "'p'"), login{}, true},
		"remarks":     {"wp-config.php", "<?php /* " + wp + " */ # " + strings.ReplaceAll(wp, "\n", " "), login{}, true},
		"cut off":     {"wp-config.php", "<?php define('DB_NAME', 'n", login{}, true},
		"nothing":     {"readme.html", "", login{}, true},
	} {
		got, err := findLogin(func(p string) ([]byte, error) {
			if p == tt.file {
				return []byte(tt.text), nil
			}
			return nil, fs.ErrNotExist
		}, func(err error) bool { return errors.Is(err, fs.ErrNotExist) })
		if (err != nil) != tt.fails || !tt.fails && got != tt.want {
			t.Errorf("%s: %+v %q, %v", name, got, got.password.Reveal(), err)
		}
	}
}

func withDB(a app.Access) app.Access {
	a.Source.Settings[fieldDBName], a.Source.Settings[fieldDBUser], a.Secrets[fieldDBPassword] = "butik", "shop", app.NewSecret("db secret")
	return a
}

// The database is reached with the log-in of the files, unless something else
// is said.
func TestConnector_database_reach(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, false)
	s := serveSFTP(t)
	db := &fakeDB{}
	c := quick(t, db)
	a := withDB(s.site(t, dir))
	if _, err := c.Check(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	set, secrets := db.access.Source.Settings, db.access.Secrets
	if db.access.Source.Kind != "mysql" || set["database"] != "butik" || set["user"] != "shop" || set["host"] != "localhost" || secrets["password"].Reveal() != "db secret" {
		t.Errorf("%v", set)
	}
	if set[tunnel.FieldHost] != "127.0.0.1" || set[tunnel.FieldPort] != a.Source.Settings[fieldPort] || set[tunnel.FieldUser] != "shop" ||
		set[tunnel.FieldHostKey] != s.hostKey() || secrets[tunnel.FieldPassword].Reveal() != password {
		t.Errorf("tunnel %v", set)
	}
	a.Source.Settings[fieldDBReach], a.Source.Settings[fieldDBHost], a.Source.Settings[fieldDBPort] = reachDirect, "db.example", "3308"
	if _, err := c.Check(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if set = db.access.Source.Settings; set[tunnel.FieldHost] != "" || set["host"] != "db.example" || set["port"] != "3308" {
		t.Errorf("direct %v", set)
	}
	_, ftp := serveFTP(t, filepath.Dir(dir), nil)
	ftp.Source.Settings[fieldPath] = "/" + filepath.Base(dir)
	ftp = withDB(ftp)
	ftp.Source.Settings[tunnel.FieldHost], ftp.Source.Settings[tunnel.FieldUser], ftp.Secrets[tunnel.FieldPassword] = "ssh.example", "me", app.NewSecret("other")
	if _, err := c.Check(t.Context(), ftp); err != nil {
		t.Fatal(err)
	}
	if set = db.access.Source.Settings; set[tunnel.FieldHost] != "ssh.example" || set[tunnel.FieldUser] != "me" || db.access.Secrets[tunnel.FieldPassword].Reveal() != "other" {
		t.Errorf("own tunnel %v", set)
	}
	// The hotel's own "localhost" is not this computer's.
	cfg, err := readConfig(ftp)
	if err != nil {
		t.Fatal(err)
	}
	cfg.host = "ftp.example"
	ftp.Source.Settings[tunnel.FieldHost] = ""
	_, err = c.inner(ftp, cfg, login{host: "localhost", name: "n", user: "u"})
	wantCode(t, err, app.CodeUsage)
	db.gone = true
	_, err = c.Check(t.Context(), a)
	if wantCode(t, err, app.CodeUsage); app.AsError(err).Args["field"] != fieldDBName {
		t.Errorf("field %v", app.AsError(err).Args)
	}
}

// Files and database are one point, the database read before the files, and
// idle only together.
func TestConnector_database_onePoint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, false)
	db := &fakeDB{rows: "order 1"}
	c, a := quick(t, db), withDB(serveSFTP(t).site(t, dir))
	// The shop stores a picture, and then the row that names it.
	db.captured = func() { put1(t, filepath.Join(dir, "wp-content", "uploads", "late.jpg"), "late", past) }
	got, stats, next := point(t, c, a)
	if b, err := os.ReadFile(filepath.Join(got, databaseDir, "tables", "rows.sql")); err != nil || string(b) != "order 1" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(got, filesDir, "wp-content", "uploads", "late.jpg")); err != nil {
		t.Error("a file from while the database was read is not in the point")
	}
	if stats["database.table.rows"] != 1 || stats["files"] == 0 || stats["bytes"] == 0 {
		t.Errorf("stats %v", stats)
	}
	db.captured = nil
	if cp := capture1(t, c, a, next); !cp.Idle {
		t.Error("not idle")
	}
	db.rows = "order 2"
	cp := capture1(t, c, a, next)
	if cp.Idle {
		t.Error("idle with a new order")
	}
	problemsOf(t, cp)
	_, _, next = point(t, c, a)
	put1(t, filepath.Join(dir, "new.php"), "new", past)
	cp = capture1(t, c, a, next)
	if cp.Idle {
		t.Fatal("idle with a new file")
	}
	whole, _ := connectortest.Collect(t, cp)
	if _, err := os.Stat(filepath.Join(whole, databaseDir, "tables", "rows.sql")); err != nil {
		t.Error("a point of new files lacks the database that did not move")
	}
	want := content(t, dir)
	safety := present(t, c, a)
	r := app.Restore{Access: a, From: os.DirFS(got), Stats: stats}
	plan, err := c.Plan(t.Context(), r)
	if err != nil || !plan.Exists || !strings.Contains(plan.Where, "fake") {
		t.Errorf("%+v, %v", plan, err)
	}
	checks := restore(t, c, r)
	if db.rows != "order 1" || len(checks) != 4 {
		t.Errorf("rows %q, checks %+v", db.rows, checks)
	}
	restore(t, c, app.Restore{Access: a, From: os.DirFS(safety), Raw: true, Remove: created(t, got, safety)})
	if db.rows != "order 2" || content(t, dir) != want {
		t.Errorf("taken back: rows %q\n%s\nwant:\n%s", db.rows, content(t, dir), want)
	}
	elsewhere(t, c, r)
}

// elsewhere restores a point to a folder, and rehearses it.
func elsewhere(t *testing.T, c *Connector, r app.Restore) {
	t.Helper()
	other := t.TempDir()
	restore(t, c, app.Restore{Access: r.Access, From: r.From, Stats: r.Stats, Target: app.Target{Dir: other}})
	if b, err := os.ReadFile(filepath.Join(other, databaseDir, "tables", "rows.sql")); err != nil || string(b) != "order 1" {
		t.Errorf("%q, %v", b, err)
	}
	checks, err := c.Rehearse(t.Context(), r, t.TempDir(), connectortest.Silent{})
	if err != nil || len(checks) != 4 {
		t.Errorf("%+v, %v", checks, err)
	}
}

// With "auto" the site's own configuration opens the database, and of a site
// that was wiped the point's.
func TestConnector_database_auto(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, dir, false)
	db := &fakeDB{rows: "one"}
	c, a := quick(t, db), serveSFTP(t).site(t, dir)
	info, err := c.Check(t.Context(), a)
	if err != nil || info.Details[detailSite] != siteWordPress || info.Details[detailDBName] != "butik" || info.Details[detailDBUser] != "shop" {
		t.Errorf("%v, %v", info.Details, err)
	}
	for key, value := range info.Details {
		if strings.Contains(value, "secret") {
			t.Errorf("%s tells a password", key)
		}
	}
	a.Source.Settings[fieldDB] = dbAuto
	got, stats, next := point(t, c, a)
	if db.access.Secrets["password"].Reveal() != `it's "secret" #1 //` || db.access.Source.Settings["database"] != "butik" {
		t.Errorf("%v", db.access.Source.Settings)
	}
	if err := os.Remove(filepath.Join(dir, "wp-config.php")); err != nil {
		t.Fatal(err)
	}
	_, err = c.Capture(t.Context(), a, next)
	wantCode(t, err, app.CodeSourceGone)
	if _, err := quick(t, db).Present(t.Context(), a); app.CodeOf(err) != app.CodeSourceGone {
		t.Errorf("a state without its database was saved: %v", err)
	}
	r := app.Restore{Access: a, From: os.DirFS(got), Stats: stats}
	if _, err := c.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	db.rows = "two"
	safety := present(t, c, a)
	if b, err := os.ReadFile(filepath.Join(safety, databaseDir, "tables", "rows.sql")); err != nil || string(b) != "two" {
		t.Errorf("safety point: %q, %v", b, err)
	}
	restore(t, c, r)
	if db.rows != "one" {
		t.Errorf("rows %q", db.rows)
	}
}
