package screen

import (
	"context"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// Grant asks for the administrator who lets Kvart's own user put things back on
// its server, and has the source use that user.
type Grant struct {
	env    Env
	source string
	ask    Ask
	done   func()
	own    *ownUser
	said   *fyne.Container
	object fyne.CanvasObject
}

// NewGrant returns the question about a source; done is called once the user
// may put things back, and cancel when the owner changed his mind.
func NewGrant(env Env, ask Ask, source string, done, cancel func()) *Grant {
	g := &Grant{env: env, source: source, ask: ask, done: done, said: widgets.Column(0)}
	g.said.Hide()
	g.own = newOwnUser(env, "rights.give", "", g.Submit, cancel)
	g.object = widgets.Column(widgets.Gap12, g.own.object, g.said)
	return g
}

// Object returns the question.
func (g *Grant) Object() fyne.CanvasObject { return g.object }

// Focus puts the keyboard where it is answered.
func (g *Grant) Focus() { focus(g.own.name) }

// Submit has the right given. A log-in that is refused is said below it.
func (g *Grant) Submit() {
	if g.own.make.Disabled() {
		return
	}
	r := app.ChangeSourceRequest{
		Source: g.source, Admin: g.own.admin(), Restoring: true,
		Secrets: app.Secrets{app.AdminPasswordKey: g.own.secret()},
	}
	g.own.make.Disable()
	var refused error
	g.ask(func(ctx context.Context) error {
		_, refused = g.env.Service.ChangeSource(ctx, r)
		return nil
	}, func() {
		g.own.make.SetEnabled(g.own.complete())
		if refused == nil {
			g.done()
			return
		}
		g.said.Objects = []fyne.CanvasObject{ProblemCard(Explain(g.env.Words, refused, ""), nil)}
		Visible(g.said, true)
		g.said.Refresh()
	}, nil)
}
