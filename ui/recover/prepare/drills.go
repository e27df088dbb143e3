package prepare

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// shownDrills is how many of a source's drills are shown.
const shownDrills = 5

// drillRow is one source and what its drills have shown.
type drillRow struct {
	Source      string
	State       string
	Tone        widgets.Tone
	Last, Trend string
	Times       string
	Can         bool // there is something to restore
}

// modelDrills tells what was proven, source by source.
func modelDrills(w *assets.Words, st app.Status, drills []app.DrillResult, now time.Time) []drillRow {
	var out []drillRow
	for _, s := range st.Sources {
		r := drillRow{Source: s.Source.Name, Can: s.Point != nil}
		r.State, r.Tone = screen.ProofOf(w, s.Proof)
		var mine []app.DrillResult
		for _, d := range drills {
			if d.Source == s.Source.Name || d.Source == string(s.Source.ID) {
				mine = append(mine, d)
			}
		}
		r.Last = w.T("recover.drills.never")
		if len(mine) > 0 {
			d := mine[0]
			args := assets.Args{"When": w.When(d.At, now), "Time": w.Stopwatch(span(d)), "Why": ""}
			r.Last = w.T("recover.drills.good", args)
			if !d.OK {
				title, _, _ := assets.ErrorWords(w, drillError(d))
				args["Why"] = title
				r.Last = w.T("recover.drills.bad", args)
			}
		}
		r.Trend, r.Times = trend(w, mine)
		out = append(out, r)
	}
	return out
}

func drillError(d app.DrillResult) *app.Error {
	if d.Error != nil {
		return d.Error
	}
	return app.Errorf(app.CodeCheckFailed, "drill", "not as it was").With("source", d.Source)
}

func span(d app.DrillResult) time.Duration {
	return time.Duration(d.Seconds * float64(time.Second))
}

// trend compares the newest drill that passed with the one before it, and lists
// how long the last ones took, newest first.
func trend(w *assets.Words, drills []app.DrillResult) (words, times string) {
	var good []app.DrillResult
	var list []string
	for n, d := range drills {
		if d.OK {
			good = append(good, d)
		}
		if n < shownDrills {
			t := w.Stopwatch(span(d))
			if !d.OK {
				t = w.T("recover.drills.failed")
			}
			list = append(list, t)
		}
	}
	if len(list) > 1 {
		times = w.T("recover.drills.times", assets.Args{"Times": strings.Join(list, " · ")})
	}
	if len(good) < 2 {
		return "", times
	}
	by := span(good[0]) - span(good[1])
	args := assets.Args{"By": w.Stopwatch(by.Abs())}
	switch {
	case by.Abs() < max(time.Second, span(good[1])/10):
		return w.T("recover.drills.same"), times
	case by > 0:
		return w.T("recover.drills.slower", args), times
	}
	return w.T("recover.drills.faster", args), times
}

// Drills shows what was proven, and when.
type Drills struct {
	f      *screen.Frame
	status app.Status
	list   []app.DrillResult
	known  bool
	asked  int

	// OnDrill starts a drill of the named sources, or of all.
	OnDrill func(sources []string)
	// OnBack leads away.
	OnBack func()
}

// NewDrills returns the page without drills.
func NewDrills(f *screen.Frame) *Drills { return &Drills{f: f} }

// Set takes in how things stand.
func (p *Drills) Set(st app.Status) { p.status = st }

// Begin reads the drills.
func (p *Drills) Begin() {
	p.asked++
	mine := p.asked
	p.f.Turn()
	p.f.Page.ScrollToTop()
	p.draw()
	p.f.Go(func(ctx context.Context) func() {
		list, err := p.f.Service.Drills(ctx, "")
		return func() {
			if mine != p.asked {
				return
			}
			if err != nil {
				p.f.Trouble.Show(err, p.Begin)
				return
			}
			p.known, p.list = true, list
			p.draw()
		}
	})
}

// Open reads the drills anew.
func (p *Drills) Open() { p.Begin() }

// Typed implements the page: nothing is typed on it.
func (p *Drills) Typed() bool { return false }

// Enter runs a drill of everything.
func (p *Drills) Enter() {
	for _, s := range p.status.Sources {
		if s.Point != nil {
			p.OnDrill(nil)
			return
		}
	}
}

// Back leads away.
func (p *Drills) Back() bool {
	p.OnBack()
	return true
}

func (p *Drills) draw() {
	t := p.f.T
	objects := []fyne.CanvasObject{p.f.Title(t("recover.drills"), t("recover.drills.text"))}
	can := false
	if p.known {
		for _, r := range modelDrills(p.f.Words, p.status, p.list, p.f.Now()) {
			can = can || r.Can
			objects = append(objects, p.card(r))
		}
	}
	run := widgets.NewPrimary(t("recover.drill.button"), func() { p.OnDrill(nil) })
	run.SetEnabled(can)
	p.f.Put(append(objects, widgets.Leading(run, widgets.NewButton(t("back"), p.OnBack)))...)
}

func (p *Drills) card(r drillRow) fyne.CanvasObject {
	rows := []fyne.CanvasObject{
		widgets.Row(widgets.Gap12, nil, widgets.NewText(r.Source, widgets.Strong()), widgets.NewPill(r.State, r.Tone)),
		widgets.NewText(r.Last, widgets.Body()),
	}
	for _, words := range []string{r.Trend, r.Times} {
		if words != "" {
			rows = append(rows, widgets.NewText(words, widgets.Caption()))
		}
	}
	one := widgets.NewButton(p.f.T("recover.drills.one", map[string]any{"Source": r.Source}), func() { p.OnDrill([]string{r.Source}) })
	one.SetEnabled(r.Can)
	return widgets.NewCard(widgets.Column(widgets.Gap4, append(rows, widgets.Inset(0, 4, widgets.Leading(one)))...))
}
