package safety

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// dayRow is one peak day of the next year.
type dayRow struct {
	Name, Period string
	Own          bool
}

func modelDays(w *assets.Words, days []app.PeakDay) []dayRow {
	var out []dayRow
	for _, p := range days {
		out = append(out, dayRow{Name: assets.PeakName(w, p), Period: period(w, p), Own: p.Code == ""})
	}
	return out
}

// countries lists the countries whose days are known.
func countries() []string {
	rules, err := assets.PeakRules()
	if err != nil {
		return nil // built in, and a test reads them
	}
	var out []string
	for _, r := range rules {
		for _, c := range r.Countries {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// ownDay is a peak day as the owner types it.
type ownDay struct {
	name, from, to string
	yearly         bool
}

// day reads one day: the calendar's date, and it as it is kept.
func (o ownDay) day(typed string) (date time.Time, kept string, ok bool) {
	typed = strings.TrimSpace(typed)
	form, cut := time.DateOnly, 0
	if len(typed) == len("05-02") {
		form = "01-02" // without a year it is every year's
	} else if o.yearly {
		cut = len("2026-")
	}
	date, err := time.Parse(form, typed)
	if err != nil {
		return time.Time{}, "", false
	}
	return date, typed[cut:], true
}

// parse returns the day as it is kept, or the key of what it lacks.
func (o ownDay) parse() (day app.OwnDay, lack string) {
	day.Name = strings.TrimSpace(o.name)
	from, kept, ok := o.day(o.from)
	switch {
	case day.Name == "":
		return day, "peaks.own.lack.name"
	case !ok:
		return day, "peaks.own.lack.from"
	}
	day.From = kept
	if strings.TrimSpace(o.to) == "" {
		return day, ""
	}
	to, kept, ok := o.day(o.to)
	switch {
	case !ok || len(kept) != len(day.From):
		return day, "peaks.own.lack.to"
	case to.Before(from):
		return day, "peaks.own.lack.order"
	}
	day.To = kept
	return day, ""
}

// peak is the page about peak days.
type peak struct {
	s     *Screen
	set   *app.WatchSettings // nil until they are known
	days  []app.PeakDay
	typed ownDay
	said  *widgets.Text
	add   *widgets.Button
}

func (s *Screen) openPeak() {
	s.trouble.Show(nil, nil)
	s.page = pagePeak
	s.object.ScrollToTop()
	p := &peak{s: s}
	s.leaf = p
	p.draw()
	p.load()
	s.loadReady()
}

func (p *peak) load() {
	p.s.env.Go(func(ctx context.Context) func() {
		var days []app.PeakDay
		set, err := p.s.env.Service.WatchSettings(ctx)
		if err == nil {
			days, err = p.s.env.Service.PeakDays(ctx)
		}
		return func() { p.take(set, days, err) }
	})
}

func (p *peak) take(set app.WatchSettings, days []app.PeakDay, err error) {
	if p.s.leaf != leaf(p) {
		return
	}
	if err != nil {
		p.s.trouble.Show(err, p.load)
		return
	}
	p.set, p.days = &set, days
	p.draw()
}

func (p *peak) back() bool { return false }

func (p *peak) submit() {
	if p.add != nil && !p.add.Disabled() {
		p.addOwn()
	}
}

// change changes the settings, and shows the days and the list as they then are.
func (p *peak) change(fn func(*app.WatchSettings), done func()) {
	var set app.WatchSettings
	var days []app.PeakDay
	p.s.worker.Ask(func(ctx context.Context) (err error) {
		if set, err = screen.ChangeWatch(ctx, p.s.env.Service, nil, fn); err != nil {
			return err
		}
		days, err = p.s.env.Service.PeakDays(ctx)
		return err
	}, func() {
		done()
		p.take(set, days, nil)
		p.s.loadReady()
	}, func() { p.change(fn, done) })
}

func (p *peak) addOwn() {
	day, lack := p.typed.parse()
	if lack != "" {
		return
	}
	p.change(func(set *app.WatchSettings) { set.OwnDays = append(slices.Clone(set.OwnDays), day) }, func() { p.typed = ownDay{} })
}

func (p *peak) removeOwn(name string) {
	p.change(func(set *app.WatchSettings) {
		set.OwnDays = slices.DeleteFunc(slices.Clone(set.OwnDays), func(d app.OwnDay) bool { return d.Name == name })
	}, func() {})
}

// check brings the form up to date with what was typed.
func (p *peak) check() {
	if p.add == nil {
		return
	}
	day, lack := p.typed.parse()
	words := p.s.env.T("peaks.own.hint")
	switch {
	case lack != "" && p.typed != (ownDay{}):
		words = p.s.env.T(lack)
	case lack == "":
		from, _, _ := p.typed.day(p.typed.from)
		key := "peaks.own.once"
		if len(day.From) == len("05-02") {
			key = "peaks.own.yearly"
		}
		words = p.s.env.T(key, assets.Args{"From": dayMonth(p.s.env.Words, from)})
	}
	p.said.Set(words)
	p.add.SetEnabled(lack == "" && !p.s.worker.Busy())
	widgets.Relayout(p.s.object)
}

// dayMonth tells a date without its weekday, which differs from year to year.
func dayMonth(w *assets.Words, t time.Time) string {
	return w.T("peaks.date", assets.Args{"Day": t.Day(), "Month": w.T("month." + strconv.Itoa(int(t.Month())))})
}

func (p *peak) draw() {
	s, t := p.s, p.s.env.T
	objects := []fyne.CanvasObject{s.title("peaks.card", "peaks.text")}
	if len(s.result) > 0 {
		objects = append(objects, s.resultCard())
	}
	objects = append(objects, p.listCard())
	if p.set == nil {
		s.put(append(objects, widgets.NewText(t("setup.busy"), widgets.Muted()), s.backButton())...)
		return
	}
	objects = append(objects, p.paceCard(), p.calendarCard(), p.ownCard(), p.capacityCard(), s.backButton())
	s.put(objects...)
	p.check()
}

// listCard is the whole readiness list.
func (p *peak) listCard() fyne.CanvasObject {
	s, t := p.s, p.s.env.T
	if s.ready == nil {
		return s.unready("peaks.list", widgets.NewButton(t("peaks.again"), s.loadReady))
	}
	v := modelReady(s.env.Words, *s.ready, s.env.Now())
	c := s.card("peaks.list", stand{Pill: v.Pill, Tone: v.Tone, Lines: []string{v.Next}})
	for _, r := range v.Rows {
		asks := r.Asks
		if len(asks) > 0 {
			r.Button = "" // they stand below
		}
		c.Add(widgets.Line())
		c.Add(s.readyRow(r))
		if len(asks) > 0 {
			c.Add(widgets.Code(strings.Join(asks, "\n"), t("peaks.copy"), t("peaks.copied")))
		}
	}
	c.Add(widgets.Leading(widgets.NewButton(t("peaks.again"), s.loadReady)))
	return widgets.NewCard(c)
}

func (p *peak) paceCard() fyne.CanvasObject {
	t := p.s.env.T
	c := p.s.card("peaks.pace", stand{Lines: []string{t("peaks.pace.text")}})
	c.Add(widgets.NewCheck(t("peaks.pace.on"), !p.set.NoPeakPace, func(on bool) {
		p.change(func(set *app.WatchSettings) { set.NoPeakPace = !on }, func() {})
	}))
	return widgets.NewCard(c)
}

// calendarCard shows the days of the next year, in a country the owner chooses.
func (p *peak) calendarCard() fyne.CanvasObject {
	t := p.s.env.T
	codes := countries()
	chosen := p.set.Country
	if chosen == "" {
		chosen = "se"
	}
	var names []string
	for _, c := range codes {
		names = append(names, t("peaks.country."+c))
	}
	pick := widgets.NewSelect(names, slices.Index(codes, chosen), func(i int) {
		if i >= 0 && codes[i] != chosen {
			p.change(func(set *app.WatchSettings) { set.Country = codes[i] }, func() {})
		}
	})
	c := p.s.card("peaks.calendar", stand{Lines: []string{t("peaks.calendar.text")}})
	c.Add(widgets.Row(widgets.Gap12, []fyne.CanvasObject{widgets.NewText(t("peaks.country"), widgets.Body().Line()), widgets.Sized(180, 0, pick)}, nil))
	for _, d := range modelDays(p.s.env.Words, p.days) {
		var right []fyne.CanvasObject
		if d.Own {
			right = append(right, widgets.NewButton(t("peaks.own.remove", assets.Args{"Name": d.Name}), func() { p.removeOwn(d.Name) }))
		}
		c.Add(widgets.Line())
		c.Add(widgets.Row(widgets.Gap12, nil, widgets.Columns([]float32{40, 60}, widgets.NewText(d.Name, widgets.Strong()), widgets.NewText(d.Period, widgets.Muted())), right...))
	}
	if len(p.days) == 0 {
		c.Add(widgets.NewText(t("peaks.none"), widgets.Muted()))
	}
	return widgets.NewCard(c)
}

// ownCard asks for a day of the owner's own.
func (p *peak) ownCard() fyne.CanvasObject {
	t := p.s.env.T
	field := func(key string, v *string) fyne.CanvasObject {
		e := widgets.NewEntry(*v, func(typed string) { *v = typed; p.check() })
		e.SetPlaceHolder(t("peaks.own." + key + ".example"))
		return widgets.Column(widgets.Gap4, widgets.NewText(t("peaks.own."+key), widgets.Caption()), e)
	}
	p.said = widgets.NewText("", widgets.Caption())
	p.add = widgets.NewButton(t("peaks.own.add"), p.addOwn)
	c := p.s.card("peaks.own", stand{Lines: []string{t("peaks.own.text")}})
	c.Add(widgets.Grid(widgets.Gap12, 170, 3, field("name", &p.typed.name), field("from", &p.typed.from), field("to", &p.typed.to)))
	c.Add(widgets.NewCheck(t("peaks.own.every"), p.typed.yearly, func(on bool) { p.typed.yearly = on; p.check() }))
	c.Add(p.said)
	c.Add(widgets.Leading(p.add))
	return widgets.NewCard(c)
}

func (p *peak) capacityCard() fyne.CanvasObject {
	t := p.s.env.T
	return widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap4,
		widgets.NewText(t("capacity.title"), widgets.Sub()), widgets.NewText(t("peaks.capacity.text"), widgets.Body())),
		widgets.NewButton(t("peaks.capacity.open"), p.s.openCapacity)))
}
