package app

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"time"
)

// PointID names a point. It is the vault's own and never used again.
type PointID string

// PointKind tells what a point was made for.
type PointKind string

// Kinds of points.
const (
	PointBackup PointKind = "backup" // a quarter's capture
	PointSafety PointKind = "safety" // the state before a restore, raw
	PointState  PointKind = "state"  // Kvart's own settings, for a new computer
)

// Point is one source as it was at one time, complete in itself.
type Point struct {
	ID     PointID   `json:"point"`
	Source SourceID  `json:"source"`
	Name   string    `json:"name"` // the source's name when it was made
	Kind   PointKind `json:"kind"`
	// Seq grows with every point of a source. Order, "newest" and "previous"
	// go by it and never by Time: clocks jump. Several computers that save at
	// once may give points of different sources the same one.
	Seq        uint64    `json:"seq"`
	Time       time.Time `json:"time"` // of the computer's clock, when the capture began
	Bytes      int64     `json:"bytes"`
	Files      int64     `json:"files"`
	Incomplete int64     `json:"incomplete,omitempty"` // files that could not be read
	// Computer made the point.
	Computer ComputerID `json:"computer,omitempty"`
	Pinned   bool       `json:"pinned"`
	// Verified reports that the point was read back after it was written:
	// every path and size compared, every object looked up, and what was new in
	// it read in full, up to the vault's bound. The vault sets it on points it
	// has just saved; who lists points later fills it in from what it
	// remembers.
	Verified bool  `json:"verified"`
	Stats    Stats `json:"stats,omitempty"`
}

// Problem is a file that was not captured as it should have been; without a
// path, the source as a whole.
type Problem struct {
	Path string `json:"path,omitempty"`
	Code Code   `json:"code"` // CodeItem…, CodeSourceDamaged; CodeShop…, CodeKindMissing of a kind of a shop
}

// SaveRequest is one source's part of a run.
type SaveRequest struct {
	Source SourceID
	Name   string
	Kind   PointKind
	Time   time.Time
	Items  iter.Seq2[Item, error]
	Stats  func() Stats // may be nil
	// Far lets a safety point take over items of the same size and time from
	// the newest backup, too, instead of reading them. What is near is read: it
	// is the last chance to keep a file that changed under an old time.
	Far bool
}

// SaveResult is what became of a [SaveRequest]. When Err is set nothing was
// kept of it.
type SaveResult struct {
	Point         Point
	Problems      []Problem
	BytesRead     int64
	BytesUploaded int64 // this source's share of what the session sent
	Err           error
}

// PointFilter narrows a list of points. Zero fields do not.
type PointFilter struct {
	Source SourceID    `json:"source,omitempty"`
	Kinds  []PointKind `json:"kinds,omitempty"` // empty means backups only
	Since  time.Time   `json:"since"`
}

// PointFS is a read-only view of a point. Files support [io.ReaderAt] or
// [io.Seeker] only where the vault can do so cheaply; [fs.ReadDirFS] and
// [fs.StatFS] always work. It is valid until Close.
type PointFS interface {
	fs.FS
	io.Closer
}

// Prefetcher is implemented by a [PointFS] whose reads are slow one by one:
// it brings everything below the paths (none: everything) near, in as few
// requests as it can. It may return before all is there: a file that is opened
// waits for its own bytes. What has not come when ctx ends is read as if it had
// not been asked for.
type Prefetcher interface {
	Prefetch(ctx context.Context, p Progress, paths ...string) error
}

// Retention is how many points of a source are kept: so many of the newest,
// and the last one of so many hours, days, weeks and months. The newest, and
// pinned ones, are always kept.
type Retention struct {
	Latest  int `json:"latest"`
	Hourly  int `json:"hourly"`
	Daily   int `json:"daily"`
	Weekly  int `json:"weekly"`
	Monthly int `json:"monthly"`
}

// DefaultRetention keeps every quarter of two days, every hour of a week,
// every day of two months, every week of half a year and every month of two
// years.
func DefaultRetention() Retention {
	return Retention{Latest: 192, Hourly: 168, Daily: 60, Weekly: 26, Monthly: 24}
}

// VerifyRequest says what to verify.
type VerifyRequest struct {
	Points  []PointID `json:"points,omitempty"` // empty means all
	Percent float64   `json:"percent"`          // share of files read in full, 0 to 100
}

// VerifyReport is what a verification found.
type VerifyReport struct {
	Points  int       `json:"points"`
	Files   int64     `json:"files"`
	Bytes   int64     `json:"bytes"` // read in full
	Damaged []Problem `json:"damaged"`
	// DamagedPoints are the points the damaged files lie in.
	DamagedPoints []PointID `json:"damagedPoints,omitempty"`
}

// Vault keeps encrypted points. Only one Save, Verify or Maintain runs at a
// time; reading goes on beside them.
type Vault interface {
	// Save stores all requests in one session. A request that fails leaves
	// nothing behind and does not stop the others; the results are in the
	// order of the requests. A point is returned as verified only after it was
	// read back. The error is for the session as a whole: nothing was kept.
	Save(ctx context.Context, reqs []SaveRequest, p Progress) ([]SaveResult, error)

	// Points lists points, newest first by Seq.
	Points(ctx context.Context, f PointFilter) ([]Point, error)

	// Open returns a view of a point; [CodePointUnknown] when it is not there.
	Open(ctx context.Context, id PointID) (PointFS, error)

	// Verify reads back. Damage found is in the report, not an error.
	Verify(ctx context.Context, r VerifyRequest, p Progress) (VerifyReport, error)

	// Pin keeps a point for ever, or lets it go again.
	Pin(ctx context.Context, id PointID, pinned bool) error

	// Maintain expires points by keep, frees storage and keeps the index
	// small. Call it about once an hour; it knows what is due.
	Maintain(ctx context.Context, keep Retention) error

	// Expired lists points that Maintain of any computer took away in the last
	// [ExpiredKept]: what is missing and not among them was lost.
	Expired(ctx context.Context) ([]PointID, error)

	Close(ctx context.Context) error
}

// ExpiredKept is how long a vault remembers which points it let go.
const ExpiredKept = 180 * 24 * time.Hour

// VaultInfo describes an open vault.
type VaultInfo struct {
	ID      string `json:"id"` // the vault's own, for ever
	Shop    string `json:"shop"`
	Storage Kind   `json:"storage"`
	Where   string `json:"where"` // bucket or path, for the owner; no secrets
	OffSite bool   `json:"offSite"`
	// Lock is how the vault was told to lock what it stores. Only a [LockProof]
	// says whether the storage keeps to it.
	Lock  LockSettings `json:"lock"`
	Bytes int64        `json:"bytes"` // stored, -1 when not known
	Free  int64        `json:"free"`  // left at the storage, -1 when it does not tell
	// IndexBlobs is how many objects the vault's index is spread over, -1 when
	// not known. Many of them mean that maintenance does not run.
	IndexBlobs int `json:"indexBlobs"`
	// AsOf is the moment of the past the vault is shown at; zero for now. Such
	// a vault can only be read.
	AsOf time.Time `json:"asOf"`
}

// VaultDescriber is implemented by every [Vault] of a [VaultProvider].
type VaultDescriber interface {
	Describe(ctx context.Context) (VaultInfo, error)
}

// Throttler is implemented by vaults whose upload speed can be limited.
type Throttler interface {
	// SetUploadLimit sets bytes a second; 0 lifts the limit.
	SetUploadLimit(bytesPerSecond int64) error
}

// StorageSpec says where a vault lies.
type StorageSpec struct {
	Kind     Kind              `json:"kind"`
	Settings map[string]string `json:"settings"`
	// AsOf, when set, shows the storage as it was at that moment, for reading
	// only: what was deleted or overwritten since is there again. Only storages
	// that keep versions can; the others answer [CodeUsage].
	AsOf    time.Time `json:"asOf"`
	Secrets Secrets   `json:"-"`
}

// Carried implements [SecretBearer].
func (s *StorageSpec) Carried() *Secrets { return &s.Secrets }

// LocationState tells what lies at a storage location.
type LocationState string

// States of a location.
const (
	LocationEmpty   LocationState = "empty"
	LocationVault   LocationState = "vault"   // a Kvart vault, or one left half-made
	LocationForeign LocationState = "foreign" // somebody else's data
)

// StorageReport is what proving a storage found.
type StorageReport struct {
	State LocationState `json:"state"`
	// ClockSkew is how far the storage's clock is ahead of this computer's.
	ClockSkew time.Duration `json:"clockSkew"`
	RoundTrip time.Duration `json:"roundTrip"`
	Free      int64         `json:"free"` // bytes, -1 when the storage does not tell
	OffSite   bool          `json:"offSite"`
	// CanLock reports that this very place can refuse deletion: its bucket was
	// made with object lock.
	CanLock bool `json:"canLock"`
	// Warnings don't stand in the way and the owner should know them all the
	// same: a clock two minutes off, no lock, little room.
	Warnings []*Error `json:"warnings,omitempty"`
}

// VaultSetup is what opens or makes a vault.
type VaultSetup struct {
	Storage    StorageSpec
	Passphrase Secret
	Shop       string // name of the shop; only for making one
	StateDir   string // folder for caches and local memory, all of it disposable
	ExpectID   string // when set, opening any other vault is CodeVaultOther
	// Computer is who opens the vault. Its ID must not change.
	Computer Computer
	// Blobs are the small objects without which no passphrase opens the vault,
	// from a recovery kit. Open puts back those that are missing from a storage
	// that still holds the rest, and no others.
	Blobs map[string][]byte
}

// VaultProvider makes and opens vaults.
type VaultProvider interface {
	Storages() []KindSpec
	// Probe proves a location: writes, reads, lists and deletes an object of
	// its own.
	Probe(ctx context.Context, s StorageSpec) (StorageReport, error)
	// Create makes a vault in an empty location, or finishes one that was left
	// half-made with the same passphrase. It never writes over anything.
	Create(ctx context.Context, v VaultSetup) (Vault, error)
	// Open opens a vault. It never creates one.
	Open(ctx context.Context, v VaultSetup) (Vault, error)
}
