package assets

import (
	"time"

	"kvart/app"
)

// FactWords returns what a step found out, as a sentence without its stop, or of a
// check that failed as sentences.
func FactWords(w *Words, f app.Fact, now time.Time) string {
	args := Args{"Source": f.Source}
	for k, v := range f.Args {
		args[k] = v
	}
	if !f.Time.IsZero() {
		args["When"] = w.When(f.Time, now)
	}
	switch f.Code {
	case "took", "rehearsed":
		args["Took"] = w.Stopwatch(time.Duration(f.Count) * time.Second)
		args["Goal"] = w.Stopwatch(app.RestoreGoal)
	case "clock":
		args["Took"] = w.Span((time.Duration(f.Count) * time.Second).Abs())
	}
	if f.Check != nil {
		return CheckFailedWords(w, *f.Check)
	}
	key := "incident.fact." + f.Code
	if !w.Has(key) {
		return f.Code // of a newer guard
	}
	return w.N(key, f.Count, args)
}

// StepWords returns what the owner reads about a step: what to do, why, and
// what it is like afterwards.
func StepWords(w *Words, code app.StepCode) (title, why, result string) {
	key := "incident.step." + string(code)
	if !w.Has(key) {
		return string(code), "", "" // of a newer guard
	}
	return w.T(key), w.T(key + ".why"), w.T(key + ".result")
}

// LogWords returns a line of an incident's log.
func LogWords(w *Words, i app.Incident, l app.LogLine) string {
	step, _, _ := StepWords(w, l.Step)
	return w.T("incident.log."+string(l.Event), Args{"Step": step, "Playbook": w.T("incident.playbook." + string(i.Playbook))})
}
