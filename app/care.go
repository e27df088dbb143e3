package app

import (
	"context"
	"time"
)

// PassphraseChanger is implemented by vaults whose passphrase can be changed.
type PassphraseChanger interface {
	// ChangePassphrase changes it for everybody: older kits open nothing any
	// more, other computers have to be told. What is stored is not encrypted
	// anew. [CodeWeakPassphrase] when it is too short.
	ChangePassphrase(ctx context.Context, passphrase Secret) error
}

// QuietMaintainer is implemented by vaults whose heavy maintenance can wait for
// a quiet hour.
type QuietMaintainer interface {
	// MaintainWithin is [Vault.Maintain], but without full the heavy part is
	// left for later, as long as that does no harm.
	MaintainWithin(ctx context.Context, keep Retention, full bool) error
}

// Rewinder is implemented by providers of vaults in storages that keep
// versions.
type Rewinder interface {
	// Rewind makes the storage at s again as it was at s.AsOf, and returns how
	// many objects it brought back. It can be repeated after a failure.
	Rewind(ctx context.Context, s StorageSpec) (objects int, err error)
}

// Attendant is implemented by vaults that can be asked cheaply whether they are
// still there.
type Attendant interface {
	// Present returns an error unless the vault lies where it lay.
	Present(ctx context.Context) error
}

// Trier is implemented by vaults that can say why they are waiting.
type Trier interface {
	// Trying returns why the storage is being asked again just now, nil when
	// all goes well.
	Trying() error
}

// CheckReport is what the rolling check found.
type CheckReport struct {
	Packs      int   `json:"packs"` // objects read and opened this time
	Bytes      int64 `json:"bytes"` // in them
	PacksTotal int   `json:"packsTotal"`
	BytesTotal int64 `json:"bytesTotal"`
	// Oldest is when the least recently read of all was read; zero while some
	// have not been read at all.
	Oldest time.Time `json:"oldest"`
	// Behind is when the one that waits for longest was read or, if it never
	// was, stored, by the storage's clock.
	Behind time.Time `json:"behind"`
	// Unread is how many bytes have never been read back in full.
	Unread int64 `json:"unread"`
	// Damaged are the objects that could not be read as they were written.
	Damaged []string `json:"damaged,omitempty"`
}

// Checker is implemented by vaults that can read all they store, piece by
// piece.
type Checker interface {
	// Check reads stored objects in full, those that were not read for longest
	// first, until budget bytes are read. Damage found is in the report, and
	// is found again until it is repaired.
	Check(ctx context.Context, budget int64, p Progress) (CheckReport, error)
}

// RepairReport is what a repair did.
type RepairReport struct {
	Damaged  int `json:"damaged"`  // objects that were missing or wrong
	Restored int `json:"restored"` // of them, brought back whole from a copy
	// Forgotten is how many pieces no copy had: the vault forgot them, so that
	// the next backup of a source that still has them stores them again.
	Forgotten int `json:"forgotten"`
	// Points are those that can't be read in full just now.
	Points []PointID `json:"points,omitempty"`
}

// Repairer is implemented by vaults that can mend what is damaged.
type Repairer interface {
	// Repair reads everything, brings what is damaged back from the copies
	// where they hold it whole, and forgets the rest so that it is stored anew.
	// Nothing that can be read is touched.
	Repair(ctx context.Context, copies []StorageSpec, p Progress) (RepairReport, error)
}

// CopyReport is what bringing a copy in step did.
type CopyReport struct {
	Objects int   `json:"objects"` // in the copy afterwards
	Bytes   int64 `json:"bytes"`
	Copied  int   `json:"copied"` // of them, new or mended this time
	Sent    int64 `json:"sent"`
	Removed int   `json:"removed"` // that the vault has let go
	// Read is how many of the bytes were read back from the copy, compared
	// with the vault's, and found equal.
	Read int64 `json:"read"`
	// Damaged objects of the copy were found wrong and replaced.
	Damaged int `json:"damaged,omitempty"`
}

// Copier is implemented by vaults that can be copied elsewhere, object by
// object, so that the copy opens with the same passphrase and with stock Kopia.
type Copier interface {
	// Copy brings the copy at a location in step: what is new goes there, in
	// an order that leaves a copy usable that was cut off, and what the vault
	// let go a week ago is removed. A location that holds anything but a copy
	// of this vault is refused: [CodeStorageForeign], [CodeVaultOther]. All
	// that is written is read back; of the rest, share (0 to 1) is. A vault
	// that has lost its index or has shrunk by more than half at once is not
	// copied: [CodeCopyShrunk].
	Copy(ctx context.Context, to StorageSpec, share float64, p Progress) (CopyReport, error)
}

// CopyState tells how a copy stands.
type CopyState string

// States of a copy.
const (
	CopyNew    CopyState = "new"     // never brought in step
	CopyInStep CopyState = "in_step" // holds everything of at most a day ago
	CopyBehind CopyState = "behind"
	CopyAway   CopyState = "away"   // not plugged in, or not reached
	CopyFailed CopyState = "failed" // it said no, or it is damaged
)

// CopyStatus is a second place the vault is copied to, and how it stands.
type CopyStatus struct {
	Name     string            `json:"name"`
	Kind     Kind              `json:"kind"`
	Settings map[string]string `json:"settings"`
	Where    string            `json:"where"`
	OffSite  bool              `json:"offSite"`
	State    CopyState         `json:"state"`
	// InStep is up to when everything in the vault is in the copy too, read
	// back and equal.
	InStep time.Time   `json:"inStep"`
	Last   *CopyReport `json:"last,omitempty"`
	Error  *Error      `json:"error,omitempty"`
}

// CopyRequest describes a new copy.
type CopyRequest struct {
	Name    string      `json:"name"`
	Storage StorageSpec `json:"storage"`
	// AcceptCompliance is as in [VaultRequest].
	AcceptCompliance bool    `json:"acceptCompliance,omitempty"`
	Secrets          Secrets `json:"-"`
}

// Carried implements [SecretBearer].
func (r *CopyRequest) Carried() *Secrets { return &r.Secrets }

// CareService keeps the vault sound.
type CareService interface {
	// StartCheck reads on where the last check ended; see [Checker].
	StartCheck(ctx context.Context) (JobID, error)
	// StartRepair mends what is damaged; see [Repairer].
	StartRepair(ctx context.Context) (JobID, error)
	// ProveLock tries the vault's lock now.
	ProveLock(ctx context.Context) (LockProof, error)
	// AddCopy proves a second place and keeps it in step from now on.
	AddCopy(ctx context.Context, r CopyRequest) (CopyStatus, error)
	// RemoveCopy keeps it in step no longer; what lies there stays.
	RemoveCopy(ctx context.Context, name string) error
	// StartCopy brings copies in step now; all when none is named.
	StartCopy(ctx context.Context, names []string) (JobID, error)
	// ChangePassphrase changes the vault's passphrase; the kit is void then.
	ChangePassphrase(ctx context.Context, r PassphraseRequest) error
	// Computers lists the computers that share the vault.
	Computers(ctx context.Context) ([]Computer, error)
	// Rewind makes a storage that is shown as it was (see [StorageSpec.AsOf]) so
	// again, for good: what was deleted or overwritten since then is back, and
	// backups go on from there. Newer versions stay where the storage keeps
	// them. [CodeUsage] where the storage is not shown so, or can't.
	Rewind(ctx context.Context) error
	// StepIn makes this computer the one that backs up its sources again,
	// after another took its place or pushed it aside.
	StepIn(ctx context.Context) error
}

// PassphraseRequest carries a new passphrase under [PassphraseKey].
type PassphraseRequest struct {
	Secrets Secrets `json:"-"`
}

// Carried implements [SecretBearer].
func (r *PassphraseRequest) Carried() *Secrets { return &r.Secrets }

// StorageUse is how full the storage is and when it will be.
type StorageUse struct {
	Bytes  int64 `json:"bytes"`
	Free   int64 `json:"free"`   // -1 when the storage does not tell
	PerDay int64 `json:"perDay"` // growth, of the last weeks; 0 while not known
	// FullAt is when it is full at this pace; zero when not known or more than
	// ten years away.
	FullAt time.Time `json:"fullAt"`
	// Peak is what the next peak day is expected to add; nil while not known,
	// or none is near: more than [ReadySoon] away.
	Peak *PeakForecast `json:"peak,omitempty"`
}

// RuleOfCopies is 3-2-1-1-0, computed from facts: three copies of the shop's
// data (the shop's own counts), on two kinds of media, one away from the shop,
// one that this computer can't destroy, and no errors in proving that they can
// be restored.
type RuleOfCopies struct {
	Copies  int  `json:"copies"`
	Media   int  `json:"media"`
	OffSite bool `json:"offSite"`
	// Immutable: the lock was proved within [LockProofAge], or a copy that is in
	// step lies on a disk that is unplugged.
	Immutable bool `json:"immutable"`
	// Errors counts what stands against restoring: failed or missing drills and
	// known damage. Proved says that 0 is known, not hoped.
	Errors int  `json:"errors"`
	Proved bool `json:"proved"`
}

// Met reports whether all five are.
func (r RuleOfCopies) Met() bool {
	return r.Copies >= 3 && r.Media >= 2 && r.OffSite && r.Immutable && r.Proved && r.Errors == 0
}

// LockProofAge is how long a lock that was proved is believed.
const LockProofAge = 8 * 24 * time.Hour
