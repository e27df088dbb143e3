package screen

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// Picker asks where backups are to lie and proves the place.
type Picker struct {
	env   Env
	loc   *Location
	form  *Form
	probe *widgets.Button
	// Parts to bring into view, and to leave the keyboard at, after a drawing.
	kind, locking *widgets.Choice
	card          fyne.CanvasObject
	doubt         *widgets.Button

	// Ask runs what takes a while, Redraw draws the page anew, Fail shows what
	// went wrong.
	Ask    Ask
	Redraw func()
	Fail   func(err error, again func())
	// OnChanged is called after every change that needs no new drawing.
	OnChanged func()
	// Relayout makes room on the page, Reveal brings a part into view.
	Relayout func()
	Reveal   func(part fyne.CanvasObject)
	// NoForever leaves out the lock that nobody can undo.
	NoForever bool
}

// NewPicker returns the question; what is answered goes into loc.
func NewPicker(env Env, loc *Location) *Picker { return &Picker{env: env, loc: loc} }

// Objects draws the question.
func (p *Picker) Objects() []fyne.CanvasObject {
	p.form, p.probe, p.kind, p.locking, p.card, p.doubt = nil, nil, nil, nil, nil, nil
	if p.loc.deciding {
		return p.forever()
	}
	var kinds []fyne.CanvasObject
	for _, k := range p.loc.Kinds {
		kinds = append(kinds, p.kindCard(k))
	}
	objects := []fyne.CanvasObject{widgets.Grid(widgets.Gap16, 220, 4, kinds...)}
	spec, ok := p.loc.Spec()
	if !ok {
		return objects
	}
	p.card = widgets.NewCard(p.formParts(spec))
	objects = append(objects, p.card)
	if p.loc.CanLock() && (!p.NoForever || p.loc.offers(app.LockGovernance)) {
		objects = append(objects, p.lock())
	}
	return objects
}

// Check brings the buttons up to date; busy is while something is under way.
func (p *Picker) Check(busy bool) {
	if p.probe != nil {
		p.probe.SetEnabled(!busy && p.form != nil && p.form.Complete())
	}
}

// Back goes one step back within the question and reports whether there was
// one.
func (p *Picker) Back() bool {
	was := p.loc.deciding
	p.loc.deciding = false
	if was {
		p.Redraw()
	}
	return was
}

// pillsOf tells what a kind of storage protects from.
func pillsOf(w *assets.Words, k app.KindSpec) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	if k.OffSite {
		out = append(out, widgets.NewPill(w.T("setup.pill.offsite"), widgets.ToneGood))
	} else {
		out = append(out, widgets.NewPill(w.T("setup.pill.notoffsite"), widgets.ToneWarn))
	}
	if k.CanLock {
		return append(out, widgets.NewPill(w.T("setup.pill.lock"), widgets.ToneGood))
	}
	return append(out, widgets.NewPill(w.T("setup.pill.nolock"), widgets.ToneNeutral))
}

func (p *Picker) kindCard(k app.KindSpec) fyne.CanvasObject {
	key := "storage." + string(k.Kind)
	title := p.env.T(key)
	rows := []fyne.CanvasObject{
		widgets.NewText(title, widgets.Strong()), widgets.NewText(p.env.T(key+".hint"), widgets.Caption()),
		widgets.Leading(pillsOf(p.env.Words, k)...),
	}
	c := widgets.NewChoice(title, widgets.Column(widgets.Gap8, rows...), func() {
		p.loc.Choose(k.Kind)
		p.Fail(nil, nil)
		p.Redraw()
		p.Reveal(p.card)
		focus(p.kind)
	})
	if k.Kind == p.loc.Kind {
		c.Select(true)
		p.kind = c
	}
	return c
}

// formParts asks for the fields, with the button that proves the place and what
// came of it.
func (p *Picker) formParts(spec app.KindSpec) fyne.CanvasObject {
	t := p.env.T
	p.form = NewForm(p.env, "storage", spec, p.loc.Filled())
	p.form.OnShape = p.Relayout
	said := widgets.Column(widgets.Gap4)
	p.form.OnChanged = func() {
		p.loc.Fill(p.form.Settings(), p.form.Secrets())
		if p.loc.Report == nil && p.loc.Stranger == nil && len(said.Objects) > 0 {
			said.RemoveAll()
			p.Relayout()
		}
		p.OnChanged()
	}
	if p.loc.Report == nil && p.loc.Stranger == nil {
		p.loc.Fill(p.form.Settings(), p.form.Secrets())
	}
	switch {
	case p.loc.Stranger != nil:
		said.Add(p.stranger(p.loc.Stranger))
	case p.loc.Report != nil:
		for _, o := range p.report(*p.loc.Report) {
			said.Add(o)
		}
	}
	p.probe = widgets.NewButton(t("setup.test"), p.test)
	return widgets.Column(widgets.Gap16,
		widgets.Column(widgets.Gap4, widgets.NewText(t("storage."+string(spec.Kind)), widgets.Sub()),
			widgets.NewText(t("storage."+string(spec.Kind)+".unprotected"), widgets.Body().In(widgets.ToneWarn.Text()))),
		p.form.Object(), widgets.Leading(p.probe), said)
}

// test proves the place, and then its lock where one is chosen and can be had.
// Whatever was proven before counts no more.
func (p *Picker) test() {
	bare := p.loc.bare()
	locked, lock := p.loc.locked()
	mode := p.loc.chosen().Mode
	var report app.StorageReport
	var failure, unlocked error
	held := false
	p.Ask(func(ctx context.Context) error {
		report, failure = p.env.Service.ProbeStorage(ctx, bare)
		if failure == nil && lock && report.CanLock && report.State == app.LocationEmpty {
			var r app.StorageReport
			if r, unlocked = p.env.Service.ProbeStorage(ctx, locked); unlocked == nil {
				report, held = r, true
			}
		}
		return nil
	}, func() {
		p.loc.Report, p.loc.Stranger, p.loc.held = nil, nil, app.LockNone
		again := p.test
		switch app.CodeOf(failure) {
		case "":
			failure = p.loc.Proved(report)
		case app.CodeHostKeyUnknown:
			p.loc.Stranger, failure = app.AsError(failure), nil
		case app.CodeHostKeyChanged:
			again = nil // trying until it fits would be the danger itself
		}
		if held {
			p.loc.held = mode
		}
		if unlocked != nil && failure == nil {
			p.loc.Lock(app.LockNone, p.loc.lock.Days) // the place can be used, its lock can't
			failure = unlocked
		}
		p.Redraw()
		p.Fail(failure, again)
		p.after(failure)
		if field := fieldOf(failure); field != "" && p.form != nil {
			p.form.Reveal(field)
		}
	}, p.test)
}

// after leaves eye and keyboard where a test ended.
func (p *Picker) after(failure error) {
	switch {
	case failure != nil || p.probe == nil:
	case p.doubt != nil:
		p.Reveal(p.probe)
		focus(p.doubt) // a key that is held down must not agree
	case p.locking != nil && p.loc.held != app.LockNone:
		p.Reveal(p.probe)
		focus(p.locking)
	default:
		p.Reveal(p.probe)
		focus(p.probe)
	}
}

// focus gives the keyboard to a part that was just drawn.
func focus[T interface {
	fyne.CanvasObject
	fyne.Focusable
	comparable
}](part T) {
	var none T
	if part != none {
		widgets.Focus(part)
	}
}

// fieldOf returns the field an error is about.
func fieldOf(err error) string {
	if e := app.AsError(err); e != nil {
		return e.Args["field"]
	}
	return ""
}

// stranger asks whether a server met for the first time is the owner's.
func (p *Picker) stranger(e *app.Error) fyne.CanvasObject {
	card, doubt := strangerCard(p.env, e, func() { p.loc.Confirm(); p.Redraw(); p.test() }, func() { p.loc.Stranger = nil; p.Redraw() })
	p.doubt = doubt
	return card
}

// said is one line of what a test of the storage found.
type said struct {
	Words string
	Tone  widgets.Tone
	Small bool
}

// modelReport tells what a test of the storage found. Warnings do not stand in
// the way.
func modelReport(w *assets.Words, r app.StorageReport) []said {
	out := []said{{Words: w.T("setup.proved", assets.Args{"Ms": w.Number(max(r.RoundTrip.Milliseconds(), 1))}), Tone: widgets.ToneGood}}
	if r.Free >= 0 {
		out = append(out, said{Words: w.T("setup.free", assets.Args{"Bytes": w.Bytes(r.Free)}), Tone: widgets.ToneGood})
	}
	switch {
	case r.State == app.LocationVault:
		out = append(out, said{Words: w.T("setup.existing"), Tone: widgets.ToneWarn})
	case !r.OffSite:
		out = append(out, said{Words: w.T("setup.notoffsite"), Tone: widgets.ToneWarn})
	}
	told := slices.ContainsFunc(r.Warnings, func(e *app.Error) bool { return e.Code == app.CodeLockNone })
	if !r.CanLock && r.OffSite && !told && r.State != app.LocationVault {
		out = append(out, said{Words: w.T("setup.nolock"), Tone: widgets.ToneWarn})
	}
	for _, e := range r.Warnings {
		title, meaning, next := assets.ErrorWords(w, e)
		out = append(out, said{Words: title, Tone: widgets.ToneWarn}, said{Words: meaning, Tone: widgets.ToneNeutral, Small: true}, said{Words: next, Tone: widgets.ToneNeutral, Small: true})
	}
	return out
}

func (p *Picker) report(r app.StorageReport) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for _, s := range modelReport(p.env.Words, r) {
		look := widgets.Strong().In(s.Tone.Text())
		if s.Small {
			look = widgets.Caption()
		}
		out = append(out, widgets.NewText(s.Words, look))
	}
	return out
}
