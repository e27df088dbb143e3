package recovery

import (
	"context"
	"strings"

	"kvart/app"
	"kvart/assets"
)

// Capacity returns the report of a capacity rehearsal, for the host. The
// visitors called themselves agent.
func (e *Engine) Capacity(ctx context.Context, r app.CapacityResult, agent, language string) (app.Paper, error) {
	f, err := e.host.ShopFacts(ctx)
	if err != nil {
		return app.Paper{}, err
	}
	w, err := words(language, f)
	if err != nil {
		return app.Paper{}, err
	}
	c := capacity{w, r}
	title := w.T("capacity.title")
	return app.Paper{
		Title: title, Under: strings.Trim(f.Shop+", "+w.T("capacity.under", assets.Args{"Where": r.URL, "When": moment(w, r.Started)}), ", "),
		Made: e.host.Now(), Foot: title, Page: w.T("capacity.page", assets.Args{"Page": "{page}", "Count": "{count}"}),
		Parts: []app.PaperPart{
			c.result(), c.steps(),
			{Heading: w.T("capacity.how"), Texts: []string{w.T("capacity.how.text", assets.Args{"Where": r.URL}), w.T("capacity.how.agent", assets.Args{"Agent": agent})}},
			{Heading: w.T("capacity.ask"), Texts: []string{w.T("capacity.ask.text")}},
		},
	}, nil
}

// capacity is one rehearsal, about to be written down.
type capacity struct {
	w *assets.Words
	r app.CapacityResult
}

func (c capacity) result() app.PaperPart {
	p := app.PaperPart{Heading: c.w.T("capacity.result")}
	switch {
	case c.r.End == app.CapacityEndErrors && len(c.r.Steps) > 0:
		p.Texts = append(p.Texts, c.w.N("capacity.errors", int64(c.r.Steps[len(c.r.Steps)-1].Visitors)))
		if c.r.Stood > 0 {
			p.Texts = append(p.Texts, c.w.N("capacity.stood", int64(c.r.Stood)))
		}
	case c.r.Slow > 0:
		p.Texts = append(p.Texts, c.w.N("capacity.slow", int64(c.r.Slow)))
		if c.r.Stood > 0 {
			p.Texts = append(p.Texts, c.w.N("capacity.stood", int64(c.r.Stood)))
		}
	case c.r.Stood > 0:
		p.Texts = append(p.Texts, c.w.N("capacity.not_reached", int64(c.r.Stood)))
	default:
		p.Texts = append(p.Texts, c.w.T("capacity.told_nothing"))
	}
	p.Rows = []app.PaperRow{
		{Left: c.w.T("capacity.ended"), Right: c.w.T("capacity.end." + string(c.r.End)), Bad: c.r.Slow > 0 || c.r.End == app.CapacityEndErrors},
		{Left: c.w.T("capacity.bounds"), Right: c.w.N("capacity.visitors", int64(c.r.Ceiling))},
		{Left: c.w.T("capacity.lasted"), Right: c.w.Stopwatch(c.r.Ended.Sub(c.r.Started))},
	}
	return p
}

func (c capacity) steps() app.PaperPart {
	p := app.PaperPart{Heading: c.w.T("capacity.steps")}
	for _, s := range c.r.Steps {
		p.Rows = append(p.Rows, app.PaperRow{
			Left:  c.w.N("capacity.visitors", int64(s.Visitors)),
			Right: c.w.T("capacity.times", assets.Args{"Median": c.w.Number(s.Median), "P95": c.w.Number(s.P95)}),
			More:  []string{c.w.N("capacity.step", int64(s.Asked), assets.Args{"Errors": c.w.Number(int64(s.Errors))})},
			Bad:   s.P95 > app.CapacitySlow.Milliseconds() || s.Errors > 0,
		})
	}
	if len(p.Rows) == 0 {
		p.Texts = []string{c.w.T("capacity.told_nothing")}
	}
	return p
}
