package app

import "time"

// Verdict is the headline: whether the shop is safe. It is computed from
// verified points and the clock alone; what is not known is not safe.
type Verdict string

// Verdicts, from good to bad.
const (
	VerdictSafe       Verdict = "safe"
	VerdictUnproven   Verdict = "unproven" // points exist, but not read back yet
	VerdictLate       Verdict = "late"
	VerdictSuspicious Verdict = "suspicious"
	VerdictFailed     Verdict = "failed"
	VerdictUnknown    Verdict = "unknown" // nothing set up, first backup not done, or the clock can't be trusted
)

// QuarterState tells what became of one quarter of an hour.
type QuarterState string

// States of a quarter.
const (
	QuarterNone    QuarterState = "none" // before Kvart was set up, or the guard was not running
	QuarterDue     QuarterState = "due"
	QuarterRunning QuarterState = "running"
	QuarterDone    QuarterState = "done"
	QuarterIdle    QuarterState = "idle" // looked, nothing new
	QuarterLate    QuarterState = "late" // done, but after its quarter had ended
	QuarterFailed  QuarterState = "failed"
	QuarterPaused  QuarterState = "paused"
	QuarterRest    QuarterState = "rest"    // nothing was due by the sources' own schedules
	QuarterWaiting QuarterState = "waiting" // by the owner's rule for battery or metered connection
	QuarterUnknown QuarterState = "unknown" // in the future of the clock
)

// QuarterLength is the time between two backups.
const QuarterLength = 15 * time.Minute

// Quarter is one bar of the strip.
type Quarter struct {
	Start time.Time    `json:"start"`
	State QuarterState `json:"state"`
	Code  Code         `json:"code,omitempty"` // why it failed
}

// Status is a complete picture: a window that has only the latest one can draw
// everything.
type Status struct {
	Seq   uint64    `json:"seq"`
	Now   time.Time `json:"now"`
	Build string    `json:"build"`
	// Self is this computer among [CareService.Computers].
	Self     ComputerID `json:"self,omitempty"`
	Language string     `json:"language"` // chosen by the owner; "" follows the computer

	Verdict Verdict `json:"verdict"`
	// Problems are what keeps the verdict from "safe", worst first.
	Problems []Problemed `json:"problems,omitempty"`
	// Notes are what the owner should see to although it does not keep the
	// verdict from "safe": a missing kit, a lock that does not hold, a copy out
	// of step. Worst first.
	Notes []Problemed `json:"notes,omitempty"`

	Vault   *VaultInfo `json:"vault"` // nil until one is set up
	Secrets string     `json:"secrets"`
	Kit     KitState   `json:"kit"`
	// LockProof is the last one; nil while the lock was never tried.
	LockProof *LockProof   `json:"lockProof,omitempty"`
	Copies    []CopyStatus `json:"copies,omitempty"`
	// Check is the rolling check's last report.
	Check   *CheckReport   `json:"check,omitempty"`
	Use     *StorageUse    `json:"use,omitempty"`
	Rule    *RuleOfCopies  `json:"rule,omitempty"`
	Sources []SourceStatus `json:"sources"`

	LastBackup time.Time `json:"lastBackup"` // time up to which every source is safe
	NextBackup time.Time `json:"nextBackup"` // zero while none comes by itself
	// Serving reports that a guard is at work, and backups come by themselves.
	Serving bool `json:"serving,omitzero"`
	// Pace is the time between two backups just now: [QuarterLength], or
	// [PeakLength] over peak days.
	Pace        time.Duration `json:"pace"`
	PausedUntil time.Time     `json:"pausedUntil"`
	Today       []Quarter     `json:"today"`

	Job       *Job         `json:"job,omitempty"` // running now
	LastDrill *DrillResult `json:"lastDrill,omitempty"`
	// Undo is the newest restore that can be undone.
	Undo *RestoreRecord `json:"undo,omitempty"`
	// Incident is the open one.
	Incident *IncidentBrief `json:"incident,omitempty"`
	// Unusual are the changes about which the owner has yet to say whether they
	// were theirs, newest first.
	Unusual []Unusual `json:"unusual,omitempty"`
	// Watch is how what the owner has watched stands.
	Watch     WatchStatus `json:"watch"`
	Autostart bool        `json:"autostart"`
	Theme     Theme       `json:"theme,omitempty"`
	Power     Power       `json:"power"`
	// Waiting says why backups wait, nil when none do.
	Waiting   *Waiting `json:"waiting,omitempty"`
	TrayShown bool     `json:"trayShown"`
}

// Locked reports whether the storage lately refused to delete what the key that
// backs up had locked.
func (s Status) Locked() bool {
	return s.LockProof != nil && s.LockProof.State == LockHeld && s.Now.Sub(s.LockProof.At).Abs() <= LockProofAge
}

// Problemed is a failure that stands now, and the source it is about, if one.
type Problemed struct {
	Source string `json:"source,omitempty"` // name
	Error  *Error `json:"error"`
}

// SourceState tells how one source stands.
type SourceState string

// States of a source.
const (
	SourceSafe       SourceState = "safe"
	SourceWaiting    SourceState = "waiting" // first backup not done
	SourceUnproven   SourceState = "unproven"
	SourceLate       SourceState = "late"
	SourceFailed     SourceState = "failed"
	SourceIncomplete SourceState = "incomplete" // the newest point lacks files that could not be read
	SourceUnknown    SourceState = "unknown"    // the newest point lies in the clock's future
	SourcePaused     SourceState = "paused"     // by the owner: what is new is not protected
	SourceQuiet      SourceState = "quiet"      // not looked at for its quiet hours: what is new is not protected
)

// SourceStatus is one source and how it stands.
type SourceStatus struct {
	Source Source      `json:"source"`
	State  SourceState `json:"state"`
	Point  *Point      `json:"point,omitempty"` // newest verified
	// SafeUntil is the time up to which everything in the source is in the
	// vault: of the newest verified point, or later when a look found nothing
	// new.
	SafeUntil time.Time `json:"safeUntil"`
	LastRun   time.Time `json:"lastRun"`
	// NextRun is when it is backed up next; zero while nobody knows.
	NextRun time.Time `json:"nextRun"`
	// Uploaded is what the newest point cost in bytes sent.
	Uploaded int64     `json:"uploaded"`
	Problems []Problem `json:"problems,omitempty"` // of the newest point
	Error    *Error    `json:"error,omitempty"`    // of the last run
	// RestoreSeconds is how long the last drill took, 0 when there was none.
	RestoreSeconds float64 `json:"restoreSeconds,omitempty"`
	// Proof is what drills have shown.
	Proof Proof `json:"proof,omitempty"`
}

// JobID names a piece of long work.
type JobID string

// JobKind tells what a job does.
type JobKind string

// Kinds of jobs.
const (
	JobBackup   JobKind = "backup"
	JobRestore  JobKind = "restore"
	JobUndo     JobKind = "undo"
	JobDrill    JobKind = "drill"
	JobVerify   JobKind = "verify"
	JobMaintain JobKind = "maintain"
	JobCheck    JobKind = "check" // the rolling one
	JobRepair   JobKind = "repair"
	JobCopy     JobKind = "copy"
	JobCapacity JobKind = "capacity"
	JobUpdate   JobKind = "update" // fetches a newer version of Kvart
)

// JobState tells how a job stands.
type JobState string

// States of a job.
const (
	JobRunning  JobState = "running"
	JobDone     JobState = "done"
	JobFailed   JobState = "failed"
	JobCanceled JobState = "canceled"
)

// Step names what a job is at. Its words are translations keyed "step.<step>".
type Step string

// Steps of jobs.
const (
	StepWaiting  Step = "waiting"
	StepCapture  Step = "capture"
	StepFetch    Step = "fetch" // a shop, before the first of it is stored
	StepPlan     Step = "plan"
	StepSafety   Step = "safety"
	StepRestore  Step = "restore"
	StepCheck    Step = "check"
	StepVerify   Step = "verify"
	StepMaintain Step = "maintain"
	StepRepair   Step = "repair"
	StepCopy     Step = "copy"
	StepCapacity Step = "capacity"
	StepDownload Step = "download"
)

// Job is one piece of long work, running or ended.
type Job struct {
	ID      JobID     `json:"id"`
	Kind    JobKind   `json:"kind"`
	State   JobState  `json:"state"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`

	Step      Step   `json:"step"`
	Source    string `json:"source,omitempty"` // name of the source it is at
	Items     int64  `json:"items"`
	ItemsDone int64  `json:"itemsDone"`
	Bytes     int64  `json:"bytes"`
	BytesDone int64  `json:"bytesDone"`

	Runs    []RunResult    `json:"runs,omitempty"`
	Restore *RestoreRecord `json:"restore,omitempty"`
	Drills  []DrillResult  `json:"drills,omitempty"`
	Verify  *VerifyReport  `json:"verify,omitempty"`
	Check   *CheckReport   `json:"check,omitempty"`
	Repair  *RepairReport  `json:"repair,omitempty"`
	Copies  []CopyStatus   `json:"copies,omitempty"`
	// Capacity grows step by step while a capacity rehearsal runs.
	Capacity *CapacityResult `json:"capacity,omitempty"`
	// Trying says why the storage is being asked again; nil when all goes well.
	Trying *Error `json:"trying,omitempty"`
	Error  *Error `json:"error,omitempty"`
}

// RunState tells what a run did for one source.
type RunState string

// States of a run.
const (
	RunDone   RunState = "done"
	RunIdle   RunState = "idle"
	RunFailed RunState = "failed"
)

// RunResult is what a backup did for one source.
type RunResult struct {
	Source        string    `json:"source"`
	State         RunState  `json:"state"`
	Point         PointID   `json:"point,omitempty"`
	Bytes         int64     `json:"bytes"` // in the point
	Files         int64     `json:"files"`
	BytesRead     int64     `json:"bytesRead"`
	BytesUploaded int64     `json:"bytesUploaded"`
	Seconds       float64   `json:"seconds"`
	Problems      []Problem `json:"problems,omitempty"`
	Error         *Error    `json:"error,omitempty"`
}

// DrillResult is what a restore to a safe place showed.
type DrillResult struct {
	Source  string    `json:"source"`
	Point   PointID   `json:"point"`
	At      time.Time `json:"at"`
	OK      bool      `json:"ok"`
	Seconds float64   `json:"seconds"`
	Checks  []Check   `json:"checks"`
	Error   *Error    `json:"error,omitempty"`
}
