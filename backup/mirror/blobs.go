package mirror

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/kopia/kopia/repo/blob"
)

func readBlob(ctx context.Context, st blob.Reader, id blob.ID) ([]byte, error) {
	var b buffer
	if err := st.GetBlob(ctx, id, 0, -1, &b); err != nil {
		return nil, fmt.Errorf("read %s: %w", id, err)
	}
	return b.Bytes(), nil
}

// equal reads an object and compares it with b on the way, so that it is in
// memory only once.
func equal(ctx context.Context, st blob.Reader, id blob.ID, b []byte) (bool, error) {
	c := &comparer{want: b}
	if err := st.GetBlob(ctx, id, 0, -1, c); err != nil {
		return false, fmt.Errorf("read %s: %w", id, err)
	}
	return !c.differs && c.at == len(b), nil
}

// buffer is a [blob.OutputBuffer].
type buffer struct{ bytes.Buffer }

func (b *buffer) Length() int { return b.Len() }

// comparer is a [blob.OutputBuffer] that keeps nothing.
type comparer struct {
	want    []byte
	at      int
	differs bool
}

func (c *comparer) Reset() { c.at, c.differs = 0, false }

func (c *comparer) Length() int { return c.at }

func (c *comparer) Write(b []byte) (int, error) {
	if !c.differs && !bytes.HasPrefix(c.want[min(c.at, len(c.want)):], b) {
		c.differs = true
	}
	c.at += len(b)
	return len(b), nil
}

// data is a [blob.Bytes].
type data []byte

func (d data) Length() int { return len(d) }

func (d data) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(d)
	return int64(n), err
}

func (d data) Reader() io.ReadSeekCloser { return nopCloser{bytes.NewReader(d)} }

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }
