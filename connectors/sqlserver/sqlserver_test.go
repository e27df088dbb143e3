package sqlserver

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestConnector_Check(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info, err := newConnector().Check(t.Context(), w.access("kvart"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Bytes != 4<<20 || info.Files != 3 || info.Details["idle"] != "true" || info.Details["owner"] != "shop" || info.Details["too_many_rights"] != "" {
		t.Errorf("info %+v", info)
	}
	if left := w.staged(); len(left) > 0 {
		t.Errorf("left in the folder: %v", left)
	}
}

func TestConnector_Check_details(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(func() {
		d := w.db("shop")
		d.AutoClose, d.TDE, d.Orphans = true, true, []string{"old till", "boss"}
	})
	info, err := newConnector().Check(t.Context(), w.access("sa"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"idle": "false", "auto_close": "true", "statement": "ALTER DATABASE [shop] SET AUTO_CLOSE OFF;", "encrypted": "tde", "without_login": "boss, old till",
		"too_many_rights": "sysadmin", "server": "15.0.2000.5 Standard Edition (64-bit)", "tables": "3",
	} {
		if got := info.Details[key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

// TestConnector_names: a database may be called almost anything.
func TestConnector_names(t *testing.T) {
	t.Parallel()
	const name = `kas]sa's "å" 😀 [x]; --`
	w := newWorld(t)
	w.with(func() {
		d := w.db("shop")
		delete(w.dbs, "shop")
		d.Name, d.Tables["sök].x.it's"] = name, []string{"1"}
		w.dbs[strings.ToLower(name)] = d
	})
	a := w.access("keeper")
	a.Source.Settings[fieldDatabase] = name
	c := newConnector()
	capture, err := c.Capture(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	point, _ := connectortest.Collect(t, capture)
	if _, err := os.Stat(filepath.Join(point, `kas]sa's _å_ 😀 [x]; --.bak`)); err != nil {
		t.Error(err)
	}
	want := w.content(name)
	w.with(func() { w.db(name).write("dbo.sale", "3 te") })
	w.apply(c, app.Restore{Access: a, From: os.DirFS(point)})
	if got := w.content(name); got != want || w.names() != name {
		t.Errorf("got %s, want %s; %s", got, want, w.names())
	}
}

func TestConnector_Capture(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := newConnector()
	capture, err := c.Capture(t.Context(), w.access("kvart"), "")
	if err != nil {
		t.Fatal(err)
	}
	dir, problems := connectortest.Collect(t, capture)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	stats := capture.Stats()
	if stats["table.sale"] != 2 || stats["table.customer"] != 1 || stats["table.web.cart"] != 0 || stats["bytes"] <= 0 || len(stats) != 4 {
		t.Errorf("stats %v", stats)
	}
	a, ok, err := readAbout(os.DirFS(dir))
	if err != nil || !ok || a.File != "shop.bak" || a.Major != 15 || a.Owner != "shop" || len(a.Files) != 2 || a.Damaged {
		t.Errorf("about %+v, %v, %v", a, ok, err)
	}
	if fi, err := os.Stat(filepath.Join(dir, "shop.bak")); err != nil || fi.Size() != stats["bytes"] {
		t.Errorf("backup %v, %v", fi, err)
	}
	if left := w.staged(); len(left) > 0 {
		t.Errorf("left in the folder: %v", left)
	}
}

func TestConnector_Capture_idle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, next := w.point("kvart")
	captured := func(since app.Marker) bool {
		t.Helper()
		capture, err := newConnector().Capture(t.Context(), w.access("kvart"), since)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(capture.Close(), capture.Close()); err != nil {
			t.Error(err)
		}
		if capture.Idle && (capture.Items != nil || capture.Next != "" || capture.Stats != nil) {
			t.Errorf("an idle capture holds %+v", capture)
		}
		return !capture.Idle
	}
	for range 2 {
		if captured(next) {
			t.Fatal("not idle")
		}
	}
	for name, change := range map[string]func(d *fakeDB){
		"a sale":           func(d *fakeDB) { d.write("dbo.sale", "3 te") },
		"a changed log":    func(d *fakeDB) { d.LSN++ },
		"a restore":        func(d *fakeDB) { d.Fork = "another" },
		"another database": func(d *fakeDB) { d.Created = "later" },
		"a restart":        func(*fakeDB) { w.started = "later" },
	} {
		var before fakeDB
		w.with(func() { before = *w.db("shop"); change(w.db("shop")) })
		if !captured(next) {
			t.Errorf("idle after %s", name)
		}
		w.with(func() { *w.db("shop") = before; w.started = "2026-01-01T00:00:00" })
		if captured(next) {
			t.Errorf("not idle after %s was undone", name)
		}
	}
}

// TestConnector_Capture_noMarker holds the marker to its promise: where a
// change might not show, there is none.
func TestConnector_Capture_noMarker(t *testing.T) {
	t.Parallel()
	for name, hide := range map[string]func(w *world){
		"a sale during the backup": func(w *world) {
			w.meddle = func(sql string) {
				if strings.HasPrefix(sql, "RESTORE VERIFYONLY") {
					w.db("shop").write("dbo.sale", "3 te")
				}
			}
		},
		"a sale that was taken back during the backup": func(w *world) {
			w.meddle = func(sql string) {
				if strings.HasPrefix(sql, "RESTORE VERIFYONLY") {
					w.db("shop").Writes += 2
				}
			}
		},
		"rows that moved and no transaction that shows": func(w *world) {
			w.meddle = func(sql string) {
				if strings.HasPrefix(sql, "RESTORE VERIFYONLY") {
					w.db("shop").Tables["dbo.sale"] = nil
				}
			}
		},
		"a sale under way when the log's end is read": func(w *world) {
			w.db("shop").Open = 1
		},
		"a sale that is counted a moment after it is in the log": func(w *world) {
			pulses := 0
			w.meddle = func(sql string) {
				switch {
				case strings.HasPrefix(sql, "RESTORE VERIFYONLY"):
					pulses = 1
					w.db("shop").LSN += 3
				case pulses > 0 && strings.Contains(sql, "sys.dm_db_log_stats"):
					if pulses++; pulses == 4 {
						w.db("shop").Writes++
					}
				}
			}
		},
		"a database that closes itself": func(w *world) { w.db("shop").AutoClose = true },
		"delayed durability":            func(w *world) { w.db("shop").Delayed = true },
		"memory-optimized files": func(w *world) {
			d := w.db("shop")
			d.Files = append(d.Files, dataFile{"mem", `D:\Data\mem`, "S", 1})
		},
		"a user who may not look": func(w *world) {
			w.logins["kvart"].rights = []string{"BACKUP DATABASE", "VIEW DEFINITION", "CREATE ANY DATABASE", "VIEW ANY DATABASE"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.with(func() { hide(w) })
			_, _, next := w.point("kvart")
			w.with(func() { w.meddle = nil })
			capture, err := newConnector().Capture(t.Context(), w.access("kvart"), next)
			if err != nil {
				t.Fatal(err)
			}
			if capture.Idle {
				t.Error("idle")
			}
			if err := capture.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConnector_Capture_express(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine, w.edition = engineExpress, "Express Edition (64-bit)"
	w.point("kvart")
	if sent := w.sent("BACKUP"); len(sent) != 1 || strings.Contains(sent[0], "COMPRESSION") {
		t.Errorf("sent %v", sent)
	}
}

// TestConnector_Capture_sweeps removes what a killed run left, and nothing else.
func TestConnector_Capture_sweeps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg, err := readConfig(w.access("kvart"))
	if err != nil {
		t.Fatal(err)
	}
	left := "kvart-" + cfg.mark() + "-0123456789ab.bak"
	others := []string{"kvart-000000000000-0123456789ab.bak", "shop.bak", "kvart-mine.bak"}
	for _, name := range append(others, left) {
		if err := os.WriteFile(filepath.Join(w.folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.point("kvart")
	got := w.staged()
	if strings.Join(got, " ") != strings.Join([]string{others[0], others[2], others[1]}, " ") {
		t.Errorf("in the folder: %v", got)
	}
}

func TestConnector_Capture_gone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, next := w.point("kvart")
	w.with(func() { clear(w.db("shop").Tables); w.db("shop").LSN++ })
	if _, err := newConnector().Capture(t.Context(), w.access("kvart"), next); app.CodeOf(err) != app.CodeSourceEmpty {
		t.Errorf("without tables: %v", err)
	}
	w.with(func() { clear(w.dbs) })
	if _, err := newConnector().Capture(t.Context(), w.access("kvart"), next); app.CodeOf(err) != app.CodeSourceGone {
		t.Errorf("without the database: %v", err)
	}
	w.with(func() { w.logins["kvart"].rights = nil })
	_, err := newConnector().Check(t.Context(), w.access("kvart"))
	if e := app.AsError(err); app.CodeOf(err) != app.CodeSourceRight || !strings.Contains(e.Args["statement"], "VIEW ANY DATABASE") {
		t.Errorf("to one who may not see it: %v", err)
	}
}
