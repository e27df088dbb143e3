package backup

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot/snapshotmaintenance"

	"kvart/backup/storage"
)

// giveUpAfter is for how long what may lie below a lost listing is kept, should
// the listing be stored again.
const giveUpAfter = 14 * 24 * time.Hour

const (
	emptyFolder = `{"stream":"kopia:directory","entries":[],"summary":{"size":0,"files":0,"symlinks":0,"dirs":0,"maxTime":"1970-01-01T00:00:00Z","numFailed":0}}`
	emptyList   = `{"stream":"kopia:indirect","entries":[]}`
)

// maintainAround runs Kopia's maintenance past what a repair had to give up.
// Kopia's own stops at the first point that refers to something lost, and would
// never again free storage, extend locks or keep the index small.
func (v *Vault) maintainAround(ctx context.Context, w repo.DirectRepositoryWriter, mode maintenance.Mode) error {
	note, err := repairs(ctx, w)
	if err != nil {
		return err
	}
	if len(note.Packs) == 0 {
		return snapshotmaintenance.Run(ctx, w, mode, false, maintenance.SafetyFull)
	}
	l := &lossy{DirectRepositoryWriter: w, packs: map[blob.ID]bool{}, unreadable: map[content.ID]bool{}}
	l.giveUp = v.now().Sub(note.At) > giveUpAfter
	for _, id := range note.Packs {
		l.packs[id] = true
	}
	err = snapshotmaintenance.Run(ctx, l, mode, false, maintenance.SafetyFull)
	l.mu.Lock()
	stopped := l.stopped
	l.mu.Unlock()
	if err == nil || !stopped || ctx.Err() != nil {
		return err
	}
	// What is in use can't be told for now, so nothing is collected; all the
	// rest goes on.
	v.log.WarnContext(ctx, "Storage not freed, a listing is lost", "err", err)
	return maintenance.RunExclusive(ctx, l, mode, false, func(ctx context.Context, p maintenance.RunParameters) error {
		return maintenance.Run(ctx, p, maintenance.SafetyFull)
	})
}

// lossy is a repository in which what is lost stays out of maintenance's sight.
// Everything that can be read counts as it always does.
type lossy struct {
	repo.DirectRepositoryWriter

	packs  map[blob.ID]bool // in which contents were lost
	giveUp bool             // lost listings count as empty

	mu         sync.Mutex // guards what follows
	unreadable map[content.ID]bool
	stopped    bool // at a lost listing
}

// isLost reports whether a content can't be read and was given up.
func (l *lossy) isLost(ctx context.Context, i content.Info) bool {
	if !i.Deleted || !l.packs[i.PackBlobID] {
		return false
	}
	l.mu.Lock()
	lost, known := l.unreadable[i.ContentID]
	l.mu.Unlock()
	if known {
		return lost
	}
	_, err := l.DirectRepositoryWriter.ContentReader().GetContent(ctx, i.ContentID)
	lost = err != nil && ctx.Err() == nil && storage.IsDamage(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unreadable[i.ContentID] = lost
	return lost
}

// OpenObject implements [repo.Repository]; maintenance opens folders only.
func (l *lossy) OpenObject(ctx context.Context, id object.ID) (object.Reader, error) {
	return object.Open(ctx, lossyContents{l.DirectRepositoryWriter.ContentReader(), l}, id)
}

// VerifyObject implements [repo.Repository].
func (l *lossy) VerifyObject(ctx context.Context, id object.ID) ([]content.ID, error) {
	return object.VerifyObject(ctx, lossyContents{l.DirectRepositoryWriter.ContentReader(), l}, id)
}

// ContentReader implements [repo.DirectRepository].
func (l *lossy) ContentReader() content.Reader {
	return lossyContents{l.DirectRepositoryWriter.ContentReader(), l}
}

// lossyContents are the contents of a lossy repository.
type lossyContents struct {
	content.Reader

	l *lossy
}

// ContentInfo implements [content.Reader]: that one content of an object is not
// known any more is no reason not to know the others.
func (c lossyContents) ContentInfo(ctx context.Context, id content.ID) (content.Info, error) {
	info, err := c.Reader.ContentInfo(ctx, id)
	if errors.Is(err, content.ErrContentNotFound) {
		return content.Info{ContentID: id, Deleted: true}, nil
	}
	return info, err
}

// GetContent implements [content.Reader].
func (c lossyContents) GetContent(ctx context.Context, id content.ID) ([]byte, error) {
	b, err := c.Reader.GetContent(ctx, id)
	if err == nil {
		return b, nil
	}
	info, infoErr := c.Reader.ContentInfo(ctx, id)
	if !errors.Is(infoErr, content.ErrContentNotFound) && (infoErr != nil || !c.l.isLost(ctx, info)) {
		return nil, err
	}
	switch {
	case !c.l.giveUp:
		c.l.mu.Lock()
		defer c.l.mu.Unlock()
		c.l.stopped = true
		return nil, err
	case id.Prefix() == "k":
		return []byte(emptyFolder), nil
	}
	return []byte(emptyList), nil
}

// PrefetchContents is part of what objects are read through.
func (c lossyContents) PrefetchContents(ctx context.Context, ids []content.ID, hint string) []content.ID {
	return c.l.DirectRepositoryWriter.PrefetchContents(ctx, ids, hint)
}

// IterateContents implements [content.Reader]. What is marked as deleted is
// brought back by reading it if a point refers to it.
func (c lossyContents) IterateContents(ctx context.Context, o content.IterateOptions, fn content.IterateCallback) error {
	return c.Reader.IterateContents(ctx, o, func(i content.Info) error {
		if c.l.isLost(ctx, i) {
			return nil
		}
		return fn(i)
	})
}

// IteratePacks implements [content.Reader]. The contents of small packs are
// read and written again.
func (c lossyContents) IteratePacks(ctx context.Context, o content.IteratePackOptions, fn content.IteratePacksCallback) error {
	return c.Reader.IteratePacks(ctx, o, func(p content.PackInfo) error {
		var there []content.Info
		for _, i := range p.ContentInfos {
			if !c.l.isLost(ctx, i) {
				there = append(there, i)
			}
		}
		p.ContentInfos = there
		return fn(p)
	})
}
