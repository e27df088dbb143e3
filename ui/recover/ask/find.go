package ask

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// Find looks for what is missing by its name.
type Find struct {
	f      *screen.Frame
	status app.Status
	source string
	text   string
	asked  int
	busy   bool
	result *app.SearchResult
	of     string // the source that the result is of
	err    error
	opened int // the hit that is folded out; -1 for none

	// OnPlan is called to bring just that back.
	OnPlan func(app.RestoreRequest)
	// OnGuide is called to be led through it, as far as is known.
	OnGuide func(app.Choice)
	// OnBack leads away.
	OnBack func()
}

// NewFind returns the page with nothing looked for.
func NewFind(f *screen.Frame) *Find { return &Find{f: f, opened: -1} }

// Set takes in how things stand. The choice among sources is drawn anew once
// there are others.
func (p *Find) Set(st app.Status) {
	was := p.names()
	p.status = st
	if p.source != "" && !slices.Equal(was, p.names()) {
		p.draw()
	}
}

func (p *Find) names() (names []string) {
	for _, s := range p.status.Sources {
		names = append(names, s.Source.Name)
	}
	return names
}

// Begin starts anew.
func (p *Find) Begin() {
	p.asked++
	p.source, p.text, p.busy, p.result, p.err, p.opened = "", "", false, nil, nil, -1
	if len(p.status.Sources) > 0 {
		p.source = p.status.Sources[0].Source.Name
	}
	p.f.Turn()
	p.f.Page.ScrollToTop()
	p.draw()
}

// Typed implements the page: what was looked for is soon typed again.
func (p *Find) Typed() bool { return false }

// Open shows the page as it was left.
func (p *Find) Open() { p.f.Turn(); p.draw() }

// Enter looks.
func (p *Find) Enter() { p.look() }

// Back leads away.
func (p *Find) Back() bool {
	p.OnBack()
	return true
}

func (p *Find) look() {
	text := strings.TrimSpace(p.text)
	if text == "" || p.source == "" || p.busy {
		return
	}
	p.asked++
	p.busy, p.result, p.err, p.opened = true, nil, nil, -1
	mine, r := p.asked, app.SearchRequest{Source: p.source, Text: text}
	p.draw()
	p.f.Go(func(ctx context.Context) func() {
		res, err := p.f.Service.Search(ctx, r)
		return func() {
			if mine != p.asked {
				return
			}
			p.busy, p.err, p.of = false, err, r.Source
			if err == nil {
				p.result = &res
			}
			p.draw()
		}
	})
}

func (p *Find) draw() {
	t := p.f.T
	objects := []fyne.CanvasObject{p.f.Title(t("recover.find.title"), t("recover.find.text"))}
	if len(p.status.Sources) == 0 {
		objects = append(objects, widgets.NewCard(widgets.NewText(t("recover.nothing"), widgets.Body())))
	} else {
		objects = append(objects, p.form())
		objects = append(objects, p.results()...)
	}
	p.f.Put(append(objects, widgets.Leading(
		widgets.NewButton(t("recover.find.guide"), func() { p.OnGuide(app.Choice{}) }),
		widgets.NewButton(t("recover.find.history"), func() { p.f.Show(screen.Place{Screen: screen.History, Source: p.source}) }),
		widgets.NewButton(t("back"), p.OnBack)))...)
}

func (p *Find) form() fyne.CanvasObject {
	t := p.f.T
	names := p.names()
	at := slices.Index(names, p.source)
	if at < 0 { // it was removed, or has another name now
		at, p.source = 0, names[0]
	}
	look := widgets.NewPrimary(t("recover.find.button"), p.look)
	look.SetEnabled(strings.TrimSpace(p.text) != "" && !p.busy)
	text := widgets.NewEntry(p.text, func(v string) {
		p.text = v
		look.SetEnabled(strings.TrimSpace(v) != "" && !p.busy)
	})
	text.SetPlaceHolder(t("recover.find.hint"))
	source := widgets.NewSelect(names, at, func(i int) {
		if i >= 0 && names[i] != p.source {
			p.source = names[i]
		}
	})
	return widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.NewText(t("recover.find.name"), widgets.Strong()),
		widgets.Row(widgets.Gap12, []fyne.CanvasObject{widgets.Sized(200, 0, source)}, text, look)))
}

func (p *Find) results() []fyne.CanvasObject {
	t := p.f.T
	switch {
	case p.busy:
		return []fyne.CanvasObject{widgets.NewCard(widgets.NewText(t("recover.find.busy"), widgets.Muted()))}
	case p.err != nil:
		return []fyne.CanvasObject{screen.ProblemCard(screen.Explain(p.f.Words, p.err, "").Retry(p.f.Words), p.look)}
	case p.result == nil:
		return nil
	}
	rows := []fyne.CanvasObject{widgets.NewText(p.f.Words.N("recover.find.found", int64(len(p.result.Hits))), widgets.Sub())}
	for n, h := range p.result.Hits {
		rows = append(rows, widgets.Line(), p.hit(n, h))
		if n == p.opened {
			rows = append(rows, p.unfolded(h))
		}
	}
	if !p.result.All {
		rows = append(rows, widgets.NewText(t("recover.find.part", map[string]any{
			"Looked": p.f.Words.Number(int64(p.result.Looked)), "Of": p.f.Words.Number(int64(p.result.Points)),
		}), widgets.Caption()))
	}
	return []fyne.CanvasObject{widgets.NewCard(widgets.Column(widgets.Gap8, rows...))}
}

func (p *Find) hit(n int, h app.SearchHit) fyne.CanvasObject {
	r := modelHit(p.f.Words, h, p.f.Now())
	words := []fyne.CanvasObject{widgets.NewText(r.Title, widgets.Strong())}
	if r.Under != "" {
		words = append(words, widgets.NewText(r.Under, widgets.Caption()))
	}
	look := widgets.Caption()
	if r.Gone {
		look = look.In(widgets.ToneWarn.Text())
	}
	words = append(words, widgets.NewText(r.Seen, look))
	return widgets.NewFold(r.Title, widgets.Column(2, words...), func() { p.turn(n) })
}

// turn folds a hit out, or in.
func (p *Find) turn(n int) {
	if p.opened == n {
		n = -1
	}
	p.opened = n
	p.draw()
}

// unfolded is what can be done about a hit.
func (p *Find) unfolded(h app.SearchHit) fyne.CanvasObject {
	t, source := p.f.T, p.of // another may be chosen by now
	c := app.Choice{Sources: []string{source}, Paths: []string{h.Path}, Point: h.Last.ID}
	return widgets.Inset(8, 0, widgets.Leading(
		widgets.NewPrimary(t("recover.find.back"), func() {
			p.OnPlan(app.RestoreRequest{Sources: c.Sources, Paths: c.Paths, Point: c.Point})
		}),
		widgets.NewButton(t("recover.find.led"), func() { p.OnGuide(c) }),
		widgets.NewButton(t("recover.find.look"), func() {
			at := h.Path
			if h.Dir {
				at += "/"
			}
			p.f.Show(screen.Place{Screen: screen.History, Source: source, Point: h.Last.ID, Paths: []string{at}})
		})))
}
