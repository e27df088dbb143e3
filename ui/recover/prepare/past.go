package prepare

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/recover/checklist"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// pastRow is an incident that is over.
type pastRow struct{ Title, Text, Note string }

func modelPast(w *assets.Words, i app.Incident, now time.Time) pastRow {
	args := assets.Args{"When": w.When(i.Started, now), "Took": screen.Clock(w, time.Duration(i.Seconds*float64(time.Second)))}
	r := pastRow{Title: w.T("incident.playbook." + string(i.Playbook)), Text: w.T("recover.past.took", args), Note: i.Note}
	switch {
	case i.Rehearsal() && i.Back.IsZero():
		r.Text = w.T("recover.rehearsal.past.part", args)
	case i.Rehearsal():
		r.Text = w.T("recover.rehearsal.past", args)
	case i.Back.IsZero():
		r.Text = w.T("recover.past.closed", args)
	}
	return r
}

// Past lists the incidents that are over.
type Past struct {
	f     *screen.Frame
	list  []app.Incident
	known bool
	asked int
	told  string

	// OnBack leads away.
	OnBack func()
}

// NewPast returns the page without incidents.
func NewPast(f *screen.Frame) *Past { return &Past{f: f} }

// Set implements the page.
func (p *Past) Set(app.Status) {}

// Begin reads the incidents.
func (p *Past) Begin() {
	p.asked++
	mine := p.asked
	p.f.Turn()
	p.f.Page.ScrollToTop()
	p.draw()
	p.f.Go(func(ctx context.Context) func() {
		all, err := p.f.Service.Incidents(ctx)
		return func() {
			if mine != p.asked {
				return
			}
			if err != nil {
				p.f.Trouble.Show(err, p.Begin)
				return
			}
			p.known, p.list = true, nil
			for _, i := range all {
				if !i.Closed.IsZero() {
					p.list = append(p.list, i)
				}
			}
			p.draw()
		}
	})
}

// Open reads the incidents anew.
func (p *Past) Open() { p.told = ""; p.Begin() }

// Typed implements the page: nothing is typed on it.
func (p *Past) Typed() bool { return false }

// Enter does nothing: there is no primary button.
func (p *Past) Enter() {}

// Back leads away.
func (p *Past) Back() bool {
	p.OnBack()
	return true
}

func (p *Past) draw() {
	t := p.f.T
	objects := []fyne.CanvasObject{p.f.Title(t("recover.past"), t("recover.past.text"))}
	if p.known && len(p.list) == 0 {
		objects = append(objects, widgets.NewCard(widgets.NewText(t("recover.past.none"), widgets.Body())))
	}
	for _, i := range p.list {
		r := modelPast(p.f.Words, i, p.f.Now())
		rows := []fyne.CanvasObject{widgets.NewText(r.Title, widgets.Strong()), widgets.NewText(r.Text, widgets.Caption())}
		if r.Note != "" {
			rows = append(rows, widgets.NewText(r.Note, widgets.Body()))
		}
		save := func(format app.ReportFormat) func() {
			return func() {
				checklist.SaveReport(p.f, i, format, func(path string) {
					p.told = t("recover.report.saved", map[string]any{"Path": path})
					p.draw()
				})
			}
		}
		rows = append(rows, widgets.Inset(0, 4, widgets.Leading(
			widgets.NewButton(t("recover.report.pdf"), save(app.ReportPDF)), widgets.NewButton(t("recover.report.md"), save(app.ReportMarkdown)))))
		objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap4, rows...)))
	}
	if p.told != "" {
		objects = append(objects, widgets.NewText(p.told, widgets.Body().In(widgets.ToneGood.Text())))
	}
	p.f.Put(append(objects, widgets.Leading(widgets.NewButton(t("back"), p.OnBack)))...)
}

// Papers offers every playbook as a list to be ticked with a pen.
type Papers struct {
	f *screen.Frame

	// OnBack leads away.
	OnBack func()
}

// NewPapers returns the page.
func NewPapers(f *screen.Frame) *Papers { return &Papers{f: f} }

// Set implements the page.
func (p *Papers) Set(app.Status) {}

// Open shows the page.
func (p *Papers) Open() { p.Begin() }

// Typed implements the page: nothing is typed on it.
func (p *Papers) Typed() bool { return false }

// Enter does nothing: there is no primary button.
func (p *Papers) Enter() {}

// Back leads away.
func (p *Papers) Back() bool {
	p.OnBack()
	return true
}

// Begin shows the page.
func (p *Papers) Begin() {
	t := p.f.T
	p.f.Turn()
	p.f.Page.ScrollToTop()
	objects := []fyne.CanvasObject{p.f.Title(t("recover.papers"), t("recover.papers.text"))}
	for _, code := range app.PlaybookCodes() {
		name := t("incident.playbook." + string(code))
		objects = append(objects, widgets.NewCard(widgets.Row(widgets.Gap24, nil,
			widgets.Column(widgets.Gap4, widgets.NewText(name, widgets.Strong()), widgets.NewText(t("incident.playbook."+string(code)+".text"), widgets.Caption())),
			widgets.NewButton(t("recover.print"), func() { checklist.SaveSheet(p.f, code) }))))
	}
	p.f.Put(append(objects, widgets.Leading(widgets.NewButton(t("back"), p.OnBack)))...)
}
