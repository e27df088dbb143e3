package screen

import (
	"slices"
	"strconv"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// lockDays are the lengths of a lock to choose from.
func lockDays() []int { return []int{7, 14, 30, 60, 90, 180, 365} }

// take chooses a lock, and has the place show that it keeps to it.
func (p *Picker) take(mode app.LockMode, days int) {
	p.loc.Lock(mode, days)
	p.prove()
}

// prove draws the page anew, and has the place show its lock if it did not yet.
func (p *Picker) prove() {
	p.Redraw()
	if !p.loc.Ready() {
		p.test()
	} else if p.locking != nil {
		p.Reveal(p.locking)
		focus(p.locking)
	}
}

// lock asks whether the backups are to be locked.
func (p *Picker) lock() fyne.CanvasObject {
	t, w := p.env.T, p.env.Words
	lock := p.loc.chosen()
	choice := func(title, hint string, chosen bool, tapped func()) fyne.CanvasObject {
		c := widgets.NewChoice(title, widgets.Column(widgets.Gap4, widgets.NewText(title, widgets.Strong()), widgets.NewText(hint, widgets.Caption())), tapped)
		if chosen {
			c.Select(true)
			p.locking = c
		}
		return c
	}
	days := p.loc.lock.Days
	var choices []fyne.CanvasObject
	if p.loc.offers(app.LockGovernance) {
		choices = append(choices, choice(w.N("lock.governance", int64(days)), t("lock.governance.hint"), lock.Mode == app.LockGovernance,
			func() { p.take(app.LockGovernance, days) }))
	}
	choices = append(choices, choice(t("lock.none"), t("lock.none.hint"), lock.Mode == app.LockNone, func() { p.take(app.LockNone, days) }))
	if lock.Mode == app.LockCompliance {
		choices = append(choices, choice(w.N("lock.compliance", int64(days)), t("lock.compliance.hint"), true, p.decide))
	}
	rows := []fyne.CanvasObject{widgets.NewText(t("lock.title"), widgets.Sub()), widgets.Grid(widgets.Gap16, 220, 3, choices...)}
	if lock.Mode == app.LockGovernance {
		rows = append(rows, p.lockedFor(func(n int) { p.take(app.LockGovernance, n) }))
	}
	if !p.NoForever && lock.Mode != app.LockCompliance && p.loc.offers(app.LockCompliance) {
		rows = append(rows, widgets.Leading(widgets.NewButton(t("lock.forever"), p.decide)))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap12, rows...))
}

// lockedFor asks for how long.
func (p *Picker) lockedFor(chosen func(int)) fyne.CanvasObject {
	return widgets.Row(widgets.Gap12, []fyne.CanvasObject{
		widgets.NewText(p.env.T("lock.days"), widgets.Body().Line()), widgets.Sized(160, 0, p.days(chosen)),
	}, nil)
}

func (p *Picker) days(chosen func(int)) *widgets.Select {
	var words []string
	for _, d := range lockDays() {
		words = append(words, p.env.Words.N("span.days", int64(d)))
	}
	return widgets.NewSelect(words, slices.Index(lockDays(), p.loc.lock.Days), func(i int) {
		if i >= 0 && lockDays()[i] != p.loc.lock.Days {
			chosen(lockDays()[i])
		}
	})
}

func (p *Picker) decide() {
	p.loc.deciding = true
	p.Redraw()
}

// forever is the page about the lock that nobody can undo.
func (p *Picker) forever() []fyne.CanvasObject {
	t, w := p.env.T, p.env.Words
	days := p.loc.lock.Days
	var rows []fyne.CanvasObject
	for i := range 4 {
		rows = append(rows, widgets.NewText(w.N("lock.forever.text."+strconv.Itoa(i+1), int64(days)), widgets.Body()))
	}
	yes := widgets.NewDanger(w.N("lock.forever.yes", int64(days)), func() { p.loc.Accept(days); p.prove() })
	yes.Disable()
	read := widgets.NewCheck(t("lock.forever.read"), false, yes.SetEnabled)
	no := widgets.NewButton(t("lock.forever.no"), func() { p.Back() })
	rows = append(rows,
		p.lockedFor(func(n int) {
			p.loc.lock.Days = n
			p.Redraw()
		}), read, widgets.Leading(yes, no))
	return []fyne.CanvasObject{widgets.NewCard(widgets.Column(widgets.Gap12,
		append([]fyne.CanvasObject{widgets.NewText(t("lock.forever.title"), widgets.Sub())}, rows...)...)).Emphasise()}
}
