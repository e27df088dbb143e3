package uitest

import (
	"slices"
	"time"

	"kvart/app"
	"kvart/assets"
)

// Begun returns an incident as it is opened, with its playbook's steps.
func Begun(r app.IncidentRequest) app.Incident {
	i := app.Incident{ID: "i1", Playbook: r.Playbook, Started: Now(), Wall: Now(), Choice: r.Choice, Note: r.Note}
	books, err := assets.Playbooks()
	if err != nil {
		panic(err) // they are built in
	}
	for _, b := range books {
		if b.Code != r.Playbook {
			continue
		}
		if b.Infected {
			i.Infected = []app.ComputerID{"kassan"}
		}
		if b.Deadline != nil {
			i.Deadline = &app.DeadlineState{Step: b.Deadline.Step, Until: Now().Add(time.Duration(b.Deadline.Hours) * time.Hour)}
		}
		for _, s := range b.Steps {
			i.Steps = append(i.Steps, app.IncidentStep{PlaybookStep: s, State: app.StepOpen})
		}
	}
	Refresh(&i)
	return i
}

// Refresh works out which steps could be done now.
func Refresh(i *app.Incident) {
	for n := range i.Steps {
		s := &i.Steps[n]
		s.Ready = !slices.ContainsFunc(s.After, func(c app.StepCode) bool {
			d := i.Step(c)
			return d != nil && !d.Settled()
		})
	}
}

// InIncident returns a status with an incident open, or for nil with none.
func InIncident(st app.Status, i *app.Incident) app.Status {
	st.Incident = nil
	if i == nil {
		return st
	}
	b := app.IncidentBrief{ID: i.ID, Playbook: i.Playbook, Started: i.Started, Seconds: i.Seconds, Back: i.Back, Steps: len(i.Steps), Deadline: i.Deadline}
	for _, s := range i.Steps {
		if s.Settled() {
			b.Settled++
		}
		switch {
		case s.State == app.StepRunning:
			b.Running = s.Code
		case s.State == app.StepFailed && s.Blocking && b.Failed == "":
			b.Failed = s.Code
		case s.State == app.StepOpen && s.Ready && (s.Actor == app.ActorOwner || s.Look) && b.Next == "":
			b.Next = s.Code
		}
	}
	st.Incident = &b
	return st
}

// Hacked returns an incident in the middle: Kvart restores, three of the owner's
// steps are done, whom to call is known.
func Hacked() app.Incident {
	i := Begun(app.IncidentRequest{Playbook: app.PlaybookHacked, Choice: app.Choice{Before: Now().Add(-94 * time.Minute)}})
	i.Started, i.Seconds, i.Lasted = Now().Add(-252*time.Second), 252, 252
	i.Deadline.Until = i.Started.Add(72 * time.Hour)
	i.Infected = nil
	at := Now().Add(-4 * time.Minute)
	second := 0.0
	for n := range i.Steps {
		s := &i.Steps[n]
		switch s.Code {
		case "unplug", "photograph", "other-device", "clean", "passwords", "confirm", "freeze", "pin", "page", "storage", "point", "compare", "lock":
			s.State, s.At = app.StepDone, at
		case "pause-orders":
			s.State, s.At, s.Reason = app.StepSkipped, at, "The shop is only in the street"
		case "publish":
			s.State, s.At = app.StepSkipped, at
		case "restore":
			s.State, s.At, s.Tries = app.StepRunning, at, 1
		}
		if s.Actor == app.ActorKvart && s.State == app.StepDone {
			i.Log = append(i.Log, app.LogLine{At: at, Seconds: second, Event: app.LogStarted, Step: s.Code}, app.LogLine{At: at, Seconds: second + 9, Event: app.LogDone, Step: s.Code})
			second += 12
		}
	}
	i.Points = map[app.SourceID]app.ChosenPoint{"Kassan": {Source: "Kassan", Point: "Kassan-3", Time: Now().Add(-109 * time.Minute), Verified: true}}
	i.Step("point").Facts = []app.Fact{{Code: "chosen", Source: "Kassan", Time: Now().Add(-109 * time.Minute)}, {Code: "chosen", Source: "Bilder", Time: Now().Add(-109 * time.Minute)}}
	i.Step("storage").Facts = []app.Fact{{Code: "storage", Args: map[string]string{"where": "/media/backup/kvart"}}}
	i.Step("pin").Facts = []app.Fact{{Code: "pinned", Count: 192}}
	i.Step("compare").Facts = []app.Fact{{Code: "changed", Source: "Bilder", Count: 1204}}
	Refresh(&i)
	return i
}

// People returns whom to call.
func People() []app.Contact {
	return []app.Contact{
		{Role: "host", Name: "Loopia", Phone: "021-12 82 22", Mail: "support@loopia.example"},
		{Role: "payment", Name: "Klarna", Phone: "08-120 120 00"},
		{Role: "insurance", Name: "Trygg", Phone: "0771-111 110"},
		{Role: "Kassasystemet", Name: "Maria", Phone: "070-123 45 67"},
	}
}
