package ui

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"kvart/app"
	"kvart/ui/uitest"
)

// walker does what a person would, and counts it.
type walker struct {
	*rig
	taps, fields, pages int
}

// What a step takes somebody who has the passwords at hand, in seconds: to find
// and press something, to type a line, to read a page.
const (
	secondsATap   = 4
	secondsAField = 12
	secondsAPage  = 10
	fiveMinutes   = 300
)

// tap presses what carries the words of a key.
func (w *walker) tap(key string) {
	w.t.Helper()
	w.taps++
	w.press(w.words.T(key))
}

func (w *walker) write(nth int, s string) {
	w.t.Helper()
	w.fields++
	uitest.Write(w.t, w.c, nth, s)
}

// page makes sure that a page is there, with no words missing.
func (w *walker) page(key string) {
	w.t.Helper()
	w.pages++
	w.sees(w.words.T(key))
	w.lacks("⟦", "{{", "<no value>")
	name := "walk-" + strings.ReplaceAll(strings.TrimPrefix(key, "setup."), ".", "-") + "-" + w.words.Language()
	w.shoot(name)
	w.win.Resize(fyne.NewSize(1024, 700))
	w.shoot(name + "-narrow")
	w.win.Resize(fyne.NewSize(1120, 740))
}

// living makes the guard live: it stands as what was asked of it.
func living(svc *uitest.Service) {
	svc.FormsFunc = shopForms
	svc.DiscoverFunc = func() ([]app.Found, error) {
		return append(uitest.Found(), uitest.FoundDatabase()), nil
	}
	svc.RightsFunc = fine
	svc.ProbeFunc = lockable
	change := func(fn func(*app.Status)) {
		st := svc.Current()
		fn(&st)
		svc.Push(st)
	}
	svc.CreateFunc = func(q app.VaultRequest) error {
		v := uitest.Vault()
		v.Shop, v.Storage = q.Shop, q.Storage.Kind
		change(func(s *app.Status) { s.Vault, s.Problems = v, nil })
		return nil
	}
	svc.AddFunc = func(q app.AddSourceRequest) error {
		change(func(s *app.Status) {
			src := uitest.FirstDay().Sources[0]
			src.Source.ID, src.Source.Name, src.Source.Kind, src.Source.Settings = app.SourceID(q.Name), q.Name, q.Kind, q.Settings
			s.Sources = append(slices.Clone(s.Sources), src)
		})
		return nil
	}
	svc.BackupFunc = func([]string) (app.JobID, error) {
		change(func(s *app.Status) { s.Job = uitest.BackingUp().Job })
		return "backup-1", nil
	}
}

// backedUp ends the first backup: every source has a point that was read back.
func backedUp(svc *uitest.Service) {
	st := svc.Current()
	st.Job, st.Verdict, st.Sources = nil, app.VerdictSafe, slices.Clone(st.Sources)
	for i := range st.Sources {
		safe := uitest.Safe().Sources[0]
		safe.Source = st.Sources[i].Source
		st.Sources[i] = safe
	}
	svc.Push(st)
}

// again closes the window and opens another one onto the same guard.
func (r *rig) again() *rig {
	r.t.Helper()
	r.Close()
	w := newWindow(r.app, Options{
		Context: r.t.Context(), Service: r.svc, Build: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		StartGuard: func(context.Context) error { return nil },
	})
	inline := func(f func()) { f() }
	w.run = runner{background: inline, inside: inline}
	r.svc.OnPush = w.seen
	w.seen(r.svc.Current())
	w.win.Resize(fyne.NewSize(1120, 740))
	w.chooser(r.t)
	return &rig{Window: w, t: r.t, svc: r.svc, app: r.app, c: w.win.Canvas()}
}

func newWalker(t *testing.T, lang string) *walker {
	t.Helper()
	s := uitest.Empty()
	s.Language = lang
	w := &walker{rig: newRig(t, s)}
	living(w.svc)
	return w
}

// connect fills in what only the owner knows of the database that was found.
func (w *walker) connect() {
	w.t.Helper()
	for i, v := range []string{"butik", "kassa", "hemligt"} {
		w.write(2+i, v)
	}
	w.tap("setup.continue")
}

// store fills in where the backups are to lie, and proves it.
func (w *walker) store() {
	w.t.Helper()
	w.tap("storage.s3")
	w.taps += 2
	uitest.Choose(w.t, w.c, w.words.T("storage.s3.preset.b2"))
	for i, v := range []string{"kafferosteriet-kvart", "003abc", "K003secret"} {
		w.write(i, v)
	}
	w.tap("setup.test")
	w.page("setup.where.title")
	w.tap("setup.continue")
}

// key writes the passphrase down, and starts.
func (w *walker) key() {
	w.t.Helper()
	words := w.paper()
	w.fields += 2 // it is written on paper: long for a field
	w.write(0, words[strings.LastIndex(words, "-")+1:])
	w.write(1, "Kafferosteriet")
	w.page("setup.pass.title")
	w.tap("setup.start")
}

// kit saves, prints and confirms the recovery kit.
func (w *walker) kit() {
	w.t.Helper()
	w.page("setup.kit.title")
	w.tap("makekit.save.button")
	w.tap("makekit.print.button")
	w.write(0, w.svc.KitCode)
	w.tap("makekit.code.button")
	w.tap("setup.continue")
}

// end sees the first backup through to its end.
func (w *walker) end() {
	w.t.Helper()
	w.page("setup.first.running.title")
	w.lacks(w.words.T("setup.first.done.title"))
	backedUp(w.svc)
	w.page("setup.first.done.title")
	w.tap("setup.first.done.button")
	w.sees(w.words.T("verdict.safe"))
	if !w.svc.Kept.Empty() {
		w.t.Errorf("the guard still keeps %+v", w.svc.Kept)
	}
}

// TestSetupWalk_fiveMinutes: from the first start to "protected", by what a
// person who knows the passwords does and nothing else.
func TestSetupWalk_fiveMinutes(t *testing.T) {
	for _, lang := range []string{"en", "sv"} {
		w := newWalker(t, lang)
		w.tap("home.button.empty")
		w.page("setup.what.title")
		w.tap("setup.continue")
		w.page("setup.ask.text")
		w.connect()
		w.store()
		w.key()
		w.kit()
		w.end()
		if took := w.taps*secondsATap + w.fields*secondsAField + w.pages*secondsAPage; took > fiveMinutes || w.taps > 18 || w.fields > 11 {
			t.Errorf("%s: %d taps, %d fields and %d pages take about %d s", lang, w.taps, w.fields, w.pages, took)
		}
		if n := w.svc.Called("AddSource"); n != 3 {
			t.Errorf("%d sources", n)
		}
		w.Close()
	}
}

// TestSetupWalk_leftInTheMiddle: the window is closed, and the guard restarted,
// wherever there is something to lose; what was entered is there again, but for
// the secrets, which nobody keeps.
func TestSetupWalk_leftInTheMiddle(t *testing.T) {
	w := newWalker(t, "en")
	w.tap("home.button.empty")
	w.press("lager.db") // untick
	w.press("Folder")   // and add one
	w.rig = w.again()
	w.tap("home.button.goon")
	w.sees("kvart", "Chosen by you") // the folder's name
	w.tap("setup.continue")
	w.write(2, "butik")
	w.write(3, "kassa")
	w.write(4, "hemligt")
	w.rig = w.again()
	w.tap("home.button.goon")
	w.sees("passwords aren't kept")
	if f := uitest.Fields(w.c); f[2].Text != "butik" || f[3].Text != "kassa" || f[4].Text != "" {
		t.Fatalf("there is %q, %q and %q", f[2].Text, f[3].Text, f[4].Text)
	}
	w.write(4, "hemligt")
	w.tap("setup.continue")
	w.tap("storage.s3")
	uitest.Choose(t, w.c, "Backblaze B2")
	w.write(0, "kafferosteriet-kvart")
	w.write(2, "K003secret")
	w.rig = w.again()
	w.tap("home.button.goon")
	w.sees("passwords aren't kept") // the database's again
	w.write(4, "hemligt")
	w.tap("setup.continue")
	w.sees("kafferosteriet-kvart", "Backblaze B2")
	w.lacks("K003secret")
	for i, v := range []string{"kafferosteriet-kvart", "003abc", "K003secret"} {
		w.write(i, v)
	}
	w.tap("setup.test")
	w.tap("setup.continue")
	words := w.paper()
	w.write(1, "Kafferosteriet")
	w.rig = w.again()
	w.tap("home.button.goon")
	w.write(4, "hemligt")
	w.tap("setup.continue")
	if uitest.Enabled(w.c, "Continue") {
		t.Fatal("a proof from before the window was closed counts")
	}
	w.write(1, "003abc")
	w.write(2, "K003secret")
	w.tap("setup.test")
	w.tap("setup.continue")
	if w.paper() == words {
		t.Error("the passphrase was kept")
	}
	if got := uitest.Fields(w.c)[1].Text; got != "Kafferosteriet" {
		t.Errorf("the shop is called %q", got)
	}
	w.key()
	w.kit()
	w.rig = w.again() // in the middle of the first backup
	w.lacks(w.words.T("verdict.safe"))
	backedUp(w.svc)
	w.sees(w.words.T("verdict.safe"))
	var names []string
	for _, s := range w.svc.Current().Sources {
		names = append(names, s.Source.Name)
	}
	if got := strings.Join(names, " "); got != "kassa.db MariaDB kvart" && got != "kassa.db kvart MariaDB" {
		t.Errorf("protects %q", got)
	}
	for _, d := range w.svc.Kept.Picks {
		t.Errorf("the guard keeps %+v", d)
	}
}

// TestSetupWalk_kitIsConfirmedBeforeTheStatusSaysSo: the way on once stayed shut,
// when the guard's answer came before its status.
func TestSetupWalk_kitIsConfirmedBeforeTheStatusSaysSo(t *testing.T) {
	w := newWalker(t, "en")
	w.tap("home.button.empty")
	w.tap("setup.continue")
	w.connect()
	w.store()
	w.key()
	w.tap("makekit.save.button")
	w.write(0, w.svc.KitCode)
	told := w.svc.OnPush
	w.svc.OnPush = nil // on its way
	w.tap("makekit.code.button")
	w.sees("Your kit is confirmed")
	w.svc.OnPush = told
	w.svc.Push(w.svc.Current())
	w.tap("setup.continue")
	w.page("setup.first.running.title")
}

// TestSetupWalk_keyboard: the whole way with nothing but keys.
func TestSetupWalk_keyboard(t *testing.T) {
	w := newWalker(t, "en")
	to := func(what func() fyne.CanvasObject) {
		t.Helper()
		for range 90 {
			o, ok := w.c.Focused().(fyne.CanvasObject)
			if want := what(); ok && want != nil && o == want {
				return
			}
			test.FocusNext(w.c)
		}
		t.Fatalf("not reached; on the screen is:\n%s", strings.Join(uitest.Texts(w.c), "\n"))
	}
	fire := func(name string, key fyne.KeyName) {
		t.Helper()
		to(func() fyne.CanvasObject { return uitest.Pressable(w.c, name, 0) })
		uitest.Key(w.c, key)
		if f := w.c.Focused(); key == fyne.KeySpace && f != nil {
			f.TypedRune(' ') // as the driver does
		}
	}
	write := func(nth int, s string) {
		t.Helper()
		to(func() fyne.CanvasObject { return uitest.Fields(w.c)[nth] })
		test.Type(w.c.Focused(), s)
	}
	enter := func() { uitest.Key(w.c, fyne.KeyReturn) }
	fire("Set up Kvart", fyne.KeyReturn)
	fire("lager.db", fyne.KeySpace)
	enter()
	w.sees("Connect MariaDB")
	fire("How do I get this?", fyne.KeySpace)
	w.sees("Step 1")
	fire("The database is at a web hotel", fyne.KeySpace)
	w.sees("By way of an SSH server")
	for i, v := range []string{"butik", "kassa", "hemligt"} {
		write(2+i, v)
	}
	enter()
	w.sees("Where should the backups live?")
	uitest.Key(w.c, fyne.KeyEscape)
	w.sees("What can't your shop trade without?")
	fire("Continue", fyne.KeyReturn)
	fire("File server (SFTP)", fyne.KeySpace)
	for i, v := range []string{"backup.example", "kvart", "hemligt", "kvart"} {
		write(i, v)
	}
	fire("Test connection", fyne.KeySpace)
	fire("Continue", fyne.KeySpace)
	words := w.paper()
	write(0, words[strings.LastIndex(words, "-")+1:])
	enter()
	fire("Save the page…", fyne.KeyReturn)
	write(0, w.svc.KitCode)
	enter()
	w.sees("Your kit is confirmed")
	fire("Continue", fyne.KeyReturn)
	backedUp(w.svc)
	w.sees("Your shop is protected")
	fire("Go to Home", fyne.KeyReturn)
	w.sees("Your shop is safe")
}
