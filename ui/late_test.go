package ui

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// queue holds back what the window does with answers, which are asked for at
// once.
type queue struct {
	waiting []func()
}

// later makes the rig's answers wait.
func (r *rig) later() *queue {
	q := &queue{}
	r.run = runner{background: func(f func()) { f() }, inside: func(f func()) { q.waiting = append(q.waiting, f) }}
	return q
}

// at takes the nth of the answers that wait.
func (q *queue) at(n int) {
	f := q.waiting[n]
	q.waiting = slices.Delete(q.waiting, n, n+1)
	f()
}

// all takes all answers, and those to what they ask for.
func (q *queue) all() {
	for len(q.waiting) > 0 {
		q.at(0)
	}
}

// TestIncident_lateAnswerIsNotTheNewest: what was read before a step was ticked
// must not take the tick away.
func TestIncident_lateAnswerIsNotTheNewest(t *testing.T) {
	i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	r := inIncident(t, i)
	r.press("Recover")
	q := r.later()
	st := r.svc.Current()
	st.Now = st.Now.Add(time.Minute)
	brief := *st.Incident
	brief.Settled++
	st.Incident = &brief
	r.svc.Push(st) // which has the incident read
	if len(q.waiting) != 1 {
		t.Fatalf("%d answers wait", len(q.waiting))
	}
	r.svc.OnPush = nil
	r.press("Yes, it worked")
	q.at(1)
	r.sees("1 of ")
	q.at(0)
	r.lacks("0 of ")
	r.sees("1 of ")
	q.all()
	r.sees("1 of ")
}

// TestSettings_quickChangesBothStay: the second of two quick changes is made to
// what the first left, and one that is refused shows what stands.
func TestSettings_quickChangesBothStay(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	q := r.later()
	r.svc.OnPush = nil
	uitest.Choose(t, r.c, "Dark")
	r.press(r.words.T("settings.autostart"))
	q.all()
	set, err := r.svc.Settings(t.Context())
	if err != nil || set.Theme != app.ThemeDark || set.Autostart {
		t.Fatalf("%+v, %v", set, err)
	}
	// Another window, or a command, changes something meanwhile.
	set.UploadLimit = 12345
	if err := r.svc.SetSettings(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	uitest.Choose(t, r.c, "Light")
	q.all()
	if set, _ = r.svc.Settings(t.Context()); set.UploadLimit != 12345 || set.Theme != app.ThemeLight {
		t.Errorf("the change took back another: %+v", set)
	}
	r.svc.SettingsFunc = func(app.Settings) error { return app.Errorf(app.CodeHomeReadOnly, "set", "no") }
	uitest.Choose(t, r.c, "Dark")
	q.all()
	r.sees("Light")
	if slices.ContainsFunc(uitest.Texts(r.c), func(s string) bool { return s == "Dark" }) {
		t.Error("what was refused is shown as chosen")
	}
}

// TestSafety_oldReadinessIsNotShownAsNew: a list that can't be read any more is
// not shown as if it still held.
func TestSafety_oldReadinessIsNotShownAsNew(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.press("Safety")
	r.press("Peak days and the whole list")
	r.sees("The recovery kit is in safe hands")
	r.svc.ReadinessFunc = func() (app.Readiness, error) {
		return app.Readiness{}, app.Errorf(app.CodeStorageOffline, "ready", "no")
	}
	r.press(r.words.T("peaks.again"))
	r.lacks("The recovery kit is in safe hands")
	r.sees(screen.Explain(r.words, &app.Error{Code: app.CodeStorageOffline}, "").Title)
	uitest.Key(r.c, fyne.KeyEscape)
	r.lacks("more things on the list are ready")
	r.svc.ReadinessFunc = nil
	r.press(r.words.T("peaks.again"))
	r.sees("more things on the list are ready")
}

// TestFind_whatIsFoundBelongsToItsSource: another source that is chosen after a
// search is not what the hits are of.
func TestFind_whatIsFoundBelongsToItsSource(t *testing.T) {
	r := newRig(t, uitest.Safe())
	var asked app.SearchRequest
	r.svc.SearchFunc = func(q app.SearchRequest) (app.SearchResult, error) { asked = q; return found(), nil }
	var planned app.RestoreRequest
	r.press("Recover")
	r.press(r.words.T("incident.playbook.deleted"))
	uitest.Write(t, r.c, 0, "kopp")
	r.press(r.words.T("recover.find.button"))
	uitest.Choose(t, r.c, "Bilder")
	r.press("Produkter/kopp.jpg")
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		planned = q
		return uitest.Plan(r.svc.Current(), q), nil
	}
	r.press(r.words.T("recover.find.back"))
	if asked.Source != "Kassan" || !slices.Equal(planned.Sources, []string{"Kassan"}) {
		t.Errorf("looked in %s, brings back %v", asked.Source, planned.Sources)
	}
	// A source that has another name by now is not looked for in vain.
	r = newRig(t, uitest.Safe())
	r.svc.SearchFunc = func(q app.SearchRequest) (app.SearchResult, error) { asked = q; return found(), nil }
	r.press("Recover")
	r.press(r.words.T("incident.playbook.deleted"))
	uitest.Write(t, r.c, 0, "kopp")
	st := uitest.Safe()
	st.Sources = st.Sources[1:]
	r.svc.Push(st)
	r.press(r.words.T("recover.find.button"))
	if asked.Source != "Lager" {
		t.Errorf("looked in %s, which is no more", asked.Source)
	}
}

// TestWindow_nothingTypedIsLostWithTheGuard: a guard that is gone for a moment
// costs nothing that was typed or looked for.
func TestWindow_nothingTypedIsLostWithTheGuard(t *testing.T) {
	r := newRig(t, uitest.Safe())
	blip := func() {
		t.Helper()
		r.lost(app.Errorf(app.CodeGuardOffline, "watch", "gone"))
		r.sees("guard is not running")
		r.seen(r.svc.Current())
	}
	r.svc.SearchFunc = func(app.SearchRequest) (app.SearchResult, error) { return found(), nil }
	r.press("Recover")
	r.press(r.words.T("incident.playbook.deleted"))
	uitest.Write(t, r.c, 0, "kopp")
	r.press(r.words.T("recover.find.button"))
	blip()
	r.sees("Produkter/kopp.jpg")
	if f := uitest.Fields(r.c); len(f) == 0 || f[0].Text != "kopp" {
		t.Error("what was looked for is lost")
	}
	uitest.Key(r.c, fyne.KeyEscape)
	r.press("Bring just one source back…")
	r.press("Lager")
	asked := r.svc.Called("PlanRestore")
	blip()
	r.sees("Bring Lager back")
	if r.svc.Called("PlanRestore") != asked {
		t.Error("it was asked for anew")
	}

	r.show(screen.Place{Screen: screen.Settings})
	limit := len(uitest.Fields(r.c)) - 1
	uitest.Write(t, r.c, 0, "1,5")
	typed := uitest.Fields(r.c)[0].Text
	blip()
	if f := uitest.Fields(r.c); len(f) != limit+1 || f[0].Text != typed {
		t.Error("the number that was typed is lost")
	}
	r.show(screen.Place{Screen: screen.Sources, Source: "Kassan", Change: true})
	uitest.Write(t, r.c, 0, "/home/asa/Kassa/ny.db")
	blip()
	if f := uitest.Fields(r.c); len(f) == 0 || f[0].Text != "/home/asa/Kassa/ny.db" {
		t.Error("what was filled in of a source is lost")
	}
	// A screen that was chosen while the guard was gone is opened as usual.
	r.lost(app.Errorf(app.CodeGuardOffline, "watch", "gone"))
	r.press("Recover")
	r.seen(r.svc.Current())
	r.sees("What happened?")
}
