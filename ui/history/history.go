package history

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// Screen is History.
type Screen struct {
	env     screen.Env
	st      state
	asked   int // answers to older questions are late
	object  *container.Scroll
	trouble *screen.Trouble
	view    *view
	newest  app.PointID // of the source, to notice a new backup
}

var _ screen.Screen = (*Screen)(nil)

// New returns History without a source.
func New(env screen.Env) *Screen {
	s := &Screen{env: env, trouble: screen.NewTrouble(env)}
	s.st = state{Pane: paneList, Day: env.Now()}
	s.view = newView(env, s)
	s.object = widgets.Page(s.view.head, s.trouble.Object(), s.view.none, s.view.day, s.view.panes)
	s.trouble.OnChanged = func() { widgets.Relayout(s.object) }
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen].
func (s *Screen) Open(p screen.Place) {
	s.trouble.Show(nil, nil)
	if p.Source != "" && p.Source != s.st.Source {
		s.pickSource(p.Source)
		return
	}
	if s.st.Source != "" {
		s.loadDay()
	}
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	if s.st.Point != nil && s.view.restore.Visible() {
		s.restore()
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	if s.st.Point == nil || s.st.Path == "" && s.st.Pane == paneList {
		return false
	}
	s.up()
	return true
}

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	var names []string
	var newest app.PointID
	for _, src := range st.Sources {
		names = append(names, src.Source.Name)
		if src.Source.Name == s.st.Source && src.Point != nil {
			newest = src.Point.ID
		}
	}
	fresh := newest != s.newest
	s.newest = newest
	if !slices.Equal(names, s.st.Sources) {
		s.st.Sources = names
		if !slices.Contains(names, s.st.Source) {
			s.st.Source = ""
			if len(names) > 0 {
				s.pickSource(names[0])
				return
			}
		}
		s.draw()
	}
	if fresh && s.st.Source != "" {
		s.loadDay()
	}
}

func (s *Screen) draw() {
	s.view.set(model(s.env.Words, s.st, s.env.Now()))
	widgets.Relayout(s.object)
}

func (s *Screen) pickSource(name string) {
	s.st = state{Sources: s.st.Sources, Source: name, Day: s.env.Now(), Pane: paneList}
	s.loadDay()
}

func (s *Screen) moveDay(days int) {
	s.st.Day = startOfDay(s.st.Day).AddDate(0, 0, days)
	s.st.Point, s.st.Path, s.st.Pane = nil, "", paneList
	s.loadDay()
}

// load asks the guard; use takes the answer unless another question was asked
// meanwhile.
func (s *Screen) load(ask func(ctx context.Context) error, use func(), again func()) {
	s.asked++
	mine := s.asked
	s.st.Busy = true
	s.draw()
	s.env.Go(func(ctx context.Context) func() {
		err := ask(ctx)
		return func() {
			if mine != s.asked {
				return
			}
			s.st.Busy = false
			s.trouble.Show(err, again)
			if err == nil {
				use()
			}
			s.draw()
		}
	})
}

func (s *Screen) loadDay() {
	source, day := s.st.Source, s.st.Day
	var quarters []app.Quarter
	var points []app.Point
	s.load(func(ctx context.Context) (err error) {
		if quarters, err = s.env.Service.Day(ctx, app.DayRequest{Source: source, Day: day}); err != nil {
			return err
		}
		points, err = s.env.Service.Points(ctx, app.PointsRequest{Source: source, Since: startOfDay(day)})
		return err
	}, func() {
		s.st.Quarters, s.st.Points = quarters, pointsOf(points, day)
		if s.st.Point == nil && len(s.st.Points) > 0 {
			s.pickPoint(s.st.Points[0].ID)
		}
	}, s.loadDay)
}

func (s *Screen) pickQuarter(i int) {
	if i < len(s.st.Quarters) {
		if p, ok := pointAt(s.st.Points, s.st.Quarters[i].Start); ok {
			s.pickPoint(p.ID)
		}
	}
}

func (s *Screen) pickPoint(id app.PointID) {
	for i := range s.st.Points {
		if s.st.Points[i].ID == id {
			p := s.st.Points[i]
			s.st.Point = &p
			s.list("")
		}
	}
}

// list shows a folder of the point.
func (s *Screen) list(dir string) {
	r := app.PathRequest{Source: s.st.Source, Point: s.st.Point.ID, Path: dir}
	s.st.Path, s.st.Pane, s.st.Entries, s.st.Picked = dir, paneList, nil, ""
	var entries []app.Entry
	s.load(func(ctx context.Context) (err error) {
		entries, err = s.env.Service.List(ctx, r)
		return err
	}, func() { s.st.Entries = entries }, func() { s.list(dir) })
}

// open goes into a folder, previews a file or picks a change.
func (s *Screen) open(i int) {
	switch {
	case s.st.Pane == paneDiff:
		if i < len(s.st.Changes) {
			s.st.Picked = s.st.Changes[i].Path
			s.draw()
		}
	case i < len(s.st.Entries) && s.st.Entries[i].Dir:
		s.list(s.st.Entries[i].Path)
	case i < len(s.st.Entries):
		s.preview(s.st.Entries[i].Path)
	}
}

func (s *Screen) preview(file string) {
	r := app.PathRequest{Source: s.st.Source, Point: s.st.Point.ID, Path: file}
	s.st.Path, s.st.Pane, s.st.Preview = file, panePreview, nil
	var head []byte
	s.load(func(ctx context.Context) error {
		f, err := s.env.Service.Cat(ctx, r)
		if err != nil {
			return err
		}
		head, err = io.ReadAll(io.LimitReader(f, previewBytes))
		return errors.Join(err, f.Close())
	}, func() { s.st.Preview = head }, func() { s.preview(file) })
}

func (s *Screen) compare() {
	r := app.DiffRequest{Source: s.st.Source, Point: s.st.Point.ID, With: app.Live}
	s.st.Pane, s.st.Path, s.st.Changes, s.st.Picked = paneDiff, "", nil, ""
	var changes []app.Change
	s.load(func(ctx context.Context) (err error) {
		changes, err = s.env.Service.Diff(ctx, r)
		return err
	}, func() { s.st.Changes = changes }, s.compare)
}

// up goes to the folder above.
func (s *Screen) up() {
	dir := path.Dir(s.st.Path)
	if dir == "." || dir == "/" || s.st.Pane == paneDiff {
		dir = ""
	}
	s.list(dir)
}

// place is where a restore of what is chosen begins.
func (s *Screen) place(to string) screen.Place {
	p := screen.Place{Screen: screen.Recover, Source: s.st.Source, Point: s.st.Point.ID, Export: to}
	if c := s.st.chosenPath(); c != "" {
		p.Paths = []string{c}
	}
	return p
}

func (s *Screen) restore() { s.env.Show(s.place("")) }

func (s *Screen) export() {
	place := s.place("")
	s.env.ChooseFolder(func(dir string) {
		place.Export = dir
		s.env.Show(place)
	})
}
