package screen

import (
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// JobModel is a running job in words.
type JobModel struct {
	ID     app.JobID
	Step   string // what it is at
	Counts string // how much of how much
	Rate   string // how fast, and how long it still takes; "" when not known
	Trying string // why the storage is being asked again; "" when all goes well
	Share  float64
}

// ModelJob tells a job in words.
func ModelJob(w *assets.Words, j app.Job, now time.Time) JobModel {
	m := JobModel{ID: j.ID, Step: w.T("step." + string(j.Step))}
	if j.Source != "" {
		m.Step = w.T("job.step", assets.Args{"Step": m.Step, "Source": j.Source})
	}
	switch {
	case j.Bytes > 0:
		m.Share = float64(j.BytesDone) / float64(j.Bytes)
		m.Counts = w.N("job.files", j.ItemsDone, assets.Args{"Of": w.Number(j.Items), "Done": w.Bytes(j.BytesDone), "All": w.Bytes(j.Bytes)})
	case j.Items > 0:
		m.Share = float64(j.ItemsDone) / float64(j.Items)
		m.Counts = w.T("job.items", assets.Args{"Done": w.Number(j.ItemsDone), "All": w.Number(j.Items)})
	}
	m.Share = min(m.Share, 1)
	if j.Trying != nil {
		title, _, _ := assets.ErrorWords(w, j.Trying)
		m.Trying = w.T("job.trying", assets.Args{"Why": title})
	}
	spent := now.Sub(j.Started)
	if spent < 2*time.Second || j.BytesDone <= 0 || j.Bytes <= 0 {
		return m
	}
	rate := float64(j.BytesDone) / spent.Seconds()
	left := time.Duration(float64(max(j.Bytes-j.BytesDone, 0)) / rate * float64(time.Second))
	m.Rate = w.T("job.rate", assets.Args{"Rate": w.Bytes(int64(rate)), "Left": w.Stopwatch(left)})
	return m
}

// JobCard shows a running job, with a button that stops it.
type JobCard struct {
	*widgets.Card
	step, counts, rate *widgets.Text
	trying             *widgets.Text
	bar                *widgets.Progress
	cancel             *widgets.Button
	id                 app.JobID
}

// NewJobCard returns the card; stop is called with the job to stop.
func NewJobCard(env Env, stop func(app.JobID)) *JobCard {
	c := &JobCard{
		step: widgets.NewText("", widgets.Sub()), counts: widgets.NewText("", widgets.Caption()),
		rate: widgets.NewText("", widgets.Caption().Line()), bar: widgets.NewProgress(),
		trying: widgets.NewText("", widgets.Body().In(widgets.ToneWarn.Text())),
	}
	c.cancel = widgets.NewButton(env.T("job.cancel"), func() { c.cancel.Disable(); stop(c.id) })
	c.Card = widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap8,
		c.step, c.bar, widgets.Row(widgets.Gap16, nil, c.counts, c.rate), c.trying), c.cancel))
	return c
}

// Set shows how far the job is.
func (c *JobCard) Set(m JobModel) {
	if c.id != m.ID {
		c.id = m.ID
		c.cancel.Enable()
	}
	c.step.Set(m.Step)
	c.counts.Set(m.Counts)
	c.rate.Set(m.Rate)
	c.bar.Set(m.Share)
	c.trying.Set(m.Trying)
	Visible(c.trying, m.Trying != "")
}

// Object returns the card.
func (c *JobCard) Object() fyne.CanvasObject { return c.Card }
