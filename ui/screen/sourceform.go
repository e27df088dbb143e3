package screen

import (
	"context"
	"maps"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// SourceForm changes settings and secrets of a source that is set up. Secrets
// that are kept already are never shown, and stay where they are left empty.
type SourceForm struct {
	env    Env
	spec   app.KindSpec
	source app.Source
	form   *Form
	save   *widgets.Button
	ask    Ask
	done   func()
	said   *fyne.Container // a server met for the first time
	rights *RightsBox
	own    *ownUser // nil while none is asked for
	object fyne.CanvasObject
	shape  func()

	// Reveal brings a part into view; nil leaves the page as it stands.
	Reveal func(part fyne.CanvasObject)
}

// NeedsSecret reports whether a source can't be read before its secrets are
// entered again.
func NeedsSecret(s app.SourceStatus) bool {
	return app.CodeOf(s.Error) == app.CodeSecretMissing
}

// NewSourceForm returns the form; done is called once the guard took it.
func NewSourceForm(env Env, ask Ask, spec app.KindSpec, s app.SourceStatus, done func()) *SourceForm {
	f := &SourceForm{env: env, spec: spec, source: s.Source, ask: ask, done: done, said: widgets.Column(0), rights: NewRightsBox(env)}
	f.said.Hide()
	f.form = NewForm(env, "source", spec, Filling{Settings: s.Source.Settings, Keep: !NeedsSecret(s)})
	f.form.OnChanged = f.check
	f.form.OnShape = f.relayout
	f.rights.OnOwn, f.rights.OnShape = f.openOwn, f.relayout
	f.save = widgets.NewPrimary(env.T("source.form.save"), f.Submit)
	f.object = widgets.Column(widgets.Gap16, f.form.Object(), widgets.Leading(f.save), f.said, f.rights.Object())
	f.check()
	return f
}

// Object returns the form with its button.
func (f *SourceForm) Object() fyne.CanvasObject { return f.object }

// OnShape sets what is called when rows came or went.
func (f *SourceForm) OnShape(fn func()) { f.shape = fn }

func (f *SourceForm) relayout() {
	if f.shape != nil {
		f.shape()
	}
}

func (f *SourceForm) check() { f.save.SetEnabled(f.form.Complete()) }

// Submit sends what is different; the guard proves it before it takes it.
func (f *SourceForm) Submit() {
	if f.own != nil {
		f.makeOwn()
		return
	}
	if f.save.Disabled() {
		return
	}
	f.send(app.ChangeSourceRequest{Source: f.source.Name, Settings: changed(f.source.Settings, f.form.Settings()), Secrets: f.form.Secrets()}, f.Submit)
}

// send changes the source; a server that is met for the first time is asked
// about.
func (f *SourceForm) send(r app.ChangeSourceRequest, again func()) {
	var stranger *app.Error
	var known acquaint
	filled := f.form.Settings()
	f.say(nil)
	f.ask(func(ctx context.Context) error {
		_, err := f.env.Service.ChangeSource(ctx, r)
		var ok bool
		if known, ok = meets(f.spec, filled, err); ok {
			stranger = app.AsError(err)
			return nil
		}
		return err
	}, func() {
		if stranger == nil {
			f.done()
			return
		}
		card, doubt := strangerCard(f.env, stranger, func() {
			f.form.Put(known.field, known.value)
			again()
		}, func() { f.say(nil) })
		f.say(card)
		if f.Reveal != nil {
			f.Reveal(card)
		}
		focus(doubt)
	}, again)
}

func (f *SourceForm) say(o fyne.CanvasObject) {
	f.said.RemoveAll()
	if o != nil {
		f.said.Add(o)
	}
	Visible(f.said, o != nil)
	f.said.Refresh()
	f.relayout()
}

// ShowRights looks at what the source's user may do on its server, where it
// has users.
func (f *SourceForm) ShowRights() {
	if !withUsers(f.spec) {
		return
	}
	f.rights.Say(widgets.NewText(f.env.T("rights.looking"), widgets.Muted()))
	f.env.Go(func(ctx context.Context) func() {
		r, err := f.env.Service.Rights(ctx, app.RightsRequest{Source: f.source.Name})
		return func() {
			switch {
			case f.own != nil: // the owner was quicker
			case err != nil:
				p := Explain(f.env.Words, err, "").Retry(f.env.Words)
				f.rights.Say(NoteCard(p, f.ShowRights))
			default:
				f.rights.Set(&r)
			}
		}
	})
}

func (f *SourceForm) openOwn() {
	f.own = newOwnUser(f.env, f.rights.view.own(), "", f.makeOwn, func() { f.own = nil; f.ShowRights() })
	f.rights.Say(f.own.object)
	if f.Reveal != nil {
		f.Reveal(f.own.object)
	}
	focus(f.own.name)
}

// makeOwn has the guard make Kvart's own user and use it from then on.
func (f *SourceForm) makeOwn() {
	if f.own == nil || f.own.make.Disabled() {
		return
	}
	secrets := f.form.Secrets()
	delete(secrets, passwordKey)
	secrets[app.AdminPasswordKey] = f.own.secret()
	f.send(app.ChangeSourceRequest{
		Source: f.source.Name, Settings: changed(f.source.Settings, f.form.Settings()), Admin: f.own.admin(), Secrets: secrets,
	}, f.makeOwn)
}

// changed returns what is different; what was emptied is named with an empty
// value.
func changed(old, now map[string]string) map[string]string {
	out := maps.Clone(now)
	for k, v := range old {
		if n, ok := now[k]; !ok && v != "" {
			out[k] = ""
		} else if n == v {
			delete(out, k)
		}
	}
	return out
}
