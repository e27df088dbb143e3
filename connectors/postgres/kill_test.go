//go:build unix

package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// order is what a process that is to be killed restores.
type order struct {
	Source app.Source
	Point  string
	Stats  app.Stats
	Target app.Target
	Paths  []string
	Raw    bool
	Die    string // at this step
}

// applyAndDie restores and kills itself at a step, as a power cut would.
func applyAndDie() int {
	var o order
	if err := json.Unmarshal([]byte(os.Getenv("KVART_TEST_APPLY")), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	c := New(slog.New(slog.DiscardHandler))
	c.Folders = []string{testBin}
	c.step = func(at string) {
		if at == o.Die {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	r := app.Restore{Access: app.Access{Source: o.Source}, From: os.DirFS(o.Point), Stats: o.Stats, Target: o.Target, Paths: o.Paths, Raw: o.Raw}
	if err := c.Apply(context.Background(), r, connectortest.Silent{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// killed applies r in another process, which dies at a step.
func (w *world) killed(point string, r app.Restore, step string) {
	w.t.Helper()
	raw, err := json.Marshal(order{r.Access.Source, point, r.Stats, r.Target, r.Paths, r.Raw, step})
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KVART_TEST_APPLY="+string(raw), "TMPDIR="+w.t.TempDir())
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.Success() || cmd.ProcessState.ExitCode() > 0 {
		w.t.Fatalf("not killed at %q: %v: %s", step, err, out)
	}
}

// steps names every step a restore takes.
func (w *world) steps(r app.Restore) (names []string) {
	c := *w.c
	var mu sync.Mutex // tables are loaded side by side
	c.step = func(at string) {
		mu.Lock()
		defer mu.Unlock()
		names = append(names, at)
	}
	if err := c.Apply(w.t.Context(), r, connectortest.Silent{}); err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	return names
}

func shop(w *world) {
	w.do(`CREATE TABLE goods (id serial PRIMARY KEY, name text); INSERT INTO goods (name) SELECT 'g' || i FROM generate_series(1, 300) i;
CREATE TABLE sale (id serial PRIMARY KEY, goods integer REFERENCES goods ON DELETE CASCADE, n integer); INSERT INTO sale (goods, n) SELECT i, 1 FROM generate_series(1, 300) i;
CREATE VIEW best AS SELECT * FROM goods; SELECT lo_from_bytea(99, 'x')`)
}

func TestConnector_restoreKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"beside", "inside", "tables", "gone table"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dieAtEveryStep(t, mode)
		})
	}
}

func dieAtEveryStep(t *testing.T, mode string) {
	w := newWorld(t)
	if mode == "inside" {
		w.limited("")
	}
	shop(w)
	want := w.dump(w.name)
	point, stats, _ := w.point()
	r := w.restore(point, stats)
	spoil := func() {
		w.do("UPDATE goods SET name = 'spoilt' WHERE id < 20; DELETE FROM goods WHERE id > 200; INSERT INTO goods (name) VALUES ('new'); CREATE TABLE later (x integer)")
	}
	repair := func() { w.do("DROP TABLE later") }
	switch mode {
	case "tables":
		r.Paths = []string{"20-data/goods.sql", "20-data/sale.sql"}
	case "gone table":
		r.Paths = []string{"20-data/sale.sql"}
		spoil = func() { w.do("DROP TABLE sale CASCADE") }
		repair = func() {}
	default:
		repair = func() {}
	}
	spoil()
	steps := w.steps(r)
	w.verify(r)
	if len(steps) < 2 {
		t.Fatalf("steps %v", steps)
	}
	for _, step := range steps {
		if loaded, ok := strings.CutPrefix(step, "loaded "); ok && loaded != "20-data/sale.sql" && loaded != fileAfter {
			continue // like the ones before and after
		}
		repair()
		spoil()
		spoilt := w.dump(w.name)
		w.killed(point, r, step)
		if got := w.dump(w.name); got != spoilt && got != want && mode != "tables" {
			t.Errorf("killed at %s: neither the old nor the new state", step)
			same(t, got, spoilt)
		}
		if err := w.c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
			t.Fatalf("killed at %s, then %v", step, err)
		}
		w.verify(r)
		if mode != "tables" {
			same(t, w.dump(w.name), want)
		} else if n := w.one("SELECT (SELECT count(*) FROM goods) || ' ' || (SELECT count(*) FROM sale) || ' ' || (SELECT count(*) FROM goods WHERE name = 'spoilt')"); n != "300 300 0" {
			t.Errorf("killed at %s, then %s", step, n)
		}
	}
	if n := w.column("postgres", "SELECT datname FROM pg_database WHERE datname LIKE '"+w.name+"\\_kvart%'"); len(n) != 0 {
		t.Errorf("left behind: %v", n)
	}
}

// limited lets the test's user be one that may do little: it owns the database
// but may make no other.
func (w *world) limited(rights string) {
	w.user = "u_" + w.name
	w.on("postgres", "CREATE ROLE "+w.user+" LOGIN "+rights+"; ALTER DATABASE "+w.name+" OWNER TO "+w.user)
	w.on(w.name, "ALTER SCHEMA public OWNER TO "+w.user)
	name := w.user
	w.t.Cleanup(func() {
		w.dropAll()
		w.on("postgres", "DROP ROLE "+name)
	})
}
