// Package recover is the screen for a bad day: what happened, what a restore
// would do, how far it is, what came of it. The guard does the work; the
// screen is drawn from its status, so closing the window loses nothing.
package recover

import (
	"fmt"
	"slices"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// goal is how long a recovery may take.
const goal = 15 * time.Minute

// planRow is one source's part of a plan.
type planRow struct{ Source, When, Where, Changes string }

// planView is what stands on the screen before the click.
type planView struct {
	Title, Sentence string
	Undo            string
	Rows            []planRow
	Blockers        []screen.Problem
	Warnings        []screen.Problem
	Button          string
}

// modelPlan tells what a restore would do.
// grants reports whether a source's user can be given a right that it lacks.
func modelPlan(w *assets.Words, r app.RestoreRequest, p app.RestorePlan, now time.Time, grants func(source string) bool) planView {
	v := planView{Title: planTitle(w, r, p), Button: w.T("recover.button.all")}
	if len(r.Sources) > 0 {
		v.Button = w.T("recover.button.some")
	}
	switch kindOf(r.Target) {
	case toBeside:
		v.Button = w.T("recover.button.beside")
	case toFolder:
		v.Button = w.T("recover.button.export")
	}
	if warned(p) {
		v.Button = w.T("recover.button.anyway")
	}
	args := assets.Args{"Bytes": w.Bytes(p.Bytes), "Time": w.Stopwatch(time.Duration(p.Seconds * float64(time.Second)))}
	v.Sentence = w.N("recover.plan.size", p.Files, args)
	if p.Seconds > 0 {
		v.Sentence = w.N("recover.plan.sentence", p.Files, args)
	}
	switch {
	case kindOf(r.Target) == toBeside:
		v.Undo = w.T("recover.plan.beside")
	case kindOf(r.Target) == toFolder:
		v.Undo = w.T("recover.plan.elsewhere")
	case p.Undoable:
		v.Undo = w.T("recover.plan.undoable")
	default:
		v.Undo = w.T("recover.plan.final")
	}
	for _, s := range p.Sources {
		row := planRow{
			Source: s.Source, When: w.T("recover.plan.when", assets.Args{"When": w.When(s.Point.Time, now)}),
			Where: w.T("recover.plan.where", assets.Args{"Where": s.Plan.Where}),
		}
		row.Changes = w.T("recover.plan.changes", assets.Args{
			"Overwrite": w.Number(s.Plan.Overwrite),
			"Create":    w.Number(s.Plan.Create), "Remove": w.Number(s.Plan.Remove),
		})
		v.Rows = append(v.Rows, row)
		for _, b := range s.Plan.Blockers {
			switch problem := screen.Explain(w, b, s.Source); {
			case r.Target.Database != "" && nameTrouble(w, b, r.Target.Database) != "":
			case b.Code == app.CodeSourceRight && grants(s.Source):
				v.Blockers = append(v.Blockers, problem.Grant(w))
			default:
				v.Blockers = append(v.Blockers, problem.Retry(w))
			}
		}
		for _, n := range s.Plan.Warnings {
			p := screen.Explain(w, n, s.Source)
			p.Button = w.T("recover.again")
			v.Warnings = append(v.Warnings, p)
		}
	}
	return v
}

// warned reports whether a plan tells of anything that should be read before
// it is started.
func warned(p app.RestorePlan) bool {
	return slices.ContainsFunc(p.Sources, func(s app.SourcePlan) bool { return len(s.Plan.Warnings) > 0 })
}

func planTitle(w *assets.Words, r app.RestoreRequest, p app.RestorePlan) string {
	switch {
	case len(r.Sources) == 0:
		return w.T("recover.all.title")
	case len(r.Paths) > 0:
		return w.N("recover.plan.paths", int64(len(r.Paths)), assets.Args{"Source": r.Sources[0], "Path": r.Paths[0]})
	}
	name := r.Sources[0]
	if len(p.Sources) == 1 {
		name = p.Sources[0].Source
	}
	return w.T("recover.plan.title", assets.Args{"Source": name})
}

// stepState tells how far a step of a running job is.
type stepState string

const (
	stepDone stepState = "done"
	stepNow  stepState = "now"
	stepOpen stepState = "open"
)

type stepRow struct {
	Words, Detail string
	State         stepState
}

// runView is a running restore, undo or drill.
type runView struct {
	Title, Text string
	Clock, Goal string
	Late        bool
	Share       float64
	Steps       []stepRow
	Left        string
	Trying      string // why the storage is being asked again
	Stop        bool   // whether it can be stopped without leaving things half done
	ID          app.JobID
	Kind        app.JobKind
}

// stepsOf lists what a job goes through.
func stepsOf(k app.JobKind) []app.Step {
	if k == app.JobDrill {
		return []app.Step{app.StepPlan, app.StepRestore, app.StepCheck}
	}
	return []app.Step{app.StepPlan, app.StepSafety, app.StepRestore, app.StepCheck}
}

func modelRun(w *assets.Words, j app.Job, now time.Time) runView {
	spent := max(now.Sub(j.Started), 0)
	v := runView{
		ID: j.ID, Kind: j.Kind,
		Title: w.T("recover.run." + string(j.Kind)), Text: w.T("recover.run.text"),
		Clock: fmt.Sprintf("%02d:%02d", int(spent.Minutes()), int(spent.Seconds())%60),
		Goal:  w.T("recover.run.goal"), Late: spent > goal,
	}
	job := screen.ModelJob(w, j, now)
	v.Share, v.Left, v.Trying = job.Share, job.Rate, job.Trying
	steps := stepsOf(j.Kind)
	at := -1
	for i, s := range steps {
		if s == j.Step {
			at = i
		}
	}
	for i, s := range steps {
		row := stepRow{Words: w.T("recover.step." + string(s)), State: stepOpen}
		switch {
		case i < at:
			row.State = stepDone
		case i == at:
			row.State, row.Detail = stepNow, job.Counts
			if j.Source != "" {
				row.Words = w.T("job.step", assets.Args{"Step": row.Words, "Source": j.Source})
			}
		}
		v.Steps = append(v.Steps, row)
	}
	v.Stop = j.Kind == app.JobDrill || at < 2
	return v
}

// placeRow tells where a source went.
type placeRow struct{ Source, Where, When string }

// doneView is what came of a job.
type doneView struct {
	Title, Text string
	Good        bool
	Problem     *screen.Problem
	Places      []placeRow
	After       string // what is left to the owner
	Checks      []checkRow
	Help        string        // what was noted of the checks, for whoever helps with computers
	Undo        app.RestoreID // "" when it cannot be undone
}

// modelDone tells what came of a job. undo is the restore that can be undone
// now, nil for none.
func modelDone(w *assets.Words, j app.Job, undo *app.RestoreRecord, now time.Time) doneView {
	v := doneView{}
	checks, failure := outcome(j)
	v.Good = failure == nil && j.State == app.JobDone
	v.Checks, v.Help = rowsOfChecks(w, checks), helpText(checks)
	for _, c := range checks {
		v.Good = v.Good && c.OK
	}
	if !v.Good && failure == nil {
		failure = app.Errorf(app.CodeCheckFailed, "restore", "a check failed")
	}
	result := "bad"
	switch {
	case v.Good:
		result = "good"
	case app.CodeOf(failure) == app.CodeCanceled || j.State == app.JobCanceled:
		result = "stopped"
	default:
		p := screen.Explain(w, failure, "").Retry(w)
		v.Problem = &p
	}
	took := w.Stopwatch(j.Ended.Sub(j.Started))
	if v.Good && j.Restore != nil {
		v.Places = places(w, *j.Restore, now)
		if kind := kindOf(j.Restore.Target); j.Kind == app.JobRestore && kind != toOriginal {
			result = string(kind)
			v.After = w.T("recover.after." + result)
		}
	}
	v.Title = w.T("recover.done." + string(j.Kind) + "." + result)
	v.Text = w.T("recover.done.text."+result, assets.Args{"Time": took})
	if undo != nil && j.Restore != nil && undo.ID == j.Restore.ID {
		v.Undo = undo.ID
	}
	return v
}

// places tells where a restore put things.
func places(w *assets.Words, r app.RestoreRecord, now time.Time) []placeRow {
	var out []placeRow
	for _, p := range r.Sources {
		row := placeRow{Source: p.Source, Where: p.Where}
		if !p.Time.IsZero() && r.Undoes == "" {
			row.When = w.T("recover.plan.when", assets.Args{"When": w.When(p.Time, now)})
		}
		out = append(out, row)
	}
	return out
}

// outcome collects the checks of a job and the first thing that failed.
func outcome(j app.Job) (checks []app.Check, failure error) {
	fail := func(e *app.Error) {
		if failure == nil && e != nil {
			failure = e
		}
	}
	fail(j.Error)
	if r := j.Restore; r != nil {
		checks = append(checks, r.Checks...)
		fail(r.Error)
	}
	for _, d := range j.Drills {
		checks = append(checks, d.Checks...)
		fail(d.Error)
		if !d.OK {
			fail(app.Errorf(app.CodeCheckFailed, "drill", "not as it was").With("source", d.Source))
		}
	}
	return checks, failure
}

// startView is the first page.
type startView struct {
	HasBackups bool
	Drill      string // what the last drill showed
	DrillTone  widgets.Tone
	Undo       app.RestoreID
	UndoText   string
}

func modelStart(w *assets.Words, s app.Status, now time.Time) startView {
	v := startView{Drill: w.T("recover.drill.never"), DrillTone: widgets.ToneNeutral}
	for _, src := range s.Sources {
		v.HasBackups = v.HasBackups || src.Point != nil
	}
	if d := s.LastDrill; d != nil {
		args := assets.Args{"When": w.When(d.At, now), "Time": w.Stopwatch(time.Duration(d.Seconds * float64(time.Second)))}
		v.Drill, v.DrillTone = w.T("recover.drill.good", args), widgets.ToneGood
		if !d.OK {
			v.Drill, v.DrillTone = w.T("recover.drill.bad", args), widgets.ToneDanger
		}
	}
	if u := s.Undo; u != nil {
		v.Undo = u.ID
		name := ""
		if len(u.Sources) == 1 {
			name = u.Sources[0].Source
		}
		v.UndoText = w.N("recover.undo.text", int64(len(u.Sources)), assets.Args{"Source": name, "When": w.When(u.Started, now)})
	}
	return v
}
