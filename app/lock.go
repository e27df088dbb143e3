package app

import (
	"context"
	"time"
)

// LockMode tells how firmly a storage keeps what is locked.
type LockMode string

// Modes of a lock.
const (
	LockNone LockMode = ""
	// LockGovernance can be lifted by whoever has a special right, which the
	// key that Kvart uses should not have.
	LockGovernance LockMode = "governance"
	// LockCompliance can be lifted by nobody, not even the bucket's owner, who
	// pays for the storage until it ends.
	LockCompliance LockMode = "compliance"
)

// LockSettings say for how long everything in a vault can't be deleted.
type LockSettings struct {
	Mode LockMode `json:"mode,omitempty"`
	Days int      `json:"days,omitempty"`
}

// MinLockDays is the shortest lock: it must outlive two full maintenances, which
// extend it.
const MinLockDays = 3

// LockState is what an attempt to delete showed.
type LockState string

// States of a lock.
const (
	LockHeld   LockState = "held"   // the storage refused
	LockLifted LockState = "lifted" // it refuses, but this computer's key may lift the lock
	LockOpen   LockState = "open"   // it deleted: nothing is locked
)

// LockProof is what came of trying to delete a locked object with the key that
// backups are made with.
type LockProof struct {
	At    time.Time `json:"at"`
	State LockState `json:"state"`
	// Refusal is what the storage said when it refused, for the log.
	Refusal string `json:"refusal,omitempty"`
}

// LockProver is implemented by vaults that can lie in a storage that locks.
type LockProver interface {
	// ProveLock stores a locked object of its own and tries to delete it, with
	// the key that backups are made with. It returns [CodeLockNone] where
	// nothing is to be locked.
	ProveLock(ctx context.Context) (LockProof, error)
}
