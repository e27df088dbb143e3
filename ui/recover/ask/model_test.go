package ask

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
)

func TestBegan(t *testing.T) {
	t.Parallel()
	now := uitest.Now() // 2026-11-19 14:34
	at := func(day, h, m int) time.Time { return time.Date(2026, 11, day, h, m, 0, 0, time.Local) }
	for _, tt := range []struct {
		k          when
		day, clock string
		want       time.Time
		wrong      string
	}{
		{whenNow, "nonsense", "nonsense", time.Time{}, ""},
		{whenToday, "", "14:30", at(19, 14, 30), ""},
		{whenToday, "", " 9 ", at(19, 9, 0), ""},
		{whenToday, "", "9.05", at(19, 9, 5), ""},
		{whenToday, "", "14:35", time.Time{}, "recover.when.future"},
		{whenToday, "", "", time.Time{}, "recover.when.bad_clock"},
		{whenToday, "", "24:00", time.Time{}, "recover.when.bad_clock"},
		{whenToday, "", "12:60", time.Time{}, "recover.when.bad_clock"},
		{whenToday, "", "12:", time.Time{}, "recover.when.bad_clock"},
		{whenToday, "", "-1", time.Time{}, "recover.when.bad_clock"},
		{whenYesterday, "", "23:59", at(18, 23, 59), ""},
		{whenDay, "2026-11-02", "00:00", at(2, 0, 0), ""},
		{whenDay, "2026-11-20", "00:00", time.Time{}, "recover.when.future"},
		{whenDay, "2/11", "00:00", time.Time{}, "recover.when.bad_day"},
		{whenDay, "2026-02-30", "00:00", time.Time{}, "recover.when.bad_day"},
	} {
		got, wrong := began(tt.k, tt.day, tt.clock, now)
		if !got.Equal(tt.want) || wrong != tt.wrong {
			t.Errorf("%s %q %q: %v %q", tt.k, tt.day, tt.clock, got, wrong)
		}
	}
}

func TestRowsOf(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	p := uitest.Points("Kassan")
	list := []app.Candidate{{Point: p[0], Unusual: app.CodeUnusual, Rows: 3}, {Point: p[1], Proposed: true, Rows: -1, NewestOrder: "7"}, {Point: p[3], Rows: 1}}
	one := []sourceCandidates{{"Kassan", "Kassan", list}}
	rows, without := rowsOf(w, one, "", uitest.Now())
	if len(rows) != 3 || len(without) != 0 || rows[0].Chosen || !rows[1].Chosen || rows[0].Pills[0].Words != "Holds an unusual change" || rows[2].Pills[0].Words != "Not read back yet" {
		t.Errorf("%+v", rows)
	}
	if rows[1].Detail != "412\u00a0MB · newest order 7" || rows[2].Detail != "412\u00a0MB · 1 row or record" {
		t.Errorf("%q, %q", rows[1].Detail, rows[2].Detail)
	}
	if rows, _ := rowsOf(w, one, p[3].ID, uitest.Now()); rows[1].Chosen || !rows[2].Chosen {
		t.Errorf("%+v", rows)
	}
	// Of several sources only what is proposed; what has nothing sound is named.
	rows, without = rowsOf(w, append(one, sourceCandidates{"Lager", "Lager", list[:1]}), "", uitest.Now())
	if len(rows) != 1 || rows[0].Point != p[1].ID || len(without) != 1 || without[0] != "Lager" {
		t.Errorf("%+v, without %v", rows, without)
	}
	// A source without any backup is named too, alone as well.
	if rows, without := rowsOf(w, []sourceCandidates{{"Lager", "Lager", nil}}, "", uitest.Now()); len(rows) != 0 || len(without) != 1 {
		t.Errorf("%+v, without %v", rows, without)
	}
}

// TestIntroOf: that the backups can't be deleted is said only where the storage
// lately refused to.
func TestIntroOf(t *testing.T) {
	t.Parallel()
	now := uitest.Now()
	for state, want := range map[app.LockState]string{
		"": "incident.playbook.hacked.text", app.LockOpen: "incident.playbook.hacked.text", app.LockLifted: "incident.playbook.hacked.text", app.LockHeld: "recover.hacked.locked",
	} {
		st := app.Status{Now: now, LockProof: &app.LockProof{State: state, At: now.Add(-time.Hour)}}
		if got := introOf(app.PlaybookHacked, st); got != want {
			t.Errorf("%q: %s", state, got)
		}
		st.LockProof.At = now.Add(-2 * app.LockProofAge)
		if got := introOf(app.PlaybookHacked, st); got != "incident.playbook.hacked.text" {
			t.Errorf("%q, long ago: %s", state, got)
		}
		if got := introOf(app.PlaybookCrashed, st); got != "incident.playbook.crashed.text" {
			t.Error(got)
		}
	}
}

// TestWords_promiseNothing: what is said whatever the state says nothing of the
// backups, or of orders, being safe.
func TestWords_promiseNothing(t *testing.T) {
	t.Parallel()
	for lang, promises := range map[string][]string{
		"en": {" safe", "out of", "reach", "can't be deleted"}, "sv": {"räckhåll", "säker", "i säkert", "går inte att ta bort"},
	} {
		w, err := assets.NewWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{
			"incident.playbook.hacked.text", "recover.infected.text", "recover.sheet.calm", "incident.page.text", "error.infected.meaning", "incident.message.customers.text",
		} {
			text := strings.ReplaceAll(w.T(key, assets.Args{"Shop": "S", "Phone": "", "Mail": ""}), "säkerhetskopi", "")
			for _, p := range promises {
				if strings.Contains(text, p) {
					t.Errorf("%s %s promises %q: %s", lang, key, p, text)
				}
			}
		}
	}
}
