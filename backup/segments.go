package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"
	"github.com/zeebo/xxh3"
)

// A file that changes in place is stored in segments of a fixed size. The hash
// and the object of every segment are remembered on this computer, so that a
// later session writes only the segments that changed; lists of segments, and
// one list of lists, in Kopia's own format for large objects make every Kopia
// read the result as one file.
const (
	segmentBytes = 16 << 10
	maxPage      = 1 << 20
	// perList segments make a list. A list counts from its own start, so that
	// equal lists are stored once. There are never more than two levels: Kopia
	// holds all below one entry of the top list in memory when reading.
	perList = 256

	// What a quarter changed is small, and is sent over the shop's line: up to
	// squeezed bytes are worth more of the processor's time than a first backup.
	squeezed = 32 << 20
	squeezer = "zstd"

	readAtOnce      = 1 << 20 // few and large reads: somebody waits
	segmentSplitter = "FIXED-8M"
	listPrefix      = "x"
)

// segmentSize returns the size of segments for a page size: about
// segmentBytes, and always whole pages.
func segmentSize(pages int) int {
	if pages > segmentBytes {
		return pages
	}
	return segmentBytes / pages * pages
}

// pagedResult is a file stored in segments.
type pagedResult struct {
	object object.ID
	size   int64
	memory *memory // of the file as it is now, for the next session
	fresh  []int   // segments written in this session
}

// paging reports whether it is a file that is stored in segments of a fixed size.
func (n *node) paging() bool {
	return n.item.Pages > 0 && n.item.Pages <= maxPage && n.item.Mode.Type() == 0
}

// storePaged stores every item that has pages, before anything else: their
// readers hold the shop's locks. As in store, a failure of the source is kept
// in c.
func (c *capture) storePaged(ctx context.Context, w repo.RepositoryWriter) error {
	return c.tree.walk(func(n *node) error {
		if !n.paging() {
			return nil
		}
		if c.failure() != nil {
			return nil
		}
		return c.storeSegments(ctx, w, n)
	})
}

func (c *capture) storeSegments(ctx context.Context, w repo.RepositoryWriter, n *node) error {
	size := segmentSize(n.item.Pages)
	old, err := c.recall(ctx, w, n, size)
	if err != nil {
		return err
	}
	sp := newSpool(c.v.dir)
	defer sp.close()
	now, err := c.compare(ctx, n, old, sp)
	var src *sourceError
	switch {
	case errors.As(err, &src):
		return ctx.Err() // recorded, and the end of the request unless optional
	case err != nil:
		c.fail(err)
		return nil
	}
	res, err := c.writeSegments(ctx, w, n, now, sp)
	if err != nil {
		return fmt.Errorf("store %s: %w", n.path, err)
	}
	n.paged = res
	return nil
}

// recall returns what is remembered of the file, without the segments whose
// objects the vault has no more. It is never nil.
func (c *capture) recall(ctx context.Context, w repo.RepositoryWriter, n *node, size int) (*memory, error) {
	old, err := loadMemory(c.memoryFile(n), size)
	if err != nil || c.v.distrust[c.si.Path] || !c.all.has(old.point) {
		return newMemory(size)
	}
	if err := old.forgetLost(ctx, w); err != nil {
		return nil, fmt.Errorf("look up segment: %w", err)
	}
	return old, nil
}

// compare reads the item to its end, spools the segments that changed, and
// closes the item. Nothing is written to the vault meanwhile, for a till may be
// locked for as long as its database is read.
func (c *capture) compare(ctx context.Context, n *node, old *memory, sp *spool) (*memory, error) {
	r, err := c.open(ctx, n)
	if err != nil {
		return nil, err
	}
	now := &memory{segment: old.segment, seed: old.seed}
	var failed error
	for b, err := range chunks(r, max(readAtOnce/old.segment, 1)*old.segment) {
		if failed = now.take(b, old, sp); failed != nil {
			break
		}
		if failed = err; errors.Is(err, io.EOF) {
			now.size = r.read
			return now, nil
		}
	}
	return nil, errors.Join(failed, r.Close())
}

// take compares the segments that come next with what is remembered, and spools
// those that are others.
func (m *memory) take(b []byte, old *memory, sp *spool) error {
	for len(b) > 0 {
		s := b[:min(m.segment, len(b))]
		b = b[len(s):]
		i, h, id := len(m.hashes), xxh3.Hash128Seed(s, m.seed), object.EmptyID
		if i < len(old.hashes) && old.hashes[i] == h {
			id = old.objects[i]
		}
		m.hashes, m.objects = append(m.hashes, h), append(m.objects, id)
		if id != object.EmptyID {
			continue
		}
		if err := sp.add(i, s); err != nil {
			return stateDirError(err)
		}
	}
	return nil
}

// writeSegments writes what was spooled, and the lists.
func (c *capture) writeSegments(ctx context.Context, w repo.RepositoryWriter, n *node, now *memory, sp *spool) (*pagedResult, error) {
	res := &pagedResult{size: now.size, memory: now}
	options := segmentOptions()
	if sp.bytes() <= squeezed {
		options.Compressor, options.MetadataCompressor = squeezer, squeezer
	}
	flushed := time.Now()
	err := sp.each(func(i int, b []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		id, err := writeObject(ctx, w, b, options)
		if err != nil {
			return err
		}
		now.objects[i] = id
		res.fresh = append(res.fresh, i)
		c.hashed.Add(int64(len(b)))
		if time.Since(flushed) < checkpointEvery {
			return nil
		}
		// What is in the index by now need not be sent again after a crash.
		flushed = time.Now()
		return w.Flush(ctx)
	})
	if err != nil {
		return nil, err
	}
	if res.object, err = writeLists(ctx, w, now); err != nil {
		return nil, err
	}
	c.prog.Done(1, now.size)
	return res, nil
}

func segmentOptions() object.WriterOptions {
	return object.WriterOptions{
		Description: "SEGMENT", Compressor: compressor, MetadataCompressor: compressor, Splitter: segmentSplitter,
	}
}

// list is Kopia's indirect object.
type list struct {
	Stream  string                       `json:"stream"`
	Entries []object.IndirectObjectEntry `json:"entries"`
}

// writeLists makes one object of the segments.
func writeLists(ctx context.Context, w repo.RepositoryWriter, m *memory) (object.ID, error) {
	switch len(m.objects) {
	case 0:
		return writeObject(ctx, w, nil, object.WriterOptions{Description: "EMPTY"})
	case 1:
		return m.objects[0], nil
	}
	var top []object.IndirectObjectEntry
	for from := 0; from < len(m.objects); from += perList {
		to := min(from+perList, len(m.objects))
		var part []object.IndirectObjectEntry
		for i := from; i < to; i++ {
			start := int64(i-from) * int64(m.segment)
			part = append(part, object.IndirectObjectEntry{Start: start, Length: m.length(i), Object: m.objects[i]})
		}
		id, err := writeList(ctx, w, part)
		if err != nil {
			return object.EmptyID, err
		}
		start := int64(from) * int64(m.segment)
		top = append(top, object.IndirectObjectEntry{Start: start, Length: min(int64(to)*int64(m.segment), m.size) - start, Object: id})
	}
	if len(top) == 1 {
		return top[0].Object, nil
	}
	return writeList(ctx, w, top)
}

func writeList(ctx context.Context, w repo.RepositoryWriter, entries []object.IndirectObjectEntry) (object.ID, error) {
	b, err := json.Marshal(list{Stream: "kopia:indirect", Entries: entries})
	if err != nil {
		return object.EmptyID, fmt.Errorf("encode list: %w", err)
	}
	id, err := writeObject(ctx, w, b, object.WriterOptions{
		Description: "LIST", Prefix: listPrefix, Compressor: compressor, MetadataCompressor: compressor,
	})
	if err != nil {
		return object.EmptyID, err
	}
	indirect, err := object.ParseID("I" + id.String())
	if err != nil {
		return object.EmptyID, fmt.Errorf("name list: %w", err)
	}
	return indirect, nil
}

func writeObject(ctx context.Context, w repo.RepositoryWriter, b []byte, o object.WriterOptions) (object.ID, error) {
	ow := w.NewObjectWriter(ctx, o)
	_, err := ow.Write(b)
	id := object.EmptyID
	if err == nil {
		id, err = ow.Result()
	}
	if err = errors.Join(err, ow.Close()); err != nil {
		return object.EmptyID, fmt.Errorf("write object: %w", err)
	}
	return id, nil
}

// sure is a writer for Kopia's uploader, which looks up every segment of the
// files that are stored already. They were looked up or written a moment ago,
// and the read-back looks again when everything is sent.
type sure struct {
	repo.RepositoryWriter

	stored map[object.ID]bool
}

func (c *capture) sure(w repo.RepositoryWriter) *sure {
	s := &sure{w, map[object.ID]bool{}}
	s.add(c.tree.root)
	return s
}

func (s *sure) add(n *node) {
	if n.paged != nil {
		s.stored[n.paged.object] = true
	}
	for _, c := range n.children {
		s.add(c)
	}
}

// VerifyObject implements [repo.Repository]; the uploader wants no list.
func (s *sure) VerifyObject(ctx context.Context, id object.ID) ([]content.ID, error) {
	if s.stored[id] {
		return nil, nil
	}
	return s.RepositoryWriter.VerifyObject(ctx, id)
}
