//go:build unix

package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// world is one test's database on the server.
type world struct {
	*testServer
	t    *testing.T
	name string
	c    *Connector
	user string
}

// newWorld makes an empty database, with whatever options CREATE DATABASE has.
func newWorld(t *testing.T, options ...string) *world {
	t.Helper()
	bed.once.Do(func() {
		if err := bed.start(); err != nil {
			bed.why = "failed: " + err.Error()
		}
	})
	if strings.HasPrefix(bed.why, "failed") {
		t.Fatal(bed.why)
	}
	if bed.why != "" {
		t.Skip("KVART-SKIP: " + bed.why)
	}
	name := "t_" + strings.ToLower(rand.Text()[:8])
	w := &world{testServer: &bed.testServer, t: t, name: name, c: New(slog.New(slog.DiscardHandler)), user: "admin"}
	w.c.Folders = []string{testBin}
	w.on("postgres", "CREATE DATABASE "+name+" TEMPLATE template0 "+strings.Join(options, " "))
	t.Cleanup(func() {
		w.dropAll()
	})
	return w
}

// dropAll removes the test's databases.
func (w *world) dropAll() {
	w.t.Helper()
	for _, n := range w.column("postgres", "SELECT datname FROM pg_database WHERE datname LIKE '"+w.name+"%'") {
		w.on("postgres", `DROP DATABASE "`+n+`" WITH (FORCE)`)
	}
}

func (w *world) connect(database string) *pgx.Conn {
	w.t.Helper()
	config, err := pgx.ParseConfig(w.dsn(database))
	if err != nil {
		w.t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// on runs statements in a database.
func (w *world) on(database, sql string) {
	w.t.Helper()
	conn := w.connect(database)
	defer func() { _ = conn.Close(context.Background()) }()
	if err := perform(context.Background(), conn, sql); err != nil {
		w.t.Fatalf("%.200s: %v", sql, err)
	}
}

// do runs statements in the test's database, as the test's user.
func (w *world) do(sql string) {
	w.t.Helper()
	config, err := pgx.ParseConfig(strings.Replace(w.dsn(w.name), "user=admin", "user='"+w.user+"'", 1))
	if err != nil {
		w.t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := perform(context.Background(), conn, sql); err != nil {
		w.t.Fatalf("%.200s: %v", sql, err)
	}
}

func (w *world) column(database, sql string) []string {
	w.t.Helper()
	conn := w.connect(database)
	defer func() { _ = conn.Close(context.Background()) }()
	list, err := column[string](context.Background(), conn, sql)
	if err != nil {
		w.t.Fatalf("%.200s: %v", sql, err)
	}
	return list
}

func (w *world) one(sql string) string { w.t.Helper(); return strings.Join(w.column(w.name, sql), "|") }

// access reaches the database through the socket.
func (w *world) access() app.Access {
	return app.Access{Source: app.Source{Name: "Shop", Kind: Kind, Settings: map[string]string{
		fieldSocket: w.dir, fieldPort: strconv.Itoa(w.port), fieldUser: w.user, fieldDatabase: w.name,
	}}}
}

// tcp reaches it through the network.
func (w *world) tcp(more map[string]string, password string) app.Access {
	a := w.access()
	delete(a.Source.Settings, fieldSocket)
	a.Source.Settings[fieldHost] = "127.0.0.1"
	for k, v := range more {
		a.Source.Settings[k] = v
	}
	if password != "" {
		a.Secrets = app.Secrets{fieldPassword: app.NewSecret(password)}
	}
	return a
}

func (w *world) capture(since app.Marker) *app.Capture {
	w.t.Helper()
	c, err := w.c.Capture(w.t.Context(), w.access(), since)
	if err != nil {
		w.t.Fatalf("capture: %v", err)
	}
	return c
}

// point captures the database into a folder.
func (w *world) point() (dir string, stats app.Stats, next app.Marker) {
	w.t.Helper()
	c := w.capture("")
	dir, problems := connectortest.Collect(w.t, c)
	if len(problems) > 0 {
		w.t.Fatalf("problems: %v", problems)
	}
	return dir, c.Stats(), c.Next
}

func (w *world) restore(point string, stats app.Stats) app.Restore {
	return app.Restore{Access: w.access(), From: os.DirFS(point), Stats: stats}
}

// apply plans, applies and verifies.
func (w *world) apply(r app.Restore) []app.Check {
	w.t.Helper()
	plan, err := w.c.Plan(w.t.Context(), r)
	if err != nil || len(plan.Blockers) > 0 {
		w.t.Fatalf("plan: %v, blockers %v", err, plan.Blockers)
	}
	if err := w.c.Apply(w.t.Context(), r, connectortest.Silent{}); err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	return w.verify(r)
}

func (w *world) verify(r app.Restore) []app.Check {
	w.t.Helper()
	checks, err := w.c.Verify(w.t.Context(), r)
	if err != nil || len(checks) == 0 {
		w.t.Fatalf("verify: %v, %v", checks, err)
	}
	for _, c := range checks {
		if !c.OK || c.Source != "Shop" {
			w.t.Errorf("check %+v", c)
		}
	}
	return checks
}

// dump describes a database in full: what pg_dump says of it, and a checksum
// of every table, whatever the order of its rows.
func (w *world) dump(database string) string {
	w.t.Helper()
	cmd := exec.Command(filepath.Join(testBin, "pg_dump"), "--schema-only", "--dbname="+w.dsn(database))
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("pg_dump: %v: %s", err, errs.String())
	}
	var b strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `\restrict`) && !strings.HasPrefix(line, `\unrestrict`) {
			b.WriteString(line)
		}
	}
	conn := w.connect(database)
	defer func() { _ = conn.Close(context.Background()) }()
	if err := perform(context.Background(), conn, session); err != nil {
		w.t.Fatal(err)
	}
	ctx := context.Background()
	list, err := column[string](ctx, conn, `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p') AND `+ownSchemas+` ORDER BY 1`)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range list {
		sum, err := one[string](ctx, conn, "SELECT count(*) || ' ' || COALESCE(md5(string_agg(md5(convert_to(x::text, 'SQL_ASCII')::text), '' ORDER BY md5(convert_to(x::text, 'SQL_ASCII')::text))), '') FROM ONLY "+name+" x")
		if strings.Contains(fmt.Sprint(err), "populated") {
			sum, err = "not populated", nil
		}
		if err != nil {
			w.t.Fatalf("%s: %v", name, err)
		}
		fmt.Fprintln(&b, name, sum)
	}
	seqs, err := sequences(ctx, conn)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range seqs {
		b.WriteString(s.setval())
	}
	objects, err := column[string](ctx, conn, "SELECT oid || ' ' || md5(lo_get(oid)) || ' ' || COALESCE(obj_description(oid, 'pg_largeobject'), '') || COALESCE(lomacl::text, '') FROM pg_largeobject_metadata ORDER BY oid")
	if err != nil {
		w.t.Fatal(err)
	}
	b.WriteString(strings.Join(objects, "\n"))
	return b.String()
}

// same compares two descriptions and shows the first lines that differ.
func same(t *testing.T, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		a, b := "", ""
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Errorf("line %d:\n got %.300s\nwant %.300s", i+1, a, b)
			return
		}
	}
}

// readAll reads one item of a capture.
func readAll(t *testing.T, c *app.Capture, name string) ([]byte, error) {
	t.Helper()
	for item, err := range c.Items {
		if err != nil {
			return nil, err
		}
		if item.Path != name {
			continue
		}
		r, err := item.Open(t.Context())
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(r)
		if cerr := r.Close(); err == nil {
			err = cerr
		}
		return b, err
	}
	t.Fatalf("no %s in the capture", name)
	return nil, nil
}
