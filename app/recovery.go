package app

import (
	"context"
	"time"
)

// StepResult is what came of an action or a probe.
type StepResult struct {
	// State is done, failed or skipped. Open means that it can't be known: the
	// owner looks.
	State StepState
	Error *Error
	Facts []Fact
	// Change, when set, is applied to the incident.
	Change func(*Incident)
}

// RecoveryHost is what leads through incidents needs of the guard.
type RecoveryHost interface {
	// Now is the clock, with its monotonic reading.
	Now() time.Time
	// Incidents returns what PutIncident stored, newest first.
	Incidents(ctx context.Context) ([]Incident, error)
	// OpenIncident returns the one that is not closed, nil when there is none.
	OpenIncident(ctx context.Context) (*Incident, error)
	PutIncident(ctx context.Context, i Incident) error
	// Act does what Kvart does in a step. It can be repeated.
	Act(ctx context.Context, i Incident, a Action) StepResult
	// Probe finds out whether a step worked.
	Probe(ctx context.Context, i Incident, p Probe) StepResult
	// ShopFacts returns what texts and reports are filled in with.
	ShopFacts(ctx context.Context) (ShopFacts, error)
}

// ShopFacts are what messages and reports are filled in with.
type ShopFacts struct {
	Shop     string
	Computer ComputerID
	Language string
	Contacts []Contact
	Page     PageSettings
	Sources  []Source
	Restores []RestoreRecord
}

// A Storefront is asked whether customers reach the shop. It gives up after a
// few seconds.
type Storefront interface {
	// Ask returns nil when the shop answers as it should. Known is false when
	// there is nothing to ask, or the own connection is down.
	Ask(ctx context.Context) (known bool, err error)
}
