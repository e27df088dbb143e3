package safety

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

func (s *Screen) loadDrills() {
	s.env.Go(func(ctx context.Context) func() {
		list, err := s.env.Service.Drills(ctx, "")
		return func() {
			if err != nil {
				s.trouble.Show(err, s.loadDrills)
				return
			}
			s.drills = list
			s.redraw()
		}
	})
}

func (s *Screen) startDrill(sources []string) {
	s.start(func(ctx context.Context) (app.JobID, error) { return s.env.Service.StartDrill(ctx, sources) })
}

// drillsCard shows what restoring on trial has shown, with a button each.
func (s *Screen) drillsCard() fyne.CanvasObject {
	t := s.env.T
	rows := screen.ModelDrills(s.env.Words, s.status, s.drills, s.env.Now())
	v := stand{Lines: []string{t("peaks.drills.text")}}
	if len(rows) == 0 {
		v.Lines = append(v.Lines, t("sources.none"))
	}
	c := s.card("recover.drills", v)
	for _, r := range rows {
		b := widgets.NewButton(t("recover.drills.one", assets.Args{"Source": r.Source}), func() { s.startDrill([]string{r.Source}) })
		b.SetEnabled(r.Can && s.vm.Job == nil)
		words := []fyne.CanvasObject{widgets.NewText(r.Source, widgets.Strong()), widgets.NewText(r.Last, widgets.Caption())}
		for _, note := range r.Notes {
			words = append(words, widgets.NewText(note, widgets.Caption()))
		}
		c.Add(widgets.Line())
		c.Add(widgets.Columns([]float32{56, 44}, widgets.Column(2, words...),
			widgets.Leading(widgets.Inset(0, besideButton, widgets.NewPill(r.State, r.Tone)), b)))
	}
	return widgets.NewCard(c)
}

// drillResult tells what came of a drill.
func drillResult(w *assets.Words, drills []app.DrillResult) []string {
	var out []string
	for _, d := range drills {
		key := "peaks.drill.good"
		if !d.OK {
			key = "peaks.drill.bad"
		}
		out = append(out, w.T(key, assets.Args{"Source": d.Source, "Time": w.Stopwatch(time.Duration(d.Seconds * float64(time.Second)))}))
	}
	return out
}
