package screen

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// mostRights is how many rights are listed.
const mostRights = 8

// rightsView is what a user may do on its server, in the owner's words.
type rightsView struct {
	Title, Text string
	Tone        widgets.Tone
	Lists       []string // what is missing, what is too much
	Fine        bool     // nothing to be done
	Given       bool     // Kvart's own user, with more than it needs: for a restore
	Statements  string
	Restoring   string
}

func modelRights(w *assets.Words, r app.Rights) rightsView {
	key := "rights.fine"
	v := rightsView{Tone: widgets.ToneGood, Statements: strings.Join(r.Statements, "\n"), Restoring: strings.Join(r.Restoring, "\n")}
	list := func(key string, rights []string) {
		words := strings.Join(rights[:min(len(rights), mostRights)], ", ")
		if more := len(rights) - mostRights; more > 0 {
			words = w.N("rights.more", int64(more), assets.Args{"Rights": words})
		}
		v.Lists = append(v.Lists, w.T(key, assets.Args{"Rights": words}))
	}
	switch {
	case len(r.Missing) > 0:
		key, v.Tone = "rights.missing", widgets.ToneWarn
	case len(r.Excess) > 0 && ours(r):
		key, v.Tone, v.Given = "rights.given", widgets.ToneNeutral, true
	case len(r.Excess) > 0:
		key, v.Tone = "rights.excess", widgets.ToneNeutral
	default:
		v.Fine = true
	}
	v.Title, v.Text = w.T(key+".title"), w.T(key+".text", assets.Args{"User": r.User})
	if len(r.Missing) > 0 {
		list("rights.missing.list", r.Missing)
	}
	if len(r.Excess) > 0 {
		list("rights.excess.list", r.Excess)
	}
	return v
}

// ours reports whether rights are those of the user that Kvart made.
func ours(r app.Rights) bool {
	name, _, _ := strings.Cut(r.User, "@")
	return name == app.BackupUser
}

// own returns the key of the words with which Kvart's own user is made, or made
// to be one that may only read again.
func (v rightsView) own() string {
	if v.Given {
		return "rights.take"
	}
	return "rights.own"
}

// RightsBox tells what the user of a source may do on its server, and how to
// come by one that may only read.
type RightsBox struct {
	env       Env
	box       *fyne.Container
	view      rightsView
	shown     bool // the statements are
	restoring bool // they also let the user put things back

	// OnOwn is called when Kvart shall make its own user; nil offers it not.
	OnOwn func()
	// OnShape is called when parts came or went, so that the page makes room.
	OnShape func()
}

// NewRightsBox returns an empty box.
func NewRightsBox(env Env) *RightsBox {
	b := &RightsBox{env: env, box: widgets.Column(widgets.Gap12)}
	b.box.Hide()
	return b
}

// Object returns what to place on the page; it is hidden while nothing is told.
func (b *RightsBox) Object() fyne.CanvasObject { return b.box }

// Offers reports whether it offers to have Kvart's own user made.
func (b *RightsBox) Offers() bool { return b.box.Visible() && b.OnOwn != nil && !b.view.Fine }

// Set tells the rights; nil tells nothing.
func (b *RightsBox) Set(r *app.Rights) {
	b.shown, b.restoring = false, false
	if r == nil {
		b.put()
		return
	}
	b.view = modelRights(b.env.Words, *r)
	b.draw()
}

// Say shows words in place of the rights.
func (b *RightsBox) Say(o fyne.CanvasObject) { b.put(o) }

func (b *RightsBox) put(rows ...fyne.CanvasObject) {
	b.box.Objects = rows
	Visible(b.box, len(rows) > 0)
	b.box.Refresh()
	if b.OnShape != nil {
		b.OnShape()
	}
}

func (b *RightsBox) draw() {
	t, v := b.env.T, b.view
	look := widgets.Strong()
	if v.Tone != widgets.ToneNeutral {
		look = look.In(v.Tone.Text())
	}
	rows := []fyne.CanvasObject{widgets.NewText(v.Title, look), widgets.NewText(v.Text, widgets.Body())}
	for _, l := range v.Lists {
		rows = append(rows, widgets.NewText(l, widgets.Caption()))
	}
	if v.Fine {
		b.put(widgets.Column(widgets.Gap4, rows...))
		return
	}
	var buttons []fyne.CanvasObject
	if b.OnOwn != nil {
		buttons = append(buttons, widgets.NewButton(t(v.own()), b.OnOwn))
	}
	if v.Statements != "" && !b.shown && !v.Given {
		buttons = append(buttons, widgets.NewButton(t("rights.show"), func() { b.shown = true; b.draw() }))
	}
	if len(buttons) > 0 {
		rows = append(rows, widgets.Leading(buttons...))
	}
	if b.shown {
		rows = append(rows, b.statements()...)
	}
	b.put(widgets.NewCard(widgets.Column(widgets.Gap12, rows...)))
}

func (b *RightsBox) statements() []fyne.CanvasObject {
	t, text := b.env.T, b.view.Statements
	rows := []fyne.CanvasObject{widgets.Line(), widgets.NewText(t("rights.run"), widgets.Body())}
	if b.view.Restoring != "" {
		rows = append(rows, widgets.NewCheck(t("rights.restoring"), b.restoring, func(on bool) { b.restoring = on; b.draw() }))
	}
	if b.restoring {
		text += "\n" + b.view.Restoring
	}
	return append(rows, widgets.Code(text, t("copy"), t("copied")))
}

// Keys of the fields that every kind with users of its own has.
const (
	userKey     = "user"
	passwordKey = "password"
)

// ownUser asks for the administrator that makes Kvart a user of its own.
type ownUser struct {
	name, password *widgets.Entry
	make           *widgets.Button
	object         fyne.CanvasObject
}

// newOwnUser asks with the words of a key: those that are "rights.own", or what
// else an administrator is to do about the user.
func newOwnUser(env Env, key, name string, submit, cancel func()) *ownUser {
	o := &ownUser{}
	check := func(string) { o.make.SetEnabled(o.complete()) }
	o.name, o.password = widgets.NewEntry(name, check), widgets.NewPassword(check)
	o.make = widgets.NewPrimary(env.T(key+".make"), submit)
	o.make.SetEnabled(o.complete())
	field := func(key string, e *widgets.Entry) fyne.CanvasObject {
		return widgets.Column(widgets.Gap4, widgets.NewText(env.T(key), widgets.Strong()), e)
	}
	o.object = widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.NewText(env.T(key+".title"), widgets.Sub()),
		widgets.NewText(env.T(key+".text", map[string]any{"User": app.BackupUser}), widgets.Body()),
		widgets.Grid(widgets.Gap16, 240, 2, field("rights.own.name", o.name), field("rights.own.password", o.password)),
		widgets.NewText(env.T("rights.own.once"), widgets.Caption()),
		widgets.Leading(o.make, widgets.NewButton(env.T("confirm.no"), cancel)))).Emphasise()
	return o
}

func (o *ownUser) complete() bool { return strings.TrimSpace(o.name.Text) != "" }

// admin returns the administrator's name.
func (o *ownUser) admin() string { return strings.TrimSpace(o.name.Text) }

// secret returns the administrator's password, which may be none.
func (o *ownUser) secret() app.Secret { return app.NewSecret(o.password.Text) }

// withUsers reports whether a kind has users that Kvart can make.
func withUsers(k app.KindSpec) bool {
	return k.Users && slices.ContainsFunc(k.Fields, func(f app.Field) bool { return f.Key == userKey })
}
