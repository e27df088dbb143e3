package backup

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/object"
	"github.com/zeebo/xxh3"
)

// A file in which bytes are inserted and removed, such as a dump, is stored in
// segments that end where its content says, so that one row more moves the
// borders of one segment only. The rest is as for files that change in place:
// the hash of every segment is remembered, and lists make one file of them. A
// list ends where content says too, or an insertion would change all lists
// behind it.
const (
	rollingLeast = 4 << 10
	rollingMost  = 64 << 10
	rollingRead  = 8 * rollingMost // at once
	// rollingBits of the rolling hash must be zero at a border: about 16 KiB
	// apart, with what is skipped.
	rollingBits = 14
	// rollingList is how many segments a list has on average, and rollingLongest
	// how many at the most.
	rollingList    = 256
	rollingLongest = 4 * rollingList
	// rollingSegment stands for a segment size in what is remembered.
	rollingSegment = 0
)

// borders finds the ends of segments: a gear hash, which depends on the last 64
// bytes alone. Kopia's own splitters stop at 128 KiB, and its rolling hash
// fails on text that repeats every 32 bytes.
type borders struct{ gear [256]uint64 }

func newBorders() *borders {
	b := &borders{}
	// splitmix64 from a fixed start: the same borders on every computer
	x := uint64(0x6b76617274) // "kvart"
	for i := range b.gear {
		x += 0x9e3779b97f4a7c15
		z := x
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		b.gear[i] = z ^ z>>31
	}
	return b
}

// next returns the length of the first segment of p. p is cut off at
// rollingMost or the end of the file, nowhere else.
func (b *borders) next(p []byte) int {
	end := min(len(p), rollingMost)
	if end <= rollingLeast {
		return end
	}
	const mask = uint64(1<<rollingBits-1) << (64 - rollingBits)
	var h uint64
	// the hash is warm when the first border is possible
	for i := rollingLeast - 64; i < end; i++ {
		h = h<<1 + b.gear[p[i]]
		if i >= rollingLeast && h&mask == 0 {
			return i + 1
		}
	}
	return end
}

// rollingFile is a file on its way into segments.
type rollingFile struct {
	c     *capture
	w     repo.RepositoryWriter
	known map[xxh3.Uint128]object.ID
	now   *memory
	res   *pagedResult

	top, part []object.IndirectObjectEntry
	partBytes int64
	flushed   time.Time
}

// storeRolling stores an item that is [app.Item.Rolling] as it is read. As in
// store, a failure of the source is kept in c.
func (c *capture) storeRolling(ctx context.Context, w repo.RepositoryWriter, n *node) error {
	old, err := c.recall(ctx, w, n, rollingSegment)
	if err != nil {
		return err
	}
	if c.takeOver(ctx, n, old) {
		return nil
	}
	f := &rollingFile{c: c, w: w, known: map[xxh3.Uint128]object.ID{}, now: &memory{segment: rollingSegment, seed: old.seed}, flushed: time.Now()}
	for i, h := range old.hashes {
		if old.objects[i] != object.EmptyID {
			f.known[h] = old.objects[i]
		}
	}
	f.res = &pagedResult{memory: f.now}
	if whole, err := outcome(ctx, n, f.readAll(ctx, n)); !whole {
		return err
	}
	n.paged = f.res
	c.prog.Done(1, f.now.size)
	return nil
}

func (f *rollingFile) readAll(ctx context.Context, n *node) error {
	r, err := f.c.open(ctx, n)
	if err != nil {
		return err
	}
	b := newBorders()
	var left []byte // of what was read: less than a segment may have
	var failed error
	for p, err := range chunks(r, rollingRead) {
		ended := errors.Is(err, io.EOF)
		if failed = err; err == nil || ended {
			left, failed = f.cut(ctx, b, append(left, p...), ended)
		}
		if failed != nil {
			break // and closed only then: until the loop has ended it is read
		}
	}
	if failed != nil {
		return errors.Join(failed, r.Close())
	}
	return f.finish(ctx)
}

// cut stores p in segments, and returns what may belong to one that goes on.
func (f *rollingFile) cut(ctx context.Context, b *borders, p []byte, ended bool) (left []byte, err error) {
	for rest := p; ; {
		if len(rest) == 0 || len(rest) < rollingMost && !ended {
			return append(p[:0], rest...), nil
		}
		k := b.next(rest)
		if err := f.segment(ctx, rest[:k]); err != nil {
			return nil, err
		}
		rest = rest[k:]
	}
}

// segment takes over or writes one segment.
func (f *rollingFile) segment(ctx context.Context, b []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := f.now
	h := xxh3.Hash128Seed(b, m.seed)
	id, ok := f.known[h]
	if !ok {
		var err error
		if id, err = writeObject(ctx, f.w, b, segmentOptions()); err != nil {
			return err
		}
		f.known[h] = id
		f.res.fresh = append(f.res.fresh, len(m.objects))
		f.c.hashed.Add(int64(len(b)))
	}
	m.hashes, m.objects, m.lengths = append(m.hashes, h), append(m.objects, id), append(m.lengths, len(b))
	m.size += int64(len(b))
	f.part = append(f.part, object.IndirectObjectEntry{Start: f.partBytes, Length: int64(len(b)), Object: id})
	f.partBytes += int64(len(b))
	// the seed differs between computers and vaults; the content does not
	if xxh3.Hash(b)%rollingList == 0 || len(f.part) >= rollingLongest {
		if err := f.endList(ctx); err != nil {
			return err
		}
	}
	if time.Since(f.flushed) < checkpointEvery {
		return nil
	}
	f.flushed = time.Now()
	return f.w.Flush(ctx)
}

func (f *rollingFile) endList(ctx context.Context) error {
	if len(f.part) == 0 {
		return nil
	}
	id := f.part[0].Object
	if len(f.part) > 1 {
		var err error
		if id, err = writeList(ctx, f.w, f.part); err != nil {
			return err
		}
	}
	f.top = append(f.top, object.IndirectObjectEntry{Start: f.now.size - f.partBytes, Length: f.partBytes, Object: id})
	f.part, f.partBytes = nil, 0
	return nil
}

// finish writes the last list and the list of lists.
func (f *rollingFile) finish(ctx context.Context) error {
	if err := f.endList(ctx); err != nil {
		return err
	}
	f.res.size = f.now.size
	var err error
	switch len(f.top) {
	case 0:
		f.res.object, err = writeObject(ctx, f.w, nil, object.WriterOptions{Description: "EMPTY"})
	case 1:
		f.res.object = f.top[0].Object
	default:
		f.res.object, err = writeList(ctx, f.w, slices.Clone(f.top))
	}
	return err
}
