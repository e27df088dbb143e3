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

// drillRow is one source, and what drills have shown of its backups.
type drillRow struct {
	Source, Text string
	Pill         string
	Tone         widgets.Tone
	Can          bool // there is something to restore
}

// modelDrills tells what was proven, source by source.
func modelDrills(w *assets.Words, st app.Status, drills []app.DrillResult, now time.Time) []drillRow {
	var out []drillRow
	for _, src := range st.Sources {
		r := drillRow{Source: src.Source.Name, Text: w.T("recover.drills.never"), Can: src.Point != nil}
		r.Pill, r.Tone = screen.ProofOf(w, src.Proof)
		for _, d := range drills { // the newest first
			if d.Source != src.Source.Name && d.Source != string(src.Source.ID) {
				continue
			}
			args := assets.Args{"When": w.When(d.At, now), "Time": w.Stopwatch(time.Duration(d.Seconds * float64(time.Second))), "Why": ""}
			if d.OK {
				r.Text = w.T("recover.drills.good", args)
				break
			}
			e := d.Error
			if e == nil {
				e = (&app.Error{Code: app.CodeCheckFailed}).With("source", src.Source.Name)
			}
			args["Why"], _, _ = assets.ErrorWords(w, e)
			r.Text = w.T("recover.drills.bad", args)
			break
		}
		out = append(out, r)
	}
	return out
}

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
	rows := modelDrills(s.env.Words, s.status, s.drills, s.env.Now())
	v := stand{Lines: []string{t("peaks.drills.text")}}
	if len(rows) == 0 {
		v.Lines = append(v.Lines, t("sources.none"))
	}
	c := s.card("recover.drills", v)
	for _, r := range rows {
		b := widgets.NewButton(t("recover.drills.one", assets.Args{"Source": r.Source}), func() { s.startDrill([]string{r.Source}) })
		b.SetEnabled(r.Can && s.vm.Job == nil)
		c.Add(widgets.Line())
		c.Add(widgets.Columns([]float32{56, 44}, widgets.Column(2, widgets.NewText(r.Source, widgets.Strong()), widgets.NewText(r.Text, widgets.Caption())),
			widgets.Leading(widgets.Inset(0, besideButton, widgets.NewPill(r.Pill, r.Tone)), b)))
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
