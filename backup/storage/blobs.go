package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/kopia/kopia/repo/blob"
)

// ReadBlob returns a whole blob.
func ReadBlob(ctx context.Context, st blob.Reader, id blob.ID) ([]byte, error) {
	var b buffer
	if err := st.GetBlob(ctx, id, 0, -1, &b); err != nil {
		return nil, fmt.Errorf("read blob %s: %w", id, err)
	}
	return b.Bytes(), nil
}

// buffer is a [blob.OutputBuffer].
type buffer struct{ bytes.Buffer }

func (b *buffer) Length() int { return b.Len() }

// Bytes is a [blob.Bytes].
type Bytes []byte

// Length implements [blob.Bytes].
func (b Bytes) Length() int { return len(b) }

// WriteTo implements [blob.Bytes].
func (b Bytes) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(b)
	return int64(n), err
}

// Reader implements [blob.Bytes].
func (b Bytes) Reader() io.ReadSeekCloser { return nopCloser{bytes.NewReader(b)} }

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }
