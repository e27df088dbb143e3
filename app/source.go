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

	// Optional items may fail to open or read without failing the capture:
	// the vault reports them as [Problem]s. An error of [CodeItemChanged]
	// from Close keeps the bytes read and is reported too.
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
	// Next is the marker of the state captured, to be kept only once the
	// point is verified.
	Next Marker
	// Stats returns counts of the state captured. It is called after every
	// item was read.
	Stats func() Stats
	// Close releases locks and temporary files. It may be called twice.
	Close func() error
}

// Access is a source together with what opens it.
type Access struct {
	Source  Source
	Secrets Secrets
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
	Blockers  []*Error `json:"blockers,omitempty"` // must be solved before the restore can start
}

// Check is one thing looked at after a restore or in a drill. Its title is a
// translation keyed "check.<code>".
type Check struct {
	Source string `json:"source,omitempty"`
	Code   string `json:"code"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
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
