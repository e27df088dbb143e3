package backup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	kfs "github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"
	"golang.org/x/sync/errgroup"

	"kvart/app"
)

const (
	// prefetchWorkers packs are brought at a time, in whole or in pieces.
	prefetchWorkers = 6
	// wholeAtOnce of them in whole: a few fill any link, and the fewer there
	// are, the sooner the first one can be read.
	wholeAtOnce = 2
	// wholePackShare is the share of a pack that must be needed for the whole
	// pack to be fetched.
	wholePackShare = 0.2
	// packBytes is how large Kopia lets a pack grow, about.
	packBytes = 20 << 20
	// fewPieces is how many pieces of a pack are fetched one by one.
	fewPieces = 8
)

// packNeeds are the contents needed of each pack.
type packNeeds struct {
	room int64 // bytes that may be brought

	mu     sync.Mutex
	moved  sync.Cond // of what is below
	packs  map[blob.ID]*packNeed
	order  []*packNeed // in which they are needed first
	of     map[object.ID][]*packNeed
	queue  []*packNeed // to be fetched
	queued int64       // bytes that were in the queue
	walked bool        // all that is needed is known
}

func newPackNeeds() *packNeeds {
	p := &packNeeds{room: plentyOfRoom, packs: map[blob.ID]*packNeed{}, of: map[object.ID][]*packNeed{}}
	p.moved.L = &p.mu
	return p
}

type packNeed struct {
	ids    []content.ID
	seen   map[content.ID]bool
	used   int64 // bytes of the pack that are needed
	end    int64 // at least the length of the pack
	queued bool
	here   chan struct{} // closed when it was fetched, or won't be
}

// whole reports whether the pack is fetched whole.
func (n *packNeed) whole() bool {
	return float64(n.used) >= wholePackShare*float64(n.end) || len(n.ids) > fewPieces
}

// add adds one content.
func (p *packNeeds) add(info content.Info) *packNeed {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.packs[info.PackBlobID]
	if n == nil {
		n = &packNeed{seen: map[content.ID]bool{}, here: make(chan struct{})}
		p.packs[info.PackBlobID] = n
		p.order = append(p.order, n)
	}
	if n.queued || n.seen[info.ContentID] {
		return n
	}
	n.seen[info.ContentID] = true
	n.ids = append(n.ids, info.ContentID)
	n.used += int64(info.PackedLength)
	n.end = max(n.end, int64(info.PackOffset)+int64(info.PackedLength))
	if n.used >= wholePackShare*packBytes && p.queued+packBytes <= p.room {
		p.enqueue(n) // it will be fetched whole, whatever else is needed of it
	}
	return n
}

// object adds the contents of an object.
func (p *packNeeds) object(ctx context.Context, rep repo.Repository, id object.ID) error {
	if p.known(id) {
		return nil
	}
	contents, err := rep.VerifyObject(ctx, id)
	if err != nil {
		return fmt.Errorf("list contents: %w", err)
	}
	var packs []*packNeed
	for _, id := range contents {
		info, err := rep.ContentInfo(ctx, id)
		if err != nil {
			return fmt.Errorf("look up content: %w", err)
		}
		// neighbours lie in the same pack
		if n := p.add(info); len(packs) == 0 || packs[len(packs)-1] != n {
			packs = append(packs, n)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of[id] = packs
	p.moved.Broadcast()
	return nil
}

func (p *packNeeds) known(id object.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.of[id]
	return known
}

// await waits until it is known what an object needs, and that is here.
func (p *packNeeds) await(id object.ID) {
	p.mu.Lock()
	for p.of[id] == nil && !p.walked {
		p.moved.Wait()
	}
	packs := p.of[id]
	p.mu.Unlock()
	for _, n := range packs {
		<-n.here
	}
}

// bring fetches the packs of everything below the entries, those first that
// are needed first, while it is still being found out what is needed.
func (p *packNeeds) bring(ctx context.Context, rep repo.DirectRepository, entries []kfs.Entry, prog app.Progress) error {
	var left int64
	var g errgroup.Group
	g.Go(func() error { return p.work(ctx, rep, prog) })
	g.Go(func() error {
		err := p.below(ctx, rep, entries)
		left = p.complete()
		return err
	})
	err := g.Wait()
	if err == nil && left > 0 {
		err = fmt.Errorf("no room for %d bytes", left)
	}
	return err
}

// fetch brings the packs. It fails only when ctx ends: what can't be fetched is
// found by the read that follows.
func (p *packNeeds) fetch(ctx context.Context, rep repo.Repository) error {
	p.complete()
	return p.work(ctx, rep, noProgress{})
}

// complete puts the rest into the queue, now that nothing more will be needed.
// Where there is not room for all, those are left out that save the fewest
// requests for their size. It returns how many bytes are left out.
func (p *packNeeds) complete() (left int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(p.order), func(n *packNeed) bool { return n.queued })
	size := p.queued
	for _, n := range rest {
		size += n.end
	}
	worth := func(n *packNeed) float64 { return float64(len(n.ids)) / float64(n.end+1) }
	for _, n := range slices.SortedStableFunc(slices.Values(rest), func(a, b *packNeed) int { return cmp.Compare(worth(a), worth(b)) }) {
		if size-left <= p.room {
			break
		}
		left += n.end
		n.queued = true
		n.finish()
	}
	for _, n := range rest {
		if !n.queued {
			p.enqueue(n)
		}
	}
	p.walked = true
	p.moved.Broadcast()
	return left
}

func (p *packNeeds) enqueue(n *packNeed) {
	n.queued = true
	p.queued += n.end
	p.queue = append(p.queue, n)
	p.moved.Broadcast()
}

// next returns the next pack to fetch, nil when there is none any more.
func (p *packNeeds) next() *packNeed {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.walked {
		p.moved.Wait()
	}
	if len(p.queue) == 0 {
		return nil
	}
	n := p.queue[0]
	p.queue = p.queue[1:]
	return n
}

// work fetches what is put into the queue until all is there.
func (p *packNeeds) work(ctx context.Context, rep repo.Repository, prog app.Progress) error {
	var g errgroup.Group
	slots := make(chan struct{}, wholeAtOnce)
	for range prefetchWorkers {
		g.Go(func() error {
			for n := p.next(); n != nil; n = p.next() {
				prog.Expect(0, n.end)
				n.fetch(ctx, rep, slots)
				n.finish()
				prog.Done(0, n.end)
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// fetch brings the pack into rep's cache, or what is needed of it.
func (n *packNeed) fetch(ctx context.Context, rep repo.Repository, slots chan struct{}) {
	if !n.whole() {
		rep.PrefetchContents(ctx, n.ids, "contents")
		return
	}
	select {
	case slots <- struct{}{}:
		rep.PrefetchContents(ctx, n.ids[:1], "blobs")
		<-slots
	case <-ctx.Done():
	}
}

// finish lets those go who wait for the pack.
func (n *packNeed) finish() { close(n.here) }

// below adds the contents of everything below the entries, level by level: the
// listings of a level, and the lists of the large files in it, are brought at
// once and not one after the other.
func (p *packNeeds) below(ctx context.Context, rep repo.DirectRepository, entries []kfs.Entry) error {
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
			// Kopia gives them in no order
			slices.SortFunc(children, func(a, b kfs.Entry) int { return cmp.Compare(a.Name(), b.Name()) })
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
