package screen

import (
	"context"
	"maps"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// Access asks how a new source is reached, and proves it when asked to. Where
// the source has users of its own it proves it before the source is added,
// looks at what the user may do there, and can have Kvart's own user made
// instead.
type Access struct {
	// Prove has every source proven before it is taken: where adding it comes
	// later, that would be late to learn that a password is wrong.
	Prove bool

	env    Env
	spec   app.KindSpec
	ask    Ask
	form   *Form
	test   *widgets.Button
	let    *widgets.Button // to let Kvart in with the browser
	offer  *widgets.Button // to have Kvart's own user made
	own    *ownUser        // nil while none is asked for
	owns   *fyne.Container
	said   *fyne.Container
	rights *RightsBox
	proved bool // with exactly what is filled in
	turn   int  // counts changes: what is proven of an older answer counts not
	busy   bool

	// OnChanged is called after every change of what is filled in.
	OnChanged func()
	// OnShape is called when parts came or went, so that the page makes room.
	OnShape func()
	// OnTake is called with an answer that is good to be used. admin is the
	// administrator that makes Kvart's own user, whose password is then among
	// the secrets, or "".
	OnTake func(admin string, secrets app.Secrets)
	// Reveal brings a part into view.
	Reveal func(part fyne.CanvasObject)
}

// NewAccess returns the question, as far as it is answered already.
func NewAccess(env Env, ask Ask, spec app.KindSpec, fill Filling) *Access {
	a := &Access{env: env, spec: spec, ask: ask, owns: widgets.Column(0), said: widgets.Column(widgets.Gap12)}
	a.owns.Hide()
	a.said.Hide()
	a.form = NewForm(env, "source", spec, fill)
	a.form.OnChanged = a.changed
	a.form.OnShape = a.shape
	a.rights = NewRightsBox(env)
	a.rights.OnOwn = a.openOwn
	a.rights.OnShape = a.shape
	a.test = widgets.NewButton(env.T("access.test"), a.tryIt)
	a.let = widgets.NewButton(env.T("access.approve"), a.approve)
	a.offer = widgets.NewButton(env.T("rights.own"), a.openOwn)
	a.Check(false)
	return a
}

// Object returns the question, followed by what else the page asks and by its
// button; both may be nil.
func (a *Access) Object(more fyne.CanvasObject, submit *widgets.Button) fyne.CanvasObject {
	parts := []fyne.CanvasObject{a.form.Object()}
	if more != nil {
		parts = append(parts, more)
	}
	var buttons []fyne.CanvasObject
	if submit != nil {
		buttons = append(buttons, submit)
	}
	if approves(a.spec) {
		buttons = append(buttons, a.let)
	}
	buttons = append(buttons, a.test)
	if withUsers(a.spec) {
		buttons = append(buttons, a.offer)
	}
	return widgets.Column(widgets.Gap16, append(parts, widgets.Leading(buttons...), a.owns, a.said, a.rights.Object())...)
}

// Settings returns what is filled in.
func (a *Access) Settings() map[string]string { return a.form.Settings() }

// Secrets returns the secrets that are filled in.
func (a *Access) Secrets() app.Secrets { return a.form.Secrets() }

// Complete reports whether it can be taken, or Kvart's own user made.
func (a *Access) Complete() bool { return a.own == nil && a.form.Complete() }

// Check brings the buttons up to date; busy is while something is under way.
func (a *Access) Check(busy bool) {
	a.busy = busy
	a.test.SetEnabled(!busy && a.form.Complete())
	a.let.SetEnabled(!busy && a.form.Complete())
	Visible(a.offer, a.own == nil && !a.rights.Offers())
	if a.own != nil {
		a.own.make.SetEnabled(!busy && a.own.complete() && a.reaches())
	}
}

// reaches reports whether all is filled in that leads to the server.
func (a *Access) reaches() bool { return a.form.Complete(userKey, passwordKey) }

func (a *Access) shape() {
	if a.OnShape != nil {
		a.OnShape()
	}
}

// changed forgets what was proven: it was of something else.
func (a *Access) changed() {
	a.proved = false
	a.turn++
	if len(a.said.Objects) > 0 {
		a.say()
	}
	a.rights.Set(nil)
	a.Check(a.busy)
	if a.OnChanged != nil {
		a.OnChanged()
	}
}

func (a *Access) say(objects ...fyne.CanvasObject) {
	a.said.Objects = objects
	Visible(a.said, len(objects) > 0)
	a.said.Refresh()
	a.shape()
	if len(objects) > 0 && a.Reveal != nil {
		a.Reveal(a.said)
	}
}

// Enter does what the page is for at the moment.
func (a *Access) Enter() {
	switch {
	case a.busy:
	case a.own != nil:
		a.makeOwn()
	case a.form.Complete():
		a.Submit()
	}
}

// Back goes one step back within the question and reports whether there was
// one.
func (a *Access) Back() bool {
	was := a.own != nil
	if was {
		a.closeOwn()
	}
	return was
}

// Submit takes what is filled in. Where that was not proven yet it is tried
// first, and taken at once when there is nothing to be said about it.
func (a *Access) Submit() {
	take := func() { a.OnTake("", a.form.Secrets()) }
	if a.proved || !a.Prove && !withUsers(a.spec) {
		take()
		return
	}
	a.prove(a.form.Settings(), a.form.Secrets(), func(p proof, err error) {
		switch {
		case app.CodeOf(err) == app.CodeInternal:
			take() // nothing is known against it: adding it will tell
		case err != nil:
			a.fail(err)
		default:
			if v := a.told(p); v.Rights == "" && !v.Warned {
				take()
			}
		}
	}, a.Submit)
}

// tryIt is what the test button does.
func (a *Access) tryIt() {
	a.prove(a.form.Settings(), a.form.Secrets(), func(p proof, err error) {
		if err != nil {
			a.fail(err)
			return
		}
		a.told(p)
	}, a.tryIt)
}

// told shows what was found, and returns it.
func (a *Access) told(p proof) CheckView {
	a.proved = true
	v := ModelCheck(a.env.Words, a.spec.Kind, p.info, p.rights)
	if p.reached {
		a.say(v.Rows()...)
	}
	a.rights.Set(p.rights)
	if a.OnChanged != nil {
		a.OnChanged()
	}
	if a.Reveal != nil && p.rights != nil {
		a.Reveal(a.rights.Object())
	}
	return v
}

// proof is what a source told that can be reached.
type proof struct {
	info    app.SourceInfo
	reached bool        // false where only its rights could be looked at
	rights  *app.Rights // nil where there are no users
}

// prove tries to reach the source and looks at the user's rights, where there
// are any; done is called with what came of it. A server met for the first time
// is asked about, and then again runs.
func (a *Access) prove(settings map[string]string, secrets app.Secrets, done func(proof, error), again func()) {
	var p proof
	var failure error
	turn := a.turn
	a.say()
	a.rights.Set(nil)
	a.ask(func(ctx context.Context) error {
		p.info, failure = a.env.Service.TrySource(ctx, app.AddSourceRequest{Kind: a.spec.Kind, Settings: settings, Secrets: secrets})
		p.reached = failure == nil
		if failure != nil && app.CodeOf(failure) != app.CodeSourceRight || !withUsers(a.spec) {
			return nil
		}
		// What a user lacks his rights tell better than what it kept him from.
		r, err := a.env.Service.Rights(ctx, app.RightsRequest{Kind: a.spec.Kind, Settings: settings, Secrets: secrets})
		if p.rights = &r; err != nil || len(r.Missing) > 0 {
			failure = err
		}
		return nil
	}, func() {
		if turn == a.turn && !a.Meets(failure, again) {
			done(p, failure)
		}
	}, nil)
}

// Meets asks about a server met for the first time, if that is what a failure
// is, and reports whether it did. again is run once the owner knows the server.
func (a *Access) Meets(err error, again func()) bool {
	known, ok := meets(a.spec, a.form.Settings(), err)
	if !ok {
		return false
	}
	card, doubt := strangerCard(a.env, app.AsError(err), func() { a.form.Put(known.field, known.value); again() }, func() { a.say() })
	a.say(card)
	focus(doubt)
	return true
}

// Fail shows why what is filled in was not taken.
func (a *Access) Fail(err error) { a.fail(err) }

func (a *Access) fail(err error) {
	e := app.AsError(err)
	if key := e.Args["field"]; key != "" {
		a.form.Reveal(key)
		if f, ok := a.spec.Field(key); ok {
			// The owner knows the field by its label.
			named := *e
			named.Args = maps.Clone(e.Args)
			named.Args["field"] = a.env.T(a.form.key(f))
			e = &named
		}
	}
	a.say(ProblemCard(Explain(a.env.Words, e, ""), nil))
}

func (a *Access) openOwn() {
	a.rights.Set(nil)
	a.own = newOwnUser(a.env, "rights.own", a.form.Settings()[userKey], a.makeOwn, a.closeOwn)
	a.own.password.Text = a.form.Secrets()[passwordKey].Reveal()
	a.owns.Objects = []fyne.CanvasObject{a.own.object}
	a.ownChanged()
	if a.Reveal != nil {
		a.Reveal(a.owns)
	}
	focus(a.own.name)
}

func (a *Access) closeOwn() {
	a.own = nil
	a.owns.RemoveAll()
	a.ownChanged()
}

func (a *Access) ownChanged() {
	Visible(a.owns, a.own != nil)
	a.say()
	a.Check(a.busy)
	if a.OnChanged != nil {
		a.OnChanged()
	}
}

// makeOwn logs in as the administrator, and then has Kvart's own user made.
func (a *Access) makeOwn() {
	if a.own == nil || a.own.make.Disabled() {
		return
	}
	admin, secret := a.own.admin(), a.own.secret()
	settings, secrets := a.form.Settings(), a.form.Secrets()
	settings[userKey], secrets[passwordKey] = admin, secret
	a.prove(settings, secrets, func(_ proof, err error) {
		if err != nil && app.CodeOf(err) != app.CodeInternal {
			a.fail(err)
			return
		}
		secrets := a.form.Secrets()
		delete(secrets, passwordKey)
		secrets[app.AdminPasswordKey] = secret
		a.OnTake(admin, secrets)
	}, a.makeOwn)
}
