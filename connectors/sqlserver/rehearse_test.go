package sqlserver

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// drill rehearses and tells what it found out, by code.
func (w *world) drill(user, point string) (map[string]app.Check, error) {
	w.t.Helper()
	list, err := newConnector().Rehearse(w.t.Context(), w.restore(user, point), w.t.TempDir(), connectortest.Silent{})
	checks := map[string]app.Check{}
	for _, c := range list {
		checks[c.Code] = c
	}
	return checks, err
}

func TestConnector_Rehearse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	point, _, _ := w.point("kvart")
	sold := w.content("shop")
	checks, err := w.drill("kvart", point)
	if err != nil {
		t.Fatal(err)
	}
	if !checks[checkDrill].OK || !checks[checkIntegrity].OK || !checks[checkRows].OK || checks[checkRows].Detail != "3 tables, 3 rows" || checks[checkDrill].Source != "Kassan" {
		t.Errorf("checks %+v", checks)
	}
	if w.names() != "shop" || w.content("shop") != sold || len(w.staged()) > 0 {
		t.Errorf("left: %s, %v", w.names(), w.staged())
	}
	// A table that is short is noticed, and so is a damaged page.
	w.with(func() {
		for range 500 {
			w.db("shop").write("dbo.sale", "more")
		}
	})
	large, _, _ := w.point("kvart")
	w.with(func() {
		w.meddle = func(sql string) {
			if strings.HasPrefix(sql, "DBCC") {
				for _, d := range w.dbs {
					if strings.HasPrefix(d.Name, drillPrefix) {
						d.Tables["dbo.sale"], d.Damaged = d.Tables["dbo.sale"][:300], true
						delete(d.Tables, "dbo.customer")
					}
				}
			}
		}
	})
	checks, err = w.drill("kvart", large)
	if err != nil || checks[checkRows].OK || checks[checkIntegrity].OK || !strings.Contains(checks[checkRows].Detail, "customer: missing") || !strings.Contains(checks[checkRows].Detail, "sale: 300 rows, 502 expected") {
		t.Errorf("checks %+v, %v", checks, err)
	}
	for code, want := range map[string]string{
		checkIntegrity: "integrity: database_damaged",
		checkRows:      "rows: rows_missing 202 sale\nrows: tables_missing 1 customer",
	} {
		if got := connectortest.Seen(t, []app.Check{checks[code]}); got != want {
			t.Errorf("the owner is told %q, want %q", got, want)
		}
	}
	if w.names() != "shop" {
		t.Errorf("left: %s", w.names())
	}
}

// TestConnector_Rehearse_stranger: a user who is nobody in what he restored
// learns less of it, and says so.
func TestConnector_Rehearse_stranger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	point, _, _ := w.point("kvart")
	w.with(func() { w.strangers = true })
	checks, err := w.drill("kvart", point)
	if err != nil || !checks[checkIntegrity].OK || !strings.Contains(checks[checkIntegrity].Detail, "may not run DBCC") ||
		!checks[checkRows].OK || checks[checkRows].Detail != "3 tables, the server's own number of 3 rows" || w.names() != "shop" {
		t.Errorf("checks %+v, %v; %s", checks, err, w.names())
	}
}

// TestConnector_Rehearse_killed: what a killed rehearsal leaves, the next one
// takes away.
func TestConnector_Rehearse_killed(t *testing.T) {
	t.Parallel()
	for at := 1; at < 60; at++ {
		w := newWorld(t)
		point, _, _ := w.point("kvart")
		w.with(func() { w.killAt, w.steps = at, 0 })
		_, err := w.drill("kvart", point)
		if err == nil {
			return
		}
		w.revive()
		if checks, err := w.drill("kvart", point); err != nil || !checks[checkDrill].OK || !checks[checkRows].OK {
			t.Errorf("killed at %d: %+v, %v", at, checks, err)
		}
		if w.names() != "shop" || len(w.staged()) > 0 {
			t.Errorf("killed at %d: left %s, %v", at, w.names(), w.staged())
		}
	}
	t.Error("it never ended")
}

// TestConnector_Rehearse_looks: where nothing can be restored, the server reads
// the backup, and the check says that this is all it did.
func TestConnector_Rehearse_looks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(func() { w.db("shop").Files[0].Size = 11 << 30 })
	point, _, _ := w.point("kvart")
	w.with(func() { w.engine, w.edition = engineExpress, "Express Edition (64-bit)" })
	checks, err := w.drill("kvart", point)
	if err != nil || len(checks) != 1 || !checks[checkDrill].OK || !strings.Contains(checks[checkDrill].Detail, "only looked at") {
		t.Errorf("checks %+v, %v", checks, err)
	}
	whole := readFile(t, point, "shop.bak")
	if err := os.WriteFile(filepath.Join(point, "shop.bak"), []byte(strings.Replace(whole, "page 7", "page 8", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if checks, err = w.drill("kvart", point); err != nil || checks[checkDrill].OK {
		t.Errorf("a damaged backup: %+v, %v", checks, err)
	}
	if got, want := connectortest.Seen(t, []app.Check{checks[checkDrill]}), "rehearsed: backup_unread 1 shop.bak"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
	if len(w.staged()) > 0 || w.names() != "shop" {
		t.Errorf("left %v, %s", w.staged(), w.names())
	}
}

func TestConnector_Plan_blockers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(w *world) // the point
		after  func(w *world)
		code   app.Code
		arg    string // "key=part of value"
	}{
		"an older server": {after: func(w *world) { w.version = "14.0.1.2" }, code: app.CodeProgramOld, arg: "version=14.0.1.2"},
		"Express's limit": {
			before: func(w *world) { w.db("shop").Files[0].Size = 11 << 30 },
			after:  func(w *world) { w.engine, w.edition = engineExpress, "Express Edition" }, code: app.CodeSourceTooLarge, arg: "edition=10 GB",
		},
		"another edition's feature": {
			before: func(w *world) { w.db("shop").Features = []string{"TransparentDataEncryption"} },
			after:  func(w *world) { w.engine, w.edition = engineExpress, "Express Edition" }, code: app.CodeProgramOld, arg: "needs=TransparentDataEncryption",
		},
		"no right to restore": {
			after: func(w *world) { w.logins["keeper"].rights = backupRights() }, code: app.CodeSourceRight, arg: "statement=ALTER SERVER ROLE [dbcreator] ADD MEMBER [keeper];",
		},
		"no right to give it back": {
			after: func(w *world) { w.logins["keeper"].rights = append(backupRights(), "ALTER ANY DATABASE") }, code: app.CodeSourceRight, arg: "right=IMPERSONATE ON LOGIN::[shop]",
		},
		"no folder": {after: func(w *world) { w.folder = filepath.Join(w.folder, "gone") }, code: app.CodeSourceShareGone, arg: "path=gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tt.before != nil {
				w.with(func() { tt.before(w) })
			}
			point, _, _ := w.point("kvart")
			w.with(func() { tt.after(w) })
			plan, err := newConnector().Plan(t.Context(), w.restore("keeper", point))
			if err != nil {
				t.Fatal(err)
			}
			key, part, _ := strings.Cut(tt.arg, "=")
			if !slices.ContainsFunc(plan.Blockers, func(e *app.Error) bool { return e.Code == tt.code && strings.Contains(e.Args[key], part) }) {
				t.Errorf("blockers %+v", plan.Blockers)
			}
			if err := newConnector().Apply(t.Context(), w.restore("keeper", point), connectortest.Silent{}); err == nil {
				t.Error("it was restored all the same")
			}
			if w.names() != "shop" {
				t.Errorf("left: %s", w.names())
			}
		})
	}
}
