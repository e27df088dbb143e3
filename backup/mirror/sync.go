package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	gosync "sync"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"golang.org/x/sync/errgroup"

	"kvart/app"
)

const (
	// rounds is how often the vault may change under a copy.
	rounds = 4
	// reserve is left free at the place.
	reserve = 32 << 20
	// batch is how many objects the vault is asked to be ready for at once.
	batch = 64
	// putTries is how often an object is put that reads back differently.
	putTries = 3
)

// sync is one run of Sync.
type sync struct {
	names
	v     Vault
	to    Place
	share float64
	prog  app.Progress

	note note
	now  time.Time // by the place's clock
	// fresh says that nothing was here, amnesia that the marker was damaged.
	fresh, amnesia bool

	index  []blob.Metadata           // of the vault, listed before everything else
	source map[blob.ID]blob.Metadata // everything that belongs into the copy
	have   map[blob.ID]blob.Metadata // everything in the copy

	mu       gosync.Mutex // guards what follows
	report   app.CopyReport
	read     map[blob.ID]bool // picked for reading, once in all rounds
	vanished bool             // the vault let go of an object under way
	unsound  []blob.ID        // objects that are damaged in the vault
}

// run copies until the vault did not change under it.
func (s *sync) run(ctx context.Context) error {
	s.read = map[blob.ID]bool{}
	for round := 0; ; round++ {
		s.vanished = false
		if err := s.round(ctx, round == 0); err != nil {
			return err
		}
		if !s.vanished {
			break
		}
		if round == rounds {
			return app.Errorf(app.CodeBusy, "copy vault", "the vault lets go of objects faster than they are copied")
		}
	}
	if err := s.finish(ctx); err != nil {
		return err
	}
	if len(s.unsound) > 0 {
		return app.Errorf(app.CodeVaultDamaged, "copy vault", "%d objects of the vault are damaged, the first is %s", len(s.unsound), s.unsound[0]).
			With("count", fmt.Sprint(len(s.unsound)))
	}
	return nil
}

func (s *sync) round(ctx context.Context, first bool) error {
	if err := s.list(ctx); err != nil {
		return err
	}
	if err := s.allowed(); err != nil {
		return err
	}
	todo := s.missing()
	if first {
		if err := s.room(ctx, todo); err != nil {
			return err
		}
		if err := s.announce(ctx); err != nil {
			return err
		}
	}
	var bytes int64
	for _, m := range todo {
		bytes += m.Length
	}
	s.prog.Expect(int64(len(todo)), bytes)
	for _, c := range []class{classPack, classIndex, classRest, classLock, classFormat} {
		if s.vanished && c != classPack {
			return nil // an index must not come before its packs
		}
		if err := s.copyAll(ctx, c, todo); err != nil {
			return err
		}
	}
	return nil
}

// list lists the vault's index before its packs: whatever is in that index has
// its packs in the later list. An index that came between is for the next run.
func (s *sync) list(ctx context.Context) error {
	s.index, s.source, s.have = nil, map[blob.ID]blob.Metadata{}, map[blob.ID]blob.Metadata{}
	for _, prefix := range []blob.ID{"x", "n", "m"} {
		err := s.v.Store.ListBlobs(ctx, prefix, func(m blob.Metadata) error {
			if s.class(m.BlobID) == classIndex {
				s.index = append(s.index, m)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("list index: %w", err)
		}
	}
	// In the order they were made, a copy that was cut off knows of data before
	// it knows of the points made of it.
	slices.SortFunc(s.index, func(a, b blob.Metadata) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.BlobID, b.BlobID))
	})
	for _, m := range s.index {
		s.source[m.BlobID] = m
	}
	err := s.v.Store.ListBlobs(ctx, "", func(m blob.Metadata) error {
		if c := s.class(m.BlobID); c != classNone && c != classIndex {
			s.source[m.BlobID] = m
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list vault: %w", err)
	}
	for id, b := range s.v.Instead {
		s.source[id] = blob.Metadata{BlobID: id, Length: int64(len(b))}
	}
	err = s.to.Store.ListBlobs(ctx, "", func(m blob.Metadata) error {
		if s.class(m.BlobID) != classNone {
			s.have[m.BlobID] = m
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list copy: %w", err)
	}
	return nil
}

// allowed refuses to copy a vault that lost too much, and to copy onto what has
// become a vault of its own.
func (s *sync) allowed() error {
	if !slices.ContainsFunc(s.index, func(m blob.Metadata) bool { return s.isIndex(m.BlobID) }) {
		return s.shrunk("it has no index")
	}
	if _, ok := s.source[formatBlob]; !ok {
		return s.shrunk("it has no format blob")
	}
	if s.v.Live < s.note.Live/2 {
		return s.shrunk(fmt.Sprintf("it knows %d bytes, and %d when it was last copied", s.v.Live, s.note.Live))
	}
	if s.fresh || s.amnesia {
		return nil
	}
	known := map[blob.ID]bool{}
	for _, id := range s.note.Known {
		known[id] = true
	}
	for id := range s.have {
		_, ours := s.source[id]
		if s.isData(id) && !ours && !known[id] {
			return s.foreign("data the vault never had")
		}
	}
	return nil
}

func (s *sync) shrunk(why string) error {
	return app.Errorf(app.CodeCopyShrunk, "copy vault", "%s", why).With("where", s.to.Where)
}

// missing returns what has to be written or compared.
func (s *sync) missing() []blob.Metadata {
	var todo []blob.Metadata
	for id, m := range s.source {
		h, ok := s.have[id]
		switch c := s.class(id); {
		case !ok, h.Length != m.Length, c != classPack && c != classIndex:
			todo = append(todo, m)
		case slices.Contains(s.note.Unsound, id):
			todo = append(todo, m)
		case !s.read[id] && rand.Float64() < s.share: //nolint:gosec // a sample
			s.read[id] = true
			todo = append(todo, m)
		}
	}
	slices.SortFunc(todo, func(a, b blob.Metadata) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.BlobID, b.BlobID))
	})
	return todo
}

// room makes sure that everything fits before anything is written.
func (s *sync) room(ctx context.Context, todo []blob.Metadata) error {
	var need int64
	for _, m := range todo {
		if h, ok := s.have[m.BlobID]; !ok || h.Length != m.Length {
			need += m.Length
		}
	}
	if free := s.to.Free(ctx); need > 0 && free >= 0 && free < need+reserve {
		return app.Errorf(app.CodeStorageFull, "copy vault", "%d bytes free, %d needed", free, need+reserve).
			With("where", s.to.Where).With("free", fmt.Sprint(free)).With("needed", fmt.Sprint(need+reserve))
	}
	return nil
}

// announce writes down what the copy is going to hold, before it does.
func (s *sync) announce(ctx context.Context) error {
	known := map[blob.ID]bool{}
	for _, id := range s.note.Known {
		known[id] = true
	}
	for id := range s.source {
		if s.isData(id) && !known[id] {
			s.note.Known = append(s.note.Known, id)
		}
	}
	if s.amnesia {
		for id := range s.have {
			if _, ours := s.source[id]; s.isData(id) && !ours && !known[id] {
				s.note.Known = append(s.note.Known, id)
			}
		}
	}
	if err := s.writeNote(ctx); err != nil {
		return err
	}
	return s.apart(ctx)
}

// copyAll copies the objects of one class. Only packs go side by side: the
// order of the others matters.
func (s *sync) copyAll(ctx context.Context, c class, todo []blob.Metadata) error {
	todo = slices.DeleteFunc(slices.Clone(todo), func(m blob.Metadata) bool { return s.class(m.BlobID) != c })
	for some := range slices.Chunk(todo, batch) {
		if err := s.v.Prepare(ctx, blob.IDsFromMetadata(some)); err != nil {
			return err
		}
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(1)
		if c == classPack {
			g.SetLimit(max(s.to.Workers, 1))
		}
		for _, m := range some {
			g.Go(func() error {
				if err := gctx.Err(); err != nil {
					return err
				}
				return s.copyOne(gctx, m)
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// copyOne brings one object in step.
func (s *sync) copyOne(ctx context.Context, m blob.Metadata) error {
	if s.class(m.BlobID) != classPack && s.hasVanished() {
		return nil // it must not come after one that is missing
	}
	b, err := s.fetch(ctx, m.BlobID)
	if errors.Is(err, blob.ErrBlobNotFound) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.vanished = true
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.bring(ctx, m.BlobID, b); err != nil {
		return err
	}
	s.prog.Done(1, m.Length)
	return nil
}

func (s *sync) fetch(ctx context.Context, id blob.ID) ([]byte, error) {
	if b, ok := s.v.Instead[id]; ok {
		return b, nil
	}
	return readBlob(ctx, s.v.Store, id)
}

func (s *sync) hasVanished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vanished
}

// bring makes the copy's object equal to b, the vault's.
func (s *sync) bring(ctx context.Context, id blob.ID, b []byte) error {
	h, there := s.have[id]
	if there && h.Length == int64(len(b)) {
		same, err := equal(ctx, s.to.Store, id, b)
		if err != nil && ctx.Err() == nil {
			err = errors.Join(s.to.Present(ctx), ctx.Err())
			same = false // it can't even be read
		}
		if err != nil {
			return err
		}
		if same {
			s.tally(func(r *app.CopyReport) { r.Read += int64(len(b)) })
			if slices.Contains(s.note.Unsound, id) && s.v.Sound(id, b) != nil {
				s.damaged(id)
			}
			return nil
		}
	}
	if err := s.v.Sound(id, b); err != nil {
		s.damaged(id)
		if there {
			return nil // what the copy has may be all there is
		}
		// Most of a pack can be read when a byte of it can't.
	}
	if err := s.store(ctx, id, b); err != nil {
		return err
	}
	s.tally(func(r *app.CopyReport) {
		r.Copied++
		r.Sent += int64(len(b))
		r.Read += int64(len(b))
		if c := s.class(id); there && (c == classPack || c == classIndex) {
			r.Damaged++
		}
	})
	return nil
}

// damaged notes an object that is damaged in the vault itself.
func (s *sync) damaged(id blob.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.unsound, id) {
		s.unsound = append(s.unsound, id)
	}
}

func (s *sync) tally(fn func(*app.CopyReport)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(&s.report)
}

// store puts an object and reads it back.
func (s *sync) store(ctx context.Context, id blob.ID, b []byte) error {
	var o blob.PutOptions
	if s.lockable(id) {
		o = s.to.Lock
	}
	for try := 1; ; try++ {
		if id != Marker {
			if err := s.to.Present(ctx); err != nil {
				return err
			}
		}
		if err := s.to.Store.PutBlob(ctx, id, data(b), o); err != nil {
			return fmt.Errorf("write %s: %w", id, err)
		}
		same, err := equal(ctx, s.to.Store, id, b)
		switch {
		case err != nil:
			return err
		case same:
			return nil
		case try == putTries:
			return app.Errorf(app.CodeReadBack, "copy vault", "%s reads differently from what was written", id)
		}
	}
}
