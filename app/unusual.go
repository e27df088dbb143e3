package app

import (
	"context"
	"time"
)

// UnusualCode names a rule that a run of a source broke. Its words are
// translations keyed "unusual.<code>".
type UnusualCode string

// The rules.
const (
	UnusualDropped   UnusualCode = "dropped"    // rows or records of a kind are far fewer
	UnusualEmptied   UnusualCode = "emptied"    // none of a kind is left
	UnusualTableGone UnusualCode = "table_gone" // a table is not there any more
	UnusualShrunk    UnusualCode = "shrunk"     // the shop let go of many of a kind at once; the backup keeps them until answered
	UnusualFiles     UnusualCode = "files"      // most files of a type were deleted or changed
	UnusualRaw       UnusualCode = "raw"        // what is new can't be made smaller any more, as encrypted data can't
	UnusualSuffix    UnusualCode = "suffix"     // many files with an ending never seen before
	UnusualRenamed   UnusualCode = "renamed"    // many files had an ending added to their name
	UnusualRansom    UnusualCode = "ransom"     // files carry an ending that ransomware is known for
	UnusualContent   UnusualCode = "content"    // files no longer hold what their type says
	UnusualCanary    UnusualCode = "canary"     // Kvart's own file in the folder was touched
	UnusualOldFiles  UnusualCode = "old_files"  // files untouched for months were touched, several at once
	UnusualPrices    UnusualCode = "prices"     // prices of most products changed
	UnusualPayment   UnusualCode = "payment"    // where payments go was changed
	UnusualTurned    UnusualCode = "turned"     // what was readable is locked, or no database any more
)

// UnusualCodes lists every rule.
func UnusualCodes() []UnusualCode {
	return []UnusualCode{
		UnusualDropped, UnusualEmptied, UnusualTableGone, UnusualShrunk, UnusualFiles, UnusualRaw, UnusualSuffix, UnusualRenamed,
		UnusualRansom, UnusualContent, UnusualCanary, UnusualOldFiles, UnusualPrices, UnusualPayment, UnusualTurned,
	}
}

// UnusualReason is one rule that was broken, with its numbers.
type UnusualReason struct {
	Code  UnusualCode `json:"code"`
	Kind  string      `json:"kind,omitempty"` // table, kind of record, ending of a file's name
	Count int64       `json:"count,omitempty"`
	Of    int64       `json:"of,omitempty"`
}

// UnusualLevel says how much a change looks like harm.
type UnusualLevel string

// Levels. Both mark, pin, freeze and ask.
const (
	UnusualNone     UnusualLevel = ""
	UnusualQuestion UnusualLevel = "question" // could well be the owner's work
	UnusualAlarm    UnusualLevel = "alarm"    // looks like an attack or a loss
)

// Unusual is one unusual change, from the run that showed it until the owner
// said whether it was theirs.
type Unusual struct {
	ID       int64           `json:"id"`
	SourceID SourceID        `json:"sourceId"`
	Source   string          `json:"source"` // name
	At       time.Time       `json:"at"`
	Level    UnusualLevel    `json:"level"`
	Reasons  []UnusualReason `json:"reasons"`
	// Point is the first that holds the change; "" when nothing could be stored.
	Point PointID `json:"point,omitempty"`
	// Good is the newest verified point before it.
	Good     PointID   `json:"good,omitempty"`
	GoodTime time.Time `json:"goodTime"`
	// Pinned are the points kept because of it; Unpinned is how many are still
	// to be pinned.
	Pinned   []PointID `json:"pinned,omitempty"`
	Unpinned int       `json:"unpinned,omitempty"`
	Answered time.Time `json:"answered"`
	// Yes is the answer: it was the owner.
	Yes bool `json:"yes"`
}

// Open reports whether the owner has yet to answer.
func (u Unusual) Open() bool { return u.Answered.IsZero() }

// Finding is what a [Judge] says of one run.
type Finding struct {
	Level   UnusualLevel
	Reasons []UnusualReason
}

// CanaryState tells how Kvart's own file in a protected folder stands.
type CanaryState string

// States of a canary.
const (
	CanaryNone    CanaryState = ""        // none was planted
	CanaryAlive   CanaryState = "alive"   //
	CanaryTouched CanaryState = "touched" // changed, renamed or deleted
	CanaryUnknown CanaryState = "unknown" // it could not be looked at
)

// RunFacts is what one run of a source showed, beside its items.
type RunFacts struct {
	At    time.Time
	Stats Stats
	// Server reports that the source is a database on a server, whose Stats
	// count every table: one that is missing is not there.
	Server   bool
	Bytes    int64 // of the whole source
	Read     int64
	Uploaded int64
	Failed   Code // why the source could not be read; "" when it could
	Idle     bool // nothing had moved: no item was yielded
	Canary   CanaryState
	// Expected reports that Kvart itself changed the source, by a restore.
	Expected bool
	// Asked reports that the owner has yet to answer about the source: nothing
	// is learned from what may be harm.
	Asked bool
}

// A Judge tells ordinary runs of a source from unusual ones. What it learned is
// opaque to everyone else; nil means nothing yet.
type Judge interface {
	// Begin starts to watch one run.
	Begin(learned []byte) (RunWatch, error)
	// Teach takes in the owner's answer: with yes, the like is ordinary from now
	// on. Either way the same change is not asked about again.
	Teach(learned []byte, u Unusual, yes bool, now time.Time) ([]byte, error)
}

// RunWatch watches one run.
type RunWatch interface {
	// Item returns the item so that what is read of it is looked at as well. It
	// may be called again for the same item, and from any goroutine.
	Item(i Item) Item
	// Judge says what the run showed, and returns what is learned now.
	Judge(f RunFacts) (Finding, []byte, error)
}

// GoneAccepter is implemented by connectors that keep what a shop let go, when
// it is unusually much, until the owner said that it is meant to be gone.
type GoneAccepter interface {
	// AcceptGone lets it go; kind "" means all kinds.
	AcceptGone(ctx context.Context, a Access, kind string) error
}
