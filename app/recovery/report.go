package recovery

import (
	"context"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

// Report returns the report of an incident, to be laid out or written as
// Markdown: of the one named, else of the open one, else of the newest.
func (e *Engine) Report(ctx context.Context, id app.IncidentID, language string) (app.Paper, error) {
	i, err := e.find(ctx, id)
	if err != nil {
		return app.Paper{}, err
	}
	f, err := e.host.ShopFacts(ctx)
	if err != nil {
		return app.Paper{}, err
	}
	w, err := words(language, f)
	if err != nil {
		return app.Paper{}, err
	}
	r := report{w: w, i: i, f: f, now: e.host.Now()}
	for _, rec := range f.Restores {
		if strings.HasPrefix(rec.For, string(i.ID)+"/") || rec.ID == i.Restore && i.Restore != "" {
			r.restores = append(r.restores, rec)
		}
	}
	slices.Reverse(r.restores) // as they happened
	return r.paper(), nil
}

func (e *Engine) find(ctx context.Context, id app.IncidentID) (app.Incident, error) {
	if id == "" {
		if i, err := e.Current(ctx); err == nil {
			return i, nil
		}
	}
	all, err := e.host.Incidents(ctx)
	if err != nil {
		return app.Incident{}, err
	}
	for _, i := range all {
		if id == "" || i.ID == id {
			return i, nil
		}
	}
	return app.Incident{}, app.Errorf(app.CodeIncidentNone, "find incident", "no incident %q among %d", id, len(all))
}

// report is one incident, about to be written down.
type report struct {
	w        *assets.Words
	i        app.Incident
	f        app.ShopFacts
	restores []app.RestoreRecord
	now      time.Time
}

func (r report) t(key string, args ...assets.Args) string {
	return r.w.T("incident.report."+key, args...)
}

func (r report) paper() app.Paper {
	playbook := r.w.T("incident.playbook." + string(r.i.Playbook))
	p := app.Paper{
		Title: r.t("title", assets.Args{"Playbook": playbook}), Under: strings.Trim(r.f.Shop+", "+moment(r.w, r.i.Started), ", "),
		Made: r.now, Foot: r.t("title", assets.Args{"Playbook": playbook}),
		Page: r.t("page", assets.Args{"Page": "{page}", "Count": "{count}"}),
	}
	p.Parts = append(p.Parts, app.PaperPart{Heading: playbook, Rows: r.summary()})
	if r.i.Note != "" {
		p.Parts = append(p.Parts, app.PaperPart{Heading: r.t("note"), Texts: []string{r.i.Note}})
	}
	p.Parts = append(p.Parts, r.restored())
	if rows := r.facts("rows", "newest_order"); len(rows) > 0 {
		p.Parts = append(p.Parts, app.PaperPart{Heading: r.t("counts"), Texts: rows})
	}
	p.Parts = append(
		p.Parts, r.gap(), r.steps(), r.timeline(),
		app.PaperPart{Heading: r.t("improve"), Texts: r.improve()},
		app.PaperPart{Heading: app.Name, Texts: []string{r.t("honest")}},
	)
	if noted := r.noted(); len(noted) > 0 {
		p.Parts = append(p.Parts, app.PaperPart{Heading: r.w.T("checks.help"), Texts: append([]string{r.w.T("checks.help.text")}, noted...)})
	}
	return p
}

func (r report) summary() []app.PaperRow {
	or := func(t time.Time, key string) string {
		if t.IsZero() {
			return r.t(key)
		}
		return moment(r.w, t)
	}
	away := r.span(r.i.Seconds)
	rows := []app.PaperRow{
		{Left: r.t("shop"), Right: r.f.Shop},
		{Left: r.t("opened"), Right: moment(r.w, r.i.Started)},
		{Left: r.t("back"), Right: or(r.i.Back, "not_back"), Bad: r.i.Back.IsZero()},
		{Left: r.t("away"), Right: away, More: []string{r.t("goal", assets.Args{"Goal": r.w.Stopwatch(app.RestoreGoal)})}, Bad: r.i.Seconds > app.RestoreGoal.Seconds()},
		{Left: r.t("closed"), Right: or(r.i.Closed, "still_open")},
	}
	if d := r.i.Deadline; d != nil {
		title, _, _ := assets.StepWords(r.w, d.Step)
		rows = append(rows, app.PaperRow{Left: "72 h", Right: title, More: []string{r.deadline(*d)}, Bad: d.Met.IsZero()})
	}
	return rows
}

func (r report) deadline(d app.DeadlineState) string {
	switch {
	case !d.Met.IsZero():
		return r.w.T("incident.deadline.met", assets.Args{"When": moment(r.w, d.Met)})
	case d.Until.Before(r.now):
		return r.w.T("incident.deadline.over", assets.Args{"When": moment(r.w, d.Until)})
	}
	return r.w.T("incident.deadline", assets.Args{"When": moment(r.w, d.Until), "Left": r.w.Span(d.Until.Sub(r.now))})
}

// span says how long something took.
func (r report) span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d >= 2*time.Hour {
		return r.w.Span(d)
	}
	return r.w.Stopwatch(d)
}

func (r report) restored() app.PaperPart {
	part := app.PaperPart{Heading: r.t("restored")}
	for _, rec := range r.restores {
		row := app.PaperRow{Left: r.clock(rec.Started)}
		var lines []string
		lines = append(lines, r.parts(rec)...)
		if n := int64(passed(rec.Checks, true)); n > 0 {
			lines = append(lines, r.w.N("incident.report.checks_passed", n))
		}
		if n := int64(passed(rec.Checks, false)); n > 0 {
			lines = append(lines, r.w.N("incident.report.checks_failed", n))
			lines = append(lines, r.failed(rec.Checks)...)
		}
		for _, l := range rec.Left {
			lines = append(lines, r.t("left_out", assets.Args{"Source": l.Source, "Why": r.title(l.Error)}))
		}
		row.Right = r.t("restored.took", assets.Args{"Took": r.span(rec.Took().Seconds())})
		if rec.Error != nil {
			row.Right, row.Bad = r.t("restored.failed", assets.Args{"Why": r.title(rec.Error)}), true
		}
		if rec.State == app.RestoreUndone {
			lines = append(lines, r.t("restored.undone"))
		}
		row.More = lines
		part.Rows = append(part.Rows, row)
	}
	if len(part.Rows) == 0 {
		part.Texts = []string{r.t("restored.none")}
	}
	return part
}

// parts tells of each source of a restore, and how long what took.
func (r report) parts(rec app.RestoreRecord) (lines []string) {
	if !rec.Saved.IsZero() {
		lines = append(lines, r.t("restored.saved", assets.Args{"Took": r.span(rec.Saved.Sub(rec.Started).Seconds())}))
	}
	for _, s := range rec.Sources {
		key, args := "restored.line", assets.Args{"Source": s.Source, "When": moment(r.w, s.Time), "Where": s.Where}
		if s.Seconds > 0 {
			key, args["Took"] = "restored.line_took", r.span(s.Seconds)
		}
		lines = append(lines, r.t(key, args))
	}
	if !rec.Applied.IsZero() && rec.Ended.After(rec.Applied) {
		lines = append(lines, r.t("restored.checked", assets.Args{"Took": r.span(rec.Ended.Sub(rec.Applied).Seconds())}))
	}
	return lines
}

func passed(checks []app.Check, ok bool) (n int) {
	for _, c := range checks {
		if c.OK == ok {
			n++
		}
	}
	return n
}

func (r report) title(e *app.Error) string {
	title, _, _ := assets.ErrorWords(r.w, e)
	return title
}

// facts returns what the steps found out, of some codes.
func (r report) facts(codes ...string) (out []string) {
	for _, s := range r.i.Steps {
		for _, f := range s.Facts {
			if slices.Contains(codes, f.Code) {
				out = append(out, assets.FactWords(r.w, f, r.now))
			}
		}
	}
	return out
}

func (r report) gap() app.PaperPart {
	part := app.PaperPart{Heading: r.t("gap"), Texts: r.facts("gap", "gap_orders", "gap_numbers")}
	switch {
	case len(part.Texts) == 0:
		part.Texts = []string{r.t("gap.none")}
	case len(r.facts("gap_orders", "gap_numbers")) == 0:
		part.Texts = append(part.Texts, r.t("gap.orders_unknown"))
	}
	return part
}

func (r report) steps() app.PaperPart {
	part := app.PaperPart{Heading: r.t("steps")}
	for _, s := range r.i.Steps {
		title, _, _ := assets.StepWords(r.w, s.Code)
		row := app.PaperRow{Left: r.w.T("incident.state." + string(s.State)), Right: title, Bad: s.State == app.StepFailed}
		who := r.w.T("incident.actor." + string(s.Actor))
		if !s.At.IsZero() {
			who += ", " + r.clock(s.At)
		}
		row.More = append(row.More, who)
		if s.Reason != "" {
			row.More = append(row.More, r.t("why")+": "+s.Reason)
		}
		if s.Error != nil {
			row.More = append(row.More, r.title(s.Error))
		}
		part.Rows = append(part.Rows, row)
	}
	return part
}

// clock returns a time of day, with its date where that is another than the
// incident's first.
func (r report) clock(t time.Time) string {
	if t.Local().Format(time.DateOnly) == r.i.Started.Local().Format(time.DateOnly) {
		return t.Local().Format(time.TimeOnly)
	}
	return t.Local().Format(time.DateTime)
}

func (r report) timeline() app.PaperPart {
	part := app.PaperPart{Heading: r.t("timeline")}
	for _, l := range r.i.Log {
		row := app.PaperRow{Left: r.clock(l.At) + "  +" + r.span(l.Seconds), Right: assets.LogWords(r.w, r.i, l), Bad: l.Event == app.LogFailed}
		if l.Actor != "" {
			row.Right += " (" + r.w.T("incident.actor."+string(l.Actor)) + ")"
		}
		if l.Text != "" {
			row.More = append(row.More, l.Text)
		}
		if l.Error != nil {
			row.More = append(row.More, r.title(l.Error))
		}
		for _, f := range l.Facts {
			row.More = append(row.More, assets.FactWords(r.w, f, r.now))
		}
		part.Rows = append(part.Rows, row)
	}
	return part
}
