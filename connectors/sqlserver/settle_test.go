package sqlserver

import (
	"fmt"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// TestConnector_Apply_another: after a restore that was cut off anywhere, the
// owner may choose another point. What is there then is that point and nothing
// else.
func TestConnector_Apply_another(t *testing.T) {
	t.Parallel()
	for at := 1; at < 100; at++ {
		w := newWorld(t)
		first, _, _ := w.point("kvart")
		w.sell()
		want := w.content("shop")
		second, _, _ := w.point("kvart")
		w.with(func() { w.killAt, w.after, w.steps = at, at%2 == 0, 0 })
		if err := newConnector().Apply(t.Context(), w.restore("keeper", first), connectortest.Silent{}); err == nil {
			return
		}
		w.revive()
		w.with(func() { w.after = false })
		w.apply(newConnector(), w.restore("keeper", second))
		if got := w.content("shop"); got != want || w.names() != "shop" || len(w.staged()) > 0 {
			t.Errorf("killed at %d: %s, %s, %v", at, got, w.names(), w.staged())
		}
	}
	t.Error("it never ended")
}

// TestConnector_Apply_besideKilled does the same for a restore under a new name,
// which never touches the shop's own database.
func TestConnector_Apply_besideKilled(t *testing.T) {
	t.Parallel()
	for at := 1; at < 100; at++ {
		w := newWorld(t)
		want := w.content("shop")
		point, _, _ := w.point("kvart")
		w.sell()
		sold := w.content("shop")
		w.with(func() { w.killAt, w.after, w.steps = at, at%2 == 0, 0 })
		r := w.restore("keeper", point)
		r.Target.Database = "copy"
		err := newConnector().Apply(t.Context(), r, connectortest.Silent{})
		if got := w.content("shop"); got != sold {
			t.Errorf("killed at %d: the shop has %s", at, got)
		}
		if err == nil {
			return
		}
		w.revive()
		w.with(func() { w.after = false })
		w.apply(newConnector(), r)
		if w.content("copy") != want || w.content("shop") != sold || w.names() != "copy shop" || len(w.staged()) > 0 {
			t.Errorf("killed at %d: %s, %s, %v", at, w.content("copy"), w.names(), w.staged())
		}
	}
	t.Error("it never ended")
}

// TestConnector_Apply_notOurs: databases whose names look like ours and whose
// files are none of ours are nobody's to drop.
func TestConnector_Apply_notOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	point, _, _ := w.point("kvart")
	w.with(func() { w.add("shop_kvart_old_0123456789ab", "shop") })
	w.apply(newConnector(), w.restore("keeper", point))
	if w.names() != "shop shop_kvart_old_0123456789ab" {
		t.Errorf("databases %s", w.names())
	}
	w.with(func() { w.add("shop_kvart_new", "shop") })
	err := newConnector().Apply(t.Context(), w.restore("keeper", point), connectortest.Silent{})
	if app.CodeOf(err) != app.CodeTargetExists || !strings.Contains(w.names(), "shop_kvart_new") {
		t.Errorf("%v; %s", err, w.names())
	}
}

// TestConnector_Apply_unowned: what belongs to an administrator need not be
// given back by one who can't; what belongs to the shop's own login has to be,
// or the shop is locked out.
func TestConnector_Apply_unowned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with(func() { w.db("shop").Owner = "sa"; w.db("shop").Orphans = []string{"old till"} })
	point, _, _ := w.point("kvart")
	w.apply(newConnector(), w.restore("keeper", point))
	w.with(func() {
		if d := w.db("shop"); d.Owner != "keeper" {
			t.Errorf("owner %s", d.Owner)
		}
		w.db("shop").Owner = "shop"
		w.logins["keeper"].rights = append(backupRights(), "ALTER ANY DATABASE")
	})
	sold := w.content("shop")
	err := newConnector().Apply(t.Context(), w.restore("keeper", point), connectortest.Silent{})
	if app.CodeOf(err) != app.CodeSourceRight || w.content("shop") != sold || w.names() != "shop" {
		t.Errorf("%v; %s", err, w.names())
	}
}

// TestConnector_Apply_damagedPoint: a backup that was damaged on its way is not
// put in place, nor is one that restores to a damaged database or short of rows.
func TestConnector_Apply_damagedPoint(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(w *world){
		"in the folder": func(w *world) { w.meddle = cutBackupAt(w, "RESTORE DATABASE") },
		"in its pages":  func(w *world) { w.meddle = harm(w, func(d *fakeDB) { d.Damaged = true }) },
		"in its tables": func(w *world) { w.meddle = harm(w, func(d *fakeDB) { delete(d.Tables, "dbo.sale") }) },
	} {
		w := newWorld(t)
		point, _, _ := w.point("kvart")
		w.sell()
		sold := w.content("shop")
		w.with(func() { meddle(w) })
		err := newConnector().Apply(t.Context(), w.restore("keeper", point), connectortest.Silent{})
		if code := app.CodeOf(err); code != app.CodeCheckFailed && code != app.CodeReadBack {
			t.Errorf("%s: %v", name, err)
		}
		if w.content("shop") != sold || w.names() != "shop" || len(w.staged()) > 0 {
			t.Errorf("%s: left %s, %v", name, w.names(), w.staged())
		}
	}
}

// harm does something to the loaded database before it is looked at.
func harm(w *world, do func(d *fakeDB)) func(string) {
	return func(sql string) {
		if d := w.db("shop_kvart_new"); d != nil && strings.HasPrefix(sql, "DBCC") {
			do(d)
		}
	}
}

func TestBeside(t *testing.T) {
	t.Parallel()
	for _, db := range []string{"shop", strings.Repeat("å", 128), strings.Repeat("😀", 64)} {
		name := beside(db, oldSuffix+"0123456789ab")
		if err := checkName("to", name); err != nil || !isOld(name, db) || isOld(name, db+"x") && len(db) < 100 || isOld(db, db) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCounts_near(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n    counts
		got  int64
		want bool
	}{
		{counts{Rows: 10}, 10, true},
		{counts{Rows: 10}, 0, true}, // within what may come and go unseen
		{counts{Rows: 1000}, 0, false},
		{counts{Rows: 1000}, 900, true},
		{counts{Rows: 1000}, 800, false},
		{counts{Rows: 1000, Moved: 100}, 800, true},
		{counts{Rows: 1_000_000}, 985_000, false},
		{counts{Rows: 1_000_000}, 1_005_000, true},
	} {
		if tt.n.near(tt.got, true) != (tt.got == tt.n.Rows) {
			t.Errorf("%+v exactly near %d", tt.n, tt.got)
		}
		if got := tt.n.near(tt.got, false); got != tt.want {
			t.Errorf("%+v near %d: %t", tt.n, tt.got, got)
		}
	}
	if got := fmt.Sprint(spaced(1234567)); got != "1 234 567" {
		t.Errorf("spaced %s", got)
	}
}
