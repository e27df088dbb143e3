package ui

import (
	"image"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

// homeStates returns every state Home can be in.
func homeStates() map[string]app.Status {
	all := uitest.HomeStates()
	maps.Copy(all, uitest.Statuses())
	all["suspicious"] = uitest.Suspicious()
	return all
}

// TestHome_onePrimaryButton: whatever the state, one button is the one to press,
// and Enter fires it.
func TestHome_onePrimaryButton(t *testing.T) {
	r := newRig(t, uitest.Safe())
	for name, st := range homeStates() {
		st.Language = "en"
		r.svc.Push(st)
		r.show(screen.Place{Screen: screen.Home})
		n := 0
		for _, o := range uitest.Visible(r.c) {
			if b, ok := o.(*widgets.Button); ok && b.Importance == widget.HighImportance && !b.Disabled() {
				n++
			}
		}
		if st.Job != nil && n <= 1 {
			continue // what could be pressed is being done
		}
		if n != 1 {
			t.Errorf("%s has %d primary buttons", name, n)
		}
	}
}

func TestHome_sourcePausedIsTakenUpAgain(t *testing.T) {
	r := newRig(t, uitest.SourcePaused())
	r.lacks("Your shop is safe", "Your backups are late")
	r.sees("Lager is paused", "isn't protected", "3 hours of work")
	var got *app.Schedule
	r.svc.ArrangeFunc = func(q app.ArrangeRequest) error { got = q.Schedule; return nil }
	uitest.Key(r.c, fyne.KeyReturn)
	if got == nil || got.Paused || !got.PausedUntil.IsZero() {
		t.Errorf("%+v", got)
	}
	r.sees("Your shop is safe")
}

func TestHome_setupThatWasLeftIsGoneOnWith(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.press("Home")
	r.sees("Set up Kvart")
	r.svc.Kept = app.SetupDraft{Page: "where", Shop: "Björnbär"}
	r.show(screen.Place{Screen: screen.Home})
	r.sees("The setup isn't finished")
	r.lacks("Set up Kvart")
	r.press("Go on with the setup")
	r.lacks("The setup isn't finished")
}

func TestHome_peakDayAndHowReady(t *testing.T) {
	r := newRig(t, uitest.Peak())
	r.show(screen.Place{Screen: screen.Home})
	r.sees("in 5 days: Black Week", "3 of 11 checks are left", "fire and hackers")
	n := r.svc.Called("Readiness")
	r.svc.Push(r.svc.Current())
	r.show(screen.Place{Screen: screen.Home})
	if got := r.svc.Called("Readiness"); got != n {
		t.Error("the shop is looked at every time Home is shown")
	}
	r.press("Get ready")
	r.lacks("in 5 days: Black Week")
	r.svc.ReadinessFunc = func() (app.Readiness, error) { return app.Readiness{}, app.Errorf(app.CodeBusy, "x", "busy") }
	late := newRig(t, uitest.Peak())
	late.svc.ReadinessFunc = r.svc.ReadinessFunc
	late.lacks("Kvart is busy") // no trouble of the owner's
}

func TestHome_suspiciousLooksAtWhatChanged(t *testing.T) {
	r := newRig(t, uitest.Suspicious())
	r.sees("Something looks wrong", "Bilder")
	r.press("See what changed")
	if r.current != screen.History {
		t.Errorf("shows %s", r.current)
	}
}

func TestHome_rowLeadsToItsSource(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Lager")
	r.sees("What is captured", "/home/asa/Lager/lager.db")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("What Kvart protects")
}

// TestHome_pictures draws every state for a person to look at.
func TestHome_pictures(t *testing.T) {
	if os.Getenv("KVART_SHOTS") == "" {
		t.Skip("no pictures are asked for")
	}
	for _, lang := range []string{"en", "sv"} {
		for _, size := range []fyne.Size{fyne.NewSize(1120, 740), fyne.NewSize(1024, 700)} {
			empty := uitest.Empty()
			empty.Language = lang
			r := newRig(t, empty)
			all := homeStates()
			for _, name := range slices.Sorted(maps.Keys(all)) {
				st := all[name]
				st.Language = lang
				r.svc.Kept = app.SetupDraft{}
				if name == "nosources" {
					r.svc.Kept.Shop = "Björnbär"
				}
				r.svc.Push(st)
				r.show(screen.Place{Screen: screen.Home})
				r.win.Resize(size)
				at := lang + "-" + name
				if size.Width < 1100 {
					at = "small-" + at
				}
				r.shoot("home-" + at)
			}
			st := uitest.Safe()
			st.Language = lang
			r.svc.Push(st)
			r.detailPictures(lang, size)
			r.Close()
		}
	}
}

func (r *rig) detailPictures(lang string, size fyne.Size) {
	r.t.Helper()
	paused := uitest.SourcePaused()
	paused.Language = lang
	r.svc.PointsFunc = func(app.PointsRequest) ([]app.Point, error) { return shopPoints(), nil }
	for name, st := range map[string]app.Status{"safe": r.svc.Current(), "paused": paused} {
		r.svc.Push(st)
		r.show(screen.Place{Screen: screen.Sources})
		r.win.Resize(size)
		pre := "sources-"
		if size.Width < 1100 {
			pre = "small-sources-"
		}
		r.shoot(pre + lang + "-" + name)
		r.show(screen.Place{Screen: screen.Sources, Source: "Lager", Part: screen.PartSource})
		r.win.Resize(fyne.NewSize(size.Width, 1400))
		r.shoot(pre + lang + "-" + name + "-detail")
		r.win.Resize(size)
	}
}

// shopPoints are points of a source with counts of what is in them.
func shopPoints() []app.Point {
	points := uitest.Points("Lager")
	points[0].ID = "Lager-9"
	points[0].Stats = app.Stats{"table.sale": 12_940, "table.product": 502, "kind.orders": 8120, "bytes": 9}
	points[1].Incomplete = 2
	points[2].Time = uitest.Now().Add(-26 * time.Hour)
	return points
}

// TestHome_themeChangesTheIncidentCard: the card is drawn in the colours of now,
// also when the theme changes while it stands.
func TestHome_themeChangesTheIncidentCard(t *testing.T) {
	r := newRig(t, uitest.HomeStates()["incident"])
	r.app.Settings().SetTheme(theme.Fixed(fynetheme.VariantLight))
	r.win.Content().Refresh()
	light := r.Capture()
	r.app.Settings().SetTheme(theme.Fixed(fynetheme.VariantDark))
	r.win.Content().Refresh()
	dark := r.Capture()
	at := image.Pt(640, 44) // in the card, right of its words
	if light.At(at.X, at.Y) == dark.At(at.X, at.Y) {
		t.Errorf("the card is %v in both themes", dark.At(at.X, at.Y))
	}
}

// TestHome_focusStaysOnARow: the minutes that pass draw the table anew.
func TestHome_focusStaysOnARow(t *testing.T) {
	r := newRig(t, uitest.Safe())
	row, ok := uitest.Pressable(r.c, "Lager", 0).(fyne.Focusable)
	if !ok {
		t.Fatal("a row can't have the keyboard")
	}
	r.c.Focus(row)
	st := uitest.Safe()
	st.Language = "en"
	st.Sources[0].SafeUntil = st.Sources[0].SafeUntil.Add(-time.Minute)
	r.svc.Push(st)
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("What is captured", "/home/asa/Lager/lager.db")
}
