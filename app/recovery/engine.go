// Package recovery leads through a bad day: it follows playbooks step by step,
// writes the texts and pages that go with them and the report that is left. It
// knows the guard only as [app.RecoveryHost] and does nothing to the shop
// itself.
package recovery

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kvart/app"
	"kvart/assets"
)

// Engine follows playbooks. Its methods may be called from any goroutine.
type Engine struct {
	host  app.RecoveryHost
	books []app.Playbook
	limit time.Duration // bounds a probe

	// mu is held while an incident is read, changed and stored: never while
	// anything is done for a step.
	mu sync.Mutex
	// seen is the clock, with its monotonic reading, up to which the time of the
	// incident seenID is counted as it is stored, and last as it was last read: at
	// either stands the Wall of an incident that is being changed.
	seen, last time.Time
	seenID     app.IncidentID
	// running is the step being done, stop asks it to end.
	running app.StepCode
	stop    context.CancelFunc
}

// Books are playbooks that can be followed.
type Books []app.Playbook

// Load returns Kvart's own playbooks.
func Load() (Books, error) {
	books, err := assets.Playbooks()
	if err != nil {
		return nil, err
	}
	return books, Check(books)
}

// Engine returns an engine that follows the playbooks.
func (b Books) Engine(host app.RecoveryHost) *Engine {
	return &Engine{host: host, books: b, limit: probeLimit}
}

// Playbooks returns every playbook.
func (e *Engine) Playbooks() []app.Playbook { return slices.Clone(e.books) }

func (e *Engine) book(code app.PlaybookCode) (app.Playbook, error) {
	var choices []string
	for _, b := range e.books {
		if b.Code == code {
			return b, nil
		}
		choices = append(choices, string(b.Code))
	}
	all := strings.Join(choices, ", ")
	return app.Playbook{}, app.Errorf(app.CodeUsage, "open incident", "no playbook %q; there are: %s", code, all).
		With("field", "playbook").With("choices", all)
}

// Open opens an incident.
func (e *Engine) Open(ctx context.Context, r app.IncidentRequest) (app.Incident, error) {
	b, err := e.book(r.Playbook)
	if err != nil {
		return app.Incident{}, err
	}
	if err := checkChoice(r.Choice); err != nil {
		return app.Incident{}, err
	}
	facts, err := e.host.ShopFacts(ctx)
	if err != nil {
		return app.Incident{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if open, err := e.openLocked(ctx); err == nil {
		return app.Incident{}, app.Errorf(app.CodeIncidentOpen, "open incident", "%s is open", open.ID).With("playbook", string(open.Playbook))
	} else if app.CodeOf(err) != app.CodeIncidentNone {
		return app.Incident{}, err
	}
	e.last = e.host.Now()
	now := e.last.Round(0)
	i := app.Incident{
		ID: app.IncidentID(rand.Text()[:12]), Playbook: b.Code, Started: now, Wall: now, Note: strings.TrimSpace(r.Note), Choice: r.Choice,
	}
	if b.Infected {
		i.Infected = []app.ComputerID{facts.Computer}
	}
	if b.Deadline != nil {
		i.Deadline = &app.DeadlineState{Step: b.Deadline.Step, Until: now.Add(time.Duration(b.Deadline.Hours) * time.Hour)}
	}
	note(&i, app.LogLine{Event: app.LogOpened, Actor: app.ActorOwner, Text: i.Note})
	for _, s := range b.Steps {
		i.Steps = append(i.Steps, app.IncidentStep{PlaybookStep: s, State: app.StepOpen})
	}
	for n := range i.Steps {
		if i.Steps[n].Asks == "sources" && len(r.Choice.Sources) > 0 {
			settle(&i, &i.Steps[n], app.StepDone, app.LogLine{Event: app.LogDone, Actor: app.ActorOwner})
		}
	}
	return i, e.putLocked(ctx, &i)
}

// checkChoice refuses what can't be meant.
func checkChoice(c app.Choice) error {
	if len(c.Sources) != 1 && (len(c.Paths) > 0 || c.Point != "") {
		return app.Errorf(app.CodeUsage, "choose", "a backup or a path goes with exactly one source").With("field", "source")
	}
	return nil
}

// Current returns the open incident as it stands now.
func (e *Engine) Current(ctx context.Context) (app.Incident, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, err := e.openLocked(ctx)
	if err == nil {
		e.passLocked(&i)
	}
	return i, err
}

// Beat lets the open incident's clock go on, so that a clock that is set is
// noticed when it happens. Without one it does nothing.
func (e *Engine) Beat(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, err := e.openLocked(ctx)
	if app.CodeOf(err) == app.CodeIncidentNone {
		return nil
	}
	if err != nil {
		return err
	}
	return e.putLocked(ctx, &i)
}

// Close closes the open incident.
func (e *Engine) Close(ctx context.Context) (app.Incident, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, err := e.openLocked(ctx)
	if err != nil {
		return i, err
	}
	if e.running != "" {
		return i, app.Errorf(app.CodeBusy, "close incident", "%s is under way", e.running).With("step", string(e.running))
	}
	e.passLocked(&i)
	note(&i, app.LogLine{Event: app.LogClosed, Actor: app.ActorOwner})
	i.Closed = i.Wall
	return i, e.storeLocked(ctx, i)
}

// openLocked reads the open incident.
func (e *Engine) openLocked(ctx context.Context) (app.Incident, error) {
	i, err := e.host.OpenIncident(ctx)
	if err != nil {
		return app.Incident{}, err
	}
	if i == nil {
		return app.Incident{}, app.Errorf(app.CodeIncidentNone, "find incident", "none is open")
	}
	return *i, nil
}

// putLocked lets the clock go on, works out what can be done next, and stores.
func (e *Engine) putLocked(ctx context.Context, i *app.Incident) error {
	e.passLocked(i)
	refresh(i)
	return e.storeLocked(ctx, *i)
}

func (e *Engine) storeLocked(ctx context.Context, i app.Incident) error {
	// what happened has happened, also when nobody waits for the answer any more
	if err := e.host.PutIncident(context.WithoutCancel(ctx), i); err != nil {
		return fmt.Errorf("store incident: %w", err)
	}
	e.seen, e.seenID = e.last, i.ID
	return nil
}

// clockSlack is how far the clock may move against the time that passed before
// it is worth a line in the log.
const clockSlack = 2 * time.Minute

// passLocked adds the time that has passed. A clock that was set back takes
// none away; one that jumped ahead counts, since most likely the computer slept
// while the shop was away all the same.
func (e *Engine) passLocked(i *app.Incident) {
	now := e.host.Now()
	wall := now.Round(0)
	passed, known := wall.Sub(i.Wall), false
	real := passed
	for _, t := range []time.Time{e.last, e.seen} {
		if e.seenID == i.ID && t.Round(0).Equal(i.Wall) {
			real, known = now.Sub(t), true
			break
		}
	}
	e.last = now
	jump := passed - real
	if passed < 0 && !known {
		jump = passed
	}
	if i.Wall = wall; jump < 0 {
		passed = max(real, 0)
	}
	passed = max(passed, 0)
	i.Lasted += passed.Seconds()
	if i.Back.IsZero() {
		i.Seconds = i.Lasted
	}
	if jump.Abs() > clockSlack {
		note(i, app.LogLine{Event: app.LogClock, Facts: []app.Fact{{Code: "clock", Count: int64(jump.Seconds())}}})
	}
}

// note adds a line to the log, at the time the incident has come to.
func note(i *app.Incident, l app.LogLine) {
	l.At, l.Seconds = i.Wall, i.Lasted
	i.Log = append(i.Log, l)
}
