package app

import (
	"context"
	"time"
)

// RestoreGoal is how soon a shop is to be running again.
const RestoreGoal = 15 * time.Minute

// StepState tells how a step stands.
type StepState string

// States of a step.
const (
	StepOpen    StepState = "open"
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
	StepSkipped StepState = "skipped"
)

// IncidentStep is one step as it stands. It holds its playbook's step, so that
// an incident goes on as it began under a newer Kvart.
type IncidentStep struct {
	PlaybookStep
	State StepState `json:"state"`
	// At is when it came to that state; zero for one that was never begun.
	At time.Time `json:"at"`
	// Ready reports that all that comes before it is settled.
	Ready  bool   `json:"ready,omitempty"`
	Reason string `json:"reason,omitempty"` // of a skip, or why the owner says it failed
	Error  *Error `json:"error,omitempty"`
	// Look reports that Kvart can't know whether it worked: the owner looks, and
	// ticks it.
	Look  bool   `json:"look,omitempty"`
	Facts []Fact `json:"facts,omitempty"`
	Tries int    `json:"tries,omitempty"`
}

// Settled reports whether nothing waits for the step any more.
func (s IncidentStep) Settled() bool {
	return s.State == StepDone || s.State == StepSkipped || s.State == StepFailed && !s.Blocking
}

// Fact is one thing a step found out. Its words are translations keyed
// "incident.fact.<code>".
type Fact struct {
	Code   string            `json:"code"`
	Source string            `json:"source,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
	Time   time.Time         `json:"time"`
	Count  int64             `json:"count,omitempty"`
	// Check is the one that failed, of a "check_failed", without its detail.
	Check *Check `json:"check,omitempty"`
}

// LogEvent is what a line of an incident's log tells. Its words are
// translations keyed "incident.log.<event>".
type LogEvent string

// Events of the log.
const (
	LogOpened   LogEvent = "opened"
	LogStarted  LogEvent = "started"
	LogDone     LogEvent = "done"
	LogFailed   LogEvent = "failed"
	LogSkipped  LogEvent = "skipped"
	LogUndone   LogEvent = "undone"   // a tick was taken back
	LogLook     LogEvent = "look"     // Kvart can't know: the owner looks
	LogResumed  LogEvent = "resumed"  // Kvart was started again in the middle of a step
	LogChosen   LogEvent = "chosen"   // what is to be brought back
	LogInfected LogEvent = "infected" // restored in spite of the suspicion
	LogBack     LogEvent = "back"     // the shop is back
	LogClock    LogEvent = "clock"    // the computer's clock was set, or it slept
	LogClosed   LogEvent = "closed"
)

// LogEvents lists every event.
func LogEvents() []LogEvent {
	return []LogEvent{
		LogOpened, LogStarted, LogDone, LogFailed, LogSkipped, LogUndone, LogLook, LogResumed, LogChosen, LogInfected, LogBack, LogClock, LogClosed,
	}
}

// LogLine is one line of an incident's log.
type LogLine struct {
	At time.Time `json:"at"` // by the computer's clock
	// Seconds is how long the incident had lasted, whatever the clock said.
	Seconds float64  `json:"seconds"`
	Event   LogEvent `json:"event"`
	Step    StepCode `json:"step,omitempty"`
	Actor   Actor    `json:"actor,omitempty"`
	Text    string   `json:"text,omitempty"` // a reason, as it was typed
	Error   *Error   `json:"error,omitempty"`
	Facts   []Fact   `json:"facts,omitempty"`
}

// IncidentID names an incident.
type IncidentID string

// Choice is what is to be brought back, and from when.
type Choice struct {
	Sources []string `json:"sources,omitempty"` // names; none means all
	Paths   []string `json:"paths,omitempty"`   // with exactly one source
	Point   PointID  `json:"point,omitempty"`   // with exactly one source
	// Before is when the trouble began, as far as is known: points after it are
	// not chosen. Zero means the newest.
	Before time.Time `json:"before"`
}

// Incident is one bad day, from opening to closing.
type Incident struct {
	ID       IncidentID   `json:"id"`
	Playbook PlaybookCode `json:"playbook"`
	Started  time.Time    `json:"startedAt"`
	Closed   time.Time    `json:"closedAt"` // zero while it is open
	Note     string       `json:"note,omitempty"`
	Choice   Choice       `json:"choice"`
	// Points are those chosen, by source.
	Points map[SourceID]ChosenPoint `json:"points,omitempty"`
	// Copy is the second copy that stands in for the storage; "" for none.
	Copy    string    `json:"copy,omitempty"`
	Restore RestoreID `json:"restore,omitempty"`
	// Infected are the computers nothing is restored onto without a second yes.
	Infected []ComputerID   `json:"infected,omitempty"`
	Steps    []IncidentStep `json:"steps"`
	Log      []LogLine      `json:"log"`

	// Lasted is how long it has been going on, as of Wall, whatever the computer's
	// clock was set to meanwhile. Seconds is the same, but stands still once the
	// shop is Back.
	Lasted  float64   `json:"lasted"`
	Seconds float64   `json:"seconds"`
	Wall    time.Time `json:"wall"`
	Back    time.Time `json:"back"`

	Deadline *DeadlineState `json:"deadline,omitempty"`
}

// ChosenPoint is a point to restore.
type ChosenPoint struct {
	Source   string    `json:"source"`
	Point    PointID   `json:"point"`
	Time     time.Time `json:"time"`
	Verified bool      `json:"verified"`
	Stats    Stats     `json:"stats,omitempty"`
}

// DeadlineState is how a [Deadline] stands.
type DeadlineState struct {
	Step  StepCode  `json:"step"`
	Until time.Time `json:"until"`
	Met   time.Time `json:"met"` // when it was done or found not to be needed
}

// Step returns a step, nil when there is none of that code.
func (i *Incident) Step(code StepCode) *IncidentStep {
	for n := range i.Steps {
		if i.Steps[n].Code == code {
			return &i.Steps[n]
		}
	}
	return nil
}

// Waiting reports whether nothing of Kvart's runs or could: it is the owner's
// turn, or all is done.
func (i Incident) Waiting() bool {
	for _, s := range i.Steps {
		if s.Actor == ActorKvart && (s.State == StepRunning || s.State == StepOpen && s.Ready && !s.Look) {
			return false
		}
	}
	return true
}

// IncidentBrief is an open incident in short.
type IncidentBrief struct {
	ID       IncidentID     `json:"id"`
	Playbook PlaybookCode   `json:"playbook"`
	Started  time.Time      `json:"startedAt"`
	Seconds  float64        `json:"seconds"` // on the clock, at the status' Now
	Back     time.Time      `json:"back"`
	Steps    int            `json:"steps"`
	Settled  int            `json:"settled"`
	Running  StepCode       `json:"running,omitempty"` // Kvart is at it
	Next     StepCode       `json:"next,omitempty"`    // the owner's next
	Failed   StepCode       `json:"failed,omitempty"`  // the first that failed and blocks
	Deadline *DeadlineState `json:"deadline,omitempty"`
}

// Real reports whether something has happened: there is an incident, and it is
// not only practised.
func (b *IncidentBrief) Real() bool { return b != nil && b.Playbook != PlaybookRehearsal }

// Rehearsal reports whether the incident is only practised.
func (i Incident) Rehearsal() bool { return i.Playbook == PlaybookRehearsal }

// IncidentRequest opens an incident.
type IncidentRequest struct {
	Playbook PlaybookCode `json:"playbook"`
	Choice   Choice       `json:"choice"`
	Note     string       `json:"note,omitempty"`
}

// Tick says what became of a step.
type Tick string

// Ticks.
const (
	TickDone   Tick = "done"   // it worked; for a step of Kvart's that failed: try again
	TickFailed Tick = "failed" // it did not work
	TickSkip   Tick = "skip"   // it is not done, for a reason
	TickUndo   Tick = "undo"   // it is open again
)

// TickRequest ticks a step of the open incident.
type TickRequest struct {
	Step   StepCode `json:"step"`
	Tick   Tick     `json:"tick"`             // "" means done
	Reason string   `json:"reason,omitempty"` // a skip needs one
	// Choice, when set, changes what is to be brought back.
	Choice *Choice `json:"choice,omitempty"`
	// EvenInfected is the second yes: restore onto a computer that is still
	// thought to be infected.
	EvenInfected bool `json:"evenInfected,omitempty"`
}

// ReportFormat is how a report is written.
type ReportFormat string

// Formats of a report.
const (
	ReportPDF      ReportFormat = "pdf"
	ReportMarkdown ReportFormat = "md"
)

// ReportRequest asks for the report of an incident.
type ReportRequest struct {
	Incident IncidentID   `json:"incident,omitempty"` // "" for the open one, else the newest
	Format   ReportFormat `json:"format"`
	Language string       `json:"language,omitempty"` // "" for the owner's
}

// IncidentService leads through a bad day. One incident is open at a time. What
// it remembers outlives any end of either program.
type IncidentService interface {
	// StartIncident opens one; [CodeIncidentOpen] while another is. The steps of
	// Kvart's that wait for nothing begin at once.
	StartIncident(ctx context.Context, r IncidentRequest) (Incident, error)
	// Incident returns the open one; [CodeIncidentNone] when there is none.
	Incident(ctx context.Context) (Incident, error)
	// WaitIncident waits until it is the owner's turn.
	WaitIncident(ctx context.Context) (Incident, error)
	// TickStep ticks a step; [CodeStepBlocked] while what comes before it is
	// not settled.
	TickStep(ctx context.Context, r TickRequest) (Incident, error)
	// CloseIncident closes the open one; [CodeBusy] while Kvart is at a step.
	CloseIncident(ctx context.Context) (Incident, error)
	// Incidents lists all, newest first.
	Incidents(ctx context.Context) ([]Incident, error)
	// IncidentReport returns the report of one as a file's bytes.
	IncidentReport(ctx context.Context, r ReportRequest) ([]byte, error)
}
