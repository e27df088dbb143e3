package app

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"time"
)

// SourceID names a source for as long as its backups exist. It is made from
// the source's name and is safe in paths: lower-case letters, digits, "-".
type SourceID string

// Source is something the shop can't trade without.
type Source struct {
	ID       SourceID          `json:"id"`
	Name     string            `json:"name"`
	Kind     Kind              `json:"kind"`
	Settings map[string]string `json:"settings"`
	AddedAt  time.Time         `json:"addedAt"`
	Schedule Schedule          `json:"schedule,omitzero"`
}

// Marker is a source's place in time, opaque to everyone but the connector
// that made it. "" means none.
type Marker string

// Stats are counts taken with a capture, for checking a restore against:
// "table.sale" → rows, "files", "bytes".
type Stats map[string]int64

// StatDamaged counts the parts of a source, such as tables, that could not be
// read for damage that was there before the capture. The capture holds them as
// they were.
const StatDamaged = "damaged"

// Item is one file of a capture.
type Item struct {
	Path    string      // slash-separated, no "." or "..", unique within the capture
	Size    int64       // -1 when not known before reading
	ModTime time.Time   //
	Mode    fs.FileMode // permission bits, and [fs.ModeSymlink] or [fs.ModeDir]
	Link    string      // target, of a symbolic link

	// Pages, in bytes, is set for a file that changes in place in pages of
	// this size, such as a database: the vault then stores only the pages that
	// changed. 0 for ordinary files.
	Pages int

	// Rolling is set for a file in which bytes are inserted and removed, such
	// as a dump: the vault then stores only the stretches that are new. Such an
	// item is opened and read to its end, or to its first error, before the next
	// one is asked for, so that one dump can be cut into items as it streams. It
	// is not set together with Pages.
	Rolling bool

	// Early is set for a file that a capture has at hand long before its last
	// one: the vault opens, reads and stores it while it asks for the next ones.
	// It is not set together with Pages or Rolling.
	Early bool

	// Optional items may fail to open or read without failing the capture:
	// the vault reports them as [Problem]s. An error of [CodeItemChanged]
	// from Close keeps the bytes read and is reported too. One whose code
	// [Code.EndsCapture] fails it all the same.
	Optional bool

	// Open is nil for links and folders. It may be called from any goroutine,
	// and not at all when the vault already has this version of the file.
	Open func(context.Context) (io.ReadCloser, error)
}

// Capture is one consistent reading of a source.
type Capture struct {
	// Idle reports that nothing moved since the marker: there is nothing to
	// store and every other field is empty.
	Idle bool
	// Items yields every file, parents before children. It stops after the
	// first error it yields.
	Items iter.Seq2[Item, error]
	// Early says that the source is read while Items yields: see [Access.Early].
	Early bool
	// Next is the marker of the state captured, to be kept only once the
	// point is verified. It may be known only when every item was yielded.
	Next Marker
	// Stats returns counts of the state captured. It is called after every
	// item was read.
	Stats func() Stats
	// Close releases locks and temporary files. It may be called twice.
	Close func() error
	// Far, of a present state, says that every item costs a trip to a server, or
	// that its time tells its content: see [SaveRequest.Far].
	Far bool
}

// Access is a source together with what opens it.
type Access struct {
	Source  Source
	Secrets Secrets
	// Newest opens the source's newest backup, for connectors that keep what
	// their server no longer shows. It returns nil when there is none; nil
	// itself where the caller offers no backup.
	Newest func(context.Context) (PointFS, error)
	// Progress is told, where it is not nil, of what a capture does before it
	// returns, counted in items: a shop is fetched then, which the first time
	// takes hours. What the vault does with the items is counted apart.
	Progress Progress
	// Early says that the caller takes items while a source is still being read:
	// a capture may then return at once, and read, and fail, as its items are
	// asked for. Those at hand before the last ones are [Item.Early].
	Early bool
}

// SourceInfo is what a check found out about a source.
type SourceInfo struct {
	Bytes   int64             `json:"bytes"`
	Files   int64             `json:"files,omitempty"`
	Changed time.Time         `json:"changed"`
	Details map[string]string `json:"details,omitempty"` // "journal": "wal"
}

// A Connector reads one kind of source. Its methods may be called from any
// goroutine; the agent never runs two captures or restores of one source at
// once.
type Connector interface {
	Spec() KindSpec

	// Check proves access with one cheap read. It never changes the source.
	Check(ctx context.Context, a Access) (SourceInfo, error)

	// Capture reads the state of the source as it is now. With a marker from
	// an earlier capture it may answer that nothing moved.
	Capture(ctx context.Context, a Access, since Marker) (*Capture, error)
}

// Found is a source that was discovered and is not set up yet.
type Found struct {
	Kind     Kind              `json:"kind"`
	Name     string            `json:"name"` // suggestion
	Settings map[string]string `json:"settings"`
	Bytes    int64             `json:"bytes"`
	Changed  time.Time         `json:"changed"`
	Likely   bool              `json:"likely"` // looks like shop data: ticked in advance
}

// Discoverer is implemented by connectors that can find sources themselves.
// It only reads, and gives up after a few seconds with what it has.
type Discoverer interface {
	Discover(ctx context.Context) ([]Found, error)
}

// Rights is what the user that a source is read with may do on its server.
type Rights struct {
	User    string   `json:"user"`
	Missing []string `json:"missing,omitempty"` // by the server's own names
	// Excess are rights that reading doesn't need and that whoever steals the
	// password could do harm with, by the server's own names.
	Excess []string `json:"excess,omitempty"`
	// Statements make a user that may read and nothing else, to be run in this
	// order by an administrator of the server; "<password>" stands for a new
	// password.
	Statements []string `json:"statements,omitempty"`
	// Restoring are more statements, which let that user also put things back.
	// They go far: whoever steals the password meanwhile could do harm.
	Restoring []string `json:"restoring,omitempty"`
}

// BackupUser is the name of the user that [Granter.MakeUser] makes.
const BackupUser = "kvart_backup"

// AdminPasswordKey is the name, among the secrets of a request, of an
// administrator's password: used once, never kept.
const AdminPasswordKey = "admin_password"

// A Granter is implemented by connectors of servers with users of their own.
type Granter interface {
	// Rights looks at the user of a. It reads only.
	Rights(ctx context.Context, a Access) (Rights, error)
	// MakeUser makes [BackupUser], with the password given, as the
	// administrator whose access admin is: the statements of [Rights], with
	// restoring followed by those of [Rights.Restoring], run in one go or taken
	// back. A user of that name that is there already gets the password and
	// exactly these rights: without restoring, what Restoring had given is
	// taken away, and what it was used to make goes to the database's owner.
	// With restoring the database need not be there.
	MakeUser(ctx context.Context, admin Access, password Secret, restoring bool) error
}

// Forgetter is implemented by connectors that keep something about a source on
// this computer, such as a copy to compare with.
type Forgetter interface {
	// Forget deletes it. The source is not protected any more, and may have
	// been unknown to the connector.
	Forget(ctx context.Context, s Source) error
}

// Target is where a restore goes.
type Target struct {
	// Dir is the folder to write into; "" means the source's original place.
	Dir string `json:"dir,omitempty"`
	// Database is the name of a new database, on the same server, to restore
	// into; only for sources that are databases on a server, and not together
	// with Dir.
	Database string `json:"database,omitempty"`
}

// Original reports whether the target is the source's own place.
func (t Target) Original() bool { return t.Dir == "" && t.Database == "" }

// Restore is one source's part of a restore.
type Restore struct {
	Access Access
	From   fs.FS    // the point
	Paths  []string // below From; empty means everything
	Target Target
	Stats  Stats // of the point, to check against; may be nil
	Raw    bool  // From is a safety point: the files as they lay there, in any state
	// Agreed reports that the owner has said yes: what Plan is then asked for is
	// what stands in the way. It may leave out what it would do: the target is
	// read for the safety point in a moment.
	Agreed bool
	// Remove names files and folders of the target, slash-separated and
	// parents before children, that Apply takes away: an undo's, which the
	// restore had created. They are in the safety point of the undo. Folders
	// stay while anything is in them.
	Remove []string
}

// TargetPlan is what a restore of one source would do, found by reading only.
type TargetPlan struct {
	Where     string   `json:"where"` // full path, for the owner
	Bytes     int64    `json:"bytes"`
	Files     int64    `json:"files"`
	Exists    bool     `json:"exists"` // there is a present state, which is saved first
	Overwrite int64    `json:"overwrite"`
	Create    int64    `json:"create"`
	Remove    int64    `json:"remove"`
	Republish int64    `json:"republish,omitempty"` // taken out of a shop's own trash
	Manual    int64    `json:"manual,omitempty"`    // left for people, as a warning says
	Blockers  []*Error `json:"blockers,omitempty"`  // must be solved before the restore can start
	Warnings  []*Error `json:"warnings,omitempty"`  // worth knowing before it starts
}

// Check is one thing looked at after a restore or in a drill. Its title is a
// translation keyed "check.<code>".
type Check struct {
	Source string `json:"source,omitempty"`
	Code   string `json:"code"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"` // what was seen, and what was wrong, in English for the log
	// Counted is what was looked at, for the owner.
	Counted Counted `json:"counted,omitzero"`
	// Part names what of the source it is about, where that has several: a file.
	Part string `json:"part,omitempty"`
	// Seen is what was wrong, or is worth telling of what was right, for the
	// owner. What an earlier program kept has none.
	Seen []Seen `json:"seen,omitempty"`
}

// Counted tells how much a [Check] looked at: tables and their rows, or files
// and their bytes. What was not counted is 0.
type Counted struct {
	Tables int64 `json:"tables,omitempty"`
	Rows   int64 `json:"rows,omitempty"`
	Files  int64 `json:"files,omitempty"`
	Bytes  int64 `json:"bytes,omitempty"`
}

// Restorer is implemented by connectors that can put data back.
type Restorer interface {
	// Plan compares the point with the target as it is now. It reads only.
	Plan(ctx context.Context, r Restore) (TargetPlan, error)

	// Present yields the raw files of the original place as they lie there,
	// damaged or not, for the safety point. No items means nothing is there.
	Present(ctx context.Context, a Access) (*Capture, error)

	// Apply puts the data back. Applying twice has the effect of applying
	// once, so a restore resumes after a crash. It replaces files whole or
	// not at all.
	Apply(ctx context.Context, r Restore, p Progress) error

	// Verify looks at the target after Apply. Failed checks are not an error.
	Verify(ctx context.Context, r Restore) ([]Check, error)
}

// Rehearser is implemented by connectors that need more than a folder for
// proving that a point can be restored: a throw-away database.
type Rehearser interface {
	// Rehearse restores the point to a place of its own making, checks it there
	// as after a real restore, and takes the place away again, with whatever an
	// earlier rehearsal left that was killed. The source itself is not touched.
	// r.Target is empty; tmp is a folder to use freely.
	Rehearse(ctx context.Context, r Restore, tmp string, p Progress) ([]Check, error)
}

// Browser is implemented by connectors whose points hold more than their files
// show: a database's tables.
type Browser interface {
	// Browse returns a view of the point, using the folder tmp for what it
	// has to unpack; tmp is removed by the caller after Close.
	Browse(ctx context.Context, from fs.FS, tmp string) (PointFS, error)
}

// Exporter is implemented by connectors that can write parts of a point as
// tables for people, which other programs can read: CSV, in UTF-8.
type Exporter interface {
	// Exports names what can be exported: "products", "orders".
	Exports() []string
	// Export writes one of those. It reads only, and holds no more than a few
	// records at a time. What is not among them is [CodeUsage] with the choices.
	Export(ctx context.Context, from fs.FS, what string, w io.Writer) error
}

// ChangeKind tells how one thing differs.
type ChangeKind string

// Kinds of change.
const (
	ChangeAdded   ChangeKind = "added"
	ChangeRemoved ChangeKind = "removed"
	ChangeChanged ChangeKind = "changed"
)

// Change is one difference between two states of a source. A file is one
// change; a table is one change with its rows counted.
type Change struct {
	Path    string     `json:"path"`
	Kind    ChangeKind `json:"kind"`
	Added   int64      `json:"added,omitempty"` // rows
	Removed int64      `json:"removed,omitempty"`
	Changed int64      `json:"changed,omitempty"`
	Before  int64      `json:"before"` // bytes of a file, rows of a table
	After   int64      `json:"after"`
	// Fields are those of a shop's record that differ.
	Fields []FieldChange `json:"fields,omitempty"`
	// By is who made the change last, a person or a program, and At when; "" and
	// nil where the source doesn't tell.
	By string     `json:"by,omitempty"`
	At *time.Time `json:"at,omitempty"`
}

// FieldChange is one field of a record that differs, its values as JSON.
type FieldChange struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"` // "" when it was not there
	After  string `json:"after,omitempty"`
	// By and At are as in [Change].
	By string     `json:"by,omitempty"`
	At *time.Time `json:"at,omitempty"`
}

// Differ is implemented by connectors that can compare two states.
type Differ interface {
	// Live returns the source as it is now, shaped like a point of it.
	Live(ctx context.Context, a Access, tmp string) (PointFS, error)
	// Diff tells how after differs from before, sorted by path.
	Diff(ctx context.Context, before, after fs.FS, tmp string) ([]Change, error)
}

// Progress receives counts while work is under way. Implementations are safe
// for concurrent use and never block.
type Progress interface {
	// Expect adds to what is to be done.
	Expect(items, bytes int64)
	// Done adds to what is done.
	Done(items, bytes int64)
}
