package prepare

import (
	"context"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

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
		for _, r := range screen.ModelDrills(p.f.Words, p.status, p.list, p.f.Now()) {
			can = can || r.Can
			objects = append(objects, p.card(r))
		}
	}
	run := widgets.NewPrimary(t("recover.drill.button"), func() { p.OnDrill(nil) })
	run.SetEnabled(can)
	p.f.Put(append(objects, widgets.Leading(run, widgets.NewButton(t("back"), p.OnBack)))...)
}

func (p *Drills) card(r screen.DrillRow) fyne.CanvasObject {
	rows := []fyne.CanvasObject{
		widgets.Row(widgets.Gap12, nil, widgets.NewText(r.Source, widgets.Strong()), widgets.NewPill(r.State, r.Tone)),
		widgets.NewText(r.Last, widgets.Body()),
	}
	for _, note := range r.Notes {
		rows = append(rows, widgets.NewText(note, widgets.Body()))
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
