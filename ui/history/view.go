package history

import (
	"slices"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// Heights of what scrolls within the screen.
const (
	pointsHeight = 208
	navHeight    = 150
	bodyHeight   = 150
	groupHeight  = 96
)

// view is what History is made of.
type view struct {
	s                *Screen
	env              screen.Env
	vm               viewModel
	monthShown       *month
	head, day, panes fyne.CanvasObject
	none             fyne.CanvasObject
	sourceBox        *fyne.Container
	dayTitle         *widgets.Text
	previous, next   *widgets.Button
	strip            *widgets.Strip
	calendar         *widgets.Button
	month            *widgets.Month
	monthBox         *fyne.Container
	monthTitle       *widgets.Text
	after            *widgets.Button
	unusual          *fyne.Container
	points, nav      *fyne.Container
	pointList        *container.Scroll // what points scroll in
	navBox           *fyne.Container
	pointTitle       *widgets.Text
	right
	drawn bool
}

func newView(env screen.Env, s *Screen) *view {
	v := &view{s: s, env: env}
	v.sourceBox = widgets.Sized(200, 0, widgets.Column(0))
	v.head = widgets.Row(widgets.Gap16, nil, widgets.NewText(env.T("nav.history"), widgets.Heading()), v.sourceBox)
	v.none = widgets.NewCard(widgets.NewText(env.T("history.nosources"), widgets.Muted()))
	v.day = v.newDay()
	v.points, v.nav = widgets.Column(0), widgets.Column(0)
	v.pointTitle = widgets.NewText("", widgets.Strong())
	v.navBox = widgets.Scrolled(navHeight, v.nav)
	box := widgets.Scrolled(pointsHeight, v.points)
	v.pointList = box.Objects[0].(*container.Scroll)
	left := widgets.NewCard(widgets.Fill(widgets.Gap8, v.navBox,
		widgets.NewText(env.T("history.points"), widgets.Sub()), box,
		widgets.Line(), v.pointTitle, v.navBox))
	v.panes = widgets.Split(240, widgets.Gap16, left, v.newRight())
	return v
}

// newDay returns the strip of a day, with the calendar that takes its place.
func (v *view) newDay() fyne.CanvasObject {
	t, s := v.env.T, v.s
	v.dayTitle = widgets.NewText("", widgets.Sub())
	v.strip = widgets.NewStrip()
	v.strip.OnPick = s.pickQuarter
	v.previous = widgets.NewButton(t("history.previous"), func() { s.moveDay(-1) })
	v.next = widgets.NewButton(t("history.next"), func() { s.moveDay(1) })
	v.calendar = widgets.NewButton(t("history.calendar"), s.openMonth)
	var heads []string
	for i := range 7 {
		heads = append(heads, t("history.weekday."+strconv.Itoa((i+1)%7)))
	}
	v.month = widgets.NewMonth(heads)
	v.month.OnPick, v.month.OnTurn = s.pickDay, s.turnMonth
	v.monthTitle = widgets.NewText("", widgets.Strong())
	v.after = widgets.NewButton(t("history.month.next"), func() { s.turnMonth(1) })
	v.monthBox = widgets.Column(widgets.Gap12,
		widgets.Row(widgets.Gap8, nil, v.monthTitle, widgets.NewButton(t("history.month.previous"), func() { s.turnMonth(-1) }), v.after),
		v.month, widgets.NewText(t("history.month.hint"), widgets.Caption()))
	v.unusual = widgets.Column(widgets.Gap4)
	return widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.Row(widgets.Gap8, nil, v.dayTitle, v.calendar, v.previous, v.next), v.strip, v.unusual, v.monthBox))
}

func show(o fyne.CanvasObject, on bool) { screen.Visible(o, on) }

// has reports whether a part has the keyboard.
func (v *view) has(part fyne.Focusable) bool {
	o, ok := part.(fyne.CanvasObject)
	if !ok || !o.Visible() {
		return false
	}
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	return c != nil && c.Focused() == part
}

func (v *view) set(m viewModel) {
	old := v.vm
	v.vm = m
	if !v.drawn || !slices.Equal(old.Sources, m.Sources) || old.Source != m.Source {
		source := widgets.NewSelect(m.Sources, m.Source, func(i int) {
			if i >= 0 { // a menu that is open stays as it was when others come
				v.s.pickSource(m.Sources[i])
			}
		})
		v.sourceBox.Objects = []fyne.CanvasObject{source}
		v.sourceBox.Refresh()
	}
	some := len(m.Sources) > 0
	show(v.none, !some)
	show(v.sourceBox, some)
	show(v.day, some)
	show(v.panes, some)
	v.setDay(old, m)
	if !v.drawn || !slices.EqualFunc(old.Points, m.Points, samePoint) || old.NoPoints != m.NoPoints {
		widgets.KeepFocus(v.points, v.drawPoints)
		if chosen(old.Points) != chosen(m.Points) {
			v.revealPoint()
		}
	}
	if !v.drawn || !slices.Equal(old.Nav, m.Nav) {
		widgets.KeepFocus(v.nav, v.drawNav)
	}
	v.pointTitle.Set(m.Point)
	show(v.pointTitle, m.Point != "")
	v.setRight(old, m)
	v.drawn = true
}

func (v *view) setDay(old, m viewModel) {
	v.dayTitle.Set(m.DayTitle)
	v.next.SetEnabled(m.Next)
	v.strip.Set(m.Bars, m.Hint)
	shown := v.s.st.Month
	show(v.monthBox, shown != nil)
	show(v.strip, shown == nil)
	if shown != nil && (shown != v.monthShown || old.DayTitle != m.DayTitle) {
		v.drawMonth(*shown)
	}
	v.monthShown = shown
	if !v.drawn || !slices.Equal(old.Unusual, m.Unusual) {
		v.unusual.RemoveAll()
		for _, u := range m.Unusual {
			v.unusual.Add(widgets.NewText(u, widgets.Caption().In(widgets.ToneDanger.Text())))
		}
	}
	show(v.unusual, len(m.Unusual) > 0 && shown == nil)
}

func (v *view) drawMonth(m month) {
	w, now := v.env.Words, v.env.Now()
	v.monthTitle.Set(w.T("history.month", assets.Args{"Month": w.T("month." + strconv.Itoa(int(m.First.Month()))), "Year": m.First.Year()}))
	v.after.SetEnabled(m.First.Before(startOfMonth(now)))
	chosen := 0
	if startOfMonth(v.s.st.Day).Equal(m.First) {
		chosen = v.s.st.Day.Local().Day()
	}
	rest := w.Day(v.s.st.Day)
	if m.Busy {
		rest = w.T("history.busy")
	}
	v.month.Set(daysOf(w, m, now), (int(m.First.Weekday())+6)%7, chosen, rest)
}

// daysOf tells the days of a month for a calendar.
func daysOf(w *assets.Words, m month, now time.Time) []widgets.MonthDay {
	marks := map[dayMark]widgets.DayMark{dayNone: widgets.DayPlain, daySaved: widgets.DayGood, dayFailed: widgets.DayBad, dayUnusual: widgets.DayAlarm}
	var out []widgets.MonthDay
	for d := m.First; d.Month() == m.First.Month(); d = d.AddDate(0, 0, 1) {
		day := widgets.MonthDay{Mark: marks[m.Marks[d.Day()]], Off: d.After(now)}
		key := "history.day.none"
		if k := m.Marks[d.Day()]; k != dayNone {
			key = "history.day." + string(k)
		}
		day.Words = w.T(key, assets.Args{"Day": w.Day(d)})
		if day.Off || m.Busy {
			day.Words = w.Day(d)
		}
		out = append(out, day)
	}
	return out
}

// caption is small secondary text that can be read on what is chosen, too.
func caption(chosen bool) widgets.Look {
	if chosen {
		return widgets.Caption().In(widgets.ToneNeutral.Text())
	}
	return widgets.Caption()
}

func samePoint(a, b pointRow) bool {
	return a.ID == b.ID && a.Clock == b.Clock && a.Detail == b.Detail && a.Tone == b.Tone && a.Chosen == b.Chosen && slices.Equal(a.Marks, b.Marks)
}

// chosen returns the point that is looked at, "" for none.
func chosen(rows []pointRow) app.PointID {
	if i := slices.IndexFunc(rows, func(p pointRow) bool { return p.Chosen }); i >= 0 {
		return rows[i].ID
	}
	return ""
}

// revealPoint scrolls to the point that is looked at, where it is out of sight.
func (v *view) revealPoint() {
	i := slices.IndexFunc(v.vm.Points, func(p pointRow) bool { return p.Chosen })
	if i < 0 {
		return
	}
	widgets.Relayout(v.pointList)
	row := v.points.Objects[i]
	top, seen := row.Position().Y, v.pointList.Offset.Y
	if top < seen || top+row.Size().Height > seen+v.pointList.Size().Height {
		widgets.ScrollTo(v.pointList, row)
	}
}

func (v *view) drawPoints() {
	v.points.RemoveAll()
	for _, p := range v.vm.Points {
		words := []fyne.CanvasObject{}
		for _, mark := range p.Marks {
			words = append(words, widgets.NewText(mark, widgets.Caption().In(p.Tone.Text())))
		}
		words = append(words, widgets.NewText(p.Detail, caption(p.Chosen).Cut()))
		c := widgets.NewFold(p.Clock, widgets.Row(widgets.Gap12, []fyne.CanvasObject{widgets.NewText(p.Clock, widgets.Strong().Line())},
			widgets.Column(0, words...)), func() { v.s.pickPoint(p.ID) })
		c.Select(p.Chosen)
		v.points.Add(c)
	}
	if v.vm.NoPoints != "" {
		v.points.Add(widgets.NewText(v.vm.NoPoints, widgets.Muted()))
	}
	v.points.Refresh()
}

func (v *view) drawNav() {
	v.nav.RemoveAll()
	for _, n := range v.vm.Nav {
		look := widgets.Body().Cut()
		look.Bold = n.Chosen
		name := fyne.CanvasObject(widgets.NewText(n.Name, look))
		if n.Inner {
			name = widgets.Row(0, []fyne.CanvasObject{widgets.Sized(14, 0, widgets.Column(0))}, name)
		}
		if n.Key == navFiles && len(v.vm.Nav) > 3 || n.Key == navDiff {
			v.nav.Add(widgets.Line())
		}
		c := widgets.NewFold(n.Name, widgets.Row(widgets.Gap8, nil, name, widgets.NewText(n.Count, caption(n.Chosen).Line())), func() { v.s.visit(n.Key) })
		c.Select(n.Chosen)
		v.nav.Add(c)
	}
	v.nav.Refresh()
}
