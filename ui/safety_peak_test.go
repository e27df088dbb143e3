package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

// calendar is the peak days of the year that follows [uitest.Now].
func calendar() ([]app.PeakDay, error) {
	day := func(m time.Month, d, days int, code, name string) app.PeakDay {
		from := time.Date(2026, m, d, 0, 0, 0, 0, time.Local)
		return app.PeakDay{Code: code, Name: name, From: from, To: from.AddDate(0, 0, days)}
	}
	return []app.PeakDay{day(11, 24, 8, "black_week", ""), day(12, 12, 12, "christmas", ""), day(12, 13, 1, "", "Luciamarknaden")}, nil
}

func TestSafety_peakDayIsTold(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.press("Safety")
	r.sees("Black Week begins in 5 days", "A second copy is in step", "You know whom to call", "Alerts reach you", "8 more things on the list are ready")
	r.lacks("The recovery kit is in safe hands") // what is ready does not take the eye
	r.press("Peak days and the whole list")
	r.sees("The recovery kit is in safe hands", "Kit number 2 was confirmed")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("3-2-1-1-0")
}

// TestSafety_readyButtons presses what each item offers, and looks where it leads.
func TestSafety_readyButtons(t *testing.T) {
	for do, want := range map[app.ReadyDo]struct{ call, sees string }{
		app.DoDrill: {"StartDrill", ""}, app.DoKit: {"", "1. Save it"}, app.DoLock: {"ProveLock", ""}, app.DoPace: {"SetWatch", ""},
		app.DoResume: {"Pause", ""}, app.DoAddCopy: {"Forms", "Choose another place than the first"}, app.DoCopy: {"StartCopy", ""},
		app.DoContacts: {"Contacts", "Web host"}, app.DoTest: {"TestAlert", ""}, app.DoProve: {"ProveShop", "How many visitors"},
		app.DoCapacity: {"ProveShop", "How many visitors"}, app.DoHost: {"Capacities", "How many visitors"}, app.DoAsk: {"PeakDays", "The coming year"},
		app.DoRoom: {"", "How long backups are kept"}, app.DoQuiet: {"", "Quiet hours"}, app.DoAlerts: {"", "A way to reach you"}, app.DoShop: {"", "Your shop's address"},
	} {
		t.Run(string(do), func(t *testing.T) {
			r := newRig(t, uitest.Sheltered())
			list := uitest.ReadyList()
			list.Items = []app.ReadyItem{{Code: app.ReadyAlerts, State: app.ReadyNo, Fact: app.ReadyFact{Code: "alerts_untested", Name: "post"}, Do: do}}
			r.svc.Ready = &list
			tested := ""
			r.svc.TestAlertFunc = func(name string) error { tested = name; return nil }
			r.press("Safety")
			before := r.svc.Called(want.call)
			r.press(r.words.T("ready.do." + string(do)))
			if want.call != "" && want.call != "Forms" && r.svc.Called(want.call) <= before {
				t.Errorf("%s was not called: %v", want.call, r.svc.Calls())
			}
			if do == app.DoTest && tested != "post" {
				t.Errorf("tested %q", tested)
			}
			if want.sees != "" {
				r.sees(want.sees)
			}
		})
	}
}

func TestSafety_readyIsLookedAtAgain(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.press("Safety")
	before := r.svc.Called("Readiness")
	ready := uitest.ReadyList()
	for i := range ready.Items {
		ready.Items[i].State, ready.Items[i].Do = app.ReadyYes, app.DoNothing
	}
	ready.State = app.ReadyYes
	r.svc.Ready = &ready
	r.press("Copy now")
	if r.svc.Called("Readiness") <= before {
		t.Error("nobody looked whether it helped")
	}
	r.sees("Everything that is needed is ready")
	r.svc.ReadinessFunc = func() (app.Readiness, error) { return app.Readiness{}, offline() }
	r.press("Peak days and the whole list")
	r.sees("How ready the shop is")
}

func TestSafety_readinessUnknownIsNotReady(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.svc.ReadinessFunc = func() (app.Readiness, error) { return app.Readiness{}, app.Errorf(app.CodeHomeReadOnly, "look", "no") }
	r.press("Safety")
	r.lacks("Everything that is needed is ready", "more things on the list are ready")
}

func TestSafety_ownPeakDays(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.svc.PeakDaysFunc = calendar
	r.show(screen.Place{Screen: screen.Safety, Part: screen.PartPeak})
	r.sees("The coming year", "Black Week", "Tuesday 24 November to Tuesday 1 December", "Luciamarknaden", "Sunday 13 December")
	if uitest.Enabled(r.c, "Add the day") {
		t.Error("a day without a name can be added")
	}
	uitest.Write(t, r.c, 0, "Höstmarknaden")
	uitest.Write(t, r.c, 1, "2 maj")
	r.sees("Write the first day as year-month-day")
	uitest.Write(t, r.c, 1, "2027-10-02")
	uitest.Write(t, r.c, 2, "2027-10-01")
	r.sees("The last day comes before the first one")
	uitest.Write(t, r.c, 2, "2027-10-03")
	r.press("Every year")
	r.sees("From 2 October, every year")
	r.svc.SetWatchFunc = func(app.WatchRequest) error { return app.Errorf(app.CodeHomeReadOnly, "keep", "full") }
	r.press("Add the day")
	r.sees("Höstmarknaden") // what was typed stays
	r.svc.SetWatchFunc = nil
	r.press("Try again")
	if got := r.svc.Watching.OwnDays; len(got) != 1 || got[0] != (app.OwnDay{Name: "Höstmarknaden", From: "10-02", To: "10-03"}) {
		t.Fatalf("kept %+v", got)
	}
	uitest.Choose(t, r.c, "Norway")
	if r.svc.Watching.Country != "no" || len(r.svc.Watching.OwnDays) != 1 {
		t.Errorf("kept %+v", r.svc.Watching)
	}
	r.press("Back up every five minutes over peak days")
	if !r.svc.Watching.NoPeakPace {
		t.Error("the denser pace stays on")
	}
	r.svc.Watching.OwnDays = append(r.svc.Watching.OwnDays, app.OwnDay{Name: "Luciamarknaden", From: "12-13"})
	r.press("Take Luciamarknaden away")
	if got := r.svc.Watching.OwnDays; len(got) != 1 || got[0].Name != "Höstmarknaden" {
		t.Errorf("kept %+v", got)
	}
}

func TestSafety_drillOneSource(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	var asked []string
	r.svc.DrillFunc = func(sources []string) (app.JobID, error) { asked = sources; return "drill-1", nil }
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) {
		return app.Job{ID: id, Kind: app.JobDrill, State: app.JobDone, Drills: []app.DrillResult{{Source: "Lager", OK: true, Seconds: 9}, {Source: "Kassan", Seconds: 2}}}, nil
	}
	r.press("Safety")
	r.press("Practise with Lager")
	if strings.Join(asked, " ") != "Lager" {
		t.Errorf("practised with %v", asked)
	}
	r.sees("Lager was restored on trial in 9 s", "The trial with Kassan failed")
}

func TestSafety_capacityAsksForProofAndConsent(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.svc.Proof = app.ShopProof{URL: "https://bjornbar.se", Token: "abc123", File: "https://bjornbar.se/.well-known/kvart-abc123.txt", Meta: `<meta name="kvart-proof" content="abc123">`}
	var sent []app.CapacityRequest
	r.svc.StartCapacityFunc = func(q app.CapacityRequest) (app.JobID, error) { sent = append(sent, q); return "capacity", nil }
	r.show(screen.Place{Screen: screen.Safety, Part: screen.PartCapacity})
	r.sees("1. Show that the shop is yours", "kvart-abc123.txt", `content="abc123"`)
	uitest.Key(r.c, fyne.KeyReturn)
	if len(sent) != 0 {
		t.Fatal("visitors are sent to a shop that nobody owns")
	}
	r.svc.Proof.Proven = uitest.Now()
	r.press("It is there: look now")
	r.sees("2. Agree, and begin", "at most 15 minutes")
	if uitest.Enabled(r.c, "Rehearse the rush") {
		t.Fatal("it begins without consent")
	}
	uitest.Write(t, r.c, 0, "4000")
	r.press("It is my own hosting, and I want this now")
	r.sees("Write a whole number from 1 to 3,000")
	if uitest.Enabled(r.c, "Rehearse the rush") {
		t.Fatal("more are sent than may ever be")
	}
	uitest.Write(t, r.c, 0, "90")
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) {
		return app.Job{ID: id, Kind: app.JobCapacity, State: app.JobDone}, nil
	}
	r.svc.Rehearsed = []app.CapacityResult{{
		URL: "https://bjornbar.se", Started: uitest.Now(), Ended: uitest.Now(), Slow: 90, Stood: 68, End: app.CapacityEndSlow,
		Steps: []app.CapacityStep{{Visitors: 68, Asked: 34, Median: 380, P95: 1900}, {Visitors: 90, Asked: 41, Median: 900, P95: 3400}},
	}}
	r.press("Rehearse the rush")
	if len(sent) != 1 || sent[0] != (app.CapacityRequest{Ceiling: 90, Agreed: true}) {
		t.Fatalf("sent %+v", sent)
	}
	r.sees("At 90 visitors a minute, more than 5 of 100 waited", "The shop became too slow", "95 of 100 within 1,900 ms")
	if uitest.Enabled(r.c, "Rehearse the rush") {
		t.Error("consent counts twice")
	}
	dir := t.TempDir()
	r.pickSave = func(name string, done func(string)) { done(filepath.Join(dir, name)) }
	r.svc.CapacityPaper = []byte("%PDF-1.7 paper")
	r.press("Save as PDF for the host…")
	b, err := os.ReadFile(filepath.Join(dir, "How many visitors the shop stands.pdf"))
	if err != nil || string(b) != "%PDF-1.7 paper" {
		t.Errorf("saved %q, %v", b, err)
	}
	r.sees("Saved in ")
}

func TestSafety_capacityRunsAndStops(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.show(screen.Place{Screen: screen.Safety, Part: screen.PartCapacity})
	s := uitest.Sheltered()
	s.Job = &app.Job{
		ID: "capacity", Kind: app.JobCapacity, State: app.JobRunning, Step: app.StepCapacity, Started: uitest.Now(), Items: 900, ItemsDone: 34,
		Capacity: &app.CapacityResult{URL: "https://bjornbar.se", Started: uitest.Now(), Steps: []app.CapacityStep{{Visitors: 20, Asked: 20, Median: 300, P95: 420}}},
	}
	r.svc.Push(s)
	r.sees("Sending visitors to the shop", "20 visitors a minute", "It stops by itself")
	r.press("Stop")
	if r.svc.Called("Cancel") != 1 {
		t.Error("it can't be stopped")
	}
}

func TestSafety_capacityIsRefusedInWords(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.svc.ProveShopFunc = func() (app.ShopProof, error) {
		return app.ShopProof{}, app.Errorf(app.CodeCapacityHosted, "prove", "hosted").With("where", "kopp.myshopify.com").With("platform", "Shopify")
	}
	r.show(screen.Place{Screen: screen.Safety, Part: screen.PartCapacity})
	r.sees("kopp.myshopify.com is on a platform that others run", "Shopify is never put to the test", "How many visitors and orders a minute does our plan carry")
	r.lacks("Agree, and begin", "Rehearse the rush")
	r.svc.ProveShopFunc = func() (app.ShopProof, error) {
		return app.ShopProof{}, app.Errorf(app.CodeStorefrontNone, "prove", "none")
	}
	r.show(screen.Place{Screen: screen.Safety, Part: screen.PartCapacity})
	r.press("Give the shop's address")
	if r.current != screen.Settings {
		t.Errorf("led to %s", r.current)
	}
}

func TestSafety_peakPageByKeyboard(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.svc.PeakDaysFunc = calendar
	r.show(screen.Place{Screen: screen.Safety, Part: screen.PartPeak})
	seen := map[string]bool{}
	for range 40 {
		test.FocusNext(r.c)
		switch f := r.c.Focused().(type) {
		case *widgets.Button:
			seen[f.Text] = true
		case *widgets.Check:
			seen[f.Text] = true
		case *widgets.Entry:
			seen[f.PlaceHolder] = true
		case *widgets.Select:
			seen[f.Selected] = true
		}
	}
	for _, want := range []string{"Copy now", "Look again at all of it", "Back up every five minutes over peak days", "Sweden", "Take Luciamarknaden away", "Autumn market", "Every year", "Rehearse the rush…", "Back"} {
		if !seen[want] && want != "Add the day" {
			t.Errorf("%q cannot be reached with Tab", want)
		}
	}
}
