package webhotel

import (
	"context"
	"errors"
	"io"
	"time"

	"kvart/app"
)

const (
	// mostResumes is how often the reading of one file goes on over a new
	// connection that brings it less than worthResuming bytes further.
	mostResumes   = 3
	worthResuming = 1 << 20
)

// reader reads one file of a site, over as many connections as it takes, and
// says at the end whether the file stood still.
type reader struct {
	cp   *capture
	ctx  context.Context
	e    entry
	l    link
	s    stream
	n    int64
	left int   // times it may go on elsewhere
	last int64 // where it went on the last time
	err  error
	over bool
	shut bool
}

func (cp *capture) open(ctx context.Context, e entry) (io.ReadCloser, error) {
	r := &reader{cp: cp, ctx: ctx, e: e, left: mostResumes}
	if err := ctx.Err(); err != nil {
		return nil, canceled("webhotel: open", err)
	}
	if err := r.connect(); err != nil {
		cp.note(e.path, -1)
		if isRefused(err) {
			// FTP refuses in the same words what is not there any more.
			if _, gone := r.now(); isMissing(gone) {
				err = gone
			}
		}
		return nil, r.failed("webhotel: open", err)
	}
	return r, nil
}

// connect opens the file where the reading has come to. The link stays taken
// until the stream is closed.
func (r *reader) connect() error {
	return r.cp.o.pool.hold(r.ctx, func(l link) error {
		s, err := l.open(r.ctx, r.e, r.n)
		if err == nil {
			r.l, r.s = l, s
		}
		return err
	})
}

// drop lets the connection go.
func (r *reader) drop() {
	if r.s == nil {
		return
	}
	_ = r.s.Close() // all was read, or the connection is of no use
	r.cp.o.pool.give(r.l)
	r.s, r.l = nil, nil
}

// failed names what went wrong with one file.
func (r *reader) failed(op string, err error) error {
	var known *app.Error
	switch {
	case r.ctx.Err() != nil:
		return canceled(op, err)
	case errors.As(err, &known):
		return known
	case isMissing(err):
		return (&app.Error{Code: app.CodeItemVanished, Op: op, Err: err}).With("path", r.e.path)
	case faultOf(err) != faultNone:
		return r.cp.o.cfg.codeOf(r.ctx, op, err)
	}
	return (&app.Error{Code: app.CodeItemUnreadable, Op: op, Err: err}).With("path", r.e.path)
}

// Read implements [io.Reader].
func (r *reader) Read(b []byte) (int, error) {
	const op = "webhotel: read"
	for {
		switch {
		case r.err != nil:
			return 0, r.err
		case r.over:
			return 0, io.EOF
		case r.ctx.Err() != nil:
			r.err = canceled(op, r.ctx.Err())
			return 0, r.err
		}
		n, err := r.s.Read(b)
		r.n += int64(n)
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, errCut):
			r.over = true
			return n, io.EOF
		case err != nil:
			if err := r.resume(err); err != nil {
				r.err = r.failed(op, err)
				return n, r.err
			}
		}
		if n > 0 {
			return n, nil
		}
	}
}

// resume goes on over another connection, unless the file is not the one any
// more that was being read.
func (r *reader) resume(cause error) error {
	f := faultOf(cause)
	if r.n-r.last >= worthResuming {
		r.left = mostResumes
	}
	r.last = r.n
	if f == faultNone || r.left == 0 || r.ctx.Err() != nil {
		return cause
	}
	r.left--
	r.drop()
	now, err := r.now()
	if err != nil {
		return errors.Join(err, cause)
	}
	if !r.same(now) {
		return app.Errorf(app.CodeItemChanged, "webhotel: read", "%s changed before all of it was read", r.e.path).With("path", r.e.path)
	}
	return r.connect()
}

// now looks at the file again.
func (r *reader) now() (e entry, err error) {
	err = r.cp.o.pool.do(r.ctx, func(l link) (err error) {
		e, err = l.stat(r.ctx, r.e.path)
		return err
	})
	if errors.Is(err, errCannot) {
		return r.e, nil // the server tells nothing of single files
	}
	return e, err
}

// same compares the file with the listing's. Where the listing knew only
// minutes, in the server's time, the size has to do.
func (r *reader) same(now entry) bool {
	if now.size != r.e.size {
		return false
	}
	if now.grain == 0 || r.e.grain == 0 {
		return true
	}
	if r.e.grain > time.Second {
		return now.mtime.Add(r.e.shift).Sub(r.e.mtime).Abs() < max(r.e.grain, r.e.slack)
	}
	return now.sameTime(r.e)
}

// Close implements [io.Closer].
func (r *reader) Close() error {
	if r.shut {
		return nil
	}
	r.shut = true
	r.drop()
	if r.err != nil || !r.over {
		r.cp.note(r.e.path, -1)
		return nil
	}
	r.cp.note(r.e.path, r.n)
	if r.cp.present {
		return nil
	}
	now, err := r.now()
	if isMissing(err) || err == nil && (r.n != r.e.size || !r.same(now)) {
		return app.Errorf(app.CodeItemChanged, "webhotel: read", "%s changed while it was read", r.e.path).With("path", r.e.path)
	}
	if err != nil {
		return r.failed("webhotel: read", err)
	}
	return nil
}
