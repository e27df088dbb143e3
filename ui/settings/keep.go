package settings

import (
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// keepName names a way to keep backups.
type keepName string

const (
	keepShort keepName = "short"
	keepUsual keepName = "usual"
	keepLong  keepName = "long"
	keepOwn   keepName = "own"
)

// keeps lists the ways to choose from, short to long.
func keeps() []keepName { return []keepName{keepShort, keepUsual, keepLong} }

// retention returns what a way means.
func (k keepName) retention() app.Retention {
	switch k {
	case keepShort:
		return app.Retention{Latest: 96, Hourly: 72, Daily: 30, Weekly: 8, Monthly: 3}
	case keepLong:
		// Books are kept for seven years after the year they are about.
		return app.Retention{Latest: 192, Hourly: 168, Daily: 90, Weekly: 104, Monthly: 96}
	}
	return app.DefaultRetention()
}

// keepOf returns the way that is chosen; nothing chosen is the usual one.
func keepOf(r app.Retention) (keepName, app.Retention) {
	if r == (app.Retention{}) {
		r = app.DefaultRetention()
	}
	for _, k := range keeps() {
		if k.retention() == r {
			return k, r
		}
	}
	return keepOwn, r
}

// lets reports whether one way lets go what another would keep.
func lets(now, before app.Retention) bool {
	return now.Latest < before.Latest || now.Hourly < before.Hourly || now.Daily < before.Daily ||
		now.Weekly < before.Weekly || now.Monthly < before.Monthly
}

// keepWords tells a retention.
func keepWords(w *assets.Words, r app.Retention) string {
	return w.T("settings.keep.words", assets.Args{
		"Latest": w.Span(time.Duration(r.Latest) * app.QuarterLength), "Hourly": w.Span(time.Duration(r.Hourly) * time.Hour),
		"Daily": w.N("span.days", int64(r.Daily)), "Weekly": w.N("settings.keep.weeks", int64(r.Weekly)),
		"Monthly": w.N("settings.keep.months", int64(r.Monthly)),
	})
}

// mostKept bounds what can be typed.
const mostKept = 9999

// parseKeep reads own numbers; false when one is not a whole number, or when a
// backup would be gone before anybody could miss something in it.
func parseKeep(typed [5]string) (app.Retention, bool) {
	var n [5]int
	for i, s := range typed {
		v, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || v < 0 || v > mostKept {
			return app.Retention{}, false
		}
		n[i] = v
	}
	r := app.Retention{Latest: n[0], Hourly: n[1], Daily: n[2], Weekly: n[3], Monthly: n[4]}
	return r, r.Latest >= 4 && (r.Daily >= 7 || r.Weekly >= 2 || r.Monthly >= 1)
}

func numbers(r app.Retention) [5]string {
	var out [5]string
	for i, n := range []int{r.Latest, r.Hourly, r.Daily, r.Weekly, r.Monthly} {
		out[i] = strconv.Itoa(n)
	}
	return out
}

// quietHours returns the hours between which heavy work is done.
func quietHours(set app.Settings) (from, to int) {
	if set.QuietFrom == set.QuietTo {
		return 20, 7
	}
	return set.QuietFrom, set.QuietTo
}

// keepCard asks how long backups are kept.
func (s *Screen) keepCard() fyne.CanvasObject {
	t := s.env.T
	var choices []fyne.CanvasObject
	for _, k := range keeps() {
		title := t("settings.keep." + string(k))
		c := widgets.NewChoice(title, widgets.Column(widgets.Gap4, widgets.NewText(title, widgets.Strong()),
			widgets.NewText(t("settings.keep."+string(k)+".hint"), widgets.Caption())), func() { s.keep(k.retention()) })
		c.Select(s.vm.Keep == k)
		choices = append(choices, c)
	}
	own := s.ownNumbers()
	more := widgets.NewButton(t("settings.keep.own"), func() {
		s.more = !s.more
		screen.Visible(own, s.more)
		s.f.Relayout()
	})
	screen.Visible(own, s.more || s.vm.Keep == keepOwn)
	return widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.NewText(t("settings.keep"), widgets.Sub()), widgets.NewText(t("settings.keep.hint"), widgets.Caption()),
		widgets.Grid(widgets.Gap16, 200, 3, choices...), widgets.NewText(s.vm.KeepWords, widgets.Muted()),
		widgets.Leading(more), own))
}

func (s *Screen) ownNumbers() fyne.CanvasObject {
	t := s.env.T
	typed := numbers(s.vm.Retention)
	save := widgets.NewButton(t("settings.keep.save"), func() {
		if r, ok := parseKeep(typed); ok {
			s.keep(r)
		}
	})
	save.Disable()
	said := widgets.NewText("", widgets.Caption())
	var cells []fyne.CanvasObject
	for i, key := range []string{"latest", "hourly", "daily", "weekly", "monthly"} {
		e := widgets.NewEntry(typed[i], func(v string) {
			typed[i] = v
			r, ok := parseKeep(typed)
			save.SetEnabled(ok && r != s.vm.Retention)
			if ok {
				said.Set(keepWords(s.env.Words, r))
			} else {
				said.Set(t("settings.keep.bad"))
			}
		})
		cells = append(cells, widgets.Column(widgets.Gap4, widgets.NewText(t("settings.keep."+key), widgets.Caption()), e))
	}
	return widgets.Column(widgets.Gap12, widgets.Grid(widgets.Gap12, 110, 5, cells...), said, widgets.Leading(save))
}

// keep keeps backups another way. What would be let go by that is asked about
// first: it can't be had back.
func (s *Screen) keep(r app.Retention) {
	if r == s.vm.Retention {
		return
	}
	take := func() { s.change(func(set *app.Settings) { set.Keep = r }) }
	if !lets(r, s.vm.Retention) {
		take()
		return
	}
	t := s.env.T
	s.f.Page.ScrollToTop()
	s.f.Confirm.Ask(t("settings.keep.ask"), t("settings.keep.ask.text", map[string]any{"Words": keepWords(s.env.Words, r)}), t("settings.keep.ask.yes"), take)
}

// quietCard asks for the hours of heavy work.
func (s *Screen) quietCard() fyne.CanvasObject {
	t := s.env.T
	hour := func(at int, set func(*app.Settings, int)) fyne.CanvasObject {
		var words []string
		for h := range 24 {
			words = append(words, t("settings.quiet.hour", map[string]any{"Hour": twoDigits(h)}))
		}
		return widgets.Sized(110, 0, widgets.NewSelect(words, at, func(i int) {
			if i >= 0 && i != at {
				s.change(func(v *app.Settings) {
					v.QuietFrom, v.QuietTo = quietHours(*v) // equal ones mean the usual
					set(v, i)
				})
			}
		}))
	}
	return s.card(t("settings.quiet"), t("settings.quiet.hint"), widgets.Row(widgets.Gap12, []fyne.CanvasObject{
		widgets.NewText(t("settings.quiet.from"), widgets.Body().Line()), hour(s.vm.QuietFrom, func(v *app.Settings, h int) { v.QuietFrom = h }),
		widgets.NewText(t("settings.quiet.to"), widgets.Body().Line()), hour(s.vm.QuietTo, func(v *app.Settings, h int) { v.QuietTo = h }),
	}, nil))
}

func twoDigits(h int) string {
	if h < 10 {
		return "0" + strconv.Itoa(h)
	}
	return strconv.Itoa(h)
}
