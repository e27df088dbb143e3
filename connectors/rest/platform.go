package rest

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"time"

	"kvart/app"
)

// A Platform is one make of shop. Its methods may be called from any goroutine.
type Platform interface {
	// Spec is the form, as [app.Connector] has it.
	Spec() app.KindSpec
	// Kinds is the table, parents before children.
	Kinds() []Kind
	// Open prepares access without asking the shop anything. For writing it
	// takes the key for restoring, and answers [app.CodeSecretMissing] with the
	// arg "field" when there is none that could write.
	Open(ctx context.Context, a app.Access, write bool) (Shop, error)
}

// A Shop is a shop opened for one piece of work. Its methods are called from
// several goroutines. Errors are [app.Error]s: [app.CodeShopScope] or
// [app.CodeShopRedacted] or [app.CodeShopAnswer] condemn one kind, any other the
// whole capture. The sequences stop after the first error.
type Shop interface {
	// Probe proves access with a request or two and tells what is there. Of a
	// shop opened for writing it proves that, and answers
	// [app.CodeSecretMissing] with the arg "field" when the key can only read.
	Probe(ctx context.Context) (Probe, error)

	// List yields records of a kind as q asks, the whole of it when q is zero.
	// It promises to notice a list that was cut short, and that records which
	// are made or deleted meanwhile make it skip none of the others.
	List(ctx context.Context, k Kind, q Query) iter.Seq2[Record, error]

	// IDs yields the keys of all records of a kind, as cheaply as it can, with
	// the promise of List. For kinds swept.
	IDs(ctx context.Context, k Kind) iter.Seq2[Stamp, error]

	// Fetch returns those of the records named that are there; those in the
	// shop's trash with Trashed set.
	Fetch(ctx context.Context, k Kind, keys []Key) ([]Record, error)

	// Gone yields the ids of records deleted since a time. For kinds with a
	// feed.
	Gone(ctx context.Context, k Kind, since time.Time) iter.Seq2[string, error]

	// Apply carries out ops of one kind, in order, in as few requests as it
	// can, and returns one result for each: those it came to before an error.
	// An op that was carried out already is carried out again without harm.
	Apply(ctx context.Context, k Kind, ops []Op) ([]Result, error)

	// Skew is how far the shop's clock is ahead of this computer's, as its last
	// answer told.
	Skew() time.Duration
}

// A Checker is a [Shop] that can't tell at once what a key may read: it tries.
type Checker interface {
	// Try proves access to each kind, and adds to what Probe found.
	Try(ctx context.Context, p *Probe) error
}

// An Origin is a [Shop] in which records made again can carry the id they had.
// The shop's Apply notes [Op.Was] in them.
type Origin interface {
	// Origin returns the id a record was made again for, "" for none.
	Origin(k Kind, record map[string]any) string
}

// A Finder is a [Shop] that finds a record by more than one field alone.
type Finder interface {
	// Find returns the live record that stands for want, nil when there is
	// none. want is a record of a point as it shall be in the shop: [Op.Record].
	Find(ctx context.Context, k Kind, want map[string]any) (*Record, error)
}

// A Rewriter is a [Shop] whose records name others in the middle of texts, where
// no [Ref] reaches.
type Rewriter interface {
	// Rewrite takes every such name in the record to what now returns for it:
	// the id in the shop of a record of the point.
	Rewrite(k Kind, record map[string]any, now func(kind, id string) string)
}

// A Wholesaler is a [Shop] that carries out many ops of a kind faster together
// than a hundred at a time.
type Wholesaler interface {
	// AtOnce returns how many of ops, from the first on, Apply is best given
	// together; 0 means as many as usual.
	AtOnce(k Kind, ops []Op) int
}

// A Gatherer is a [Shop] that reads many records of a kind sooner together than
// one by one.
type Gatherer interface {
	// Gathers reports whether n of the records of a kind, of about total, are
	// better gathered than fetched. since, where it is not zero, is from when on,
	// by the shop's clock, all of them should have changed.
	Gathers(k Kind, n, total int, since time.Time) bool
	// Gather reads at least those of the records named ahead that it finds, by
	// since where that is not zero, as they are now or later. Fetch gives out what
	// it read until release is called, and asks for what it did not find.
	Gather(ctx context.Context, k Kind, keys []Key, total int, since time.Time) (release func(), err error)
}

// A Preparer is a [Shop] that needs long for an answer about a whole kind, and
// works on several at the same time.
type Preparer interface {
	// Prepare is told which kinds are about to be read whole, by List or IDs. It
	// begins with what it can and waits for nothing: what fails now will fail when
	// it is asked for. What is then told is as of now or later. Only of fresh
	// kinds, of which nothing is known, it may be older, and so what an earlier
	// capture began: as of the time returned for the kind, by the shop's clock.
	Prepare(ctx context.Context, fresh, again []Kind) map[string]time.Time
}

// A Settler is a [Shop] in which the work of an Apply that was cut off may go on
// by itself.
type Settler interface {
	// Settle returns when no such work is under way. It is asked of a shop
	// opened for writing, before it is looked at what there is to do.
	Settle(ctx context.Context) error
}

// Probe is what a look at the shop found.
type Probe struct {
	Name    string            // of the shop
	Version string            // of its software
	Details map[string]string // more for the owner, as in [app.SourceInfo]
	// Kinds tells what the key can't read, by kind; nil errors are not in it.
	// An error of [app.CodeKindMissing] means that this shop has no such kind,
	// which is no problem.
	Kinds map[string]*app.Error
}

// Query says which records to list.
type Query struct {
	// Since asks for records changed since then, by the shop's clock; zero for
	// all there are.
	Since time.Time
	// Resume is the [Record.Resume] of the last record that was kept of a list
	// cut off. The list may begin some records before it.
	Resume string
	// Known, with Since, reports that a record which changed last at a time is
	// known as it is, and may be left out; nil knows none.
	Known func(id string, modified time.Time) bool
}

// Key names a record in the shop. An id is unique within its kind.
type Key struct {
	ID     string `json:"id"`
	Parent string `json:"parent,omitempty"` // of kinds with a parent
}

// Stamp is a key with whatever the shop tells when the record changes.
type Stamp struct {
	Key
	Modified time.Time
}

// Record is one record as the shop tells it.
type Record struct {
	Key
	// JSON is the record whole: the engine drops volatile fields, and adds the
	// parent as "_parent".
	JSON json.RawMessage
	// Fields, of a List or a Fetch, are the record in place of JSON: decoded, with
	// numbers as [json.Number]. They are the engine's then.
	Fields   map[string]any
	Modified time.Time // zero when the shop doesn't tell
	Trashed  bool
	// Resume is where to go on with a list. A record without an id says nothing
	// else.
	Resume string
	// Left is how many records of the list are still to come, this one among
	// them; 0 where that isn't known, or not for the whole list.
	Left int
	// Once says that the list tells of no record twice, and began at its start: it
	// is of one moment.
	Once bool
	// mirrored records are as the mirror has them.
	mirrored bool
	Mentions map[string][]Key // records of [ByMention] kinds that may have changed with it
}

// Action is what an [Op] does.
type Action string

// Actions.
const (
	DoUpdate  Action = "update"
	DoCreate  Action = "create"
	DoPublish Action = "publish" // out of the trash, and to the state given
	DoDelete  Action = "delete"  // to the trash where there is one
)

// Op is one thing to do to one record.
type Op struct {
	Do  Action
	Key        // in the shop; of a new record only the parent
	Was string // its id in the point
	// Record is as it shall be: the point's, without read-only fields, with
	// every reference taken to what is in the shop now.
	Record map[string]any
	// Fields are those of Record that differ from the shop; nil for all.
	Fields []string
	// Open returns the file of a record that is one, nil otherwise; Ext is the
	// ending of its name, such as ".jpg".
	Open func() (io.ReadCloser, error)
	Ext  string
	// Media opens a file of the point by its address, [fs.ErrNotExist] when
	// the point has it not; nil for kinds without media.
	Media func(url string) (io.ReadCloser, error)
	// Full is the record as the point has it, with read-only fields and old
	// references; nil for what is deleted.
	Full map[string]any
	// Live reads the record as the shop had it when it was compared, with read-only
	// fields and without volatile ones; nil where it has none.
	Live func(ctx context.Context) (map[string]any, error)
}

// Result is what became of an [Op].
type Result struct {
	ID  string // in the shop
	Err error  // this op's own; the others went on
	// Also are records of other kinds that were made along with it: by kind,
	// what they were in the point and are in the shop.
	Also map[string]map[string]string
}
