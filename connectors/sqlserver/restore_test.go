package sqlserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// sell changes the shop.
func (w *world) sell() {
	w.with(func() {
		w.db("shop").write("dbo.sale", "3 te")
		delete(w.db("shop").Tables, "dbo.customer")
	})
}

// apply restores and checks as the agent does.
func (w *world) apply(c *Connector, r app.Restore) {
	w.t.Helper()
	plan, err := c.Plan(w.t.Context(), r)
	if err != nil || len(plan.Blockers) > 0 {
		w.t.Fatalf("plan: %v, blockers %v", err, plan.Blockers)
	}
	if err := c.Apply(w.t.Context(), r, connectortest.Silent{}); err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	w.verify(c, r)
}

func (w *world) verify(c *Connector, r app.Restore) {
	w.t.Helper()
	checks, err := c.Verify(w.t.Context(), r)
	if err != nil {
		w.t.Fatalf("verify: %v", err)
	}
	if len(checks) == 0 {
		w.t.Error("nothing was checked")
	}
	for _, check := range checks {
		if !check.OK || check.Source != "Kassan" {
			w.t.Errorf("check %+v", check)
		}
	}
}

func TestConnector_Apply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := w.content("shop")
	point, stats, _ := w.point("kvart")
	w.sell()
	w.with(func() { w.sessions[77] = &fakeSession{"shop", "Kassa 3", "TILL-1", "shop"} })
	c, r := newConnector(), w.restore("keeper", point)
	r.Stats = stats
	plan, err := c.Plan(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Exists || plan.Overwrite != 1 || plan.Files != 2 || plan.Bytes <= 0 || len(plan.Warnings) != 1 ||
		plan.Warnings[0].Code != app.CodeTargetOpen || plan.Warnings[0].Args["programs"] != "Kassa 3" || plan.Warnings[0].Args["hosts"] != "TILL-1" {
		t.Errorf("plan %+v", plan)
	}
	for range 2 { // twice is once
		w.apply(c, r)
		if got := w.content("shop"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	w.verify(newConnector(), w.restore("sa", point)) // one that was started anew
	w.with(func() {
		d := w.db("shop")
		if d.Owner != "shop" || d.Access != "MULTI_USER" || !strings.HasPrefix(d.Files[0].Path, `D:\Data\shop_kvart_`) || !strings.HasPrefix(d.Files[1].Path, `D:\Log\shop_kvart_`) {
			t.Errorf("restored as %+v", d)
		}
	})
	if w.names() != "shop" || len(w.staged()) > 0 {
		t.Errorf("left: %s, %v", w.names(), w.staged())
	}
}

// TestConnector_Apply_killed switches the server off at every step of a
// restore, before it and after it. Whatever is there then, the shop's data is
// the old or the new, whole; and the next Apply ends it.
func TestConnector_Apply_killed(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for at := 1; at < 100; at++ {
			w := newWorld(t)
			want := w.content("shop")
			point, _, _ := w.point("kvart")
			w.sell()
			sold := w.content("shop")
			w.with(func() { w.killAt, w.after, w.steps = at, after, 0 })
			r := w.restore("keeper", point)
			err := newConnector().Apply(t.Context(), r, connectortest.Silent{})
			w.with(func() {
				if err == nil != !w.dead {
					t.Errorf("killed at %d, %t: %v", at, after, err)
				}
			})
			if err == nil {
				if at < 15 {
					t.Errorf("a restore of %d steps", at)
				}
				break
			}
			name := fmt.Sprintf("killed at %d (after: %t)", at, after)
			w.intact(name, want, sold)
			w.revive()
			w.with(func() { w.after = false })
			w.resume(name, r, want)
		}
	}
}

// intact makes sure that the shop's data is still there, under its own name or
// under one that says what became of it.
func (w *world) intact(name, want, sold string) {
	w.t.Helper()
	w.with(func() {
		for _, d := range w.dbs {
			if got := d.content(); d.State == "ONLINE" && (d.Name == "shop" || isOld(d.Name, "shop")) && (got == sold || got == want) {
				return
			}
		}
		w.t.Errorf("%s: the data is gone", name)
	})
}

// resume goes on with a restore as the agent does when it is started again. A
// backup in the meantime tells that one was cut off, or that of the two there
// is one.
func (w *world) resume(name string, r app.Restore, want string) {
	w.t.Helper()
	gone := w.content("shop") == "none"
	if _, err := newConnector().Check(w.t.Context(), w.access("kvart")); gone && app.CodeOf(err) != app.CodeInterrupted {
		w.t.Errorf("%s: check: %v", name, err)
	}
	c := newConnector()
	present, err := c.Present(w.t.Context(), w.access("kvart"))
	if err != nil {
		w.t.Errorf("%s: present: %v", name, err)
		return
	}
	if dir, _ := connectortest.Collect(w.t, present); !strings.Contains(readFile(w.t, dir, "shop.bak"), "kaffe") {
		w.t.Errorf("%s: nothing to save first", name)
	}
	if err := c.Apply(w.t.Context(), r, connectortest.Silent{}); err != nil {
		w.t.Errorf("%s: again: %v", name, err)
		return
	}
	w.verify(c, w.restore("sa", pointOf(r)))
	if got := w.content("shop"); got != want || w.names() != "shop" || len(w.staged()) > 0 {
		w.t.Errorf("%s: %s, %s, %v", name, got, w.names(), w.staged())
	}
}

func pointOf(r app.Restore) string { return fmt.Sprint(r.From) }

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestConnector_Apply_busy: a till that is quick to take the only place there
// is is ended; where that isn't allowed, and it never goes, all is as it was.
func TestConnector_Apply_busy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := w.content("shop")
	point, _, _ := w.point("kvart")
	w.sell()
	w.with(func() { w.eager = 2 })
	w.apply(newConnector(), w.restore("keeper", point))
	if got := w.content("shop"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.sell()
	sold := w.content("shop")
	w.with(func() {
		w.eager = 1
		w.logins["keeper"].rights = append(backupRights(), "ALTER ANY DATABASE", "IMPERSONATE shop")
	})
	err := newConnector().Apply(t.Context(), w.restore("keeper", point), connectortest.Silent{})
	if app.CodeOf(err) != app.CodeTargetInUse {
		t.Errorf("apply: %v", err)
	}
	w.with(func() {
		if got := w.db("shop").content(); got != sold {
			t.Errorf("got %s, want %s", got, sold)
		}
		clear(w.sessions)
	})
	w.apply(newConnector(), w.restore("keeper", point))
	if got := w.content("shop"); got != want || w.names() != "shop" {
		t.Errorf("got %s, want %s; %s", got, want, w.names())
	}
}

func TestConnector_Apply_beside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := w.content("shop")
	point, _, _ := w.point("kvart")
	w.sell()
	sold := w.content("shop")
	r := w.restore("keeper", point)
	r.Target.Database = "shop i går"
	for range 2 {
		w.apply(newConnector(), r)
	}
	if w.content("shop i går") != want || w.content("shop") != sold || w.names() != "shop shop i går" {
		t.Errorf("%s: %s", w.names(), w.content("shop i går"))
	}
	// Another point under the same name is in the way.
	other, _, _ := w.point("kvart")
	r.From = os.DirFS(other)
	plan, err := newConnector().Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeTargetExists {
		t.Errorf("plan %+v, %v", plan.Blockers, err)
	}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodeTargetExists {
		t.Errorf("apply: %v", err)
	}
}

func TestConnector_Apply_undo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	point, _, _ := w.point("kvart")
	w.sell()
	sold := w.content("shop")
	c := newConnector()
	safety := func() string {
		t.Helper()
		present, err := c.Present(t.Context(), w.access("kvart"))
		if err != nil {
			t.Fatal(err)
		}
		dir, _ := connectortest.Collect(t, present)
		return dir
	}
	before := safety()
	w.apply(c, w.restore("keeper", point))
	undo := w.restore("keeper", before)
	undo.Raw = true
	w.apply(c, undo)
	if got := w.content("shop"); got != sold {
		t.Errorf("got %s, want %s", got, sold)
	}
	// Where there was nothing, nothing is again.
	w.with(func() { clear(w.dbs) })
	nothing := safety()
	w.apply(c, w.restore("keeper", point))
	undo = w.restore("keeper", nothing)
	undo.Raw, undo.Remove = true, []string{fileAbout, "shop.bak"}
	for range 2 {
		w.apply(c, undo)
		if w.names() != "" {
			t.Errorf("left: %s", w.names())
		}
	}
}

// TestConnector_Apply_damaged: a database with a damaged page is no backup, but
// it is a safety point.
func TestConnector_Apply_damaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	point, _, _ := w.point("kvart")
	w.sell()
	w.with(func() { w.db("shop").Damaged = true })
	sold := w.content("shop")
	c := newConnector()
	if _, err := c.Capture(t.Context(), w.access("kvart"), ""); app.CodeOf(err) != app.CodeSourceDamaged {
		t.Errorf("capture: %v", err)
	}
	present, err := c.Present(t.Context(), w.access("kvart"))
	if err != nil {
		t.Fatal(err)
	}
	safety, _ := connectortest.Collect(t, present)
	w.apply(c, w.restore("keeper", point))
	undo := w.restore("keeper", safety)
	undo.Raw = true
	if err := c.Apply(t.Context(), undo, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if got := w.content("shop"); got != sold || len(w.staged()) > 0 {
		t.Errorf("got %s, want %s; %v", got, sold, w.staged())
	}
}

func TestConnector_Apply_folder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	point, _, _ := w.point("kvart")
	to := filepath.Join(t.TempDir(), "for", "the developer")
	r := w.restore("kvart", point)
	r.Target.Dir = to
	for range 2 {
		w.apply(newConnector(), r)
		if readFile(t, to, "shop.bak") != readFile(t, point, "shop.bak") {
			t.Error("not the backup")
		}
	}
	if err := os.WriteFile(filepath.Join(to, "shop.bak"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := newConnector().Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeTargetExists {
		t.Errorf("plan %+v, %v", plan.Blockers, err)
	}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodeTargetExists {
		t.Errorf("apply over a file: %v", err)
	}
	r.Paths = []string{"tables/sale"}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodeUsage || !strings.Contains(err.Error(), "new name") {
		t.Errorf("a single table: %v", err)
	}
}
