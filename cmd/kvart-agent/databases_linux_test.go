package main

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kvart/app"
)

// dbServer is a database server of a test's own, with one database.
type dbServer struct {
	*shop
	dir  string // short: sockets lie in it
	port int
	as   *syscall.Credential // the account it runs as
}

const adminWord = "Administratörens hemliga ord 1"

// newDBServer makes a folder and chooses a port. As root, servers that refuse
// to run as root run as an account of their own.
func newDBServer(s *shop, account string) *dbServer {
	s.Helper()
	dir, err := os.MkdirTemp("/tmp", "kvd")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	d := &dbServer{shop: s, dir: dir, port: l.Addr().(*net.TCPAddr).Port}
	if err := l.Close(); err != nil {
		s.Fatal(err)
	}
	if os.Geteuid() != 0 || account == "" {
		return d
	}
	u, err := user.Lookup(account)
	if err != nil {
		s.Skipf("KVART-SKIP: no account %s: %v", account, err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		s.Fatal(err1, err2)
	}
	d.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		s.Fatal(err)
	}
	return d
}

func (d *dbServer) program(names ...string) string {
	d.Helper()
	for _, name := range names {
		if found, _ := filepath.Glob(name); len(found) > 0 {
			return found[len(found)-1]
		}
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	d.Skipf("KVART-SKIP: %s is not installed", names[0])
	return ""
}

func (d *dbServer) cmd(program string, args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir, c.Env = d.dir, append(os.Environ(), "LC_ALL=C", "MYSQL_PWD="+adminWord, "PGPASSWORD="+adminWord)
	return c
}

// ask runs a program to its end and returns what it printed.
func (d *dbServer) ask(in string, program string, args ...string) string {
	d.Helper()
	c := d.cmd(program, args...)
	c.Stdin = strings.NewReader(in)
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		d.Fatalf("%s %v: %v: %s", program, args, err, errs.String())
	}
	return string(out)
}

// serve runs a program as the server's account until the test ends; with end
// it runs it to its end.
func (d *dbServer) serve(end bool, program string, args ...string) {
	d.Helper()
	c := d.cmd(program, args...)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: d.as, Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(d.root, filepath.Base(program)+".log"))
	if err != nil {
		d.Fatal(err)
	}
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		d.Fatal(err)
	}
	if end {
		if err := c.Wait(); err != nil {
			text, _ := os.ReadFile(log.Name())
			d.Fatalf("%s: %v: %s", program, err, text)
		}
		return
	}
	d.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGQUIT)
		_ = c.Process.Kill()
		_ = c.Wait()
	})
}

// up waits until a program's question is answered.
func (d *dbServer) up(program string, args ...string) {
	d.Helper()
	var out []byte
	var err error
	for range 400 {
		if out, err = d.cmd(program, args...).CombinedOutput(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.Fatalf("the server does not come up: %v: %s", err, out)
}

// sample reads a sample of a shop's database.
func (d *dbServer) sample(name, otherwise string) string {
	b, err := os.ReadFile("../../../shared/data/" + name)
	if err != nil {
		return otherwise
	}
	return string(b)
}

// shopDatabase is a database to take through the whole loop.
type shopDatabase struct {
	kind   string
	admin  string
	run    func(statements string)
	wreck  string
	digest func() string // of all there is in it
	open   func()        // opens it with another program until the test ends
}

// loop protects a database with a user that the guard makes, and takes it
// through all of it.
func (d *dbServer) loop(db shopDatabase) {
	d.Helper()
	d.createVault()
	word := d.write("admin-word", []byte(adminWord+"\n"))
	server := []string{"--set", "host=127.0.0.1", "--set", "port=" + strconv.Itoa(d.port), "--set", "database=sakila"}
	asAdmin := append([]string{"source", "rights", "--kind", db.kind, "--set", "user=" + db.admin, "--secret", "password=" + word}, server...)
	if r := d.must(asAdmin); d.dig(r, "excess.0") == "" || !strings.Contains(d.dig(r, "statements.0"), "<password>") {
		d.Errorf("rights of the administrator: %s", r.out)
	}
	d.must(append([]string{"source", "add", db.kind, "--name", "Butiken", "--admin", db.admin, "--secret", "admin_password=" + word}, server...),
		"settings.user", app.BackupUser)
	d.secretsHold(adminWord, false)
	rights := d.rights()
	if rights.User == "" || len(rights.Missing)+len(rights.Excess) > 0 {
		d.Errorf("rights of the user that was made: %+v", rights)
	}
	d.must([]string{"backup"}, "runs.0.state", "done")
	d.idle()

	want := db.digest()
	db.run(db.wreck)
	wrecked := db.digest()
	if want == wrecked {
		d.Fatal("nothing was wrecked")
	}
	d.fails("source_right", []string{"restore", "--source", "Butiken", "--yes"})
	change := []string{"source", "change", "Butiken", "--admin", db.admin, "--secret", "admin_password=" + word}
	d.must(append(change, "--restoring"), "settings.user", app.BackupUser)
	if r := d.rights(); len(r.Missing) > 0 || len(r.Excess) == 0 {
		d.Errorf("rights of the user that may restore: %+v", r)
	}
	d.secretsHold(adminWord, false)
	db.open()
	d.warns()
	d.must([]string{"restore", "--source", "Butiken", "--yes"}, "state", "done")
	d.same("restored", db.digest(), want)
	d.must([]string{"undo"}, "state", "done")
	d.same("undone", db.digest(), wrecked)
	r := d.must([]string{"drill"}, "drills.0.ok", "true")
	if n := d.dig(r, "drills.0.checks.len"); n < "3" {
		d.Errorf("drill: %s", r.out)
	}
	d.takenAway(db, change)
}

// takenAway takes the right to restore away again: backups go on, and writing
// is refused.
func (d *dbServer) takenAway(db shopDatabase, change []string) {
	d.Helper()
	d.must(change, "settings.user", app.BackupUser)
	if r := d.rights(); len(r.Missing)+len(r.Excess) > 0 {
		d.Errorf("rights of the user that may no longer restore: %+v", r)
	}
	db.run("DROP TABLE ransom;")
	d.must([]string{"backup"}, "runs.0.state", "done")
	db.run("CREATE TABLE ransom (note TEXT);")
	before := db.digest()
	d.fails("source_right", []string{"restore", "--source", "Butiken", "--yes"})
	d.same("refused", db.digest(), before)
}

// same compares two dumps and shows where they begin to differ.
func (d *dbServer) same(when, got, want string) {
	d.Helper()
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			d.Errorf("%s, line %d:\n%.300s\nwant:\n%.300s", when, i+1, a[i], b[i])
			return
		}
	}
	if len(a) != len(b) {
		d.Errorf("%s: %d lines, want %d", when, len(a), len(b))
	}
}

func (d *dbServer) rights() (r app.Rights) {
	d.Helper()
	if err := json.Unmarshal([]byte(d.must([]string{"source", "rights", "Butiken"}).out), &r); err != nil {
		d.Fatal(err)
	}
	return r
}

// idle backs up until nothing moved: a server tidies up for a while after much
// was written.
func (d *dbServer) idle() {
	d.Helper()
	for range 60 {
		r := d.must([]string{"backup"})
		if d.dig(r, "runs.0.state") == "idle" {
			d.Logf("an idle quarter takes %s s", d.dig(r, "runs.0.seconds"))
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	d.Error("the database is never idle")
}

// warns makes sure that a plan tells of a program that has the database open,
// to people and to scripts.
func (d *dbServer) warns() {
	d.Helper()
	plan := []string{"restore", "--source", "Butiken", "--plan"}
	for range 100 {
		if r := d.must(plan); strings.Contains(r.out, `"target_open"`) {
			if r := d.run(plan...); r.code != exitDone || !strings.Contains(r.out, "open") {
				d.Errorf("plan: %+v", r)
			}
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	d.Errorf("a plan does not warn of a program: %s", d.must(plan).out)
}

// secretsHold looks for a word in all the guard keeps.
func (d *dbServer) secretsHold(word string, want bool) {
	d.Helper()
	for name, content := range d.files(d.data) {
		if strings.Contains(content, word) != want {
			d.Errorf("%s holds the password: %v", name, !want)
		}
	}
}

// smallMariaDB stands in for Sakila where that is not at hand.
const smallMariaDB = `CREATE SCHEMA sakila; USE sakila;
CREATE TABLE film (film_id INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(100), replacement_cost DECIMAL(5,2), cover BLOB, place POINT) CHARACTER SET utf8mb4;
CREATE TABLE rental (rental_id INT PRIMARY KEY AUTO_INCREMENT, film_id INT, note TEXT, FOREIGN KEY (film_id) REFERENCES film (film_id));
INSERT INTO film (title, replacement_cost, cover, place) VALUES ('Åre 😀', 9.5, x'00ff', ST_GeomFromText('POINT(1 2)')), ('Höst', 1, NULL, NULL);
INSERT INTO rental (film_id, note) SELECT 1 + seq % 2, seq FROM seq_1_to_1000;
CREATE VIEW film_list AS SELECT title FROM film; CREATE TRIGGER noted BEFORE INSERT ON rental FOR EACH ROW SET NEW.note = 'ny';
CREATE PROCEDURE film_in_stock(IN id INT) SELECT COUNT(*) FROM rental WHERE film_id = id;`

func TestMariaDB_wholeLoop(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	d := newDBServer(s, "")
	dump := d.program("mariadb-dump")
	client, connect := d.mariadb()
	d.ask(d.sample("sakila-mariadb-schema.sql", smallMariaDB)+d.sample("sakila-mariadb-data.sql", ""), client, append(connect, "--comments")...)
	// Whoever may not give definitions away makes them his own.
	definer := regexp.MustCompile("DEFINER=`[^`]*`@`[^`]*`")
	d.loop(shopDatabase{
		kind: "mysql", admin: "root",
		run:   func(statements string) { d.ask(statements, client, append(connect, "sakila")...) },
		wreck: "SET foreign_key_checks = 0; DELETE FROM rental WHERE rental_id % 2 = 0; UPDATE film SET replacement_cost = 1.5; DROP VIEW film_list; DROP PROCEDURE film_in_stock; CREATE TABLE ransom (note TEXT);",
		digest: func() string {
			return definer.ReplaceAllString(d.ask("", dump, append(connect, "--routines", "--events", "--skip-dump-date", "--order-by-primary", "--hex-blob", "sakila")...), "")
		},
		open: func() { d.holdOpen(client, append(connect, "--unbuffered", "sakila"), "SELECT SLEEP(300);\n") },
	})
}

// holdOpen runs a client until the test ends.
func (d *dbServer) holdOpen(program string, args []string, in string) {
	d.Helper()
	c := d.cmd(program, args...)
	c.Stdin = strings.NewReader(in)
	if err := c.Start(); err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait() // killed, or thrown out by the restore
	})
}

// smallPostgres stands in for Sakila where that is not at hand.
const smallPostgres = `CREATE TABLE film (film_id serial PRIMARY KEY, title text, replacement_cost numeric(5,2), tags text[], doc jsonb);
CREATE TABLE rental (rental_id serial PRIMARY KEY, film_id integer REFERENCES film, note text);
INSERT INTO film (title, replacement_cost, tags, doc) VALUES ('Åre 😀', 9.5, '{a,b}', '{"x": 1}'), ('Höst', 1, NULL, NULL);
INSERT INTO rental (film_id, note) SELECT 1 + i % 2, i::text FROM generate_series(1, 1000) i;
CREATE VIEW film_list AS SELECT title FROM film;
CREATE FUNCTION last_updated() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note = 'ny'; RETURN NEW; END $$;
CREATE TRIGGER noted BEFORE INSERT ON rental FOR EACH ROW EXECUTE FUNCTION last_updated();`

func TestPostgreSQL_wholeLoop(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	d := newDBServer(s, "postgres")
	dump := d.program(postgresPrograms+"pg_dump", "pg_dump")
	client, connect := d.postgresql()
	d.ask("CREATE DATABASE sakila;", client, connect("postgres")...)
	d.ask(d.sample("sakila-postgres-schema.sql", smallPostgres)+d.sample("sakila-postgres-data.sql", ""), client, connect("sakila")...)
	d.loop(shopDatabase{
		kind: "postgres", admin: "postgres",
		run: func(statements string) { d.ask(statements, client, connect("sakila")...) },
		wreck: "TRUNCATE rental CASCADE; UPDATE film SET replacement_cost = 1.5; " +
			"DROP VIEW film_list; DROP FUNCTION last_updated() CASCADE; CREATE TABLE ransom (note text);",
		digest: func() string {
			return sortedDump(d.ask("", dump, "--no-owner", "--no-privileges", connect("sakila")[3]))
		},
		open: func() {
			d.ask("CREATE ROLE kassa LOGIN PASSWORD '"+adminWord+"';", client, connect("sakila")...)
			till := connect("sakila")
			till[3] = strings.Replace(till[3], "user=postgres", "user=kassa application_name=Kassan", 1)
			d.holdOpen(client, till, "SELECT pg_sleep(300);\n")
		},
	})
}
