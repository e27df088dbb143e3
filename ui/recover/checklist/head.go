package checklist

import (
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
)

// headView is what changes from second to second.
type headView struct {
	Title, Text string
	Clock, Goal string
	Late        bool
	Share       float64
	Left        string // how much is done, how fast, how long it still takes
	Trying      string // why the storage is being asked again
	Deadline    string // "" where there is none
	DueStep     string // what it is about
	Overdue     bool
	Met         bool
}

// modelHead tells how the incident stands now.
func modelHead(w *assets.Words, f facts, now time.Time) headView {
	i, st := f.Incident, f.Status
	seconds := clock(i, st, now)
	h := headView{
		Title: w.T("incident.playbook." + string(i.Playbook)), Clock: screen.Clock(w, seconds),
		Goal: w.T("recover.run.goal"), Late: seconds > app.RestoreGoal && !i.Rehearsal(),
	}
	settled := 0
	for _, s := range i.Steps {
		if s.Settled() {
			settled++
		}
		if s.Action == app.ActionRestore && s.State == app.StepRunning {
			h.Title = w.T("recover.run.restore")
		}
	}
	j := jobOf(st)
	h.say(w, i, j != nil && j.Kind == app.JobUndo, now)
	if len(i.Steps) > 0 {
		h.Share = float64(settled) / float64(len(i.Steps))
	}
	if j != nil {
		m := screen.ModelJob(w, *j, now)
		h.Share, h.Trying = m.Share, m.Trying
		h.Left = strings.Trim(m.Counts+" · "+m.Rate, " ·")
		if j.Kind == app.JobUndo {
			h.Title = w.T("recover.run.undo")
		}
	}
	if d := i.Deadline; d != nil {
		h.Deadline, h.Overdue, h.Met = deadline(w, *d, now)
		h.DueStep, _, _ = assets.StepWords(w, d.Step)
	}
	return h
}

// say tells what the incident is about now: that the shop is back only while all
// that rests on is still done, and is not being undone.
func (h *headView) say(w *assets.Words, i app.Incident, undoing bool, now time.Time) {
	at := oldest(i)
	switch {
	case undoing:
		h.Text = w.T("recover.going.text")
	case isBack(i) && i.Rehearsal():
		h.Title, h.Text = w.T("recover.rehearsal.back"), w.T("recover.rehearsal.back.text", assets.Args{"When": w.When(i.Back, now)})
	case isBack(i):
		h.Title, h.Text = w.T("recover.done.restore.good"), w.T("recover.going.back", assets.Args{"When": w.When(i.Back, now)})
	case i.Rehearsal():
		h.Text = w.T("recover.rehearsal.text")
	case !at.IsZero():
		h.Text = w.T("recover.going.to", assets.Args{"When": w.When(at, now)})
	default:
		h.Text = w.T("recover.going.text")
	}
}

// isBack reports whether the shop is back: it was said to be, and nothing that
// comes before that was opened again, as by undoing the restore.
func isBack(i app.Incident) bool {
	if i.Back.IsZero() {
		return false
	}
	before := map[app.StepCode]bool{}
	for n := len(i.Steps) - 1; n >= 0; n-- { // a step comes after those it waits for
		s := i.Steps[n]
		if !s.Stops && !before[s.Code] {
			continue
		}
		if !s.Settled() {
			return false
		}
		for _, code := range s.After {
			before[code] = true
		}
	}
	return true
}

func deadline(w *assets.Words, d app.DeadlineState, now time.Time) (text string, over, met bool) {
	switch {
	case !d.Met.IsZero():
		return w.T("incident.deadline.met", assets.Args{"When": w.When(d.Met, now)}), false, true
	case d.Until.Before(now):
		return w.T("incident.deadline.over", assets.Args{"When": w.When(d.Until, now)}), true, false
	}
	return w.T("incident.deadline", assets.Args{"When": w.When(d.Until, now), "Left": hours(w, d.Until.Sub(now))}), false, false
}

// hours counts down: where 72 of them decide, "2 days" is too little to know.
func hours(w *assets.Words, left time.Duration) string {
	if left < time.Hour {
		return w.Span(left)
	}
	return w.N("span.hours", int64(left.Hours()))
}

// clock tells how long the shop has been away: the guard's clock, and the time
// since it was read.
func clock(i app.Incident, st app.Status, now time.Time) time.Duration {
	if b := st.Incident; b != nil && b.ID == i.ID && b.Back.IsZero() && i.Back.IsZero() {
		return screen.Away(*b, st.Now, now)
	}
	return seconds(i.Seconds)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// oldest returns the time of the oldest backup that was chosen.
func oldest(i app.Incident) (at time.Time) {
	for _, p := range i.Points {
		if at.IsZero() || p.Time.Before(at) {
			at = p.Time
		}
	}
	return at
}

// jobOf returns the running job that an incident may be waiting for.
func jobOf(st app.Status) *app.Job {
	j := st.Job
	if j == nil || j.State != app.JobRunning {
		return nil
	}
	switch j.Kind {
	case app.JobRestore, app.JobUndo, app.JobDrill:
		return j
	}
	return nil
}
