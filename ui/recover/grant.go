package recover

import (
	"slices"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// grants reports whether the user of a source can be given the right to put
// things back. Where it was given and is not enough, what to run is told
// instead.
func (s *Screen) grants(source string) bool {
	i := slices.IndexFunc(s.status.Sources, func(src app.SourceStatus) bool { return src.Source.Name == source })
	return i >= 0 && s.given != source && slices.ContainsFunc(s.kinds, func(k app.KindSpec) bool {
		return k.Kind == s.status.Sources[i].Source.Kind && k.Users
	})
}

// openGrant asks for the administrator that gives a source's user the right.
func (s *Screen) openGrant(source string) {
	s.granting = source
	s.grant = screen.NewGrant(s.env, s.worker.Ask, source, func() {
		s.given = source
		s.ask(s.request) // which plans again
	}, s.closeGrant)
	s.redraw()
	widgets.ScrollTo(s.object, s.grant.Object())
	s.grant.Focus()
}

func (s *Screen) closeGrant() {
	s.grant = nil
	s.redraw()
}

// givenCard reminds of the right that is still there.
func (s *Screen) givenCard() fyne.CanvasObject {
	source := s.given
	return widgets.NewCard(widgets.Row(widgets.Gap24, nil,
		widgets.NewText(s.env.T("rights.give.after", map[string]any{"Source": source}), widgets.Body()),
		widgets.NewButton(s.env.T("rights.take"), func() { s.env.Show(screen.Place{Screen: screen.Sources, Source: source, Change: true}) })))
}
