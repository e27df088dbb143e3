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

// newDetailRig returns a window at the page about Lager.
func newDetailRig(t *testing.T, st app.Status) *rig {
	t.Helper()
	r := newRig(t, st)
	r.svc.PointsFunc = func(app.PointsRequest) ([]app.Point, error) { return shopPoints(), nil }
	r.show(screen.Place{Screen: screen.Sources, Source: "Lager", Part: screen.PartSource})
	return r
}

func TestSourceDetail_tellsWhatIsCapturedAndWhatIsNot(t *testing.T) {
	r := newDetailRig(t, uitest.Safe())
	r.sees("Lager", "What is captured", "Orders", "8,120", "sale (rows)", "12,940", "1 file, 31 MB",
		"What isn't protected by it", "Files that the program keeps beside the database", "Can it be restored?", "Last backups", "Read back", "2 files missing", "Not read back")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("What Kvart protects")
	r.press("Details")
	r.sees("What is captured", "/home/asa/Kassa/kassa.db")
}

func TestSourceDetail_pauseAndSchedule(t *testing.T) {
	r := newDetailRig(t, uitest.Safe())
	var got []app.Schedule
	r.svc.ArrangeFunc = func(q app.ArrangeRequest) error {
		if q.Source != "Lager" {
			t.Errorf("arranges %q", q.Source)
		}
		got = append(got, *q.Schedule)
		return nil
	}
	last := func() app.Schedule { return got[len(got)-1] }
	uitest.Choose(t, r.c, "every 30 minutes")
	if last().Every != 30*time.Minute {
		t.Errorf("%+v", last())
	}
	uitest.Choose(t, r.c, "22:00")
	if s := last(); s.QuietFrom != 22 || s.QuietTo != 6 || s.Every != 30*time.Minute {
		t.Errorf("one hour chosen is %+v", s)
	}
	r.press("Pause for 1 hour")
	if s := last(); s.Paused || s.PausedUntil.Sub(uitest.Now()) < 59*time.Minute || s.PausedUntil.Sub(uitest.Now()) > 61*time.Minute {
		t.Errorf("%+v", s)
	}
	r.sees("It is paused until today 15:34", "Paused")
	r.press("Resume")
	if s := last(); s.Paused || !s.PausedUntil.IsZero() || s.QuietFrom != 22 {
		t.Errorf("%+v", s)
	}
	r.press("Pause until I resume it")
	if !last().Paused {
		t.Errorf("%+v", last())
	}
	r.sees("It is paused until you resume it")
	r.press("Home")
	r.sees("Lager is paused")
}

func TestSourceDetail_aRefusalIsSaidAndNothingLooksChanged(t *testing.T) {
	r := newDetailRig(t, uitest.Safe())
	r.svc.ArrangeFunc = func(app.ArrangeRequest) error { return app.Errorf(app.CodeBusy, "arrange", "busy") }
	r.press("Pause until I resume it")
	r.sees("Kvart is busy just now", "Pause for 1 hour")
	r.lacks("It is paused")
	r.svc.ArrangeFunc = nil
	r.press("Try again")
	r.sees("It is paused until you resume it")
}

func TestSourceDetail_rename(t *testing.T) {
	r := newDetailRig(t, uitest.Safe())
	r.press("Rename…")
	if uitest.Enabled(r.c, "Rename") {
		t.Error("the same name can be saved")
	}
	uitest.Key(r.c, fyne.KeyEscape)
	r.lacks("What should it be called?")
	r.press("Rename…")
	r.svc.ArrangeFunc = func(app.ArrangeRequest) error {
		return app.Errorf(app.CodeSourceExists, "arrange", "taken").With("source", "Kassan")
	}
	uitest.Write(t, r.c, 0, "Kassan")
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("What should it be called?", "Try again") // what was typed is still there
	r.svc.ArrangeFunc = nil
	uitest.Write(t, r.c, 0, "Lagret i Gamla stan")
	r.press("Rename")
	r.sees("Lagret i Gamla stan", "What is captured")
	r.lacks("What should it be called?")
}

func TestSourceDetail_acts(t *testing.T) {
	r := newDetailRig(t, uitest.Safe())
	var backedUp, drilled []string
	r.svc.BackupFunc = func(s []string) (app.JobID, error) { backedUp = s; return "b", nil }
	r.svc.DrillFunc = func(s []string) (app.JobID, error) { drilled = s; return "d", nil }
	uitest.Key(r.c, fyne.KeyReturn)
	r.press("Run a drill")
	if !slices.Equal(backedUp, []string{"Lager"}) || !slices.Equal(drilled, []string{"Lager"}) {
		t.Errorf("backs up %v, drills %v", backedUp, drilled)
	}
	r.press("Check connection")
	r.sees("Works: 412 MB can be read", "What is captured")
	r.press("Change…")
	r.sees("Change Lager")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("What is captured") // where it was opened from
	r.press("Remove…")
	r.sees("Stop protecting Lager?", "24 months", "Kopia")
	r.svc.RemoveFunc = func(string) error {
		s := uitest.Safe()
		s.Language, s.Sources = "en", s.Sources[:1]
		r.svc.Push(s)
		return nil
	}
	r.press("Stop protecting it")
	r.sees("What Kvart protects")
	r.lacks("Lager")
}

func TestSourceDetail_whatCanNotBeAskedIsLeftOut(t *testing.T) {
	r := newRig(t, uitest.Failed())
	r.svc.PointsFunc = func(app.PointsRequest) ([]app.Point, error) {
		return nil, app.Errorf(app.CodeStorageGone, "points", "gone")
	}
	r.show(screen.Place{Screen: screen.Sources, Source: "Lager", Part: screen.PartSource})
	r.sees("What is captured", "Try again", "can't list the backups just now")
	r.lacks("There is no backup of it yet")
	r.svc.PointsFunc = nil
	r.press("Try again")
	r.sees("Read back")
}

func TestSourceDetail_shownAsItWasChangesNothing(t *testing.T) {
	r := newDetailRig(t, uitest.Past())
	r.sees("Can be restored", "What is captured")
	for _, name := range []string{"Change…", "Remove…", "Rename…", "Pause for 1 hour", "Back up now"} {
		if uitest.Pressable(r.c, name, 0) != nil {
			t.Errorf("%q can be pressed", name)
		}
	}
}

// TestSourceDetail_focusStays: a backup that is made meanwhile draws the page
// anew, and must not take the keyboard from what the owner is at.
func TestSourceDetail_focusStays(t *testing.T) {
	r := newDetailRig(t, uitest.Safe())
	b, ok := uitest.Pressable(r.c, "Pause until I resume it", 0).(fyne.Focusable)
	if !ok {
		t.Fatal("no such button")
	}
	r.c.Focus(b)
	st := uitest.Safe()
	st.Language = "en"
	st.Sources[1].Point.Bytes++
	st.Sources[1].Uploaded = 999_000
	r.svc.Push(st)
	r.sees("999 kB")
	uitest.Key(r.c, fyne.KeySpace)
	r.sees("It is paused until you resume it")
}
