package backup

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/object"
	"golang.org/x/sync/errgroup"
)

const (
	earlyAhead = 64       // early items that are taken before they are stored
	copyBuffer = 32 << 10 // one for each hand, not for each file
)

// early stores items that are [app.Item.Early] while the capture looks for the
// next, so that one which waits for its last ones finds most of its work done. What
// it stores is the same as what Kopia's uploader would store, which for tens of
// thousands of small files takes twice as long: it hands each of them from one
// goroutine to another, and waits.
type early struct {
	c       *capture
	w       repo.RepositoryWriter
	flushed time.Time
	todo    chan *node
	hands   *errgroup.Group
	ctx     context.Context // of the hands: it ends with the first failure of the storage
}

func (c *capture) newEarly(ctx context.Context, w repo.RepositoryWriter) *early {
	e := &early{c: c, w: w, flushed: time.Now(), todo: make(chan *node, earlyAhead)}
	e.hands, e.ctx = errgroup.WithContext(ctx)
	for range parallelFiles {
		e.hands.Go(func() error {
			buf := make([]byte, copyBuffer)
			for n := range e.todo {
				if err := e.store(e.ctx, n, buf); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return e
}

// take has an item stored soon. That a hand has failed before ends it; how, end tells.
func (e *early) take(n *node) error {
	select {
	case e.todo <- n:
	case <-e.ctx.Done():
		return e.ctx.Err()
	}
	if time.Since(e.flushed) < checkpointEvery {
		return nil
	}
	e.flushed = time.Now()
	return e.w.Flush(e.ctx)
}

// end waits until all that was taken is stored.
func (e *early) end() error {
	close(e.todo)
	return e.hands.Wait()
}

// store reads and stores one item. As in [capture.store], a failure of the source
// is kept in c.
func (e *early) store(ctx context.Context, n *node, buf []byte) error {
	id, err := e.write(ctx, n, buf)
	if whole, err := outcome(ctx, n, err); !whole {
		return err
	}
	n.stored, n.item.Open = &id, nil // it is not opened again
	e.c.hashed.Add(n.size)
	e.c.prog.Done(1, n.size)
	return nil
}

func (e *early) write(ctx context.Context, n *node, buf []byte) (id object.ID, err error) {
	r, err := e.c.open(ctx, n)
	if err != nil {
		return object.EmptyID, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	ow := e.w.NewObjectWriter(ctx, object.WriterOptions{Description: "FILE:" + n.path, Compressor: compressor, MetadataCompressor: compressor})
	defer func() { err = errors.Join(err, ow.Close()) }()
	if _, err := io.CopyBuffer(ow, r, buf); err != nil {
		return object.EmptyID, err
	}
	return ow.Result()
}
