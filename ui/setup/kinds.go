package setup

import (
	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// shop reports whether sources of a kind are on the internet: an online shop, or
// the web hotel it lies at. The others are on this computer or a server in the
// shop.
func shop(k app.KindSpec) bool {
	_, path := screen.PathField(k)
	return !path && !k.Users
}

// kinds offers what was not found: the online shop, and whatever else there is.
func (s *Screen) kinds() []fyne.CanvasObject {
	if s.flow.forms == nil {
		return nil
	}
	var shops, others []fyne.CanvasObject
	for _, k := range s.flow.forms.Sources {
		if shop(k) {
			shops = append(shops, s.kindCard(k))
		} else {
			others = append(others, s.kindCard(k))
		}
	}
	var out []fyne.CanvasObject
	for _, group := range []struct {
		key   string
		cards []fyne.CanvasObject
	}{{"setup.add.shop", shops}, {"setup.add", others}} {
		if len(group.cards) > 0 {
			out = append(out, widgets.NewText(s.env.T(group.key), widgets.Sub()), widgets.Grid(widgets.Gap12, 200, 5, group.cards...))
		}
	}
	return out
}

// kindCard is one kind of source, with a few words on what it takes.
func (s *Screen) kindCard(k app.KindSpec) fyne.CanvasObject {
	t := s.env.T
	key := string(k.Kind)
	title, how := t("source."+key), t("setup.how.form")
	if words := "setup.name." + key; s.env.Words.Has(words) {
		title = t(words)
	}
	add := func() { s.flow.describe(k, t("source."+key)); s.show() }
	if f, ok := screen.PathField(k); ok {
		how = t("setup.how." + string(f.Type))
		add = func() { s.addOwn(k, f) }
	}
	if words := "setup.how." + key; s.env.Words.Has(words) {
		how = t(words)
	}
	return widgets.NewChoice(title, widgets.Column(widgets.Gap4, widgets.NewText(title, widgets.Strong()), widgets.NewText(how, widgets.Caption())), add)
}

// minutes tells how long the rest takes somebody who has the passwords at hand,
// without the first backup, which needs nobody; 0 once that is all there is.
func (f *Flow) minutes() int64 {
	var n int64
	ahead := false
	for _, p := range f.pages() {
		ahead = ahead || p == f.page
		switch {
		case !ahead, p == pageFirst:
		case p == pageAsk:
			for _, q := range f.picks {
				if q.On && q.Asks && !q.Answered {
					n++
				}
			}
		default:
			n++
		}
	}
	return n
}
