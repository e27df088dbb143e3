package screen

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// question is what only the owner can answer while a vault is opened.
type question struct {
	Computers []string  // whose place this computer takes; empty for none
	Hidden    bool      // the backups were deleted or hidden
	At        time.Time // when they were last to be seen; zero when not told
}

// questionOf returns what a failure to open a vault asks, nil when it is a
// failure indeed.
func questionOf(err error, r app.VaultRequest) *question {
	e := app.AsError(err)
	switch {
	case e == nil:
	case e.Code == app.CodeComputerWhich && r.Replaces == app.AskComputer && len(choicesOf(e)) > 0:
		return &question{Computers: choicesOf(e)}
	case e.Code == app.CodeVaultHidden && r.Storage.AsOf.IsZero():
		at, err := time.Parse(time.RFC3339Nano, e.Args["at"])
		if err != nil {
			at = time.Time{}
		}
		return &question{Hidden: true, At: at}
	}
	return nil
}

// Opener opens a vault, and asks on the way whose place this computer takes,
// and whether backups that were deleted shall be opened as they were.
type Opener struct {
	env Env
	box *fyne.Container
	ask Ask

	// OnChanged is called when a question came or went, so that the page makes
	// room.
	OnChanged func()
}

// NewOpener returns an opener; ask runs what takes a while.
func NewOpener(env Env, ask Ask) *Opener {
	o := &Opener{env: env, ask: ask, box: widgets.Column(widgets.Gap16)}
	o.box.Hide()
	return o
}

// Object returns where the questions are asked; it is hidden while there is
// none.
func (o *Opener) Object() fyne.CanvasObject { return o.box }

// Close takes a question away and reports whether there was one.
func (o *Opener) Close() bool {
	asked := o.box.Visible()
	o.show()
	return asked
}

// Open opens a vault; done is called once it is. Where other computers use it,
// the owner is asked whose place this one takes, if r does not say.
func (o *Opener) Open(r app.VaultRequest, done func(app.VaultInfo)) {
	if r.Replaces == "" {
		r.Replaces = app.AskComputer
	}
	var info app.VaultInfo
	var q *question
	o.ask(func(ctx context.Context) (err error) {
		info, err = o.env.Service.OpenVault(ctx, r)
		if q = questionOf(err, r); q != nil {
			return nil
		}
		return err
	}, func() {
		switch {
		case q == nil:
			o.Close()
			done(info)
		case q.Hidden:
			o.askPast(*q, r, done)
		default:
			o.askComputer(*q, r, done)
		}
	}, func() { o.Open(r, done) })
}

func (o *Opener) show(rows ...fyne.CanvasObject) {
	o.box.RemoveAll()
	if len(rows) > 0 {
		o.box.Add(widgets.NewCard(widgets.Column(widgets.Gap12, rows...)).Emphasise())
	}
	Visible(o.box, len(rows) > 0)
	if o.OnChanged != nil {
		o.OnChanged()
	}
}

func (o *Opener) askComputer(q question, r app.VaultRequest, done func(app.VaultInfo)) {
	t := o.env.T
	choice := func(title, hint string, id app.ComputerID) fyne.CanvasObject {
		return widgets.NewChoice(title, widgets.Column(widgets.Gap4, widgets.NewText(title, widgets.Strong()), widgets.NewText(hint, widgets.Caption())),
			func() { r.Replaces = id; o.Close(); o.Open(r, done) })
	}
	var choices []fyne.CanvasObject
	for _, name := range q.Computers {
		if app.ComputerID(name) != app.NoComputer {
			choices = append(choices, choice(t("open.which.this", map[string]any{"Name": name}), t("open.which.this.hint"), app.ComputerID(name)))
		}
	}
	choices = append(choices, choice(t("open.which.join"), t("open.which.join.hint"), app.NoComputer))
	o.show(widgets.NewText(t("open.which.title"), widgets.Sub()), widgets.NewText(t("open.which.text"), widgets.Body()),
		widgets.Grid(widgets.Gap16, 240, 3, choices...))
}

func (o *Opener) askPast(q question, r app.VaultRequest, done func(app.VaultInfo)) {
	t := o.env.T
	rows := []fyne.CanvasObject{
		widgets.NewText(t("open.hidden.title"), widgets.Sub().In(widgets.ToneDanger.Text())),
		widgets.NewText(t("open.hidden.text"), widgets.Body()), widgets.NewText(t("open.hidden.keys"), widgets.Body()),
	}
	no := widgets.NewButton(t("confirm.no"), func() { o.Close() })
	if q.At.IsZero() {
		rows = append(rows, widgets.NewText(t("open.hidden.unknown"), widgets.Muted()), widgets.Leading(no))
	} else {
		when := o.env.Words.When(q.At, o.env.Now())
		rows = append(rows, widgets.NewText(t("open.hidden.past"), widgets.Muted()),
			widgets.Leading(widgets.NewPrimary(t("open.hidden.yes", map[string]any{"When": when}), func() {
				r.Storage.AsOf = q.At
				o.Close()
				o.Open(r, done)
			}), no))
	}
	o.show(rows...)
}
