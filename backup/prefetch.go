package backup

import (
	"cmp"
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
	"golang.org/x/sync/errgroup"

	"kvart/app"
	"kvart/backup/storage"
)

const (
	// prefetchWorkers packs are brought at a time. A few fill any link; more
	// would only take memory.
	prefetchWorkers = 6
	// wholePackShare is the share of a pack that must be needed for the whole
	// pack to be fetched.
	wholePackShare = 0.2
	// fewPieces is how many pieces of a pack are fetched one by one.
	fewPieces = 8
	// cacheSlack is added to a cache's limit, so that nothing just fetched is
	// swept before it is read.
	cacheSlack = 512 << 20
	nearPrefix = "near-"
	// diskReserve is left free on this computer's disk.
	diskReserve = 1 << 30
	// leastRoom on this computer's disk makes prefetching worth its while.
	leastRoom = 64 << 20
	// plentyOfRoom is for a disk that does not tell.
	plentyOfRoom = 1 << 40
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
	cache := filepath.Join(dir, "cache")
	v.lendIndex(ctx, cache)
	rep, err := v.openRepository(ctx, dir, content.CachingOptions{
		CacheDirectory:              cache,
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

// lendIndex gives a new cache the index that is on this computer already, which
// may take as long to fetch as what was asked for. The files' names tell what is
// in them; Check proves what the storage holds.
func (v *Vault) lendIndex(ctx context.Context, cache string) {
	from, to := filepath.Join(v.dir, "cache", indexFolder), filepath.Join(cache, indexFolder)
	files, err := os.ReadDir(from)
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	for _, f := range files {
		if err == nil && filepath.Ext(f.Name()) == indexSuffix {
			err = os.Link(filepath.Join(from, f.Name()), filepath.Join(to, f.Name()))
		}
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		v.log.DebugContext(ctx, "Index is fetched once more", "err", err)
	}
}

// Prefetch implements [app.Prefetcher]. A folder is near already. Where this
// computer's disk has no room for everything, what saves most requests is
// brought; the rest is read piece by piece.
func (f *pointFS) Prefetch(ctx context.Context, p app.Progress, paths ...string) error {
	if !f.v.loc.Remote {
		return nil
	}
	if p == nil {
		p = noProgress{}
	}
	ctx = withLog(ctx, f.v.log)
	if len(paths) == 0 {
		paths = []string{"."}
	}
	near, err := f.near(ctx)
	if err != nil || near == nil {
		return storage.Translate("prefetch", err)
	}
	var entries []kfs.Entry
	for _, name := range paths {
		e, err := f.lookup("prefetch", name)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	need := packNeeds{}
	if err := need.below(ctx, near.rep, entries); err != nil {
		return storage.Translate("prefetch", err)
	}
	if left := need.fit(f.v.room()); left > 0 {
		f.v.log.WarnContext(ctx, "No room to prefetch everything", "left", left)
	}
	return storage.Translate("prefetch", need.fetch(ctx, near.rep, p))
}

// room returns how many bytes may be brought near.
func (v *Vault) room() int64 {
	free := storage.FreeBytes(v.dir)
	if free < 0 {
		return plentyOfRoom
	}
	return max(free-diskReserve, 0)
}

// near returns the view's own connection, making it if there is none. It
// returns nil when the disk has no room: then the view goes on reading piece by
// piece.
func (f *pointFS) near(ctx context.Context) (*nearby, error) {
	f.mu.Lock()
	old := f.nearby
	f.mu.Unlock()
	if old != nil {
		return old, nil
	}
	if err := os.MkdirAll(f.v.dir, 0o700); err != nil {
		return nil, stateDirError(err)
	}
	room := f.v.room()
	if room < leastRoom {
		f.v.log.WarnContext(ctx, "No room to prefetch", "room", room)
		return nil, nil
	}
	near, err := f.v.openNearby(ctx, room)
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

// fit leaves out packs until the rest is no more than room bytes: those first
// that save the fewest requests for their size. It returns how many bytes are
// left out.
func (p packNeeds) fit(room int64) int64 {
	size := p.bytes()
	if size <= room {
		return 0
	}
	worth := func(id blob.ID) float64 { return float64(len(p[id].ids)) / float64(p[id].end+1) }
	ids := slices.SortedFunc(maps.Keys(p), func(a, b blob.ID) int { return cmp.Compare(worth(a), worth(b)) })
	var left int64
	for _, id := range ids {
		if size-left <= room {
			break
		}
		left += p[id].end
		delete(p, id)
	}
	return left
}

// below adds the contents of everything below the entries, level by level: the
// listings of a level, and the lists of the large files in it, are brought at
// once and not one after the other.
func (p packNeeds) below(ctx context.Context, rep repo.DirectRepository, entries []kfs.Entry) error {
	for level := entries; len(level) > 0; {
		if err := bringLists(ctx, rep, level); err != nil {
			return err
		}
		var next []kfs.Entry
		for _, e := range level {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := p.object(ctx, rep, objectOf(e)); err != nil {
				return fmt.Errorf("%s: %w", e.Name(), err)
			}
			dir, ok := e.(kfs.Directory)
			if !ok {
				continue
			}
			children, err := kfs.GetAllEntries(ctx, dir)
			if err != nil {
				return fmt.Errorf("list %s: %w", e.Name(), err)
			}
			next = append(next, children...)
		}
		level = next
	}
	return nil
}

// bringLists brings near what the entries consist of, their bytes left out:
// folders' listings, and the two levels of lists a large file has.
func bringLists(ctx context.Context, rep repo.DirectRepository, entries []kfs.Entry) error {
	var near []content.ID
	var large []object.ID
	add := func(id object.ID) {
		if cid, _, ok := id.ContentID(); ok {
			near = append(near, cid)
		}
	}
	for _, e := range entries {
		id := objectOf(e)
		list, isLarge := id.IndexObjectID()
		switch {
		case isLarge:
			add(list)
			large = append(large, list)
		case e.IsDir():
			add(id)
		}
	}
	rep.PrefetchContents(ctx, near, "blobs")
	near = nil
	for _, id := range large {
		parts, err := object.LoadIndexObject(ctx, listReader{rep.ContentReader(), rep}, id)
		if err != nil {
			return fmt.Errorf("read list: %w", err)
		}
		for _, part := range parts {
			if list, ok := part.Object.IndexObjectID(); ok {
				add(list)
			}
		}
	}
	rep.PrefetchContents(ctx, near, "blobs")
	return ctx.Err()
}

// listReader is what Kopia reads lists through.
type listReader struct {
	content.Reader

	rep repo.Repository
}

// PrefetchContents is part of it.
func (r listReader) PrefetchContents(ctx context.Context, ids []content.ID, hint string) []content.ID {
	return r.rep.PrefetchContents(ctx, ids, hint)
}

// fetch brings the packs into rep's cache, a few at a time. What can't be
// fetched is found by the read that follows.
func (p packNeeds) fetch(ctx context.Context, rep repo.Repository, prog app.Progress) error {
	prog.Expect(0, p.bytes())
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(prefetchWorkers)
	for _, id := range slices.Sorted(maps.Keys(p)) {
		n := p[id]
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if float64(n.used) >= wholePackShare*float64(n.end) || len(n.ids) > fewPieces {
				rep.PrefetchContents(ctx, n.ids[:1], "blobs")
			} else {
				rep.PrefetchContents(ctx, n.ids, "contents")
			}
			prog.Done(0, n.end)
			return nil
		})
	}
	return g.Wait()
}
