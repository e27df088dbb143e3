//go:build !race

package ui

import (
	"fmt"
	"image"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/app"
	"kvart/ui/reopen"
	"kvart/ui/screen"
	"kvart/ui/setup"
	"kvart/ui/theme"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

// small is the smallest window there may be, twice that of a laptop of
// 1366×768 points that draws everything at twice its size.
var (
	small  = fyne.NewSize(1024, 700)
	double = fyne.NewSize(683, 384)
)

// tour is where a walk begins, and how many presses it goes from there.
type tour struct {
	name   string
	status app.Status
	place  screen.Place
	depth  int
}

// tours returns where there is something to see: every screen with its pages,
// and the states of those that have several.
func tours() []tour {
	var out []tour
	for _, n := range []screen.Name{screen.Home, screen.Sources, screen.History, screen.Recover, screen.Safety, screen.Settings, screen.Help} {
		out = append(out, tour{"safe", uitest.Safe(), screen.Place{Screen: n}, 2})
	}
	for _, p := range []screen.Place{
		{Screen: screen.Recover, Part: screen.PartContacts},
		{Screen: screen.Safety, Part: screen.PartPeak},
		{Screen: screen.Safety, Part: screen.PartCapacity},
		{Screen: screen.Safety, Kit: true},
		{Screen: screen.Sources, Source: "Kassan", Change: true},
	} {
		out = append(out, tour{"safe", uitest.Safe(), p, 1})
	}
	for _, n := range []screen.Name{screen.Home, screen.Setup, screen.Reopen, screen.Safety} {
		out = append(out, tour{"empty", uitest.Empty(), screen.Place{Screen: n}, 1})
	}
	for name, s := range uitest.Statuses() {
		if name != "safe" && name != "empty" {
			out = append(out, tour{name, s, screen.Place{Screen: screen.Home}, 0}, tour{name, s, screen.Place{Screen: screen.Safety}, 0})
		}
	}
	out = append(out, tour{"suspicious", uitest.Suspicious(), screen.Place{Screen: screen.Home}, 0}, tour{"restoring", uitest.Restoring(), screen.Place{Screen: screen.Recover}, 0})
	hacked := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookHacked})
	for _, n := range []screen.Name{screen.Home, screen.Recover} {
		out = append(out, tour{"hacked", uitest.InIncident(uitest.Safe(), &hacked), screen.Place{Screen: n}, 1})
	}
	return out
}

// stop is a page, and the acts that lead there.
type stop struct {
	tour
	path  []int
	names []string
	tried map[string]bool // names of what was there to be done on the way
}

func (s stop) String() string {
	return fmt.Sprintf("%s %s %s", s.name, s.place.Screen, strings.Join(append([]string{string(s.place.Part)}, s.names...), " → "))
}

// begin opens a window anew, onto a guard of its own, at a place.
func (r *rig) begin(s app.Status, p screen.Place) {
	lang := r.status.Language
	svc := uitest.NewService(s)
	if i := s.Incident; i != nil {
		begun := uitest.Begun(app.IncidentRequest{Playbook: i.Playbook})
		svc.Open = &begun
	}
	s.Language = lang
	r.svc, r.opts.Service, r.flow, r.reopen = svc, svc, setup.NewFlow(), reopen.NewFlow()
	svc.OnPush = func(st app.Status) { st.Language = lang; r.seen(st) }
	r.status, r.received, r.trouble, r.current = &s, time.Now(), nil, p.Screen
	r.c.Unfocus()
	r.build() // shows the screen
	if p.Part != "" || p.Source != "" || p.Kit {
		r.show(p)
	}
}

// follow goes to a stop. What was there to be done on the way the first time has
// to be there again: else another page would be looked at in its place.
func (r *rig) follow(s stop) {
	r.t.Helper()
	r.begin(s.status, s.place)
	for n, i := range s.path {
		acts := r.acts()
		if i >= len(acts) || acts[i].Name != s.names[n] {
			r.t.Fatalf("%s: %q is not there any more", s, s.names[n])
		}
		acts[i].Do()
	}
}

// acts is what can be done on the page, without the navigation.
func (r *rig) acts() []uitest.Act {
	var out []uitest.Act
	for _, a := range uitest.Acts(r.c) {
		if _, nav := a.Object.(*navItem); !nav {
			out = append(out, a)
		}
	}
	return out
}

// page is what tells a page from another.
func (r *rig) page() string { return strings.Join(uitest.Texts(r.c), "\n") }

// walk calls visit at every page of a tour once.
func (r *rig) walk(tr tour, known map[string]bool, visit func(s stop)) {
	todo := []stop{{tour: tr}}
	for len(todo) > 0 {
		s := todo[0]
		todo = todo[1:]
		r.follow(s)
		if page := s.name + r.page(); known[page] {
			continue
		} else {
			known[page] = true
		}
		acts := r.acts()
		visit(s)
		if len(s.path) == s.depth {
			continue
		}
		tried := maps.Clone(s.tried)
		if tried == nil {
			tried = map[string]bool{}
		}
		for _, a := range acts {
			tried[a.Name] = true
		}
		for i, a := range acts {
			if !s.tried[a.Name] {
				todo = append(todo, stop{s.tour, append(slices.Clone(s.path), i), append(slices.Clone(s.names), a.Name), tried})
			}
		}
	}
}

// TestWalk_nothingMissingOrCut walks the window in both languages and at both
// sizes. Colours do not depend on the language, nor places on the theme, so that
// each language is walked in a theme of its own.
func TestWalk_nothingMissingOrCut(t *testing.T) {
	for lang, variant := range map[string]fyne.ThemeVariant{"sv": fynetheme.VariantDark, "en": fynetheme.VariantLight} {
		s := uitest.Safe()
		s.Language = lang
		r := newRig(t, s)
		r.app.Settings().SetTheme(theme.Fixed(variant))
		known, told, stops := map[string]bool{}, map[string]bool{}, 0
		for _, tr := range tours() {
			r.walk(tr, known, func(s stop) {
				stops++
				r.inspect(s, told)
			})
		}
		if stops < 90 {
			t.Errorf("%s: the walk found only %d pages", lang, stops)
		}
		t.Logf("%s: %d pages", lang, stops)
		r.Close()
	}
}

// inspect looks at the page that is shown; a fault is told once.
func (r *rig) inspect(s stop, told map[string]bool) {
	r.t.Helper()
	tell := func(at fyne.Size, faults []string) {
		for _, f := range faults {
			if !told[f] {
				told[f] = true
				r.t.Errorf("%s %s at %v: %s", r.words.Language(), s, at, f)
			}
		}
	}
	scaled := r.c.(test.WindowlessCanvas)
	for _, as := range []struct {
		size  fyne.Size
		scale float32
	}{{double, 2}, {small, 1}} {
		scaled.SetScale(as.scale)
		r.win.Resize(as.size)
		tell(as.size, uitest.Faults(r.c, r.words))
	}
	tell(small, uitest.Faint(r.c))
	r.shoot("page-" + r.words.Language() + "-" + strings.Map(plain, s.String()))
}

// plain keeps what can stand in a file's name.
func plain(c rune) rune {
	if c < 128 && (unicode.IsLetter(c) || unicode.IsDigit(c)) {
		return c
	}
	return '_'
}

// TestWalk_keyboard: on every page the Tab key leads to everything that can be
// pressed, where it is shows, Space and Enter press it, Enter does what the
// page is for, and Escape leads home in a few steps.
func TestWalk_keyboard(t *testing.T) {
	r := newRig(t, uitest.Safe())
	defer r.Close()
	known, looks := map[string]bool{}, map[string]bool{}
	for _, tr := range tours() {
		tr.depth = min(tr.depth, 1) // every part is reached by then; what lies deeper takes a minute more
		r.walk(tr, known, func(s stop) {
			chain := uitest.Chain(r.c)
			for _, name := range uitest.Unreachable(r.c, chain) {
				t.Errorf("%s: the Tab key does not lead to %s", s, name)
			}
			for _, f := range chain {
				r.focusShows(s, f, looks)
				r.fires(s, f)
			}
			r.tabShows(s)
			primaries := uitest.Primaries(r.c)
			r.escapes(s)
			asks := func(key string) bool { return r.words.T(key) == primaries[0] }
			if len(primaries) == 1 && !slices.ContainsFunc(asksForTheButton(), asks) {
				r.enters(s, primaries[0])
			}
		})
	}
}

// focusShows: what has the focus is drawn otherwise than without; of every
// kind of thing one is looked at in a picture.
func (r *rig) focusShows(s stop, f fyne.Focusable, looks map[string]bool) {
	r.t.Helper()
	o := f.(fyne.CanvasObject)
	before := uitest.Drawn(o)
	kind := fmt.Sprintf("%T", o)
	if b, ok := o.(*widgets.Button); ok {
		kind += fmt.Sprint(b.Importance)
	}
	var without image.Image
	if !looks[kind] {
		without = r.Capture()
	}
	r.c.Focus(f)
	if uitest.Drawn(o) == before {
		r.t.Errorf("%s: nothing shows that %T has the focus", s, o)
	}
	if without != nil && o.Position().Y < small.Height {
		looks[kind] = true
		if n := differ(without, r.Capture()); n < 40 {
			r.t.Errorf("%s: focus on %T changes %d pixels", s, o, n)
		}
	}
	r.c.Unfocus()
}

// tabShows: wherever the Tab key leads on a page, it is in view.
func (r *rig) tabShows(s stop) {
	r.t.Helper()
	r.c.Unfocus()
	began := map[fyne.Focusable]bool{}
	for range 1000 {
		uitest.Tab(r.c)
		f := r.c.Focused()
		if f == nil || began[f] {
			break
		}
		began[f] = true
		if !uitest.InView(r.c, f.(fyne.CanvasObject)) {
			r.t.Errorf("%s: the Tab key leads to %T %q out of view", s, f, uitest.NameOf(f.(fyne.CanvasObject)))
		}
	}
	r.c.Unfocus()
}

// differ counts the pixels in which two pictures of one size differ.
func differ(a, b image.Image) int {
	n := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				n++
			}
		}
	}
	return n
}

// fires: Space and Enter do what a press does.
func (r *rig) fires(s stop, f fyne.Focusable) {
	r.t.Helper()
	n := 0
	restore, ok := uitest.Counted(f.(fyne.CanvasObject), &n)
	if item, nav := f.(*navItem); nav {
		old := item.tapped
		item.tapped = func() { n++ }
		restore, ok = func() { item.tapped = old }, true
	}
	if !ok {
		return
	}
	defer restore()
	for _, k := range []fyne.KeyName{fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter} {
		n = 0
		f.FocusGained()
		uitest.Strike(f, k)
		f.FocusLost()
		if n != 1 {
			r.t.Errorf("%s: %s presses %T %d times", s, k, f, n)
		}
	}
}

// escapes: Escape leads back, step by step, to Home.
func (r *rig) escapes(s stop) {
	r.t.Helper()
	for range 8 {
		r.c.Unfocus()
		uitest.Key(r.c, fyne.KeyEscape)
		if r.current == screen.Home {
			return
		}
	}
	r.t.Errorf("%s: Escape does not lead home", s)
}

// asksForTheButton returns the keys of the primary buttons that Enter alone does
// not press: an Enter too much would say that a step was done, or write a page
// in which nothing was changed.
func asksForTheButton() []string {
	return []string{"recover.going.yes", "recover.soon.save", "peaks.prove.look"}
}

// enters: Enter does the same as pressing the page's one primary button.
func (r *rig) enters(s stop, name string) {
	r.t.Helper()
	before, clocks := "", regexp.MustCompile(`\d+:\d\d`) // they go on meanwhile
	after := func(do func()) string {
		r.follow(s)
		if p := uitest.Primaries(r.c); len(p) != 1 || p[0] != name {
			r.t.Fatalf("%s: the primary buttons are %q now, not %q", s, p, name)
		}
		r.received = r.received.Add(-2 * time.Second) // it was looked at
		r.refresh()
		stands := func() string { return clocks.ReplaceAllString(fmt.Sprint(r.svc.Calls(), r.current)+r.page(), "") }
		before = stands()
		do()
		return stands()
	}
	pressed := after(func() { uitest.Press(r.t, r.c, name) })
	if pressed == before {
		r.t.Errorf("%s: pressing %q does nothing", s, name)
	}
	if entered := after(func() { r.c.Unfocus(); uitest.Key(r.c, fyne.KeyReturn) }); entered != pressed {
		r.t.Errorf("%s: Enter does not do what %q does", s, name)
	}
}
