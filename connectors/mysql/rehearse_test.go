package mysql

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestConnector_diff(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	from, _, _ := point(t, c, s.access(db))
	diff := func() []app.Change {
		live, err := c.Live(t.Context(), s.access(db), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer live.Close()
		changes, err := c.Diff(t.Context(), from, live, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	if ch := diff(); len(ch) != 0 {
		t.Errorf("nothing changed, found %+v", ch)
	}
	spoil(t, s, db)
	s.in(t, db, "INSERT INTO sale (id, customer, amount) VALUES (1000, 1, 5)", "DROP TABLE journal")
	got := map[string]string{}
	for _, ch := range diff() {
		if tableName(ch.Path) == "" {
			ch.Before, ch.After = 0, 0
		}
		got[ch.Path] = fmt.Sprint(ch.Kind, ch.Added, ch.Removed, ch.Changed, ch.Before, ch.After)
	}
	for path, want := range map[string]string{
		"tables/sale.sql":    "changed1 100 300 500 401",
		"tables/extra.sql":   "added1 0 0 0 1",
		"tables/journal.sql": "removed0 0 0 0 0",
		fileViews:            "changed0 0 0 0 0", fileRoutines: "removed0 0 0 0 0", fileEvents: "removed0 0 0 0 0", fileTriggers: "changed0 0 0 0 0",
		"tables/customer.sql": "changed0 0 3 3 3",
	} {
		if got[path] != want {
			t.Errorf("%s: %s, want %s", path, got[path], want)
		}
		delete(got, path)
	}
	if len(got) > 0 {
		t.Errorf("and %v", got)
	}
}

func TestConnector_rehearse(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	before := s.content(t, db)
	from, stats, _ := point(t, c, s.access(db))
	r := app.Restore{Access: s.access(db), From: from, Stats: stats}
	drills := func() int64 {
		return s.number(t, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE ?", drillMark(config{host: "127.0.0.1", port: s.port, database: db})+"%")
	}
	rehearse := func(c *Connector, r app.Restore) (details string) {
		t.Helper()
		checks, err := c.Rehearse(t.Context(), r, t.TempDir(), connectortest.Silent{})
		if err != nil || len(checks) < 2 {
			t.Fatalf("%+v, %v", checks, err)
		}
		for _, ch := range checks {
			if !ch.OK {
				t.Errorf("check %+v", ch)
			}
			details += ch.Detail + "\n"
		}
		return details
	}
	cut := connector(t)
	cut.step = func(string) error { return errStopped }
	if _, err := cut.Rehearse(t.Context(), r, t.TempDir(), connectortest.Silent{}); !errors.Is(err, errStopped) || drills() != 1 {
		t.Fatalf("cut off: %v, %d databases", err, drills())
	}
	rehearse(c, r)
	if n := drills(); n != 0 {
		t.Errorf("%d databases left", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.step = func(string) error { cancel(); return nil }
	if _, err := c.Rehearse(ctx, r, t.TempDir(), connectortest.Silent{}); app.CodeOf(err) != app.CodeCanceled || drills() != 0 {
		t.Errorf("canceled: %v, %d databases", err, drills())
	}
	c.step = nil

	// By a user who may only read, in a server of our own: it lets temporary
	// tables of the shop's server alone, which by default lie in the system's folder.
	others, err := os.CreateTemp("", "#sql-temptable-*.MAD")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(others.Name()) })
	if err := others.Close(); err != nil {
		t.Fatal(err)
	}
	r.Access = s.user(t, db, "drill_reader", "p", backupRights(db)...)
	if d := rehearse(c, r); !strings.Contains(d, "a server of its own") {
		t.Errorf("told %s", d)
	}
	if _, err := os.Stat(others.Name()); err != nil {
		t.Errorf("the drill's server took somebody else's temporary table: %v", err)
	}
	// And where none can be started.
	tmp := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(tmp, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	checks, err := c.Rehearse(t.Context(), r, tmp, connectortest.Silent{})
	if err != nil || len(checks) != 2 || !checks[0].OK || !checks[1].OK || !strings.Contains(checks[0].Detail, "read through and counted") {
		t.Errorf("%+v, %v", checks, err)
	}
	if checks[0].Seen[0].Code != app.SeenTriedReading {
		t.Errorf("the owner is told %+v", checks[0].Seen)
	}
	stats["table.sale"]++
	checks, err = c.Rehearse(t.Context(), r, tmp, connectortest.Silent{})
	if err != nil || checks[1].OK {
		t.Errorf("a lost row is not noticed: %+v, %v", checks, err)
	}
	if got, want := connectortest.Seen(t, checks), "rows: rows_missing 1 sale"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
	same(t, s.content(t, db), before)
}

// backupRights are the statements for a backup's user; "@@" is the account.
func backupRights(db string) []string {
	return (&session{maria: true, version: "10.11"}).backupGrants(db, "@@", false)
}
