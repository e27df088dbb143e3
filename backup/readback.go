package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"

	kfs "github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot"
	"github.com/kopia/kopia/snapshot/snapshotfs"
	"github.com/zeebo/xxh3"
	"golang.org/x/sync/errgroup"
)

// readBackBudget is how many bytes a run reads back in full. What is beyond it
// is checked for being there, and read by Verify in time.
const readBackBudget = 64 << 20

// perHand is how many objects a hand is given to read back at a time: a shop has
// tens of thousands, while for a quarter's few more hands only take more memory.
const perHand = 1000

// readBack proves new points against what was captured.
type readBack struct {
	v      *Vault
	budget int64
	packs  map[blob.ID]bool // known to exist
	todo   []reading        // of the point being checked
	hands  *errgroup.Group  // that read what the walk chose
}

// reading is an object to be read, and the hash of what was captured.
type reading struct {
	name string
	id   object.ID
	seed uint64
	sum  xxh3.Uint128
}

func newReadBack(v *Vault) *readBack {
	return &readBack{v: v, budget: readBackBudget, packs: map[blob.ID]bool{}}
}

// check loads c's point as anybody would, and compares it with the capture.
func (r *readBack) check(ctx context.Context, c *capture) error {
	man, err := snapshot.LoadSnapshot(ctx, r.v.rep, c.man.ID)
	if err != nil {
		return fmt.Errorf("load snapshot: %w", err)
	}
	if _, err := pointOf(man); err != nil {
		return err
	}
	root, err := snapshotfs.SnapshotRoot(r.v.rep, man)
	if err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	return r.chosen(ctx, func(ctx context.Context) error { return r.folder(ctx, c.tree.root, root) })
}

// chosen reads what a walk chooses.
func (r *readBack) chosen(ctx context.Context, walk func(context.Context) error) error {
	r.todo = nil
	r.hands, ctx = errgroup.WithContext(ctx)
	r.hands.SetLimit(runtime.GOMAXPROCS(0))
	err := walk(ctx)
	if err == nil {
		err = r.rest(ctx)
	}
	return cmp.Or(r.hands.Wait(), err)
}

// rest has the last be read of what the walk chose. Over a network that is all of
// it, and whole packs are fetched first: what is new lies close together in a few
// new ones, which no cache holds yet.
func (r *readBack) rest(ctx context.Context) error {
	if r.v.loc.Remote {
		need := newPackNeeds()
		for _, t := range r.todo {
			if err := need.object(ctx, r.v.rep, t.id); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
		if err := need.fetch(ctx, r.v.rep); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(r.todo, perHand) {
		r.hand(ctx, part)
	}
	return nil
}

// hand has objects be read as soon as a hand is free.
func (r *readBack) hand(ctx context.Context, part []reading) {
	r.hands.Go(func() error {
		buf := make([]byte, copyBuffer)
		for _, t := range part {
			if err := r.same(ctx, t, buf); err != nil {
				return err
			}
		}
		return nil
	})
}

// same reads an object, and returns an error unless it is what was captured.
func (r *readBack) same(ctx context.Context, t reading, buf []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h := xxh3.NewSeed(t.seed)
	if err := r.read(ctx, t.id, h, buf); err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	if h.Sum128() != t.sum {
		return fmt.Errorf("%s reads differently from what was captured", t.name)
	}
	return nil
}

// choose puts an object of size bytes on the list, if the budget allows. What is
// read where it lies is read while the walk goes on.
func (r *readBack) choose(ctx context.Context, size int64, t reading) {
	if size > r.budget {
		return
	}
	r.budget -= size
	r.todo = append(r.todo, t)
	if len(r.todo) == perHand && !r.v.loc.Remote {
		r.hand(ctx, r.todo)
		r.todo = nil
	}
}

func (r *readBack) folder(ctx context.Context, n *node, e kfs.Entry) error {
	dir, ok := e.(kfs.Directory)
	if !ok {
		return fmt.Errorf("%s is no folder", n.path)
	}
	if n.fresh || n.path == "." {
		if err := r.stored(ctx, objectOf(e)); err != nil {
			return fmt.Errorf("folder %s: %w", n.path, err)
		}
	}
	entries, err := kfs.GetAllEntries(ctx, dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", n.path, err)
	}
	want := 0
	for _, c := range n.children {
		if !c.failed {
			want++
		}
	}
	if len(entries) != want {
		return fmt.Errorf("%s holds %d entries, captured %d", n.path, len(entries), want)
	}
	for _, e := range entries {
		c := n.children[e.Name()]
		if c == nil || c.failed {
			return fmt.Errorf("%s was not captured", path.Join(n.path, e.Name()))
		}
		if err := r.entry(ctx, c, e); err != nil {
			return err
		}
	}
	return nil
}

func (r *readBack) entry(ctx context.Context, n *node, e kfs.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if n.item.Mode.Type() != e.Mode().Type() {
		return fmt.Errorf("%s is of type %v, captured %v", n.path, e.Mode().Type(), n.item.Mode.Type())
	}
	if n.children != nil {
		return r.folder(ctx, n, e)
	}
	if link, ok := e.(kfs.Symlink); ok {
		target, err := link.Readlink(ctx)
		if err != nil {
			return fmt.Errorf("read link %s: %w", n.path, err)
		}
		if target != n.item.Link {
			return fmt.Errorf("link %s leads to %q, captured %q", n.path, target, n.item.Link)
		}
		return nil
	}
	return r.file(ctx, n, e)
}

func (r *readBack) file(ctx context.Context, n *node, e kfs.Entry) error {
	want := n.item.Size
	switch {
	case n.paged != nil:
		want = n.paged.size
	case n.fresh:
		want = n.size
	}
	if e.Size() != want {
		return fmt.Errorf("%s has %d bytes, captured %d", n.path, e.Size(), want)
	}
	id := objectOf(e)
	if !n.fresh {
		if _, err := r.v.rep.VerifyObject(ctx, id); err != nil {
			return fmt.Errorf("%s: %w", n.path, err)
		}
		return nil
	}
	if n.paged != nil {
		return r.segments(ctx, n, id)
	}
	if err := r.stored(ctx, id); err != nil {
		return fmt.Errorf("%s: %w", n.path, err)
	}
	r.choose(ctx, n.size, reading{name: n.path, id: id, sum: n.sum})
	return nil
}

// segments checks a file stored in segments: all of them are in the index, the
// new ones in the storage, and as many of those as the budget allows read as
// they were captured.
func (r *readBack) segments(ctx context.Context, n *node, id object.ID) error {
	if err := r.indexed(ctx, id); err != nil {
		return fmt.Errorf("%s: %w", n.path, err)
	}
	m := n.paged.memory
	if err := r.lists(ctx, id); err != nil {
		return fmt.Errorf("%s: %w", n.path, err)
	}
	for _, i := range n.paged.fresh {
		if err := r.stored(ctx, m.objects[i]); err != nil {
			return fmt.Errorf("%s, segment %d: %w", n.path, i, err)
		}
		r.choose(ctx, m.length(i), reading{name: n.path, id: m.objects[i], seed: m.seed, sum: m.hashes[i]})
	}
	return nil
}

// indexed checks that everything a file consists of is in the index: with
// several hands, for a till has tens of thousands of segments.
func (r *readBack) indexed(ctx context.Context, id object.ID) error {
	list, ok := id.IndexObjectID()
	if !ok {
		_, err := r.v.rep.VerifyObject(ctx, id)
		return err
	}
	parts, err := object.LoadIndexObject(ctx, listReader{r.v.rep.ContentReader(), r.v.rep}, list)
	if err != nil {
		return fmt.Errorf("read list: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range parts {
		g.Go(func() error {
			_, err := r.v.rep.VerifyObject(ctx, p.Object)
			return err
		})
	}
	return g.Wait()
}

// lists checks that the top list of a file in segments is in the storage. The
// lists were all read by then.
func (r *readBack) lists(ctx context.Context, id object.ID) error {
	if list, ok := id.IndexObjectID(); ok {
		return r.stored(ctx, list)
	}
	return nil
}

// stored checks that the packs an object lies in are in the storage. Kopia's
// own check asks only the index.
func (r *readBack) stored(ctx context.Context, id object.ID) error {
	contents, err := r.v.rep.VerifyObject(ctx, id)
	if err != nil {
		return fmt.Errorf("verify object: %w", err)
	}
	for _, cid := range contents {
		info, err := r.v.rep.ContentInfo(ctx, cid)
		if err != nil {
			return fmt.Errorf("look up content: %w", err)
		}
		if info.Deleted {
			return errors.New("a content is marked as deleted")
		}
		if r.packs[info.PackBlobID] {
			continue
		}
		m, err := r.v.loc.Base.GetMetadata(ctx, info.PackBlobID)
		if err != nil {
			return fmt.Errorf("look for pack %s: %w", info.PackBlobID, err)
		}
		if m.Length < int64(info.PackOffset)+int64(info.PackedLength) {
			return fmt.Errorf("pack %s is cut short", info.PackBlobID)
		}
		r.packs[info.PackBlobID] = true
	}
	return nil
}

func (r *readBack) read(ctx context.Context, id object.ID, w io.Writer, buf []byte) error {
	rd, err := r.v.rep.OpenObject(ctx, id)
	if err != nil {
		return fmt.Errorf("open object: %w", err)
	}
	_, err = io.CopyBuffer(w, rd, buf)
	if err = errors.Join(err, rd.Close()); err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	return nil
}

func objectOf(e kfs.Entry) object.ID {
	if h, ok := e.(object.HasObjectID); ok {
		return h.ObjectID()
	}
	return object.EmptyID
}
