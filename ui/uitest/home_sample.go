package uitest

import (
	"time"

	"kvart/app"
)

// HomeStates returns a status for every state of Home that [Statuses] lacks, by
// name.
func HomeStates() map[string]app.Status {
	return map[string]app.Status{
		"incident": InIncident(Safe(), &app.Incident{
			ID: "i1", Playbook: app.PlaybookHacked, Started: Now().Add(-12 * time.Minute),
			Steps: []app.IncidentStep{{PlaybookStep: app.PlaybookStep{Code: "photo", Actor: app.ActorOwner}, State: app.StepOpen, Ready: true}},
		}),
		"suspicious": Suspicious(), "waiting": OnBattery(), "source": SourcePaused(), "quiet": SourceQuiet(), "peak": Peak(), "unknown": WrongClock(),
		"offline": Offline(),
	}
}

// OnBattery returns a shop whose backups wait by the owner's own rule.
func OnBattery() app.Status {
	s := Safe()
	s.Power = app.Power{Battery: app.KnownYes}
	s.Waiting = &app.Waiting{Cause: app.CauseBattery, Rule: app.PowerWait, Sources: []string{"Kassan", "Lager", "Bilder"}}
	e := (&app.Error{Code: app.CodeWaiting}).With("cause", "battery").With("count", "3")
	s.Notes = []app.Problemed{{Error: e}}
	return s
}

// SourcePaused returns a shop one of whose sources the owner has paused.
func SourcePaused() app.Status {
	s := Safe()
	s.Verdict = app.VerdictLate
	src := &s.Sources[1]
	src.Source.Schedule = app.Schedule{Paused: true, PausedFrom: Now().Add(-3 * time.Hour)}
	src.State, src.SafeUntil = app.SourcePaused, Now().Add(-3*time.Hour)
	src.Error = (&app.Error{Code: app.CodeSourcePaused}).With("source", "Lager")
	s.LastBackup = src.SafeUntil
	s.Problems = []app.Problemed{{Source: "Lager", Error: src.Error}}
	return s
}

// SourceQuiet returns a shop one of whose sources is in its quiet hours.
func SourceQuiet() app.Status {
	s := SourcePaused()
	src := &s.Sources[1]
	src.Source.Schedule = app.Schedule{Every: 30 * time.Minute, QuietFrom: 11, QuietTo: 17}
	src.State, src.NextRun = app.SourceQuiet, time.Date(2026, 11, 19, 17, 0, 0, 0, time.Local)
	src.Error = (&app.Error{Code: app.CodeSourceQuiet}).With("source", "Lager")
	s.Problems = []app.Problemed{{Source: "Lager", Error: src.Error}}
	return s
}

// Peak returns a safe shop five days before Black Week.
func Peak() app.Status {
	s := Safe()
	s.Watch.Peak = ReadyList().Peak
	return s
}

// WrongClock returns a shop whose newest backup lies in the clock's future.
func WrongClock() app.Status {
	s := Safe()
	s.Verdict, s.LastBackup = app.VerdictUnknown, Now().Add(5*time.Hour)
	for i := range s.Sources {
		s.Sources[i].State, s.Sources[i].SafeUntil = app.SourceUnknown, s.LastBackup
	}
	s.Problems = []app.Problemed{{Source: "Kassan", Error: &app.Error{Code: app.CodeClock}}}
	return s
}

// Offline returns a shop that can't reach its storage over the network.
func Offline() app.Status {
	s := Failed()
	e := (&app.Error{Code: app.CodeStorageOffline}).With("where", "kafferosteriet-kvart")
	s.Vault = OffSite()
	s.Problems = []app.Problemed{{Error: e}}
	for i := range s.Sources {
		s.Sources[i].Error = e
	}
	return s
}
