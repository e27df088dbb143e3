package recovery

import (
	"slices"
	"time"

	"kvart/app"
	"kvart/assets"
)

// improve says what stood out.
func (r report) improve() []string {
	var out []string
	say := func(key string, args assets.Args) { out = append(out, r.t("improve."+key, args)) }
	if r.i.Seconds > app.RestoreGoal.Seconds() && r.i.Playbook != app.PlaybookRehearsal {
		title, _, _ := assets.StepWords(r.w, r.slowest())
		say("slow", assets.Args{"Goal": r.w.Stopwatch(app.RestoreGoal), "Step": title})
	}
	for _, s := range r.i.Steps {
		r.improveStep(s, say)
	}
	for _, p := range r.i.Points {
		if !p.Verified {
			say("unproven", nil)
			break
		}
	}
	if r.i.Copy != "" {
		say("copy", nil)
	}
	if slices.ContainsFunc(r.i.Log, func(l app.LogLine) bool { return l.Event == app.LogClock }) {
		say("clock", nil)
	}
	if d := r.i.Deadline; d != nil && (d.Met.After(d.Until) || d.Met.IsZero() && r.now.After(d.Until)) {
		say("deadline", nil)
	}
	if len(out) == 0 {
		out = append(out, r.t("improve.none"))
	}
	return out
}

// improveStep says what stood out in one step.
func (r report) improveStep(s app.IncidentStep, say func(string, assets.Args)) {
	title, _, _ := assets.StepWords(r.w, s.Code)
	switch {
	case slices.ContainsFunc(r.i.Log, func(l app.LogLine) bool { return l.Event == app.LogFailed && l.Step == s.Code }):
		say("failed", assets.Args{"Step": title})
	case s.State == app.StepSkipped && s.Reason != "":
		say("skipped", assets.Args{"Step": title, "Why": s.Reason})
	case s.State == app.StepOpen && !r.i.Closed.IsZero():
		say("undone", assets.Args{"Step": title})
	}
}

// slowest returns the step before whose end the most time went by until the
// shop was back.
func (r report) slowest() (code app.StepCode) {
	var longest, last float64
	for _, l := range r.i.Log {
		if !r.i.Back.IsZero() && l.At.After(r.i.Back.Add(time.Second)) {
			break
		}
		if l.Step == "" {
			continue
		}
		if d := l.Seconds - last; d > longest {
			longest, code = d, l.Step
		}
		last = l.Seconds
	}
	return code
}
