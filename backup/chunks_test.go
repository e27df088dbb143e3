package backup

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

func TestChunks(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, size := range []int{0, 1, 63, 64, 65, 128, 1000} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(data), "halves": iotest.HalfReader(bytes.NewReader(data)),
			"end with the bytes": iotest.DataErrReader(bytes.NewReader(data)),
		} {
			got, err := collect(r, t)
			if !errors.Is(err, io.EOF) || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %s: %d bytes, %v", size, name, len(got), err)
			}
		}
		got, err := collect(io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken)), t)
		if !errors.Is(err, broken) || !bytes.Equal(got, data) {
			t.Errorf("%d bytes that break off: %d bytes, %v", size, len(got), err)
		}
	}
}

// collect puts the stretches together again: all but the last are full.
func collect(r io.Reader, t *testing.T) (all []byte, err error) {
	t.Helper()
	for b, e := range chunks(r, 64) {
		if e == nil && len(b) != 64 {
			t.Errorf("a stretch of %d bytes, not the last", len(b))
		}
		all, err = append(all, b...), e
	}
	return all, err
}

// counted is read without end.
type counted struct{ reads int }

func (c *counted) Read(p []byte) (int, error) {
	c.reads++
	return len(p), nil
}

func TestChunks_leftEarly(t *testing.T) {
	t.Parallel()
	r := &counted{}
	for range chunks(r, 8) {
		break
	}
	// The race detector sees it if it is still being read.
	if r.reads > 3 {
		t.Errorf("read %d times for one stretch", r.reads)
	}
}

// slow brings a byte at every so manieth read, and nothing in between; for good
// after the last.
type slow struct {
	every, reads int
	left         []byte
}

func (s *slow) Read(p []byte) (int, error) {
	if s.reads++; s.reads%s.every != 0 || len(s.left) == 0 {
		return 0, nil
	}
	n := copy(p[:1], s.left)
	s.left = s.left[n:]
	return n, nil
}

// A reader that brings nothing any more, and no reason why, ends the reading
// instead of keeping it up for ever; one that hesitates does not.
func TestChunks_noProgress(t *testing.T) {
	t.Parallel()
	r := &slow{every: mostIdle - 1, left: bytes.Repeat([]byte("x"), 70)}
	got, err := collect(r, t)
	if !errors.Is(err, io.ErrNoProgress) || len(got) != 70 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
