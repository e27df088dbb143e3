package storage

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

// call is one call to a storage. Its attempts may outlive it; what the caller
// lent is then out of their reach, because buffers are used again: an attempt
// left behind must never store bytes of another blob.
type call struct {
	what  string
	moved atomic.Int64 // when bytes last moved, Unix nanoseconds
	watch atomic.Pointer[time.Timer]

	// failed is the error of the last attempt while another is to come. The
	// storage's mutex guards it.
	failed error

	mu   sync.Mutex
	gone bool // the caller, with everything it lent
}

func newCall(what string) *call {
	c := &call{what: what}
	c.touch()
	return c
}

// leave takes back what was lent. It waits for a copy that is under way.
func (c *call) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
}

// lend runs f, which touches something of the caller's, unless that has gone.
func (c *call) lend(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return errLeft
	}
	c.touch()
	defer c.touch()
	return f()
}

func (c *call) touch() {
	c.moved.Store(time.Now().UnixNano())
	if w := c.watch.Load(); w != nil {
		w.Reset(deadAfter)
	}
}

// still is for how long nothing has moved.
func (c *call) still() time.Duration { return time.Since(time.Unix(0, c.moved.Load())) }

// once makes one attempt and ends it when nothing moves any more: a connection
// whose other end has vanished would be waited for a quarter of an hour.
func (c *call) once(ctx context.Context, attempt func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(deadAfter, func() { cancel(errStalled) })
	c.watch.Store(watch)
	defer watch.Stop()
	c.touch()
	err := attempt(ctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errStalled):
		return app.Errorf(app.CodeStorageOffline, c.what, "%w for %s: %v", errStalled, deadAfter, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		// Here a connection was cut; further up it would be cut bytes.
		return app.Errorf(app.CodeStorageOffline, c.what, "%w", err)
	}
	return err
}

// lentBytes are the caller's for as long as the call lasts.
type lentBytes struct {
	c      *call
	data   blob.Bytes
	length int
}

func (c *call) lendBytes(data blob.Bytes) *lentBytes { return &lentBytes{c, data, data.Length()} }

// Length implements [blob.Bytes].
func (b *lentBytes) Length() int { return b.length }

// WriteTo implements [blob.Bytes].
func (b *lentBytes) WriteTo(w io.Writer) (int64, error) {
	r := b.Reader()
	n, err := io.Copy(w, struct{ io.Reader }{r})
	return n, errors.Join(err, r.Close())
}

// Reader implements [blob.Bytes].
func (b *lentBytes) Reader() io.ReadSeekCloser {
	r := &lentReader{c: b.c}
	if err := b.c.lend(func() error { r.inner = b.data.Reader(); return nil }); err != nil {
		r.inner = nopCloser{errReader{err}}
	}
	return r
}

type lentReader struct {
	c     *call
	inner io.ReadSeekCloser
}

func (r *lentReader) Read(p []byte) (n int, err error) {
	left := r.c.lend(func() error { n, err = r.inner.Read(p); return nil })
	if left != nil {
		return 0, left
	}
	return n, err
}

func (r *lentReader) Seek(offset int64, whence int) (n int64, err error) {
	left := r.c.lend(func() error { n, err = r.inner.Seek(offset, whence); return nil })
	if left != nil {
		return 0, left
	}
	return n, err
}

func (r *lentReader) Close() error {
	err := r.c.lend(r.inner.Close)
	if errors.Is(err, errLeft) {
		return nil
	}
	return err
}

// errReader reads nothing.
type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error)       { return 0, r.err }
func (r errReader) Seek(int64, int) (int64, error) { return 0, r.err }

// lentBuffer takes bytes for as long as the call lasts.
type lentBuffer struct {
	c   *call
	out blob.OutputBuffer
}

func (c *call) lendBuffer(out blob.OutputBuffer) *lentBuffer { return &lentBuffer{c, out} }

// Write implements [blob.OutputBuffer].
func (b *lentBuffer) Write(p []byte) (n int, err error) {
	left := b.c.lend(func() error { n, err = b.out.Write(p); return nil })
	if left != nil {
		return 0, left
	}
	return n, err
}

// Reset implements [blob.OutputBuffer]. Once the caller has gone there is
// nothing to reset.
func (b *lentBuffer) Reset() {
	_ = b.c.lend(func() error { b.out.Reset(); return nil })
}

// Length implements [blob.OutputBuffer].
func (b *lentBuffer) Length() (n int) {
	if err := b.c.lend(func() error { n = b.out.Length(); return nil }); err != nil {
		return -1
	}
	return n
}
