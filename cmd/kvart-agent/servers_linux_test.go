package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mariadb starts a MariaDB server whose administrator is root. It returns its
// client and what that is called with.
func (d *dbServer) mariadb() (client string, connect []string) {
	d.Helper()
	install, server, client := d.program("mariadb-install-db"), d.program("mariadbd", "/usr/sbin/mariadbd"), d.program("mariadb")
	small := []string{"--no-defaults", "--datadir=" + d.dir + "/data", "--tmpdir=" + d.dir, "--innodb-log-file-size=16M"}
	if os.Geteuid() == 0 {
		small = append(small, "--user=root")
	}
	d.serve(true, install, append(small, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	d.serve(false, server, append(small, "--socket="+d.dir+"/s", "--bind-address=127.0.0.1", "--port="+strconv.Itoa(d.port), "--pid-file="+d.dir+"/pid",
		"--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0")...)
	first := []string{"--no-defaults", "--socket=" + d.dir + "/s", "--user=root", "--password=", "--default-character-set=utf8mb4"}
	d.up(client, append(first, "--execute=SELECT 1")...)
	d.ask("ALTER USER root@localhost IDENTIFIED BY '"+adminWord+"';\n", client, first...)
	return client, []string{"--no-defaults", "--socket=" + d.dir + "/s", "--user=root", "--default-character-set=utf8mb4"}
}

// postgresql starts a PostgreSQL server whose administrator is postgres. It
// returns its client and what that is called with for a database.
func (d *dbServer) postgresql() (client string, connect func(database string) []string) {
	d.Helper()
	initdb, server, client := d.program(postgresPrograms+"initdb", "initdb"), d.program(postgresPrograms+"postgres", "postgres"), d.program(postgresPrograms+"psql", "psql")
	word := filepath.Join(d.dir, "word")
	if err := os.WriteFile(word, []byte(adminWord+"\n"), 0o644); err != nil {
		d.Fatal(err)
	}
	data := filepath.Join(d.dir, "data")
	d.serve(true, initdb, "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile="+word, "-E", "UTF8", "--locale=C.UTF-8", "-N")
	d.serve(false, server, "-D", data, "-p", strconv.Itoa(d.port), "-k", d.dir, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "autovacuum=off")
	connect = func(db string) []string {
		return []string{"--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", fmt.Sprintf("--dbname=host=%s port=%d user=postgres dbname=%s", d.dir, d.port, db)}
	}
	d.up(client, append(connect("postgres"), "--command=SELECT 1")...)
	return client, connect
}

// postgresPrograms is where Debian keeps PostgreSQL's programs.
const postgresPrograms = "/usr/lib/postgresql/*/bin/"

// sortedDump returns a dump's lines in an order of their own: rows come in
// whatever order they lie.
func sortedDump(text string) string {
	lines := strings.Split(regexp.MustCompile(`(?m)^\\(un)?restrict .*$`).ReplaceAllString(text, ""), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
