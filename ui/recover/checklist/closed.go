package checklist

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// closedView is what is left of an incident that is over.
type closedView struct{ Title, Text, Deadline string }

func modelClosed(w *assets.Words, i app.Incident, now time.Time) closedView {
	key := "recover.closed"
	if i.Rehearsal() {
		key = "recover.rehearsal.closed"
	}
	v := closedView{Title: w.T(key + ".title")}
	args := assets.Args{"Playbook": w.T("incident.playbook." + string(i.Playbook)), "Took": screen.Clock(w, seconds(i.Seconds)), "When": w.When(i.Closed, now)}
	v.Text = w.T(key+".text", args)
	if i.Back.IsZero() {
		v.Text = w.T(key+".not_back", args)
	}
	if d := i.Deadline; d != nil && d.Met.IsZero() {
		v.Deadline, _, _ = deadline(w, *d, now)
	}
	return v
}

func (p *Page) drawClosed() {
	v := modelClosed(p.f.Words, p.facts.Incident, p.f.Now())
	objects := []fyne.CanvasObject{p.f.Title(v.Title, v.Text)}
	if v.Deadline != "" {
		objects = append(objects, widgets.NewCard(widgets.NewText(v.Deadline, widgets.Strong().In(widgets.ToneWarn.Text()))))
	}
	if p.saved != "" {
		objects = append(objects, widgets.NewText(p.f.T("recover.report.saved", map[string]any{"Path": p.saved}), widgets.Caption()))
	}
	leave := widgets.NewPrimary(p.f.T("recover.done.button"), p.OnLeave)
	p.f.Put(append(objects, widgets.Leading(append([]fyne.CanvasObject{leave}, p.reportButtons()...)...))...)
}

func (p *Page) reportButtons() []fyne.CanvasObject {
	return []fyne.CanvasObject{
		widgets.NewButton(p.f.T("recover.report.pdf"), func() { p.report(app.ReportPDF) }),
		widgets.NewButton(p.f.T("recover.report.md"), func() { p.report(app.ReportMarkdown) }),
	}
}

// report saves the report where the owner says.
func (p *Page) report(format app.ReportFormat) {
	SaveReport(p.f, p.facts.Incident, format, func(path string) {
		p.saved = path
		if p.closed() {
			p.drawClosed()
		}
	})
}

// SaveReport saves an incident's report where the owner says, and shows it.
func SaveReport(f *screen.Frame, i app.Incident, format app.ReportFormat, done func(path string)) {
	name := f.T("recover.report.file", map[string]any{"Day": i.Started.Local().Format(time.DateOnly), "Ending": string(format)})
	screen.SavePaper(f, name, func(ctx context.Context) ([]byte, error) {
		return f.Service.IncidentReport(ctx, app.ReportRequest{Incident: i.ID, Format: format})
	}, done)
}

// print saves the playbook as a list to be ticked with a pen.
func (p *Page) print() { SaveSheet(p.f, p.facts.Incident.Playbook) }

// SaveSheet saves a playbook as a list to be ticked with a pen, and shows it.
func SaveSheet(f *screen.Frame, code app.PlaybookCode) {
	name := f.T("recover.sheet.file", map[string]any{"Playbook": f.T("incident.playbook." + string(code))})
	screen.SavePaper(f, name, func(ctx context.Context) ([]byte, error) {
		return f.Service.PlaybookPaper(ctx, app.PaperRequest{Playbook: code, Format: app.ReportPDF})
	}, func(string) {})
}
