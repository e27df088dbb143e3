// Package help is the screen that shows the owner's guide: its contents, and
// its pages one by one. It needs no guard.
package help

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// link is a page that can be opened.
type link struct{ Name, Title string }

// group is a part of the contents.
type group struct {
	Title string
	Pages []link
}

// model returns the contents; with a word, only the pages that hold it.
func model(w *assets.Words, word string) ([]group, error) {
	var out []group
	for _, g := range assets.PageGroups() {
		shown := group{Title: w.T("help.group." + g.Code)}
		for _, name := range g.Pages {
			p, err := assets.PageFor(w.Language(), name)
			if err != nil {
				return nil, err
			}
			if holds(p, word) {
				shown.Pages = append(shown.Pages, link{name, p.Title})
			}
		}
		if len(shown.Pages) > 0 {
			out = append(out, shown)
		}
	}
	return out, nil
}

// holds reports whether a page has a word in it.
func holds(p assets.Page, word string) bool {
	word = strings.ToLower(strings.TrimSpace(word))
	if strings.Contains(strings.ToLower(p.Title), word) {
		return true
	}
	for _, part := range p.Parts {
		if strings.Contains(strings.ToLower(part.Text()), word) {
			return true
		}
	}
	return false
}

// Screen is Help.
type Screen struct {
	env    screen.Env
	from   screen.Name // where it was opened
	page   string      // its name; "" for the contents
	object *container.Scroll
	body   *fyne.Container
	found  *fyne.Container // the contents, below the word that is looked for
	// trouble shows that the guide can't be read, which a test makes sure of.
	trouble *screen.Trouble
}

var _ screen.Screen = (*Screen)(nil)

// New returns Help, with the contents.
func New(env screen.Env) *Screen {
	s := &Screen{env: env, body: widgets.Column(widgets.Gap16), found: widgets.Column(widgets.Gap16), trouble: screen.NewTrouble(env)}
	s.object = widgets.Page(s.trouble.Object(), s.body)
	s.trouble.OnChanged = func() { widgets.Relayout(s.object) }
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen].
func (s *Screen) Open(p screen.Place) {
	s.from = p.From
	s.show(p.Page)
}

// Set implements [screen.Screen]: the guide is the same however the shop stands.
func (s *Screen) Set(app.Status) {}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	switch {
	case s.page != "":
		s.show("")
	case s.from != "":
		s.env.Show(screen.Place{Screen: s.from})
	default:
		return false
	}
	return true
}

// show shows a page, "" being the contents, from its top.
func (s *Screen) show(name string) {
	s.page = name
	var objects []fyne.CanvasObject
	var err error
	if name == "" {
		objects = s.contents()
		err = s.list("")
	} else {
		objects, err = s.read(name)
	}
	s.trouble.Show(err, nil)
	s.body.Objects = objects
	s.object.Offset = fyne.Position{}
	widgets.Relayout(s.object)
	s.object.ScrollToTop()
}

func (s *Screen) contents() []fyne.CanvasObject {
	t := s.env.T
	var head []fyne.CanvasObject
	if s.from != "" {
		head = append(head, widgets.Leading(widgets.NewQuiet(t("help.back"), func() { s.Back() })))
	}
	word := widgets.NewEntry("", func(v string) {
		s.trouble.Show(s.list(v), nil)
		widgets.Relayout(s.object)
	})
	word.SetPlaceHolder(t("help.search"))
	return append(head, widgets.Column(widgets.Gap8,
		widgets.NewText(t("help.title"), widgets.Heading()), widgets.NewText(t("help.text"), widgets.Muted())),
		widgets.Leading(widgets.Sized(320, 0, word)), s.found)
}

// list shows the pages that hold a word.
func (s *Screen) list(word string) error {
	groups, err := model(s.env.Words, word)
	s.found.RemoveAll()
	var cards []fyne.CanvasObject
	for _, g := range groups {
		rows := []fyne.CanvasObject{widgets.NewText(g.Title, widgets.Sub())}
		for _, l := range g.Pages {
			rows = append(rows, widgets.NewProse(widgets.Run{Text: l.Title, Tapped: func() { s.show(l.Name) }}))
		}
		cards = append(cards, widgets.NewCard(widgets.Column(widgets.Gap4, rows...)))
	}
	if len(cards) == 0 {
		cards = append(cards, widgets.NewText(s.env.T("help.search.none"), widgets.Muted()))
	}
	s.found.Add(widgets.Grid(widgets.Gap16, 300, 2, cards...))
	return err
}
