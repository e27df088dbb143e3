// Package prepare is what is done before it happens: whom to call, the page that
// says the shop will be back soon, lists on paper, drills; and what is left of
// the times it did happen.
package prepare

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// Contacts asks whom to call.
type Contacts struct {
	f       *screen.Frame
	list    []app.Contact
	stored  []app.Contact // as the guard has them
	known   bool
	saved   bool
	asked   int
	save    *widgets.Button
	savedAt *widgets.Text

	// OnBack leads away.
	OnBack func()
}

// NewContacts returns the page with nobody on it.
func NewContacts(f *screen.Frame) *Contacts { return &Contacts{f: f} }

// Set implements the page.
func (p *Contacts) Set(app.Status) {}

// Typed reports whether leaving the page would lose what was typed.
func (p *Contacts) Typed() bool { return p.known && !slices.Equal(filled(p.list), filled(p.stored)) }

// Begin reads who is stored.
func (p *Contacts) Begin() {
	p.known, p.saved = false, false
	p.asked++
	mine := p.asked
	p.f.Turn()
	p.f.Page.ScrollToTop()
	p.draw()
	p.f.Go(func(ctx context.Context) func() {
		list, err := p.f.Service.Contacts(ctx)
		return func() {
			if mine != p.asked {
				return
			}
			if err != nil {
				p.f.Trouble.Show(err, p.Begin)
				return
			}
			p.known, p.stored, p.list = true, list, withRoles(list)
			p.draw()
		}
	})
}

// Open shows the page as it was left.
func (p *Contacts) Open() { p.f.Turn(); p.draw() }

// Enter saves.
func (p *Contacts) Enter() {
	if p.Typed() {
		p.store()
	}
}

// Back leads away.
func (p *Contacts) Back() bool {
	p.OnBack()
	return true
}

// withRoles returns the list with a line for everybody that should be on it.
func withRoles(list []app.Contact) []app.Contact {
	var out []app.Contact
	for _, role := range assets.Roles() {
		found := false
		for _, c := range list {
			if c.Role == role {
				out, found = append(out, c), true
			}
		}
		if !found {
			out = append(out, app.Contact{Role: role})
		}
	}
	for _, c := range list {
		if !slices.Contains(assets.Roles(), c.Role) {
			out = append(out, c)
		}
	}
	return out
}

// filled leaves out the lines that tell nothing.
func filled(list []app.Contact) []app.Contact {
	var out []app.Contact
	for _, c := range list {
		c = app.Contact{Role: strings.TrimSpace(c.Role), Name: strings.TrimSpace(c.Name), Phone: strings.TrimSpace(c.Phone), Mail: strings.TrimSpace(c.Mail)}
		if c.Name+c.Phone+c.Mail != "" {
			out = append(out, c)
		}
	}
	return out
}

func (p *Contacts) store() {
	list := filled(p.list)
	p.f.Worker.Ask(func(ctx context.Context) error { return p.f.Service.SetContacts(ctx, list) }, func() {
		p.stored, p.saved = list, true
		p.check()
	}, p.store)
}

// check brings the button up to date with what was typed.
func (p *Contacts) check() {
	typed := p.Typed()
	p.save.SetEnabled(typed)
	screen.Visible(p.savedAt, p.saved && !typed)
	p.f.Relayout()
}

func (p *Contacts) draw() {
	t := p.f.T
	objects := []fyne.CanvasObject{p.f.Title(t("recover.contacts"), t("recover.contacts.text"))}
	p.save = widgets.NewPrimary(t("recover.contacts.save"), p.store)
	p.savedAt = widgets.NewText(t("recover.contacts.saved"), widgets.Body().In(widgets.ToneGood.Text()))
	for n := range p.list {
		if p.known {
			objects = append(objects, p.card(n))
		}
	}
	add := widgets.NewButton(t("recover.contacts.add"), func() {
		p.list = append(p.list, app.Contact{})
		p.draw()
	})
	add.SetEnabled(p.known)
	p.f.Put(append(objects, p.savedAt, widgets.Leading(p.save, add, widgets.NewButton(t("back"), p.OnBack)))...)
	p.check()
}

// card asks about one of them.
func (p *Contacts) card(n int) fyne.CanvasObject {
	c := &p.list[n]
	field := func(key string, v *string) fyne.CanvasObject {
		e := widgets.NewEntry(*v, func(s string) { *v = s; p.saved = false; p.check() })
		return widgets.Column(widgets.Gap4, widgets.NewText(p.f.T("recover.contacts."+key), widgets.Caption()), e)
	}
	fields := []fyne.CanvasObject{field("name", &c.Name), field("phone", &c.Phone), field("mail", &c.Mail)}
	if slices.Contains(assets.Roles(), c.Role) {
		return widgets.NewCard(widgets.Column(widgets.Gap8, widgets.NewText(assets.RoleWords(p.f.Words, c.Role), widgets.Strong()),
			widgets.Grid(widgets.Gap12, 180, 3, fields...)))
	}
	remove := widgets.NewButton(p.f.T("recover.contacts.remove"), func() {
		p.list = slices.Delete(p.list, n, n+1)
		p.saved = false
		p.draw()
	})
	return widgets.NewCard(widgets.Column(widgets.Gap8, widgets.Grid(widgets.Gap12, 150, 4, append([]fyne.CanvasObject{field("role", &c.Role)}, fields...)...), widgets.Leading(remove)))
}
