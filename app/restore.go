package app

import (
	"context"
	"time"
)

// RestoreService brings things back.
type RestoreService interface {
	// PlanRestore tells what a restore would do. It changes nothing.
	PlanRestore(ctx context.Context, r RestoreRequest) (RestorePlan, error)
	// StartRestore plans again, refuses when something blocks, saves the
	// present state, restores and checks.
	StartRestore(ctx context.Context, r RestoreRequest) (JobID, error)
	// StartUndo takes a restore back; "" means the newest that can be undone.
	StartUndo(ctx context.Context, id RestoreID) (JobID, error)
	// Restores lists restores, newest first.
	Restores(ctx context.Context) ([]RestoreRecord, error)
}

// RestoreRequest says what to bring back, from when, and where to.
type RestoreRequest struct {
	Sources []string  `json:"sources,omitempty"` // names or IDs; none means all
	Point   PointID   `json:"point,omitempty"`   // with exactly one source
	At      time.Time `json:"at"`                // newest verified point not after this time
	// Points are named for sources by ID; the others go by At.
	Points map[SourceID]PointID `json:"points,omitempty"`
	Paths  []string             `json:"paths,omitempty"` // with exactly one source
	Target Target               `json:"target"`
	// EvenInfected is the second yes to a restore onto a computer that an open
	// incident says is infected; without it that is [CodeInfected].
	EvenInfected bool `json:"evenInfected,omitempty"`
}

// RestorePlan is what a restore would do.
type RestorePlan struct {
	Sources  []SourcePlan `json:"sources"`
	Bytes    int64        `json:"bytes"`
	Files    int64        `json:"files"`
	Seconds  float64      `json:"seconds"` // estimate, from drills or typical speed
	Undoable bool         `json:"undoable"`
	// Left are sources that have nothing to restore, or can't be restored, where
	// everything was asked for.
	Left []Problemed `json:"left,omitempty"`
	// Copy is the second copy that stands in for a storage that can't be
	// reached; "" for none.
	Copy string `json:"copy,omitempty"`
}

// Blocked returns the first thing that has to be solved before the restore can
// start, nil when there is none.
func (p RestorePlan) Blocked() *Error {
	for _, s := range p.Sources {
		for _, b := range s.Plan.Blockers {
			return b
		}
	}
	return nil
}

// SourcePlan is one source's part of a plan.
type SourcePlan struct {
	Source string     `json:"source"`
	Point  Point      `json:"point"`
	Plan   TargetPlan `json:"plan"`
}

// RestoreID names a restore.
type RestoreID string

// RestoreState tells how far a restore has come.
type RestoreState string

// States of a restore. Until "applying" the present state is untouched.
const (
	RestoreSaving   RestoreState = "saving"   // the present state is being saved
	RestoreApplying RestoreState = "applying" //
	RestoreDone     RestoreState = "done"
	RestoreFailed   RestoreState = "failed"
	RestoreUndone   RestoreState = "undone"
)

// RestoreRecord is what is remembered of a restore.
type RestoreRecord struct {
	ID    RestoreID    `json:"id"`
	State RestoreState `json:"state"`
	// Asked is when it was asked for: what came before Started counts too.
	Asked   time.Time      `json:"asked"`
	Started time.Time      `json:"started"`
	Saved   time.Time      `json:"saved"`   // what was there before could be relied on; zero when it goes elsewhere
	Applied time.Time      `json:"applied"` // everything was put back, and the checks began
	Ended   time.Time      `json:"ended"`
	Undoes  RestoreID      `json:"undoes,omitempty"`
	Target  Target         `json:"target"`
	Sources []RestoredPart `json:"sources"`
	Checks  []Check        `json:"checks,omitempty"`
	// Left is as in [RestorePlan].
	Left []Problemed `json:"left,omitempty"`
	// Copy is as in [RestorePlan]: what was there before is saved in it too.
	Copy string `json:"copy,omitempty"`
	// For is the step of an incident that it was done for.
	For   string `json:"for,omitempty"`
	Error *Error `json:"error,omitempty"`
}

// Took returns how long it took from being asked for to its end.
func (r RestoreRecord) Took() time.Duration {
	from := r.Asked
	if from.IsZero() {
		from = r.Started
	}
	return max(r.Ended.Sub(from), 0)
}

// RestoredPart is one source's part of a restore.
type RestoredPart struct {
	ID     SourceID  `json:"id"`
	Source string    `json:"source"`
	Point  PointID   `json:"point"`
	Time   time.Time `json:"time"` // of the point
	Paths  []string  `json:"paths,omitempty"`
	Dir    string    `json:"dir,omitempty"` // the target's; "" for the original place
	// Database is the target's; "" for the original one.
	Database string `json:"database,omitempty"`
	Where    string `json:"where"`
	Raw      bool   `json:"raw,omitempty"` // restored from a safety point
	// Safety is the point that holds what was there before; "" when the
	// restore went elsewhere, or when Absent.
	Safety PointID `json:"safety,omitempty"`
	// Absent reports that nothing was there before.
	Absent       bool    `json:"absent,omitempty"`
	Done         bool    `json:"done"`
	Seconds      float64 `json:"seconds,omitempty"`      // that putting it back took, since it was last cut off
	CheckSeconds float64 `json:"checkSeconds,omitempty"` // that the checks took
}
