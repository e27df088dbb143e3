package mysql

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"kvart/app"
	"kvart/connectors/internal/tool"
)

func TestReadVersion(t *testing.T) {
	t.Parallel()
	for banner, want := range map[string]string{
		"10.11.6-MariaDB-0+deb12u1":      "10.11.6 true",
		"5.5.5-10.4.32-MariaDB":          "10.4.32 true",
		"8.0.36-0ubuntu0.22.04.1":        "8.0.36 false",
		"5.7.44-log":                     "5.7.44 false",
		"8.4.0":                          "8.4.0 false",
		"11.4.2-MariaDB-ubu2404-log":     "11.4.2 true",
		"8.0.35-27 (Percona Server)":     "8.0.35 false",
		"something":                      " false",
		"10.6.16-11-MariaDB-enterprise8": "10.6.16 true",
	} {
		version, maria := readVersion(banner)
		if got := version + map[bool]string{true: " true", false: " false"}[maria]; got != want {
			t.Errorf("%s: %s, want %s", banner, got, want)
		}
	}
	for in, want := range map[string]string{"10.11.6": "10.11", "11.4.2": "11.4"} {
		if got := series(in, true); got != want {
			t.Errorf("series of %s: %s", in, got)
		}
	}
	if got := series("8.4.1", false); got != "8" {
		t.Errorf("series: %s", got)
	}
}

// fakeProgram writes a program that only tells its version.
func fakeProgram(t *testing.T, dir, name, banner string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("KVART-SKIP: needs a shell")
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho '"+banner+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestConnector_program(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	c := connector(t)
	find := func(banner string) (string, error) {
		s := &session{banner: banner}
		s.version, s.maria = readVersion(banner)
		found, err := tool.Find(t.Context(), roleDump(), []string{dir})
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.choose(found, s, roleDump())
		return p.Version, err
	}
	_, err := find("8.0.36")
	if e := app.AsError(err); e == nil || e.Code != app.CodeProgramMissing || e.Args["program"] != "mysqldump" || e.Args["hint"] == "" {
		t.Errorf("none: %v", err)
	}
	fakeProgram(t, dir, "mysqldump", "mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)")
	_, err = find("8.0.36")
	if e := app.AsError(err); e == nil || e.Code != app.CodeProgramOld || e.Args["version"] != "5.7.44" || e.Args["needs"] != "8" || e.Args["program"] != "mysqldump" {
		t.Errorf("old: %v", err)
	}
	if v, err := find("5.7.30"); err != nil || v != "5.7.44" {
		t.Errorf("%s, %v", v, err)
	}
	if _, err := find("10.4.32-MariaDB"); app.CodeOf(err) != app.CodeProgramMissing {
		t.Errorf("another vendor's: %v", err)
	}
	fakeProgram(t, dir, "mariadb-dump", "mariadb-dump from 10.6.18-MariaDB, client 10.19 for Linux (x86_64)")
	if v, err := find("10.4.32-MariaDB"); err != nil || v != "10.6.18" {
		t.Errorf("%s, %v", v, err)
	}
	if _, err := find("10.11.6-MariaDB"); app.CodeOf(err) != app.CodeProgramOld {
		t.Errorf("older than the server: %v", err)
	}
}

func TestUsualFolders(t *testing.T) {
	t.Parallel()
	env := func(string) string { return `C:\Program Files` }
	for system, want := range map[string][]string{
		"windows": {`C:\xampp\mysql\bin`, `C:\laragon\bin\mysql\*\bin`, `C:\wamp64\bin\mariadb\*\bin`, `C:\Program Files\MariaDB *\bin`, `C:\Program Files\MySQL\MySQL Server *\bin`},
		"darwin":  {"/opt/homebrew/bin", "/Applications/MAMP/Library/bin", "/usr/local/mysql*/bin"},
		"linux":   {"/usr/bin", "/opt/lampp/bin"},
	} {
		for _, w := range want {
			if !slices.Contains(usualFolders(system, env), w) {
				t.Errorf("%s lacks %s", system, w)
			}
		}
	}
	has := func(program string) func(string) bool { return func(p string) bool { return p == program } }
	for _, c := range []struct {
		system, manager string
		maria           bool
		want            string
	}{
		{"linux", "apt-get", true, "sudo apt-get install mariadb-client"},
		{"linux", "dnf", false, "sudo dnf install mysql"},
		{"linux", "", true, "https://mariadb.org/download"},
		{"darwin", "", false, "brew install mysql-client"},
		{"windows", "", true, "winget install MariaDB.Server"},
	} {
		if got := installHint(c.system, c.maria, has(c.manager)); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	var g grants
	for _, line := range []string{
		"GRANT USAGE ON *.* TO `kvart`@`localhost` IDENTIFIED BY PASSWORD '*X'",
		"GRANT SELECT, LOCK TABLES, SHOW VIEW ON `my\\_shop`.* TO `kvart`@`localhost`",
		"GRANT TRIGGER ON `my%`.* TO `kvart`@`localhost`",
		"GRANT SELECT ON `mysql`.`proc` TO `kvart`@`localhost`",
		"GRANT SELECT (`a`), INSERT ON `other`.`t` TO `kvart`@`localhost`",
		"GRANT EXECUTE ON PROCEDURE `my_shop`.`p` TO `kvart`@`localhost`",
		"GRANT `role` TO `kvart`@`localhost`",
	} {
		g.add(line)
	}
	for _, c := range []struct {
		right, db string
		want      bool
	}{
		{"SELECT", "my_shop", true},
		{"SELECT", "myxshop", false},
		{"TRIGGER", "my_shop", true},
		{"TRIGGER", "your", false},
		{"SELECT", "other", false},
		{"SELECT", "", false},
		{"EXECUTE", "my_shop", false},
	} {
		if got := g.has(c.right, c.db); got != c.want {
			t.Errorf("%s on %q: %v", c.right, c.db, got)
		}
	}
	s := &session{cfg: config{database: "my_shop"}, maria: true, version: "10.6"}
	if got := s.missingRights(g); !slices.Equal(got, []string{"EVENT"}) {
		t.Errorf("missing %v", got)
	}
	var all grants
	all.add("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION")
	all.add("REVOKE SELECT ON `secret`.* FROM `root`@`localhost`")
	if got := s.missingRights(all); len(got) != 0 || !slices.Equal(s.excess(all), []string{"ALL PRIVILEGES", "GRANT OPTION"}) || all.has("SELECT", "secret") {
		t.Errorf("missing %v, too many %v", got, s.excess(all))
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{spoolPrefix + "old/0", "kvart-1/" + clientFile, "kvart-2/other", spoolPrefix + "new/0", "mine/" + clientFile} {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if old := time.Now().Add(-2 * leftoverAge); !strings.Contains(name, "new") {
			if err := os.Chtimes(filepath.Dir(at), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := newSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.put("x.sql", []byte("secret customers")), s.put("y.sql", []byte("secret customers"))); err != nil {
		t.Fatal(err)
	}
	var onDisk []string
	for _, f := range s.files {
		b, err := os.ReadFile(f.file)
		if err != nil || strings.Contains(string(b), "secret") || slices.Contains(onDisk, string(b)) {
			t.Errorf("%q, %v", b, err)
		}
		onDisk = append(onDisk, string(b))
		r, err := s.open(f)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || string(b) != "secret customers" || f.size != int64(len(b)) {
			t.Errorf("%q, %v", b, err)
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 3 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	read := func(settings map[string]string) (config, error) {
		return readConfig(app.Access{Source: app.Source{Settings: settings}})
	}
	for field, settings := range map[string]map[string]string{
		fieldUser:     {fieldDatabase: "x"},
		fieldDatabase: {fieldUser: "u", fieldDatabase: "information_schema"},
		fieldPort:     {fieldUser: "u", fieldDatabase: "x", fieldPort: "70000"},
		fieldHost:     {fieldUser: "u", fieldDatabase: "x", fieldHost: "a b"},
		"ssh_user":    {fieldUser: "u", fieldDatabase: "x", "ssh_host": "h"},
	} {
		if _, err := read(settings); app.CodeOf(err) != app.CodeUsage || app.AsError(err).Args["field"] != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, c := range []struct {
		host, tls        string
		encrypt, without bool
	}{
		{"", "", true, true},
		{"localhost", "prefer", true, true},
		{"::1", "prefer", true, true},
		{"db.example", "prefer", true, false},
		{"10.0.0.5", "prefer", true, false},
		{"db.example", "off", false, true},
		{"127.0.0.1", "require", true, false},
		{"db.example", "verify", true, false},
	} {
		cfg, err := read(map[string]string{fieldUser: "u", fieldDatabase: "x", fieldHost: c.host, fieldTLS: c.tls})
		if err != nil {
			t.Fatal(err)
		}
		conf, without, err := cfg.tlsConfig()
		if err != nil || (conf != nil) != c.encrypt || without != c.without || conf != nil && conf.InsecureSkipVerify == (c.tls == tlsVerify) {
			t.Errorf("%+v: %v %v %v", c, conf, without, err)
		}
	}
}

func TestConfig_codeOf(t *testing.T) {
	t.Parallel()
	cfg := config{host: "h", port: 1, user: "u", database: "d"}
	exit := func(stderr string) error { return &tool.ExitError{Program: "mysqldump", Code: 2, Stderr: stderr} }
	for _, c := range []struct {
		err    error
		code   app.Code
		reason string
	}{
		{&driver.MySQLError{Number: 1045}, app.CodeSourceDenied, ""},
		{&driver.MySQLError{Number: 1049}, app.CodeSourceGone, ""},
		{&driver.MySQLError{Number: 1142}, app.CodeSourceRight, ""},
		{&driver.MySQLError{Number: 1205}, app.CodeSourceLocked, ""},
		{driver.ErrNoTLS, app.CodeSourcePlain, ""},
		{exit("mysqldump: Got error: 1045: Access denied for user 'x'@'localhost' (using password: YES) when trying to connect"), app.CodeSourceDenied, ""},
		{exit("Warning: mariadb-dump: unknown variable 'loose-x'\nmariadb-dump: Error 2013: Lost connection to server during query when dumping table `a` at row: 7"), app.CodeSourceOffline, ""},
		{exit("mysqldump: Error 1412: Table definition has changed, please retry transaction when dumping table `a` at row: 0"), app.CodeSourceAltered, ""},
		{exit("mysqldump: Error 1194: Table 'a' is marked as crashed and should be repaired when dumping table `a` at row: 0"), app.CodeSourceDamaged, ""},
		{exit("mysqldump: Error 2020: Got packet bigger than 'max_allowed_packet' bytes when dumping table `a` at row: 0"), app.CodeSourceTooLarge, ""},
		{exit("--------------\nINSERT\n--------------\n\nERROR 1114 (HY000) at line 3: The table 'a' is full"), app.CodeSourceUnreadable, ""},
		{&driver.MySQLError{Number: 1040}, app.CodeSourceBusy, ""},
		{&driver.MySQLError{Number: 1053}, app.CodeSourceOffline, ""},
		{context.Canceled, app.CodeCanceled, ""},
	} {
		err := cfg.codeOf(t.Context(), "test", c.err)
		e := app.AsError(err)
		if e.Code != c.code || e.Args["reason"] != c.reason || !errors.Is(err, c.err) && e.Code != app.CodeCanceled {
			t.Errorf("%v: %s %v", c.err, e.Code, e.Args)
		}
	}
	if err := cfg.targetCode(t.Context(), "test", exit("ERROR 1114 (HY000) at line 3: The table 'a' is full")); app.CodeOf(err) != app.CodeTargetFull {
		t.Errorf("full: %v", err)
	}
}

func TestTableFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sale", "a/b", `a\b`, "..", "%2F", "å 😀", "a:b*?\"<>|", "x.sql", "\t"} {
		path := tableFile(name)
		if got := tableName(path); got != name || strings.Count(path, "/") != 1 {
			t.Errorf("%q: %q, %q", name, path, got)
		}
	}
	for _, path := range []string{"views.sql", "tables/x", "tables/a/b.sql", "tables"} {
		if got := tableName(path); got != "" {
			t.Errorf("%q: %q", path, got)
		}
	}
}

func TestBeside(t *testing.T) {
	t.Parallel()
	if got := beside("shop", newSuffix); got != "shop_kvart_new" {
		t.Error(got)
	}
	if got := beside(strings.Repeat("å", 64), newSuffix); len([]rune(got)) != maxName || !strings.HasSuffix(got, newSuffix) {
		t.Error(got)
	}
}

func TestOptionFile(t *testing.T) {
	t.Parallel()
	client, err := exec.LookPath("my_print_defaults")
	if err != nil {
		t.Skipf("KVART-SKIP: %v", err)
	}
	for _, password := range []string{"simple", `a"b'c\d#e`, "# x", " lead ", "å😀", `\n`, "tab\tnew\nline", `"`, ""} {
		s := &session{cfg: config{user: "u", password: app.NewSecret(password), socket: "/s"}, maria: true}
		path, remove, err := s.options(t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		fi, err := os.Stat(path)
		if err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", fi, err)
		}
		out, err := exec.Command(client, "--defaults-file="+path, "client").Output()
		if strings.Contains(string(out), "*****") {
			t.Skip("KVART-SKIP: this my_print_defaults hides passwords")
		}
		if err != nil || !strings.Contains(string(out), "--password="+password+"\n") {
			t.Errorf("%q: %q, %v", password, out, err)
		}
		if err := errors.Join(remove(), remove()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Error("the password's file is still there")
		}
	}
}
