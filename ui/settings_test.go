package ui

import (
	"archive/zip"
	"bytes"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func TestSettings_themeIsShownAtOnce(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	ground := func() any {
		s := r.app.Settings()
		return s.Theme().Color(fynetheme.ColorNameBackground, s.ThemeVariant())
	}
	uitest.Choose(t, r.c, "Dark")
	if want := theme.Fixed(fynetheme.VariantDark).Color(fynetheme.ColorNameBackground, 0); ground() != want {
		t.Errorf("shows %v, want %v", ground(), want)
	}
	if got := r.svc.Current().Theme; got != app.ThemeDark {
		t.Errorf("the guard was told %q", got)
	}
	dark := r.Capture()
	uitest.Choose(t, r.c, "Light")
	light := r.Capture()
	for _, at := range []image.Point{{X: 1100, Y: 20}, {X: 520, Y: 90}} { // beside the cards, and in one
		if light.At(at.X, at.Y) == dark.At(at.X, at.Y) {
			t.Errorf("what is shown at %v stays as it was", at)
		}
	}
	if want := theme.Fixed(fynetheme.VariantLight).Color(fynetheme.ColorNameBackground, 0); ground() != want {
		t.Errorf("shows %v, want %v", ground(), want)
	}
}

func TestSettings_mailIsAddedAndTested(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.show(screen.Place{Screen: screen.Settings, Part: screen.PartAlerts})
	r.press("E-mail")
	r.sees("The mail server is needed")
	if uitest.Enabled(r.c, "Save and send a test") {
		t.Fatal("a server nobody named can be saved")
	}
	// name, to, from, host, port, user, password
	uitest.Write(t, r.c, 1, "asa@bjornbar.se, kim@bjornbar.se")
	uitest.Write(t, r.c, 2, "kvart@bjornbar.se")
	uitest.Write(t, r.c, 3, "smtp.loopia.se")
	uitest.Write(t, r.c, 4, "99999")
	r.sees("A port is a whole number")
	uitest.Write(t, r.c, 4, "")
	uitest.Write(t, r.c, 5, "kvart@bjornbar.se")
	uitest.Write(t, r.c, 6, "hemligt")
	var got app.WatchRequest
	r.svc.SetWatchFunc = func(q app.WatchRequest) error { got = q; return nil }
	wrong := app.Errorf(app.CodeAlertRefused, "send", "535").With("where", "smtp.loopia.se").With("reason", "password")
	r.svc.TestAlertFunc = func(string) error { return wrong }
	r.press("Save and send a test")
	if c := got.Settings.Channels; len(c) != 1 || c[0].Host != "smtp.loopia.se" || !slices.Equal(c[0].To, []string{"asa@bjornbar.se", "kim@bjornbar.se"}) || got.Secrets["E-mail.password"].Reveal() != "hemligt" {
		t.Fatalf("saved %+v", got.Settings.Channels)
	}
	r.sees("smtp.loopia.se doesn't take the alert", "User name or password is wrong", "A way to reach you")
	// It is there now: only what was wrong is typed again.
	uitest.Write(t, r.c, 5, "annat")
	r.svc.TestAlertFunc = nil
	uitest.Key(r.c, fyne.KeyReturn)
	if len(got.Settings.Channels) != 1 || got.Secrets["E-mail.password"].Reveal() != "annat" {
		t.Errorf("saved %+v", got.Settings.Channels)
	}
	r.sees("The test was taken", "E-mail, asa@bjornbar.se, kim@bjornbar.se")
}

func TestSettings_channelsGuardsNoIsPrecise(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.show(screen.Place{Screen: screen.Settings, Part: screen.PartAlerts})
	r.press("ntfy")
	uitest.Write(t, r.c, 1, "https://ntfy.sh/")
	r.svc.SetWatchFunc = func(app.WatchRequest) error {
		return app.Errorf(app.CodeUsage, "change watch", "no topic").With("field", "url").With("channel", "ntfy")
	}
	r.press("Save only")
	r.sees("one for ntfy ends in its topic")
	r.lacks("Kvart didn't understand that")
	if r.svc.Called("TestAlert") != 0 {
		t.Error("a test was sent by what was not saved")
	}
	r.svc.SetWatchFunc = func(app.WatchRequest) error { return app.Errorf(app.CodeHomeReadOnly, "keep", "full") }
	r.press("Save only")
	r.sees("Try again", "A way to reach you")
}

// TestSettings_typedStaysWithoutTheGuard: a guard that is away for a moment takes
// nothing from what was typed.
func TestSettings_typedStaysWithoutTheGuard(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.show(screen.Place{Screen: screen.Settings, Part: screen.PartAlerts})
	r.press("E-mail")
	uitest.Write(t, r.c, 3, "smtp.loopia.se")
	r.lost(offline())
	r.svc.Push(uitest.Safe())
	if got := uitest.Fields(r.c)[3].Text; got != "smtp.loopia.se" {
		t.Errorf("left %q", got)
	}
	r.show(screen.Place{Screen: screen.Safety, Part: screen.PartPeak})
	uitest.Write(t, r.c, 0, "Marknaden")
	r.lost(offline())
	r.svc.Push(uitest.Safe())
	if got := uitest.Fields(r.c)[0].Text; got != "Marknaden" {
		t.Errorf("left %q", got)
	}
}

func TestSettings_channelIsChangedAndRemoved(t *testing.T) {
	s := uitest.Safe()
	s.Watch.Channels = []app.ChannelStatus{
		{Name: "Mobilen", Kind: app.ChannelNtfy, Sent: uitest.Now().Add(-time.Hour)},
		{Name: "Posten", Kind: app.ChannelMail, Waiting: 2, Error: &app.Error{Code: app.CodeAlertOffline}},
	}
	r := newRig(t, s)
	r.svc.Watching.Channels = []app.Channel{
		{Name: "Mobilen", Kind: app.ChannelNtfy, Where: "ntfy.sh"},
		{Name: "Posten", Kind: app.ChannelMail, Host: "smtp.loopia.se", From: "a@b.se", To: []string{"a@b.se"}, Port: 25},
	}
	r.press("Settings")
	r.sees("ntfy, ntfy.sh", "Works", "Took an alert today 13:34", "Fails", "2 alerts wait to be delivered", "Alerts can't be delivered")
	r.press("Send a test by Mobilen")
	r.sees("The test was taken")
	r.press("Change Posten…")
	uitest.Write(t, r.c, 3, "2525")
	var got app.WatchRequest
	r.svc.SetWatchFunc = func(q app.WatchRequest) error { got = q; return nil }
	r.press("Save only")
	if c := got.Settings.Channels; len(c) != 2 || c[1].Port != 2525 || c[1].Host != "smtp.loopia.se" || len(got.Secrets) != 0 {
		t.Errorf("saved %+v, %d secrets", got.Settings, len(got.Secrets))
	}
	r.press("Remove Posten…")
	if len(r.svc.Watching.Channels) != 2 {
		t.Fatal("removed without asking")
	}
	r.press("Remove it")
	if c := r.svc.Watching.Channels; len(c) != 1 || c[0].Name != "Mobilen" {
		t.Errorf("left %+v", c)
	}
	r.lacks("Posten")
}

func TestSettings_storefront(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.show(screen.Place{Screen: screen.Settings, Part: screen.PartStorefront})
	uitest.Write(t, r.c, 0, "http://bjornbar.se")
	r.sees("Write an address that begins with https://")
	uitest.Write(t, r.c, 0, "bjornbar.se")
	uitest.Write(t, r.c, 1, "kaffe")
	r.press("Ask once a day when the domain expires")
	down := app.Errorf(app.CodeStorefrontWord, "look", "no word").With("where", "bjornbar.se").With("word", "kaffe")
	r.svc.TestFrontFunc = func() (app.StorefrontProbe, error) {
		return app.StorefrontProbe{At: uitest.Now(), State: app.StorefrontDown, Error: down}, nil
	}
	uitest.Key(r.c, fyne.KeyReturn)
	if w := r.svc.Watching; w.Storefront == nil || *w.Storefront != (app.StorefrontSettings{URL: "https://bjornbar.se", Word: "kaffe"}) || !w.NoDomain {
		t.Fatalf("kept %+v", w)
	}
	r.sees("bjornbar.se doesn't show your shop. Open the address and look.")
	r.svc.TestFrontFunc = nil
	r.press("Look now")
	r.sees("Answered in 240 ms, today 14:34")
	r.press("Change the address…")
	r.press("Stop looking")
	if r.svc.Watching.Storefront != nil {
		t.Error("still watched")
	}
	r.sees("Kvart doesn't look at any shop")
}

func TestSettings_uptimeByMonth(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.svc.Watching.Storefront = &app.StorefrontSettings{URL: "https://bjornbar.se"}
	r.svc.UptimeFunc = func() (app.Uptime, error) {
		return app.Uptime{
			Months:  []app.MonthUptime{{Month: "2026-11", Up: 199_999, Down: 1, Millis: 412}, {Month: "2026-10", Unknown: 9}},
			Outages: []app.Outage{{Begin: uitest.Now().Add(-26 * time.Hour), End: uitest.Now().Add(-25 * time.Hour)}, {Begin: uitest.Now().Add(-48 * time.Hour)}},
		}, nil
	}
	r.press("Settings")
	r.sees("November 2026", "Answered 99.99 % of the times", "October 2026", "Not known", "Didn't answer from yesterday 12:34, for 1 hour", "Hasn't answered since")
	r.lacks("100.00 %") // once it did not
}

func TestSettings_heartbeat(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	r.press("Give an address…")
	uitest.Write(t, r.c, 0, "hc-ping.com/abc")
	if uitest.Enabled(r.c, "Save the address") {
		t.Error("no address at all is taken")
	}
	uitest.Write(t, r.c, 0, "https://hc-ping.com/abc")
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("Goes to hc-ping.com. Nothing was taken yet")
	r.lacks("https://hc-ping.com/abc")
	r.press("Send none")
	r.sees("None is sent")
}

func TestSettings_noticesOfKinds(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	r.sees("are always told")
	r.press("A practice restore failed")
	set, err := r.svc.Settings(t.Context())
	if err != nil || !slices.Equal(set.Muted, []app.NoticeKind{app.NoticeDrill}) {
		t.Fatalf("muted %v, %v", set.Muted, err)
	}
	r.press("A practice restore failed")
	if set, _ = r.svc.Settings(t.Context()); len(set.Muted) != 0 {
		t.Errorf("muted %v", set.Muted)
	}
}

func TestSettings_powerRules(t *testing.T) {
	s := uitest.Safe()
	s.Power = app.Power{Battery: app.KnownYes}
	r := newRig(t, s)
	r.show(screen.Place{Screen: screen.Settings, Part: screen.PartPower})
	r.sees("Just now: runs on its battery", "Just now: not known, so the rule doesn't hold")
	uitest.Choose(t, r.c, "Wait with everything")
	set, err := r.svc.Settings(t.Context())
	if err != nil || set.OnBattery != app.PowerWait || set.OnMetered != app.PowerGoOn {
		t.Fatalf("rules %q and %q, %v", set.OnBattery, set.OnMetered, err)
	}
	s = r.svc.Current()
	s.Waiting = &app.Waiting{Cause: app.CauseBattery, Rule: app.PowerWait, Sources: []string{"Kassan", "Lager"}}
	s.Notes = []app.Problemed{{Error: (&app.Error{Code: app.CodeWaiting}).With("cause", "battery").With("count", "2")}}
	r.svc.Push(s)
	r.sees("Waiting just now: Kassan, Lager")
	r.press("Home")
	r.sees("Backups wait while the computer runs on")
	r.lacks("Your shop is safe")
	if p, ok := screen.Explain(r.words, s.Notes[0].Error, "").Place(); !ok || p.Part != screen.PartPower {
		t.Errorf("leads to %+v", p)
	}
}

func TestSettings_supportIsShownBeforeItIsSaved(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	r.press("Support bundle…")
	r.sees("Nothing is sent", "linux/amd64")
	r.press("log.txt")
	r.sees("Backed up")
	dir, shown := t.TempDir(), r.svc.Called("Support")
	r.pickSave = func(name string, done func(string)) { done(filepath.Join(dir, name)) }
	r.press("Save as a file…")
	if r.svc.Called("Support") != shown {
		t.Error("what is saved was made anew: nobody has seen it")
	}
	b, err := os.ReadFile(filepath.Join(dir, "Kvart support 2026-11-19.zip"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil || len(text) == 0 || strings.Contains(string(text), "/home/asa") {
			t.Errorf("%s holds %q, %v", f.Name, text, err)
		}
		names = append(names, f.Name)
	}
	if strings.Join(names, " ") != "about.txt status.json log.txt" {
		t.Errorf("packed %v", names)
	}
	r.sees("Saved in ")
	r.svc.SupportFunc = func() (app.SupportBundle, error) { return app.SupportBundle{}, offline() }
	uitest.Key(r.c, fyne.KeyEscape)
	r.press("Open the folder of the logs")
	r.sees("Try again")
}

func TestSettings_licences(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	r.press("Licences…")
	uitest.Write(t, r.c, 0, "kopia")
	r.sees("github.com/kopia/kopia", "Apache-2.0")
	r.lacks("fyne.io/fyne")
	for _, o := range uitest.Visible(r.c) {
		if l, ok := o.(*widgets.List); ok {
			l.Select(0)
			break
		}
	}
	r.sees("Apache License")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("Look for a name or a licence")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("Limit the upload")
}

// TestSettings_typedLimitStays: a status that comes while the limit is typed
// takes nothing away.
func TestSettings_typedLimitStays(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	uitest.Write(t, r.c, 0, "2,5")
	s := r.svc.Current()
	s.Power.Battery = app.KnownNo
	r.svc.Push(s)
	if got := uitest.Fields(r.c)[0].Text; got != "2,5" || !uitest.Enabled(r.c, "Save") {
		t.Errorf("left %q", got)
	}
}

func TestSettings_keyboardAlone(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.svc.Watching = app.WatchSettings{Channels: []app.Channel{{Name: "Mobilen", Kind: app.ChannelNtfy}}, Storefront: &app.StorefrontSettings{URL: "https://bjornbar.se"}}
	r.press("Settings")
	seen := map[string]bool{}
	for range 70 {
		test.FocusNext(r.c)
		switch f := r.c.Focused().(type) {
		case *widgets.Button:
			seen[f.Text] = true
		case *widgets.Check:
			seen[f.Text] = true
		case *widgets.Select:
			seen[f.Selected] = true
		}
	}
	for _, want := range []string{
		"Same as the computer", "Send a test by Mobilen", "Change Mobilen…", "Remove Mobilen…", "Add a way to reach you", "Look now", "Change the address…",
		"Give an address…", "A restore is done", "Start guarding when I log in", "Go on as always", "Own numbers…", "Support bundle…", "Open the folder of the logs", "Licences…",
	} {
		if !seen[want] {
			t.Errorf("%q cannot be reached with Tab", want)
		}
	}
}
