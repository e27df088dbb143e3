package webhotel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"kvart/app"
)

// told is progress that is not told twice when a file is begun again.
type told struct {
	p    app.Progress
	n    int64 // of this attempt
	most int64 // of any
}

func (t *told) again() { t.n = 0 }

func (t *told) more(n int64) {
	if t.n += n; t.n > t.most {
		t.p.Done(0, t.n-t.most)
		t.most = t.n
	}
}

// counted reads from the point, reports what is read, and stops when ctx ends.
type counted struct {
	ctx context.Context
	r   io.Reader
	t   *told
	n   int64
	err error // the point's own
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, canceled("webhotel: restore", err)
	}
	n, err := c.r.Read(b)
	c.n += int64(n)
	if c.t != nil {
		c.t.more(int64(n))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// code are the endings of files that a server or a browser runs. In those an
// intruder hides, and gives them their old size and time.
func isCode(p string) bool {
	ext := strings.ToLower(path.Ext(p))
	return ext == "" || strings.HasPrefix(path.Base(p), ".") || slices.Contains([]string{
		".php", ".phtml", ".phar", ".php5", ".php7", ".inc", ".js", ".mjs", ".html", ".htm", ".css", ".svg", ".json", ".xml",
		".tpl", ".twig", ".sh", ".pl", ".cgi", ".py", ".rb", ".ini", ".conf", ".yml", ".yaml", ".sql",
	}, ext)
}

// same reports whether what is at the target is the point's. Of what a server or
// browser runs size and time don't prove it, and on this computer nothing but
// the bytes does: a power cut can leave a file with nothing in it. A server
// that keeps no times is compared by bytes too.
func (a *applier) same(ctx context.Context, e, there entry) (bool, error) {
	if !there.regular() || e.size != there.size {
		return false, nil
	}
	timely := e.sameTime(there)
	switch {
	case a.j.dir != "" && !timely:
		return false, nil
	case a.j.dir == "" && timely && !isCode(e.path):
		return true, nil
	}
	same, err := equalAt(ctx, a.j.o.pool, a.j.from, e)
	if err != nil && faultOf(err) == faultNone && (isRefused(err) || isMissing(err)) {
		return false, nil // it is written anew
	}
	if same && !timely {
		err = a.settle(ctx, e)
	}
	return same, err
}

// equalAt compares a file at a target with the point's, byte by byte.
func equalAt(ctx context.Context, p *pool, from part, e entry) (same bool, err error) {
	err = p.do(ctx, func(l link) (err error) {
		src, err := from.Open(e.path)
		if err != nil {
			return pointError{fmt.Errorf("open in the point: %w", err)}
		}
		defer func() { err = errors.Join(err, src.Close()) }()
		there, err := l.open(ctx, e, 0)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, there.Close()) }()
		in := &counted{ctx: ctx, r: src}
		if same, err = equal(there, in); in.err != nil {
			return pointError{in.err}
		}
		return err
	})
	return same, err
}

// equal reports whether two readers hold the same bytes.
func equal(a, b io.Reader) (bool, error) {
	bufA, bufB := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		n, errA := io.ReadFull(a, bufA)
		m, errB := io.ReadFull(b, bufB)
		if err := errors.Join(notEnd(errA), notEnd(errB)); err != nil {
			return false, err
		}
		if n != m || !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		if n < len(bufA) {
			return true, nil
		}
	}
}

func notEnd(err error) error {
	if errors.Is(err, errCut) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
