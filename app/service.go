package app

import (
	"context"
	"io"
	"time"
)

// Service is everything a window or a command may ask of the guard. Calls
// return quickly, but for those that say they wait; long work is a [Job] that
// shows in the [Status]. Every error is an [*Error] or wraps one.
type Service interface {
	StatusService
	VaultService
	KitService
	CareService
	SourceService
	JobService
	HistoryService
	CatalogueService
	RestoreService
	SettingsService
	IncidentService
	PlaybookService
	ChoiceService
	WatchService
	ProofService
	ReadyService
	CapacityService
	SetupService
	ArrangeService
	UpdateService
	SupportService
}

// StatusService tells how the shop stands.
type StatusService interface {
	// Status returns the whole status now.
	Status(ctx context.Context) (Status, error)
	// Watch calls fn with the whole status first, then after every change,
	// until ctx ends or fn returns an error.
	Watch(ctx context.Context, fn func(Status) error) error
}

// VaultService sets up and looks after the vault.
type VaultService interface {
	Forms(ctx context.Context) (Forms, error)
	// ProbeStorage proves a location; it may take seconds.
	ProbeStorage(ctx context.Context, s StorageSpec) (StorageReport, error)
	// CreateVault makes a vault and starts to use it.
	CreateVault(ctx context.Context, r VaultRequest) (VaultInfo, error)
	// OpenVault starts to use an existing vault. This computer takes the place
	// of another whose sources it brings back, or joins with none; which of
	// several, r.Replaces says.
	OpenVault(ctx context.Context, r VaultRequest) (VaultInfo, error)
	// StartVerify reads points back.
	StartVerify(ctx context.Context, r VerifyRequest) (JobID, error)
	// StartMaintain expires old points and frees storage.
	StartMaintain(ctx context.Context) (JobID, error)
}

// VaultRequest makes or opens a vault.
type VaultRequest struct {
	Storage StorageSpec `json:"storage"`
	Shop    string      `json:"shop,omitempty"`
	// AcceptCompliance says that the owner has read what a compliance lock
	// means; without it one is refused: [CodeLockForEver].
	AcceptCompliance bool `json:"acceptCompliance,omitempty"`
	// Replaces is the name or ID of the computer whose place this one takes,
	// or [NoComputer]. Empty means the only one there is; where there are
	// several it is [CodeComputerWhich] with the choices.
	Replaces ComputerID `json:"replaces,omitempty"`
	// Invitation is one of [KitService.Invite]; its code is among Secrets.
	Invitation []byte `json:"invitation,omitempty"`
	// Secrets holds the storage's secrets and the passphrase; or a kit's text,
	// or an invitation's code, that say where the vault lies and open it.
	Secrets Secrets `json:"-"`
}

// Carried implements [SecretBearer].
func (r *VaultRequest) Carried() *Secrets { return &r.Secrets }

// SourceService looks after what is protected.
type SourceService interface {
	// Discover looks for sources on this computer; it takes up to seconds.
	Discover(ctx context.Context) ([]Found, error)
	// AddSource checks a source and adds it.
	AddSource(ctx context.Context, r AddSourceRequest) (Source, error)
	// RemoveSource stops protecting a source. Its points stay in the vault.
	RemoveSource(ctx context.Context, nameOrID string) error
	// ChangeSource changes settings or secrets of a source, after proving that
	// it can be reached so; what is not named stays.
	ChangeSource(ctx context.Context, r ChangeSourceRequest) (Source, error)
	// TrySource proves access to a source that is not added, and stores
	// nothing; the name may be empty. With r.Admin it is the administrator whose
	// access is proven: no user is made.
	TrySource(ctx context.Context, r AddSourceRequest) (SourceInfo, error)
	// CheckSource proves access to a source that is set up.
	CheckSource(ctx context.Context, nameOrID string) (SourceInfo, error)
	// Rights tells what the user of a source that is set up, or of one that is
	// about to be, may do on its server, and how to make one that may only read.
	Rights(ctx context.Context, r RightsRequest) (Rights, error)
	// Approval asks a source that is about to be set up for the page on which
	// its owner lets Kvart in: see [Approver].
	Approval(ctx context.Context, r ApprovalRequest) (Approval, error)
}

// RightsRequest names a source that is set up, or describes a new one.
type RightsRequest struct {
	Source   string            `json:"source,omitempty"` // name or ID; then the rest is empty
	Kind     Kind              `json:"kind,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	Secrets  Secrets           `json:"-"`
}

// Carried implements [SecretBearer].
func (r *RightsRequest) Carried() *Secrets { return &r.Secrets }

// AddSourceRequest describes a new source.
type AddSourceRequest struct {
	Kind     Kind              `json:"kind"`
	Name     string            `json:"name"`
	Settings map[string]string `json:"settings"`
	// Admin is an administrator of the source's server, with his password as
	// [AdminPasswordKey] among the secrets: the guard makes [BackupUser] as him,
	// uses it from then on, and forgets him. "" uses the user in Settings.
	Admin string `json:"admin,omitempty"`
	// Restoring, only with Admin, also lets that user put things back. False,
	// as it should be on ordinary days, makes a user that may only read, and
	// takes from one that is there what an earlier Restoring gave: see
	// [ChangeSourceRequest].
	Restoring bool    `json:"restoring,omitempty"`
	Secrets   Secrets `json:"-"`
}

// Carried implements [SecretBearer].
func (r *AddSourceRequest) Carried() *Secrets { return &r.Secrets }

// ChangeSourceRequest says what is different about a source.
//
// A restore that [CodeSourceRight] blocks, of a source whose kind has
// [KindSpec.Users], asks for the administrator once: it changes the source with
// Admin and Restoring, and plans again. The rights stay, since the restore may
// have to be undone or repeated, until the source is changed with Admin and
// without Restoring. With Restoring the database may be gone from its server.
type ChangeSourceRequest struct {
	Source    string            `json:"source"` // name or ID
	Settings  map[string]string `json:"settings,omitempty"`
	Admin     string            `json:"admin,omitempty"`     // as in [AddSourceRequest]
	Restoring bool              `json:"restoring,omitempty"` // as in [AddSourceRequest]
	Secrets   Secrets           `json:"-"`
}

// Carried implements [SecretBearer].
func (r *ChangeSourceRequest) Carried() *Secrets { return &r.Secrets }

// JobService starts and stops long work.
type JobService interface {
	// StartBackup backs up the named sources now, or all when none is named.
	// While a backup of the same sources runs, its job is returned.
	StartBackup(ctx context.Context, sources []string) (JobID, error)
	// StartDrill restores the newest point of the named sources, or of all, to
	// a safe place and checks it.
	StartDrill(ctx context.Context, sources []string) (JobID, error)
	// Wait waits for a job to end.
	Wait(ctx context.Context, id JobID) (Job, error)
	// Cancel asks a job to stop; nothing finished is lost by it.
	Cancel(ctx context.Context, id JobID) error
	// Pause stops scheduled backups until a time; the zero time ends a pause.
	Pause(ctx context.Context, until time.Time) error
}

// HistoryService shows what the vault holds. Sources are named by name or ID,
// points by ID, "" for the newest.
type HistoryService interface {
	Points(ctx context.Context, r PointsRequest) ([]Point, error)
	// Day returns the quarters of the local day that t lies in, for one source
	// or, when it is "", for all together.
	Day(ctx context.Context, r DayRequest) ([]Quarter, error)
	List(ctx context.Context, r PathRequest) ([]Entry, error)
	// Cat returns one file's bytes; the caller closes it.
	Cat(ctx context.Context, r PathRequest) (io.ReadCloser, error)
	// Diff compares a point with another or with the source as it is now; it
	// may take as long as a restore.
	Diff(ctx context.Context, r DiffRequest) ([]Change, error)
	// Export returns one sort of records of a point as a table; the caller
	// closes it. A failure in the middle is an error of reading: what was read
	// until then is not all.
	Export(ctx context.Context, r ExportRequest) (io.ReadCloser, error)
}

// ExportRequest names a table of a point.
type ExportRequest struct {
	Source string  `json:"source"`
	Point  PointID `json:"point,omitempty"`
	// What is one of [Exporter.Exports]; any other is [CodeUsage] with the
	// choices.
	What string `json:"what"`
}

// PointsRequest narrows a list of points.
type PointsRequest struct {
	Source string    `json:"source,omitempty"`
	Since  time.Time `json:"since"`
	Safety bool      `json:"safety,omitempty"` // the safety points instead of the backups
}

// DayRequest names a day of a source's history.
type DayRequest struct {
	Source string    `json:"source,omitempty"`
	Day    time.Time `json:"day"`
}

// PathRequest names a path in a point.
type PathRequest struct {
	Source string  `json:"source"`
	Point  PointID `json:"point,omitempty"`
	Path   string  `json:"path,omitempty"`
}

// Entry is one file or folder of a point.
type Entry struct {
	Path    string    `json:"path"`
	Dir     bool      `json:"dir,omitempty"`
	Size    int64     `json:"size"`
	ModTime time.Time `json:"modTime"`
	Rows    int64     `json:"rows,omitempty"` // of a table
}

// Live, as the other side of a comparison, is the source as it is now.
const Live PointID = "live"

// DiffRequest names two states to compare.
type DiffRequest struct {
	Source string  `json:"source"`
	Point  PointID `json:"point,omitempty"`
	With   PointID `json:"with,omitempty"` // "" or [Live]: as it is now
}

// SettingsService changes the few things the owner may choose.
type SettingsService interface {
	Settings(ctx context.Context) (Settings, error)
	SetSettings(ctx context.Context, s Settings) error
}

// Settings are the owner's choices.
type Settings struct {
	Language    string `json:"language"`    // "sv", "en"; "" follows the computer
	Autostart   bool   `json:"autostart"`   // start the guard at login
	UploadLimit int64  `json:"uploadLimit"` // bytes a second; 0 is unlimited
	// Keep is how long backups are kept; zero means [DefaultRetention].
	Keep Retention `json:"keep"`
	// QuietFrom and QuietTo are the hours of the day, 0 to 23, between which
	// the heavy work on the vault is done; equal means 20 to 7.
	QuietFrom int `json:"quietFrom"`
	QuietTo   int `json:"quietTo"`

	Theme Theme `json:"theme,omitempty"`
	// Muted are kinds of notices that are not shown on this computer; only those
	// that are [NoticeKind.Mutable]. Alerts by [Channel] go out all the same.
	Muted []NoticeKind `json:"muted,omitempty"`
	// OnBattery and OnMetered are the rules of backups while the computer runs on
	// its battery, or on a metered connection.
	OnBattery PowerRule `json:"onBattery,omitempty"`
	OnMetered PowerRule `json:"onMetered,omitempty"`
}

// Notifier tells the owner something outside the window.
type Notifier interface {
	// Notify shows a notice, in place of an earlier one with the same cause.
	Notify(ctx context.Context, n Notice) error
	// Resolve takes a cause's notice away, where the desktop can.
	Resolve(ctx context.Context, cause string) error
}

// Notice is one thing the owner has to know.
type Notice struct {
	Cause string // one notice a cause: "late", "failed", "restore"
	Title string
	Text  string
	Alarm bool
}
