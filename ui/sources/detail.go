package sources

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// detail is the page about one source.
type detail struct {
	s        *Screen
	id       app.SourceID
	known    known
	vm       detailModel
	drawn    bool
	renaming bool
	name     *widgets.Entry
	save     *widgets.Button
}

// openDetail shows the page about a source, by name.
func (s *Screen) openDetail(name string) {
	i := slices.IndexFunc(s.status.Sources, func(src app.SourceStatus) bool { return src.Source.Name == name })
	if i < 0 {
		return
	}
	s.trouble.Show(nil, nil)
	s.detail = &detail{s: s, id: s.status.Sources[i].Source.ID, known: known{waiting: true}}
	s.object.ScrollToTop()
	s.detail.refresh()
	s.detail.load()
}

// source returns the source as it stands.
func (d *detail) source() (app.Source, bool) {
	for _, src := range d.s.status.Sources {
		if src.Source.ID == d.id {
			return src.Source, true
		}
	}
	return app.Source{}, false
}

// load asks for what no status says: points, the day's quarters, drills. What
// does not come is left out; the status says what is wrong.
func (d *detail) load() {
	id, now := string(d.id), d.s.env.Now()
	d.s.env.Go(func(ctx context.Context) func() {
		var k known
		var trouble error
		take := func(err error) {
			if err != nil && trouble == nil {
				trouble = fmt.Errorf("look at source %s: %w", id, err)
			}
		}
		var err error
		k.points, err = d.s.env.Service.Points(ctx, app.PointsRequest{Source: id})
		k.failed = err != nil
		take(err)
		k.day, err = d.s.env.Service.Day(ctx, app.DayRequest{Source: id, Day: now})
		take(err)
		k.drills, err = d.s.env.Service.Drills(ctx, id)
		take(err)
		return func() {
			if d.s.detail != d {
				return
			}
			d.known = k
			if trouble != nil {
				d.s.trouble.Show(trouble, d.load)
			}
			d.refresh()
		}
	})
}

// refresh draws the page anew where anything on it is different. A backup that
// was made since has it ask again.
func (d *detail) refresh() {
	s := d.s
	if s.adding != nil || s.editing != "" {
		return
	}
	m := detailOf(s.env.Words, s.status, d.id, d.known, s.env.Now())
	if d.drawn && reflect.DeepEqual(m, d.vm) {
		return
	}
	again := d.drawn && !reflect.DeepEqual(m.Fresh, d.vm.Fresh)
	d.vm, d.drawn = m, true
	if !m.Found {
		s.closeAdder()
		return
	}
	if !d.renaming {
		widgets.KeepFocus(s.body, d.draw)
	}
	if again {
		d.load()
	}
}

func (d *detail) draw() {
	t, m := d.s.env.T, d.vm
	head := widgets.Row(widgets.Gap16, nil, widgets.Column(widgets.Gap4, widgets.NewText(m.Name, widgets.Heading()),
		widgets.NewText(m.Kind, widgets.Muted()), widgets.NewText(m.Where, widgets.Caption().Cut())), widgets.NewPill(m.State, m.Tone))
	objects := []fyne.CanvasObject{head, d.buttons()}
	if d.renaming {
		objects = append(objects, d.nameCard())
	}
	if m.Problem != nil || len(m.Files) > 0 {
		objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap12, d.s.troubles(m.card, false)...)))
	}
	if v, ok := d.s.checked[m.Name]; ok {
		objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap12, d.s.found(m.Name, v)...)))
	}
	fresh := []fyne.CanvasObject{widgets.NewText(t("detail.content"), widgets.Sub()), screen.FactGrid(m.Fresh)}
	if len(m.Kinds) > 0 {
		fresh = append(fresh, widgets.Line(), screen.FactGrid(m.Kinds))
		if m.MoreKinds != "" {
			fresh = append(fresh, widgets.NewText(m.MoreKinds, widgets.Caption()))
		}
	}
	objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap12, fresh...)))
	if len(m.Gaps) > 0 {
		rows := []fyne.CanvasObject{widgets.NewText(t("detail.gaps"), widgets.Sub())}
		for _, g := range m.Gaps {
			rows = append(rows, widgets.NewText(g, widgets.Body()))
		}
		objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap8, rows...)))
	}
	if !m.Past {
		objects = append(objects, d.timesCard())
	}
	objects = append(objects, d.proofCard(), d.runsCard(), widgets.Leading(widgets.NewButton(t("back"), func() { d.s.Back() })))
	d.s.put(objects...)
}

// primary is the one button that helps most, and what it does.
func (d *detail) primary() (label string, fire func()) {
	t, m := d.s.env.T, d.vm
	switch {
	case m.Past:
		return t("remedy.recover"), func() { d.s.env.Show(screen.Place{Screen: screen.Recover, Source: m.Name}) }
	case m.Secret:
		return t("remedy.source"), func() { d.s.edit(m.Name) }
	case m.Paused:
		return t("detail.takeup"), d.takeUp
	}
	return t("home.button.running"), d.backUp
}

func (d *detail) buttons() fyne.CanvasObject {
	t, m := d.s.env.T, d.vm
	label, fire := d.primary()
	first := widgets.NewPrimary
	if d.renaming {
		first = widgets.NewButton // the new name is what is being done
	}
	row := []fyne.CanvasObject{first(label, fire)}
	if !m.Past {
		if !m.Secret {
			row = append(row, widgets.NewButton(t("sources.change"), func() { d.s.edit(m.Name) }))
		}
		row = append(row, widgets.NewButton(t("detail.rename"), d.rename),
			widgets.NewButton(t("sources.check"), func() { d.s.check(m.Name) }))
	}
	row = append(row, widgets.NewButton(t("sources.history"), func() { d.s.env.Show(screen.Place{Screen: screen.History, Source: m.Name}) }))
	if !m.Past {
		row = append(row, widgets.NewButton(t("sources.remove"), func() { d.s.askRemove(m.Name) }))
	}
	return widgets.Leading(row...)
}

// timesCard is about when the source is backed up.
func (d *detail) timesCard() fyne.CanvasObject {
	t, m := d.s.env.T, d.vm
	rows := []fyne.CanvasObject{widgets.NewText(t("detail.times"), widgets.Sub())}
	if m.PauseText != "" {
		rows = append(rows, widgets.NewText(m.PauseText, widgets.Body().In(widgets.ToneWarn.Text())))
	}
	every := widgets.NewSelect(paceOptions(d.s.env.Words), m.Every, func(i int) {
		if i >= 0 && i != m.Every {
			d.arrange(func(s *app.Schedule) { s.Every = paces()[i] })
		}
	})
	hours := []string{t("detail.quiet.off")}
	for h := range 24 {
		hours = append(hours, fmt.Sprintf("%02d:00", h))
	}
	from, to := 0, 0
	if m.From != m.To {
		from, to = m.From+1, m.To+1
	}
	quiet := widgets.Leading(
		widgets.Sized(120, 0, widgets.NewSelect(hours, from, func(i int) { d.quiet(i, to) })),
		widgets.NewText(t("detail.quiet.to"), widgets.Body().Line()),
		widgets.Sized(120, 0, widgets.NewSelect(hours, to, func(i int) { d.quiet(from, i) })))
	rows = append(rows, widgets.Grid(widgets.Gap16, 280, 2,
		widgets.Column(widgets.Gap4, widgets.NewText(t("detail.every.title"), widgets.Caption()), widgets.Sized(240, 0, every)),
		widgets.Column(widgets.Gap4, widgets.NewText(t("detail.quiet.title"), widgets.Caption()), quiet)),
		widgets.NewText(t("detail.times.hint"), widgets.Caption()))
	if m.Paused {
		rows = append(rows, widgets.Leading(widgets.NewButton(t("detail.takeup"), d.takeUp)))
	} else {
		rows = append(rows, widgets.Leading(
			widgets.NewButton(t("detail.pause.hour"), func() { d.pauseUntil(d.s.env.Now().Add(time.Hour)) }),
			widgets.NewButton(t("detail.pause.tomorrow"), func() { d.pauseUntil(tomorrow(d.s.env.Now())) }),
			widgets.NewButton(t("detail.pause.open"), func() { d.arrange(func(s *app.Schedule) { s.Paused = true }) })))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap12, rows...))
}

// quiet takes hours over, 0 for none and else one more than the hour. One end
// chosen alone makes a night of it.
func (d *detail) quiet(from, to int) {
	if from < 0 || to < 0 || from == d.vm.From+1 && to == d.vm.To+1 {
		return
	}
	was := d.vm.From != d.vm.To
	switch {
	case was && (from == 0 || to == 0):
		from, to = 1, 1
	case from == 0:
		from = (to+24-8-1)%24 + 1
	case to == 0:
		to = (from+8-1)%24 + 1
	}
	d.arrange(func(s *app.Schedule) { s.QuietFrom, s.QuietTo = from-1, to-1 })
}

func (d *detail) proofCard() fyne.CanvasObject {
	t, m := d.s.env.T, d.vm
	words := []fyne.CanvasObject{widgets.NewText(t("detail.proof"), widgets.Sub()), widgets.Leading(widgets.NewPill(m.ProofText, m.ProofTone))}
	if m.ProofWhen != "" {
		words = append(words, widgets.NewText(m.ProofWhen, widgets.Caption()))
	}
	if m.Past {
		return widgets.NewCard(widgets.Column(widgets.Gap8, words...))
	}
	return widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap8, words...),
		widgets.NewButton(t("home.back.drill"), d.drill)))
}

func (d *detail) runsCard() fyne.CanvasObject {
	t, m := d.s.env.T, d.vm
	rows := []fyne.CanvasObject{widgets.NewText(t("detail.runs"), widgets.Sub())}
	if len(m.Bars) > 0 {
		strip := widgets.NewStrip()
		strip.Set(m.Bars, t("strip.hint"))
		rows = append(rows, strip)
	}
	for _, r := range m.Runs {
		rows = append(rows, widgets.Line(), widgets.Columns([]float32{30, 40, 30}, widgets.NewText(r.When, widgets.Body().Cut()),
			widgets.NewText(r.Size, widgets.Body().Cut()), widgets.NewPill(r.Stand, r.Tone)))
	}
	if m.RunsNone != "" {
		rows = append(rows, widgets.NewText(m.RunsNone, widgets.Muted()))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap12, rows...))
}

// rename shows a field for another name.
func (d *detail) rename() {
	d.renaming = true
	d.name = widgets.NewEntry(d.vm.Name, func(string) { d.checkName() })
	d.save = widgets.NewPrimary(d.s.env.T("detail.rename.save"), d.saveName)
	d.checkName()
	d.draw()
	widgets.Focus(d.name)
}

func (d *detail) checkName() {
	typed := strings.TrimSpace(d.name.Text)
	d.save.SetEnabled(typed != "" && typed != d.vm.Name)
}

func (d *detail) nameCard() fyne.CanvasObject {
	t := d.s.env.T
	return widgets.NewCard(widgets.Column(widgets.Gap12, widgets.NewText(t("detail.rename.title"), widgets.Sub()), d.name,
		widgets.NewText(t("detail.rename.hint"), widgets.Caption()),
		widgets.Leading(d.save, widgets.NewButton(t("confirm.no"), d.leaveName)))).Emphasise()
}

func (d *detail) leaveName() { d.renaming = false; d.draw() }

func (d *detail) saveName() {
	if d.save.Disabled() {
		return
	}
	r := app.ArrangeRequest{Source: string(d.id), Name: strings.TrimSpace(d.name.Text)}
	d.s.worker.Ask(func(ctx context.Context) error {
		_, err := d.s.env.Service.ArrangeSource(ctx, r)
		return err
	}, func() { d.renaming, d.drawn = false, false; d.refresh() }, d.saveName)
}

// arrange changes when the source is backed up. What was chosen and did not take
// is shown as it stands.
func (d *detail) arrange(change func(*app.Schedule)) {
	src, ok := d.source()
	if !ok {
		return
	}
	next := src.Schedule
	change(&next)
	redraw := func() { d.drawn = false; d.refresh() }
	d.s.worker.Ask(func(ctx context.Context) error {
		_, err := d.s.env.Service.ArrangeSource(ctx, app.ArrangeRequest{Source: string(d.id), Schedule: &next})
		if err != nil {
			err = fmt.Errorf("arrange source %s: %w", d.id, err)
		}
		return err
	}, redraw, func() { d.arrange(change) })
}

func (d *detail) pauseUntil(t time.Time) {
	d.arrange(func(s *app.Schedule) { s.Paused, s.PausedUntil = false, t })
}

func (d *detail) takeUp() {
	d.arrange(func(s *app.Schedule) { s.Paused, s.PausedUntil = false, time.Time{} })
}

func (d *detail) backUp() {
	d.s.worker.Ask(func(ctx context.Context) error {
		_, err := d.s.env.Service.StartBackup(ctx, []string{string(d.id)})
		return err
	}, func() {}, d.backUp)
}

func (d *detail) drill() {
	d.s.worker.Ask(func(ctx context.Context) error {
		_, err := d.s.env.Service.StartDrill(ctx, []string{string(d.id)})
		return err
	}, func() {}, d.drill)
}

// enter fires what Enter does on the page.
func (d *detail) enter() {
	if d.renaming {
		d.saveName()
		return
	}
	_, fire := d.primary()
	fire()
}
