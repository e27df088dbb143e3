// Package sources is the screen that shows what is protected, and lets the
// owner add to it and take away.
package sources

import (
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// mostProblems is how many files a card lists.
const mostProblems = 5

// card is one source.
type card struct {
	Name, Kind, Where string
	State             string
	Tone              widgets.Tone
	Facts             []screen.Fact
	Problem           *screen.Problem
	Secret            bool     // its secrets have to be entered again
	Files             []string // that could not be read as they should
	More              string
}

type viewModel struct {
	CanAdd bool
	Past   bool // shown as it was: nothing can be changed
	Text   string
	Cards  []card
}

func model(w *assets.Words, s app.Status, now time.Time) viewModel {
	v := viewModel{CanAdd: s.Vault != nil, Text: w.T("sources.text")}
	switch {
	case s.Vault != nil && !s.Vault.AsOf.IsZero():
		v.CanAdd, v.Past, v.Text = false, true, w.T("sources.past")
	case s.Vault == nil:
		v.Text = w.T("sources.novault")
	case len(s.Sources) == 0:
		v.Text = w.T("sources.none")
	}
	for _, src := range s.Sources {
		c := cardOf(w, src, now)
		if s.Vault != nil && !s.Vault.AsOf.IsZero() {
			c.State, c.Tone = screen.PastStateOf(w, src)
		}
		v.Cards = append(v.Cards, c)
	}
	return v
}

func cardOf(w *assets.Words, s app.SourceStatus, now time.Time) card {
	c := card{Name: s.Source.Name, Kind: w.T("source." + string(s.Source.Kind)), Where: screen.PlaceOf(w, s.Source.Settings)}
	c.State, c.Tone = screen.StateOf(w, s)
	c.Secret = screen.NeedsSecret(s)
	last, size, restore := w.T("none"), w.T("none"), w.T("none")
	if s.Point != nil {
		last = w.When(s.Point.Time, now)
		size = w.N("sources.size", s.Point.Files, assets.Args{"Bytes": w.Bytes(s.Point.Bytes)})
	}
	if s.RestoreSeconds > 0 {
		restore = w.Stopwatch(time.Duration(s.RestoreSeconds * float64(time.Second)))
	}
	c.Facts = []screen.Fact{
		{Title: w.T("sources.last"), Value: last},
		{Title: w.T("sources.content"), Value: size},
		{Title: w.T("sources.back"), Value: restore},
	}
	if s.Error != nil {
		p := screen.Explain(w, s.Error, "")
		c.Problem = &p
	}
	for i, p := range s.Problems {
		if i == mostProblems {
			c.More = w.N("sources.more", int64(len(s.Problems)-i))
			break
		}
		title, _, _ := assets.ErrorWords(w, &app.Error{Code: p.Code})
		c.Files = append(c.Files, w.T("sources.file", assets.Args{"Path": p.Path, "Why": title}))
	}
	return c
}
