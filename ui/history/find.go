package history

import (
	"context"
	"strings"

	"kvart/app"
	"kvart/ui/widgets"
)

// toFind shows the search through all points.
func (s *Screen) toFind() {
	s.pane.stopAsking()
	s.st.turn(paneFind)
	s.show(&s.pane, nil, nil)
	s.draw()
	widgets.Focus(s.view.asked)
}

// backToFind shows what was found before one of it was opened.
func (s *Screen) backToFind() {
	s.pane.stopAsking()
	s.st.turn(paneFind)
	s.draw()
}

// look looks for a name in all points.
func (s *Screen) look() {
	text, source := strings.TrimSpace(s.view.asked.Text), s.st.Source
	if text == "" || s.pane.busy {
		return
	}
	s.st.Asked, s.st.Found = text, nil
	var found app.SearchResult
	s.load(&s.pane, func(ctx context.Context) (err error) {
		found, err = s.env.Service.Search(ctx, app.SearchRequest{Source: source, Text: text})
		return err
	}, func() { s.st.Found = &found }, s.look)
}

// openFound shows what was found, in the newest point that had it.
func (s *Screen) openFound(i int) {
	if s.st.Found == nil || i >= len(s.st.Found.Hits) {
		return
	}
	h := s.st.Found.Hits[i]
	asked, found := s.st.Asked, s.st.Found
	at := h.Path
	if h.Dir {
		at += "/"
	}
	s.goTo(h.Last.ID, at, func() { s.st.Asked, s.st.Found, s.st.From = asked, found, paneFind })
}
