// Package checklist is the page of an open incident: its clock, what Kvart does,
// what the owner does meanwhile. It is drawn from what the guard remembers, so
// that closing the window loses nothing.
package checklist

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
)

// facts are what the page knows of an incident.
type facts struct {
	Incident app.Incident
	Status   app.Status
	Messages []app.Message
	Contacts []app.Contact
}

// view is everything else on the page.
type view struct {
	Kvart []kvartRow
	Owner []ownerRow
	Sum   string // how many of the owner's steps are done
	// Job is what Pause stops, "" for nothing; Begun that things were changed by it.
	Job      app.JobID
	Begun    bool
	Undo     app.RestoreID
	Infected bool
	Left     int // steps not settled
	Due      app.StepCode
}

// kvartRow is one of Kvart's steps.
type kvartRow struct {
	Code    app.StepCode
	Words   string
	Details []string
	Time    string
	State   app.StepState
	Problem *screen.Problem
	Folds   bool // what was found out is folded in, being long over
	Skip    bool // the owner skipped it, and may do it after all
	Paused  bool // stopped by the owner
	Held    bool // for want of a second yes
}

// ownerRow is one of the owner's steps, or one of Kvart's that the owner judges.
type ownerRow struct {
	Code               app.StepCode
	Title, Why, Result string
	State              app.StepState
	Ready, Look        bool
	Probed             bool
	Told               string // when it was done, or why it was not
	Waits              string
	Details            []string
	Problem            *screen.Problem
	Messages           []app.Message
	Contacts           []app.Contact
	Asked              bool // there are contacts to go with it, known or not
	Consent            bool // a yes lets Kvart touch the shop
	Points             []string
	Due                string // until when it has to be done; "" where it need not be
	Overdue            bool
}

// model tells an incident's steps in the owner's words.
func model(w *assets.Words, f facts, now time.Time) view {
	i := f.Incident
	v := view{Infected: len(i.Infected) > 0}
	done, all := 0, 0
	for _, s := range i.Steps {
		if !s.Settled() {
			v.Left++
		}
		if s.Actor == app.ActorKvart && !s.Look {
			v.Kvart = append(v.Kvart, kvartStep(w, i, s, now))
			continue
		}
		all++
		if s.State == app.StepDone || s.State == app.StepSkipped {
			done++
		}
		v.Owner = append(v.Owner, ownerStep(w, f, s, now))
	}
	v.Sum = w.T("recover.going.sum", assets.Args{"Playbook": w.T("incident.playbook." + string(i.Playbook)), "Done": w.Number(int64(done)), "Of": w.Number(int64(all))})
	v.offer(f)
	return v
}

// offer fills in what can be done about the incident as a whole.
func (v *view) offer(f facts) {
	i, j := f.Incident, jobOf(f.Status)
	if j != nil && j.Kind != app.JobUndo {
		v.Job, v.Begun = j.ID, j.Kind == app.JobRestore && (j.Step == app.StepRestore || j.Step == app.StepCheck)
	}
	if u := f.Status.Undo; u != nil && u.ID == i.Restore && i.Restore != "" && j == nil {
		v.Undo = u.ID
	}
	if i.Deadline != nil && i.Deadline.Met.IsZero() {
		v.Due = i.Deadline.Step
	}
}

func kvartStep(w *assets.Words, i app.Incident, s app.IncidentStep, now time.Time) kvartRow {
	r := kvartRow{Code: s.Code, State: s.State}
	r.Words, _, _ = assets.StepWords(w, s.Code)
	for _, f := range s.Facts {
		r.Details = append(r.Details, assets.FactWords(w, f, now))
	}
	switch s.State {
	case app.StepOpen:
		if waits := waitsFor(w, i, s); waits != "" {
			r.Details = append(r.Details, waits)
		}
	case app.StepSkipped:
		r.Details = append(r.Details, skipped(w, s))
	case app.StepFailed:
		r.Paused, r.Held = app.CodeOf(s.Error) == app.CodeCanceled, app.CodeOf(s.Error) == app.CodeInfected
		if s.Error == nil { // Kvart couldn't know, and the owner saw that it had not worked
			r.Details = append(r.Details, told(w, s, now))
		} else if !r.Paused {
			p := screen.Explain(w, s.Error, "")
			r.Problem = &p
		}
	}
	r.Time = took(i, s.Code)
	r.Folds = s.State == app.StepDone && len(r.Details) > 0 && !result(s.Action)
	r.Skip = s.State == app.StepSkipped && s.Consent == ""
	return r
}

// result reports whether what an action found out is what the owner waits for.
func result(a app.Action) bool {
	switch a {
	case app.ActionRestore, app.ActionRehearse, app.ActionCheck, app.ActionGap, app.ActionStorefront:
		return true
	}
	return false
}

func skipped(w *assets.Words, s app.IncidentStep) string {
	if s.Reason == "" {
		return w.T("incident.state.skipped")
	}
	return w.T("recover.going.skipped", assets.Args{"Why": s.Reason})
}

// took tells how long a step took, from the incident's own clock.
func took(i app.Incident, code app.StepCode) string {
	begun, ended := -1.0, -1.0
	for _, l := range i.Log {
		if l.Step != code {
			continue
		}
		switch l.Event {
		case app.LogStarted:
			begun, ended = l.Seconds, -1
		case app.LogDone, app.LogFailed:
			ended = l.Seconds
		}
	}
	if begun < 0 || ended < begun {
		return ""
	}
	s := int(ended - begun)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// waitsFor tells what has to be done before a step, "" for nothing.
func waitsFor(w *assets.Words, i app.Incident, s app.IncidentStep) string {
	if s.Ready {
		return ""
	}
	var names []string
	for _, code := range s.After {
		if d := i.Step(code); d != nil && !d.Settled() {
			title, _, _ := assets.StepWords(w, code)
			names = append(names, title)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return w.T("recover.going.waits", assets.Args{"Steps": strings.Join(names, "; ")})
}

func ownerStep(w *assets.Words, f facts, s app.IncidentStep, now time.Time) ownerRow {
	i := f.Incident
	r := ownerRow{
		Code: s.Code, State: s.State, Ready: s.Ready, Look: s.Look, Probed: s.Probe != "", Waits: waitsFor(w, i, s),
	}
	if d := i.Deadline; d != nil && d.Step == s.Code && d.Met.IsZero() {
		r.Overdue = d.Until.Before(now)
		r.Due = w.T("recover.pill.due", assets.Args{"When": w.When(d.Until, now)})
		if r.Overdue {
			r.Due = w.T("recover.pill.overdue")
		}
	}
	r.Title, r.Why, r.Result = assets.StepWords(w, s.Code)
	for _, fact := range s.Facts {
		r.Details = append(r.Details, assets.FactWords(w, fact, now))
	}
	r.Told = told(w, s, now)
	if s.Error != nil {
		p := screen.Explain(w, s.Error, "")
		r.Problem = &p
	}
	r.Messages = textsFor(f.Messages, append(extraMessages(s.Code), s.Message))
	roles := rolesFor(s.Code)
	r.Asked, r.Contacts = len(roles) > 0, peopleFor(f.Contacts, roles)
	for _, k := range i.Steps {
		r.Consent = r.Consent || k.Consent == s.Code && k.Action == app.ActionRestore
	}
	if r.Consent {
		r.Points = points(w, i, now)
	}
	return r
}

// told says when a step was done, or why it was not.
func told(w *assets.Words, s app.IncidentStep, now time.Time) string {
	key := ""
	switch s.State {
	case app.StepSkipped:
		return skipped(w, s)
	case app.StepDone:
		key = "recover.going.done"
	case app.StepFailed:
		key = "recover.going.failed"
	default:
		return ""
	}
	if s.At.IsZero() {
		return w.T("incident.state." + string(s.State))
	}
	if s.Reason != "" {
		key += ".why"
	}
	return w.T(key, assets.Args{"When": w.When(s.At, now), "Why": s.Reason})
}

func textsFor(all []app.Message, codes []string) (out []app.Message) {
	for _, code := range codes {
		for _, m := range all {
			if m.Code == code {
				out = append(out, m)
			}
		}
	}
	return out
}

func peopleFor(all []app.Contact, roles []string) (out []app.Contact) {
	for _, c := range all {
		if slices.Contains(roles, c.Role) || slices.Contains(roles, everybody) {
			out = append(out, c)
		}
	}
	return out
}

// points tells what was chosen, source by source.
func points(w *assets.Words, i app.Incident, now time.Time) []string {
	s := i.Step("point")
	if s == nil {
		return nil
	}
	var out []string
	for _, f := range s.Facts {
		out = append(out, assets.FactWords(w, f, now))
	}
	return out
}

// everybody stands for all contacts.
const everybody = "*"

// rolesFor lists whom it may take to do a step.
func rolesFor(code app.StepCode) []string {
	switch code {
	case "call-host", "pause-orders":
		return []string{"host"}
	case "new-host":
		return []string{"host", "it"}
	case "unplug", "clean", "start-till", "stop-update", "install":
		return []string{"it"}
	case "photograph", "report":
		return []string{"insurance"}
	case "police":
		return []string{"police", "insurance"}
	case "passwords", "old-computer":
		return []string{"payment", "bank", "it"}
	case "enter-sales":
		return []string{"payment", "bank"}
	case "find-phones":
		return []string{everybody}
	}
	return nil
}

// extraMessages lists texts that help with a step beside its own.
func extraMessages(code app.StepCode) []string {
	switch code {
	case "stop-till":
		return []string{"sign"}
	case "open-again":
		return []string{"back"}
	}
	return nil
}

// current returns the step that is the owner's next.
func (v view) current() app.StepCode {
	for _, r := range v.Owner {
		if r.Ready && (r.State == app.StepOpen || r.State == app.StepFailed && r.Problem != nil) {
			return r.Code
		}
	}
	return ""
}
