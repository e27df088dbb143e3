package rest

import (
	"time"

	"kvart/app"
)

// Changes tells how changed records of a kind are found.
type Changes string

// Ways of finding changes.
const (
	// ByCursor asks for what changed since the last time.
	ByCursor Changes = "cursor"
	// ByList reads the whole list each time it is due.
	ByList Changes = "list"
	// ByMention asks for what is new, and fetches what other records that
	// changed mention; the rest is found by the sweep.
	ByMention Changes = "mention"
)

// Deletions tells how deleted records of a kind are found.
type Deletions string

// Ways of finding deletions. "" means that records go only with their parent.
const (
	// ByFeed asks the shop what was deleted; the sweep finds the rest.
	ByFeed Deletions = "feed"
	// BySweep compares with all the ids there are, once a night.
	BySweep Deletions = "sweep"
	// ByAbsence means that what is not in the whole list is gone. It goes with
	// [ByList].
	ByAbsence Deletions = "list"
)

// Way tells how records of a kind are put back.
type Way string

// Ways of putting back.
const (
	// Upsert updates a record by a key of the shop's own, or makes it.
	Upsert Way = "upsert"
	// Create makes a new record with a new id where one is gone.
	Create Way = "create"
	// Publish takes a record out of the shop's trash, with its own id, and
	// makes a new one where it is gone for good.
	Publish Way = "publish"
	// UpdateOnly changes records that are there, and makes none.
	UpdateOnly Way = "update"
	// OptIn makes records only when the owner has asked for it, knowing the
	// side effects: the setting "restore_<kind>".
	OptIn Way = "optin"
	// Manual can't be put back by the shop's interface: it is for people.
	Manual Way = "manual"
)

// Layout tells how records of a kind are spread over folders.
type Layout string

// Layouts.
const (
	// Dense is for numbers counted up: 50 neighbours share a group.
	Dense Layout = ""
	// Sparse is for names and for numbers with large gaps: groups by hash.
	Sparse Layout = "sparse"
	// Flat is for a few dozen records: all in the kind's own folder.
	Flat Layout = "flat"
)

// Night is the [Kind.Every] of what is read once a night.
const Night = 24 * time.Hour

// Ref is a field that names records of another kind, or of the same.
type Ref struct {
	// Field is a path such as "categories[].id", "parent", "upsell_ids[]".
	Field string
	Kind  string
}

// Kind is one sort of record of a shop. Paths of fields are as in [Ref].
type Kind struct {
	// Name is the folder in a point; lower-case letters, digits and "_", and
	// not "media", where the files lie.
	Name string
	// Prefix is what every id of the kind begins with, left out of file names.
	Prefix string

	Changes   Changes
	Deletions Deletions
	// Every is how old what is known may become; 0 reads with every capture.
	Every  time.Duration
	Layout Layout
	// Many ranks kinds of which a shop has many records, those of which it has most
	// the highest, where one of them alone is read as fast as several together: the
	// first time they are read one by one, and before others. 0 is for all others,
	// and for kinds with a parent.
	Many int
	// Parent is the kind whose records these belong to. [Record.Parent] is
	// the id.
	Parent string

	Restore Way
	Order   int // of restoring, lower first; deletions go the other way
	// Keys are fields that name a record for people, the surest first: when the
	// id is gone, the record is looked for by them.
	Keys []string
	Refs []Ref

	// Volatile fields move by themselves, and are dropped.
	Volatile []string
	// ReadOnly fields are kept, and neither compared with the shop nor sent.
	ReadOnly []string
	// Archive kinds keep records that the shop stops listing for their age.
	// Only a deletion the shop tells of takes one out.
	Archive bool
	// Fixed records are made where they are gone, and never changed where they
	// are there: what happened to an order after the backup is newer than it.
	Fixed bool
	// Personal reports that records tell about people.
	Personal bool
	// Media are fields with addresses of pictures and files.
	Media []string
	// File reports that a record is itself a file: the first of its Media.
	File bool
	// Author and Dated are fields of records that are made once by somebody and
	// never changed, such as notes: who wrote one, and when, by the world's clock.
	Author, Dated string
	// Loose fields are lists and objects in which the shop may hold more than
	// the record says, in any order.
	Loose []string
	// Warnings are side effects of making records, "effect_…".
	Warnings []app.Code
	// Face is how people know the records; the zero one is found out.
	Face Face
	// Read and Write are the rights needed, by the shop's own names.
	Read  []string
	Write []string
}
