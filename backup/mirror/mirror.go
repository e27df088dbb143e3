// Package mirror keeps a second place in step with a vault, object by object,
// so that the copy is a repository like the vault itself. It knows Kopia's blob
// storages and what the names of objects mean, and nothing of what is in them.
package mirror

import (
	"context"
	"regexp"
	"strings"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

// Marker is the object that makes a place a copy. It is the first to be written
// and tells a half-made copy from somebody else's data.
const Marker blob.ID = "kvart-copy"

// Names of the objects without which nothing opens the rest.
const (
	formatBlob blob.ID = "kopia.repository"
	lockBlob   blob.ID = "kopia.blobcfg"
)

// Vault is what is copied.
type Vault struct {
	ID    string
	Store blob.Reader
	// Live is how many bytes the vault's index knows.
	Live int64
	// Needed reports whether the vault's index refers to an object.
	Needed func(blob.ID) bool
	// Prepare is called before Sound is, with the objects it will be asked of.
	Prepare func(context.Context, []blob.ID) error
	// Sound returns an error if the object's bytes are not what the vault's
	// index says they should be. It says nothing of objects that aren't needed.
	Sound func(id blob.ID, b []byte) error
	// Instead are objects that differ in this copy, small ones.
	Instead map[blob.ID][]byte
}

// Place is where the copy lies.
type Place struct {
	Store blob.Storage
	Where string // for the owner
	// Begin says that a copy may be begun where nothing lies.
	Begin bool
	// Present returns an error with a code if the place has gone. It is asked
	// before every change, since a disk that was pulled leaves its mount point.
	Present func(context.Context) error
	// Free returns the bytes left, -1 when the place does not tell.
	Free func(context.Context) int64
	// Refused tells an error that says the key may not delete.
	Refused func(error) bool
	// Lock is with what options everything is put that a vault would lock.
	Lock blob.PutOptions
	// Workers is how many objects are on their way at once.
	Workers int
}

// class tells in which order objects are copied, and how they are compared.
type class int

const (
	classNone   class = iota // not copied
	classPack                // data, never written twice
	classIndex               // where in the packs everything lies
	classRest                // small, and may change
	classLock                // what opens the rest
	classFormat              // last
)

// Names of packs and of index blobs. They are told strictly: what merely looks
// like one is somebody's, and is neither copied nor ever deleted.
const (
	packName  = `^[pq][0-9a-f]{32}(-|$)`
	indexName = `^(x[nsr][0-9]+_([0-9]+_)?|[nm])[0-9a-f]{32}(-|$)`
	epochName = `^x[ew][0-9]+$`
)

// names tells objects by their names.
type names struct{ pack, index, epoch *regexp.Regexp }

func newNames() names {
	return names{regexp.MustCompile(packName), regexp.MustCompile(indexName), regexp.MustCompile(epochName)}
}

// class leaves out what belongs to a session under way, logs, and whatever is
// not Kopia's.
func (n names) class(id blob.ID) class {
	s := string(id)
	switch {
	case id == formatBlob:
		return classFormat
	case id == lockBlob:
		return classLock
	case n.pack.MatchString(s):
		return classPack
	case n.isIndex(id), n.epoch.MatchString(s):
		return classIndex
	case strings.HasPrefix(s, "kopia."):
		return classRest
	}
	return classNone
}

// isIndex tells the objects that say where things lie from those that only mark
// an epoch.
func (n names) isIndex(id blob.ID) bool { return n.index.MatchString(string(id)) }

// isData reports whether an object holds the shop's own data.
func (n names) isData(id blob.ID) bool { return n.class(id) == classPack && id[0] == 'p' }

// lockable reports whether a vault would lock the object.
func (n names) lockable(id blob.ID) bool {
	c := n.class(id)
	return c != classNone && c != classRest
}

// Sync brings the copy in step: packs first, then indexes, then the rest; the
// format blob of a new copy comes last, so that what was cut off does not open
// rather than open without its data. What is there already is taken as equal if
// it is as long, except for the share that is read.
func Sync(ctx context.Context, v Vault, to Place, share float64, p app.Progress) (app.CopyReport, error) {
	s := &sync{v: v, to: to, share: share, prog: p, names: newNames()}
	if err := s.begin(ctx); err != nil {
		return app.CopyReport{}, err
	}
	if err := s.run(ctx); err != nil {
		return app.CopyReport{}, err
	}
	return s.report, nil
}
