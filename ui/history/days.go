package history

import (
	"context"
	"slices"
	"time"

	"kvart/app"
	"kvart/ui/widgets"
)

func (s *Screen) moveDay(days int) { s.toDay(startOfDay(s.st.Day).AddDate(0, 0, days)) }

func (s *Screen) toDay(day time.Time) {
	s.st.Day = day
	if !s.st.Picking { // else it is another point that is looked for
		s.leave()
	}
	s.loadDay()
}

// dayOf is what a day of a source is drawn from.
type dayOf struct {
	quarters []app.Quarter
	points   []app.Point
	unusual  []app.Unusual
}

// readDay asks for a day, of which the points since its beginning are listed.
func (s *Screen) readDay(ctx context.Context, source string, day time.Time) (d dayOf, err error) {
	if d.quarters, err = s.env.Service.Day(ctx, app.DayRequest{Source: source, Day: day}); err != nil {
		return d, err
	}
	if d.points, err = s.readPoints(ctx, source, startOfDay(day)); err != nil {
		return d, err
	}
	d.unusual, err = s.env.Service.Unusuals(ctx)
	d.unusual = slices.DeleteFunc(d.unusual, func(u app.Unusual) bool { return u.Source != source })
	return d, err
}

// readPoints lists backups and what was saved before restores, newest first.
func (s *Screen) readPoints(ctx context.Context, source string, since time.Time) ([]app.Point, error) {
	r := app.PointsRequest{Source: source, Since: since}
	points, err := s.env.Service.Points(ctx, r)
	if err != nil {
		return nil, err
	}
	r.Safety = true
	safe, err := s.env.Service.Points(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, p := range safe {
		if p.Kind == app.PointSafety {
			points = append(points, p)
		}
	}
	slices.SortStableFunc(points, func(a, b app.Point) int { return b.Time.Compare(a.Time) })
	return points, nil
}

func (s *Screen) loadDay() {
	source, day := s.st.Source, s.st.Day
	var d dayOf
	s.load(&s.day, func(ctx context.Context) (err error) {
		d, err = s.readDay(ctx, source, day)
		return err
	}, func() { s.useDay(d) }, s.loadDay)
}

func (s *Screen) useDay(d dayOf) {
	s.st.Quarters, s.st.Points, s.st.Unusual = d.quarters, pointsOf(d.points, s.st.Day), d.unusual
	open := s.open
	s.open = nil
	switch at := slices.IndexFunc(s.st.Points, func(p app.Point) bool { return p.Kind != app.PointSafety }); {
	case open != nil:
		open()
	case s.st.Point == nil && !s.st.Picking && at >= 0:
		s.pickPoint(s.st.Points[at].ID)
	}
}

// goTo shows a point, whatever day it is of, and what lies at a path in it; keep
// takes over what was known before.
func (s *Screen) goTo(id app.PointID, at string, keep func()) {
	source := s.st.Source
	var points []app.Point
	s.load(&s.day, func(ctx context.Context) (err error) {
		points, err = s.readPoints(ctx, source, time.Time{})
		return err
	}, func() {
		i := slices.IndexFunc(points, func(p app.Point) bool { return p.ID == id })
		if i < 0 {
			s.show(&s.day, app.Errorf(app.CodePointUnknown, "show point", "%s has no %s", source, id).With("source", source), nil)
			return
		}
		s.st.Day = points[i].Time
		s.leave()
		s.open = func() {
			p := points[i]
			s.st.Point = &p
			keep()
			s.loadShelves(at)
		}
		s.loadDay()
	}, func() { s.goTo(id, at, keep) })
}

func (s *Screen) pickQuarter(i int) {
	if i < len(s.st.Quarters) {
		if p, ok := pointAt(s.st.Points, s.st.Quarters[i].Start); ok {
			s.pickPoint(p.ID)
		}
	}
}

func (s *Screen) pickPoint(id app.PointID) {
	i := slices.IndexFunc(s.st.Points, func(p app.Point) bool { return p.ID == id })
	if i < 0 {
		return
	}
	p := s.st.Points[i]
	if s.st.Picking {
		s.pickedWith(p)
		return
	}
	shelf := s.st.Shelf
	s.leave()
	s.st.Point, s.st.Shelf = &p, shelf
	s.loadShelves("")
}

// Calendar.

func (s *Screen) openMonth() {
	if s.st.Month != nil {
		s.closeMonth()
		return
	}
	s.loadMonth(s.st.Day)
	widgets.Focus(s.view.month)
}

func (s *Screen) closeMonth() {
	s.month.stopAsking()
	s.st.Month = nil
	s.draw()
	widgets.Focus(s.view.strip)
}

func (s *Screen) turnMonth(by int) {
	if s.st.Month == nil {
		return
	}
	if first := s.st.Month.First.AddDate(0, by, 0); !first.After(s.env.Now()) {
		s.loadMonth(first)
	}
}

func (s *Screen) pickDay(day int) {
	first := s.st.Month.First
	s.st.Month = nil
	s.toDay(first.AddDate(0, 0, day-1))
	widgets.Focus(s.view.strip)
}

// loadMonth shows the month that a day lies in.
func (s *Screen) loadMonth(day time.Time) {
	source, first, now := s.st.Source, startOfMonth(day), s.env.Now()
	s.st.Month = &month{First: first, Busy: true}
	var points []app.Point
	var unusual []app.Unusual
	failed := map[int]bool{}
	s.load(&s.month, func(ctx context.Context) (err error) {
		if points, err = s.env.Service.Points(ctx, app.PointsRequest{Source: source, Since: first}); err != nil {
			return err
		}
		if unusual, err = s.env.Service.Unusuals(ctx); err != nil {
			return err
		}
		for d := first; d.Month() == first.Month() && !d.After(now); d = d.AddDate(0, 0, 1) {
			quarters, err := s.env.Service.Day(ctx, app.DayRequest{Source: source, Day: d})
			if err != nil {
				return err
			}
			failed[d.Day()] = slices.ContainsFunc(quarters, func(q app.Quarter) bool { return q.State == app.QuarterFailed })
		}
		return nil
	}, func() {
		unusual = slices.DeleteFunc(unusual, func(u app.Unusual) bool { return u.Source != source || u.Yes })
		s.st.Month = &month{First: first, Marks: marksOf(first, points, failed, unusual)}
	}, func() { s.loadMonth(day) })
}

// marksOf tells what each day of a month held.
func marksOf(first time.Time, points []app.Point, failed map[int]bool, unusual []app.Unusual) map[int]dayMark {
	marks := map[int]dayMark{}
	in := func(t time.Time) bool { return startOfMonth(t).Equal(first) }
	for _, p := range points {
		if in(p.Time) {
			marks[p.Time.Local().Day()] = daySaved
		}
	}
	for day, bad := range failed {
		if bad {
			marks[day] = dayFailed
		}
	}
	for _, u := range unusual {
		if in(u.At) {
			marks[u.At.Local().Day()] = dayUnusual
		}
	}
	return marks
}
