package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	kfs "github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"

	"kvart/app"
)

const (
	// prefetchPacks are brought at a time, between two looks at the context.
	prefetchPacks = 16
	// wholePackShare is the share of a pack that must be needed for the whole
	// pack to be fetched.
	wholePackShare = 0.2
	// cacheSlack is added to a cache's limit, so that nothing just fetched is
	// swept before it is read.
	cacheSlack = 512 << 20
	nearPrefix = "near-"
	// diskReserve is left free on this computer's disk.
	diskReserve = 1 << 30
)

// nearby is a connection of its own whose cache is big enough for what was
// asked near, and which goes with what asked for it. Over a network a point is
// restored through it: piece by piece, every small segment would take a round
// trip.
type nearby struct {
	rep repo.DirectRepository
	dir string
}

// openNearby connects with an empty cache that holds up to limit bytes.
func (v *Vault) openNearby(ctx context.Context, limit int64) (*nearby, error) {
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return nil, stateDirError(err)
	}
	dir, err := os.MkdirTemp(v.dir, nearPrefix)
	if err != nil {
		return nil, stateDirError(err)
	}
	rep, err := v.openRepository(ctx, dir, content.CachingOptions{
		CacheDirectory:              filepath.Join(dir, "cache"),
		ContentCacheSizeBytes:       limit,
		ContentCacheSizeLimitBytes:  limit + cacheSlack,
		MetadataCacheSizeBytes:      limit,
		MetadataCacheSizeLimitBytes: limit + cacheSlack,
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &nearby{rep, dir}, nil
}

func (n *nearby) close(ctx context.Context) error {
	if err := errors.Join(n.rep.Close(ctx), os.RemoveAll(n.dir)); err != nil {
		return fmt.Errorf("close connection: %w", err)
	}
	return nil
}

// Prefetch implements [app.Prefetcher]. A folder is near already.
func (f *pointFS) Prefetch(ctx context.Context, p app.Progress, paths ...string) error {
	if !f.v.loc.remote {
		return nil
	}
	if p == nil {
		p = noProgress{}
	}
	ctx = withLog(ctx, f.v.log)
	if len(paths) == 0 {
		paths = []string{"."}
	}
	need := packNeeds{}
	for _, name := range paths {
		e, err := f.lookup("prefetch", name)
		if err != nil {
			return err
		}
		if err := need.below(ctx, f.v.rep, e); err != nil {
			return translate("prefetch", err)
		}
	}
	near, err := f.near(ctx, need.bytes())
	if err != nil || near == nil {
		return translate("prefetch", err)
	}
	return translate("prefetch", need.fetch(ctx, near.rep, p))
}

// near returns the view's own connection, making it if there is none. It
// returns nil when the disk has no room for size bytes: then the view goes on
// reading piece by piece.
func (f *pointFS) near(ctx context.Context, size int64) (*nearby, error) {
	f.mu.Lock()
	old := f.nearby
	f.mu.Unlock()
	if old != nil {
		return old, nil
	}
	if free := freeBytes(f.v.dir); free >= 0 && free < size+diskReserve {
		f.v.log.WarnContext(ctx, "No room to prefetch", "free", free, "needed", size)
		return nil, nil
	}
	near, err := f.v.openNearby(ctx, size+cacheSlack)
	if err != nil {
		return nil, err
	}
	if err := f.setRoot(near.rep); err != nil {
		return nil, errors.Join(err, near.close(ctx))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nearby = near
	return near, nil
}

// packNeeds are the contents needed of each pack.
type packNeeds map[blob.ID]*packNeed

type packNeed struct {
	ids  []content.ID
	seen map[content.ID]bool
	used int64 // bytes of the pack that are needed
	end  int64 // at least the length of the pack
}

func (p packNeeds) add(info content.Info) {
	n := p[info.PackBlobID]
	if n == nil {
		n = &packNeed{seen: map[content.ID]bool{}}
		p[info.PackBlobID] = n
	}
	if n.seen[info.ContentID] {
		return
	}
	n.seen[info.ContentID] = true
	n.ids = append(n.ids, info.ContentID)
	n.used += int64(info.PackedLength)
	n.end = max(n.end, int64(info.PackOffset)+int64(info.PackedLength))
}

// object adds the contents of an object.
func (p packNeeds) object(ctx context.Context, rep repo.Repository, id object.ID) error {
	contents, err := rep.VerifyObject(ctx, id)
	if err != nil {
		return fmt.Errorf("list contents: %w", err)
	}
	for _, id := range contents {
		info, err := rep.ContentInfo(ctx, id)
		if err != nil {
			return fmt.Errorf("look up content: %w", err)
		}
		p.add(info)
	}
	return nil
}

// bytes returns about how much a fetch brings.
func (p packNeeds) bytes() int64 {
	var sum int64
	for _, n := range p {
		sum += n.end
	}
	return sum
}

// below adds the contents of everything below e.
func (p packNeeds) below(ctx context.Context, rep repo.Repository, e kfs.Entry) error {
	if err := p.object(ctx, rep, objectOf(e)); err != nil {
		return fmt.Errorf("%s: %w", e.Name(), err)
	}
	dir, ok := e.(kfs.Directory)
	if !ok {
		return nil
	}
	entries, err := kfs.GetAllEntries(ctx, dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", e.Name(), err)
	}
	for _, c := range entries {
		if err := p.below(ctx, rep, c); err != nil {
			return err
		}
	}
	return nil
}

// fetch brings the packs into rep's cache, a window at a time. What can't be
// fetched is found by the read that follows.
func (p packNeeds) fetch(ctx context.Context, rep repo.Repository, prog app.Progress) error {
	prog.Expect(0, p.bytes())
	for window := range slices.Chunk(slices.Sorted(maps.Keys(p)), prefetchPacks) {
		if err := ctx.Err(); err != nil {
			return err
		}
		var whole, single []content.ID
		var size int64
		for _, id := range window {
			n := p[id]
			size += n.end
			if float64(n.used) >= wholePackShare*float64(n.end) || len(n.ids) > 8 {
				whole = append(whole, n.ids...)
			} else {
				single = append(single, n.ids...)
			}
		}
		rep.PrefetchContents(ctx, whole, "blobs")
		rep.PrefetchContents(ctx, single, "contents")
		prog.Done(0, size)
	}
	return nil
}
