package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/zeebo/xxh3"

	"kvart/app"
)

// sourceError marks an error as the source's: everything else that goes wrong
// in an upload is the storage's.
type sourceError struct {
	path string
	err  error
}

func (e *sourceError) Error() string { return fmt.Sprintf("read %s: %v", e.path, e.err) }
func (e *sourceError) Unwrap() error { return e.err }

// outcome tells what became of an item that was stored, or was not for an error:
// whole is false where it was not. A failure of the source is no error here; it is
// recorded, and the end of the request unless the item is optional.
func outcome(ctx context.Context, n *node, err error) (whole bool, _ error) {
	var src *sourceError
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.As(err, &src):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("store %s: %w", n.path, err)
	}
	return true, nil
}

// itemReader reads one item. It hashes what it reads for the read-back, and
// closes the item at its end, since an error of Close may take back all that
// was read.
type itemReader struct {
	ctx    context.Context // of the upload: Kopia's copying does not look at it
	c      *capture
	n      *node
	r      io.ReadCloser
	h      *xxh3.Hasher // nil for a file in segments, which have hashes of their own
	read   int64
	err    error // of the reading's end: it stays, for readers drop one that comes with bytes
	closed bool
}

// open opens the item of n for one reading.
func (c *capture) open(ctx context.Context, n *node) (*itemReader, error) {
	r, err := n.item.Open(ctx)
	if err != nil {
		return nil, c.unreadable(ctx, n, err)
	}
	i := &itemReader{ctx: ctx, c: c, n: n, r: r}
	if !n.item.Rolling && !n.paging() {
		i.h = xxh3.New()
	}
	return i, nil
}

func (r *itemReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if err := r.ctx.Err(); err != nil {
		return 0, &sourceError{r.n.path, err}
	}
	k, err := r.r.Read(p)
	if k > 0 {
		r.read += int64(k)
		r.c.read.Add(int64(k))
		if r.h != nil {
			if _, err := r.h.Write(p[:k]); err != nil {
				return 0, fmt.Errorf("hash: %w", err)
			}
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		r.err = r.end()
	case err != nil:
		r.err = r.c.unreadable(r.ctx, r.n, err)
	}
	return k, r.err
}

// end closes the item after all of it was read, records what was read, and
// returns [io.EOF].
func (r *itemReader) end() error {
	r.closed = true
	if err := r.r.Close(); err != nil {
		if !r.n.item.Optional || app.CodeOf(err) != app.CodeItemChanged {
			return r.c.unreadable(r.ctx, r.n, err)
		}
		r.c.problem(r.n.path, app.CodeItemChanged)
	}
	r.n.fresh, r.n.size = true, r.read
	if r.h != nil {
		r.n.sum = r.h.Sum128()
	}
	return io.EOF
}

// Close closes an item that was not read to its end.
func (r *itemReader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if err := r.r.Close(); err != nil {
		return fmt.Errorf("close %s: %w", r.n.path, err)
	}
	return nil
}

// unreadable records that n could not be read. An optional item is left out of
// the point; any other ends the request.
func (c *capture) unreadable(ctx context.Context, n *node, err error) error {
	failure := &sourceError{n.path, err}
	if ctx.Err() != nil {
		return failure // the session ends anyway, and not for this
	}
	if n.item.Optional && !app.CodeOf(err).EndsCapture() {
		n.failed = true
		c.problem(n.path, problemCode(err))
		return failure
	}
	c.fail(failure)
	return failure
}

func problemCode(err error) app.Code {
	var known *app.Error
	switch {
	case errors.As(err, &known):
		return known.Code
	case errors.Is(err, fs.ErrNotExist):
		return app.CodeItemVanished
	}
	return app.CodeItemUnreadable
}

// sourceFailure gives the error of a source a code, if it has none.
func sourceFailure(err error) error {
	var known *app.Error
	if errors.As(err, &known) {
		return fmt.Errorf("capture: %w", err)
	}
	code := app.CodeSourceUnreadable
	if errors.Is(err, fs.ErrNotExist) {
		code = app.CodeSourceMissing
	}
	return &app.Error{Code: code, Op: "capture", Err: err}
}
