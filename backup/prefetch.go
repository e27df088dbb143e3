package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	kfs "github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"

	"kvart/app"
	"kvart/backup/storage"
)

const (
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

// Prefetch implements [app.Prefetcher]. A folder is near already. It returns at
// once: while the point's listings are still gone through, packs come in the
// order in which a walk through the paths reads them, and a file that is opened
// waits for its own, until ctx ends or the view is closed. Where this computer's
// disk has no room for everything, what saves most requests is brought; the
// rest, and what can't be fetched, is left to the reading.
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
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return &fs.PathError{Op: "prefetch", Path: paths[0], Err: fs.ErrClosed}
	}
	need := newPackNeeds()
	need.room = f.v.room()
	f.coming = append(f.coming, need)
	f.fetching.Go(func() {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(f.ctx, stop)()
		if err := need.bring(ctx, near.rep, entries, p); err != nil {
			f.v.log.InfoContext(ctx, "Not everything was prefetched", "err", err)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.coming = slices.DeleteFunc(f.coming, func(n *packNeeds) bool { return n == need })
	})
	return nil
}

// await waits until what is being prefetched of an object is here.
func (f *pointFS) await(id object.ID) {
	f.mu.Lock()
	coming := slices.Clone(f.coming)
	f.mu.Unlock()
	for _, need := range coming {
		need.await(id)
	}
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
