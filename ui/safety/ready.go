package safety

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/kit"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// readyRow is one line of the readiness list.
type readyRow struct {
	Title, Text string
	Wrong       string // what stands against it, where something failed
	Outside     string // what to do about it outside Kvart; "" for nothing
	Pill        string
	Tone        widgets.Tone
	Button      string // "" where Kvart can do nothing about it
	Asks        []string
	Open        bool // it is needed, and not known to be ready
	item        app.ReadyItem
}

// readyView is how ready the shop is for its next peak day.
type readyView struct {
	Next string // the peak day in a sentence
	Pill string
	Tone widgets.Tone
	Rows []readyRow
	Good int // rows that are ready
}

// modelReady tells the readiness list. What is not known is never ready.
func modelReady(w *assets.Words, r app.Readiness, now time.Time) readyView {
	v := readyView{Next: nextPeak(w, r, now), Pill: w.T("ready.state." + string(r.State)), Tone: readyTone(r.State)}
	for _, it := range r.Items {
		row := readyRow{Pill: w.T("ready.state." + string(it.State)), Tone: readyTone(it.State), item: it}
		row.Title, row.Text, row.Button = assets.ReadyWords(w, it, now)
		row.Open = it.State == app.ReadyNo || it.State == app.ReadyUnknown
		if it.State == app.ReadyYes {
			v.Good++
		}
		if it.Error != nil {
			row.Wrong, _, _ = assets.ErrorWords(w, it.Error)
		}
		if it.Do == app.DoDomain {
			row.Outside, row.Button = w.T("peaks.outside.domain"), ""
		}
		for _, a := range it.Asks {
			row.Asks = append(row.Asks, w.T("ready.ask."+a))
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func readyTone(s app.ReadyState) widgets.Tone {
	switch s {
	case app.ReadyYes:
		return widgets.ToneGood
	case app.ReadyNo:
		return widgets.ToneWarn
	}
	return widgets.ToneNeutral
}

// nextPeak says which peak day comes next, or is on.
func nextPeak(w *assets.Words, r app.Readiness, now time.Time) string {
	p := r.Peak
	if p == nil {
		return w.T("peaks.none")
	}
	args := assets.Args{"Name": assets.PeakName(w, *p), "Period": period(w, *p), "Until": w.Day(lastDay(*p))}
	if !p.From.After(now) {
		return w.T("peaks.on", args)
	}
	return w.N("peaks.in", int64(max(r.Days, 1)), args)
}

// lastDay returns the midnight on which the last day of a peak day begins.
func lastDay(p app.PeakDay) time.Time { return p.To.Local().AddDate(0, 0, -1) }

// period tells from when to when a peak day lasts.
func period(w *assets.Words, p app.PeakDay) string {
	from, to := p.From.Local(), lastDay(p)
	if !to.After(from) {
		return w.Day(from)
	}
	return w.T("peaks.period", assets.Args{"From": w.Day(from), "To": w.Day(to)})
}

// loadReady looks at how ready the shop is; that takes a while, since the shop
// is looked at too. Where it can't be told, what was known before is not shown
// as if it still held.
func (s *Screen) loadReady() {
	if !s.vm.HasVault || s.vm.Past {
		return
	}
	s.readyAsked++
	mine := s.readyAsked
	s.env.Go(func(ctx context.Context) func() {
		r, err := s.env.Service.Readiness(ctx)
		return func() {
			if mine != s.readyAsked {
				return // a newer look is under way
			}
			s.readyErr, s.ready = err, &r
			if err != nil {
				s.ready = nil
			}
			s.redraw()
		}
	})
}

// unready is the card in place of the readiness list while nothing is known.
func (s *Screen) unready(title string, buttons ...fyne.CanvasObject) fyne.CanvasObject {
	t := s.env.T
	if s.readyErr == nil {
		return widgets.NewCard(s.card(title, stand{Lines: []string{t("peaks.looking")}}, buttons...))
	}
	p := screen.Explain(s.env.Words, s.readyErr, "")
	return widgets.NewCard(s.card(title, stand{
		Pill: t("ready.state." + string(app.ReadyUnknown)), Tone: widgets.ToneWarn, Lines: []string{p.Title, p.Meaning, p.Next},
	}, buttons...))
}

// peakCard tells the next peak day, and what is still to be done for it.
func (s *Screen) peakCard() fyne.CanvasObject {
	t := s.env.T
	all := widgets.NewButton(t("peaks.open"), func() { s.openPeak() })
	if s.ready == nil && s.readyErr != nil {
		return s.unready("peaks.card", widgets.NewButton(t("peaks.again"), s.loadReady), all)
	} else if s.ready == nil {
		return s.unready("peaks.card", all)
	}
	v := modelReady(s.env.Words, *s.ready, s.env.Now())
	c := s.card("peaks.card", stand{Pill: v.Pill, Tone: v.Tone, Lines: []string{v.Next}})
	open := 0
	for _, r := range v.Rows {
		if r.Open {
			open++
			c.Add(widgets.Line())
			c.Add(s.readyRow(r))
		}
	}
	rest := s.env.Words.N("peaks.rest", int64(v.Good))
	if open == 0 {
		rest = t("peaks.all")
	}
	c.Add(widgets.Line())
	c.Add(widgets.Row(widgets.Gap12, nil, widgets.NewText(rest, widgets.Muted()), all))
	return widgets.NewCard(c)
}

// besideButton is the room above and below a pill that stands beside a button.
const besideButton = 7

// readyRow draws one line, with its button.
func (s *Screen) readyRow(r readyRow) fyne.CanvasObject {
	words := widgets.Column(2, widgets.NewText(r.Title, widgets.Strong()), widgets.NewText(r.Text, widgets.Caption()))
	if r.Wrong != "" {
		words.Add(widgets.NewText(r.Wrong, widgets.Caption().In(r.Tone.Text())))
	}
	if r.Outside != "" {
		words.Add(widgets.NewText(r.Outside, widgets.Caption()))
	}
	right := []fyne.CanvasObject{widgets.NewPill(r.Pill, r.Tone)}
	if r.Button != "" {
		b := widgets.NewButton(r.Button, func() { s.getReady(r.item) })
		b.SetEnabled(s.vm.Job == nil || !starts(r.item.Do))
		return widgets.Columns([]float32{56, 44}, words, widgets.Leading(widgets.Inset(0, besideButton, right[0]), b))
	}
	return widgets.Columns([]float32{56, 44}, words, widgets.Leading(right...))
}

// starts reports whether what can be done is a job: there is one at a time.
func starts(do app.ReadyDo) bool { return do == app.DoDrill || do == app.DoCopy }

// getReady does what can be done about an item, or leads to where it is done.
func (s *Screen) getReady(it app.ReadyItem) {
	to := func(name screen.Name, part screen.Part) func() {
		return func() { s.env.Show(screen.Place{Screen: name, Part: part}) }
	}
	svc := s.env.Service
	does := map[app.ReadyDo]func(){
		app.DoDrill: func() { s.startDrill(nil) },
		app.DoKit:   func() { s.openKit(s.vm.Kit.Stand != kit.Unconfirmed) },
		app.DoLock:  s.proveLock,
		app.DoRoom:  to(screen.Settings, screen.PartKeep),
		app.DoPace: func() {
			s.quick(func(ctx context.Context) error {
				_, err := screen.ChangeWatch(ctx, svc, nil, func(set *app.WatchSettings) { set.NoPeakPace = false })
				return err
			})
		},
		app.DoResume:   func() { s.quick(func(ctx context.Context) error { return svc.Pause(ctx, time.Time{}) }) },
		app.DoQuiet:    to(screen.Settings, screen.PartQuiet),
		app.DoAddCopy:  s.openAdder,
		app.DoCopy:     func() { s.start(func(ctx context.Context) (app.JobID, error) { return svc.StartCopy(ctx, nil) }) },
		app.DoContacts: to(screen.Recover, screen.PartContacts),
		app.DoAlerts:   to(screen.Settings, screen.PartAlerts),
		app.DoTest:     func() { s.quick(func(ctx context.Context) error { return svc.TestAlert(ctx, it.Fact.Name) }) },
		app.DoShop:     to(screen.Settings, screen.PartStorefront),
		app.DoLook:     func() { s.quick(func(context.Context) error { return nil }) }, // the list looks for itself
		app.DoProve:    s.openCapacity,
		app.DoCapacity: s.openCapacity,
		app.DoHost:     s.openCapacity,
		app.DoAsk:      s.openPeak,
	}
	if do := does[it.Do]; do != nil {
		do()
	}
}

// quick does something that ends soon, and looks at the list again.
func (s *Screen) quick(work func(ctx context.Context) error) {
	s.worker.Ask(work, s.loadReady, func() { s.quick(work) })
}
