package backup

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/object"
)

// early stores items that are [app.Item.Early] as they come, so that a capture
// which waits for its last ones finds most of its work done. What it stores is the
// same as what Kopia's uploader would store.
type early struct {
	c       *capture
	w       repo.RepositoryWriter
	flushed time.Time
}

// store reads and stores one item. As in [capture.store], a failure of the source
// is kept in c.
func (e *early) store(ctx context.Context, n *node) error {
	id, err := e.write(ctx, n)
	if whole, err := outcome(ctx, n, err); !whole {
		return err
	}
	n.stored, n.item.Open = &id, nil // it is not opened again
	e.c.hashed.Add(n.size)
	e.c.prog.Done(1, n.size)
	if time.Since(e.flushed) < checkpointEvery {
		return nil
	}
	e.flushed = time.Now()
	return e.w.Flush(ctx)
}

func (e *early) write(ctx context.Context, n *node) (id object.ID, err error) {
	r, err := e.c.open(ctx, n)
	if err != nil {
		return object.EmptyID, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	ow := e.w.NewObjectWriter(ctx, object.WriterOptions{Description: "FILE:" + n.path, Compressor: compressor, MetadataCompressor: compressor})
	defer func() { err = errors.Join(err, ow.Close()) }()
	if _, err := io.Copy(ow, r); err != nil {
		return object.EmptyID, err
	}
	return ow.Result()
}
