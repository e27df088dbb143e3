package history

import (
	"cmp"
	"context"

	"kvart/app"
	"kvart/ui/widgets"
)

// keptNames is how many names of changed records are kept.
const keptNames = 512

// compare tells how the point differs from now, or from the other point.
func (s *Screen) compare() {
	r := app.DiffRequest{Source: s.st.Source, Point: s.st.Point.ID, With: cmp.Or(s.st.With, app.Live)}
	s.st.turn(paneDiff)
	var changes []app.Change
	s.load(&s.pane, func(ctx context.Context) (err error) {
		changes, err = s.env.Service.Diff(ctx, r)
		return err
	}, func() {
		s.st.Diff = s.st.compared(changes)
		if groups := s.st.Diff.groups; len(groups) > 0 {
			s.st.Group = groups[0].code
		}
	}, s.compare)
}

// pickWith lets the owner choose another point to compare with.
func (s *Screen) pickWith() {
	s.st.Picking = true
	s.draw()
	widgets.Focus(s.view.strip)
}

func (s *Screen) pickedWith(p app.Point) {
	if p.ID == s.st.Point.ID {
		return
	}
	s.compareWith(p)
}

// withNow goes back to comparing with the source as it is now.
func (s *Screen) withNow() { s.compareWith(app.Point{ID: app.Live}) }

func (s *Screen) compareWith(p app.Point) {
	s.st.Picking, s.st.With, s.st.WithTime = false, p.ID, p.Time
	s.names.Clear()
	if s.st.Pane == paneRecord {
		s.loadRecord(s.st.Record)
		return
	}
	s.compare()
}

func (s *Screen) showGroup(code string) {
	s.st.Group = code
	s.draw()
}

// openChange shows what a change is about, as far as the point has it.
func (s *Screen) openChange(i int) {
	changes := s.view.vm.Changes
	if i >= len(changes) || changes[i].Kind == app.ChangeAdded {
		return
	}
	c := changes[i]
	s.st.From = paneDiff
	sh, ok := s.st.shelfOf(c.Path)
	switch {
	case ok && s.st.groupOf(c.Path) == sh.Code:
		s.st.Shelf = sh.Code
		s.loadRecord(c.Path)
	case ok:
		s.openShelf(sh.Code)
	default:
		s.preview(c.Path)
	}
}

// nameOf returns the record that a change is about, as soon as it is known.
func (s *Screen) nameOf(c app.Change) app.Record {
	g := s.st.groupOf(c.Path)
	if g == groupTables || g == groupFiles || s.st.Point == nil {
		return app.Record{}
	}
	point := s.st.Point.ID
	if c.Kind == app.ChangeAdded {
		if s.st.With == app.Live {
			return app.Record{} // no point has it
		}
		point = s.st.With
	}
	r, _ := s.names.Value(keyOf(s.st.Source, point, c.Path))
	return r
}

func (s *Screen) fetchName(ctx context.Context, key string) (app.Record, error) {
	at := ofKey(key)
	v, err := s.env.Service.Record(ctx, app.RecordRequest{Source: at.Source, Point: at.Point, Path: at.Path})
	return v.Record, err
}
