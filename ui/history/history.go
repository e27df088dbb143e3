package history

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/ui/history/near"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// slowAfter is how long an answer may take before it is said that it does.
const slowAfter = 5 * time.Second

// Screen is History.
type Screen struct {
	env     screen.Env
	st      state
	object  *container.Scroll
	trouble *screen.Trouble
	view    *view
	of      string      // the source whose
	newest  app.PointID // is known, to notice a new backup

	day, month, pane lane
	blamed           *lane // whose failure is told
	typed            int   // searches typed: those of before a pause are late
	records          *near.Pages[app.Record]
	pictures         *near.Cache[picture]
	names            *near.Cache[app.Record] // of records that changed, by path
	saving           *saving
	open             func() // what to show once the day is there
}

var _ screen.Screen = (*Screen)(nil)

// New returns History without a source.
func New(env screen.Env) *Screen {
	s := &Screen{env: env, trouble: screen.NewTrouble(env)}
	s.st = state{Day: env.Now()}
	s.st.leave()
	run := near.Run(env.Go)
	s.records = near.NewPages[app.Record](run)
	s.records.OnChanged = s.recordsCame
	s.pictures = near.NewCache(run, keptPictures, s.fetchPicture)
	s.names = near.NewCache(run, keptNames, s.fetchName)
	s.view = newView(env, s)
	s.pictures.OnCame = s.view.records.Refresh
	s.names.OnCame = s.view.changes.Refresh
	s.object = widgets.FilledPage(s.view.panes, s.view.head, s.trouble.Object(), s.view.none, s.view.day, s.view.panes)
	s.trouble.OnChanged = func() { widgets.Relayout(s.object) }
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen]. A point, and a path in it, is shown whatever
// day it is of.
func (s *Screen) Open(p screen.Place) {
	s.trouble.Show(nil, nil)
	if p.Source != "" && (p.Source != s.st.Source || p.Point != "") {
		s.setSource(p.Source)
		if p.Point == "" {
			s.loadDay()
			return
		}
		at := ""
		if len(p.Paths) > 0 {
			at = p.Paths[0]
		}
		s.goTo(p.Point, at, func() {})
		return
	}
	if s.st.Source != "" {
		s.loadDay()
	}
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	switch {
	case s.st.Pane == paneFind && s.view.has(s.view.asked):
		s.look()
	case s.st.Pane == paneShelf && s.view.has(s.view.search):
		s.view.focusRows()
	case s.view.restore.Visible():
		s.restore()
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	switch {
	case s.st.Month != nil:
		s.closeMonth()
	case s.st.Picking:
		s.st.Picking = false
		s.draw()
	case s.pane.busy:
		s.cancel()
	case s.st.Pane == paneFind || s.st.Pane == paneDiff:
		s.first()
	case s.view.up.Visible():
		s.up()
	case s.st.Text != "" && s.st.Pane == paneShelf:
		s.view.search.SetText("")
	default:
		return false
	}
	return true
}

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	var names []string
	var newest app.PointID
	some := s.st.Some
	for _, src := range st.Sources {
		names = append(names, src.Source.Name)
		if src.Source.Name == s.st.Source {
			s.st.Some = src.Point != nil
			if src.Point != nil {
				newest = src.Point.ID
			}
		}
	}
	if s.of != s.st.Source {
		s.of, s.newest = s.st.Source, newest
	}
	changed := some != s.st.Some
	if !slices.Equal(names, s.st.Sources) {
		s.st.Sources = names
		if !slices.Contains(names, s.st.Source) {
			s.st.Source = ""
			if len(names) > 0 {
				s.pickSource(names[0])
				return
			}
		}
		changed = true
	}
	if slow := s.st.Busy && s.env.Now().Sub(s.pane.since) > slowAfter; slow != s.st.Slow {
		s.st.Slow, changed = slow, true
	}
	if changed {
		s.draw()
	}
	if newest != s.newest && s.st.Source != "" && !s.day.busy {
		s.newest = newest
		s.loadDay()
	}
}

func (s *Screen) draw() {
	s.st.Busy = s.pane.busy || s.day.busy && s.st.Point == nil
	s.view.set(model(s.env.Words, s.st, s.env.Now()))
	widgets.Relayout(s.object)
}

// setSource turns to a source and asks nothing yet.
func (s *Screen) setSource(name string) {
	s.quiet()
	s.st = state{Sources: s.st.Sources, Source: name, Day: s.env.Now(), Some: true}
	s.st.leave()
}

func (s *Screen) pickSource(name string) {
	s.setSource(name)
	s.loadDay()
}

// quiet ends what is asked about the point that is left.
func (s *Screen) quiet() {
	s.pane.stopAsking()
	s.typed++
	s.records.Clear()
	s.pictures.Clear()
	s.names.Clear()
	s.stopSaving()
	s.open = nil
}

// leave turns away from the point.
func (s *Screen) leave() {
	s.quiet()
	s.st.leave()
}
