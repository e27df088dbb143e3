package storage

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/kopia/kopia/repo/blob"
)

// shelfOf holds blobs in memory and counts what is read of them.
type shelfOf struct {
	blob.Storage

	blobs map[blob.ID][]byte
	reads int
	fails bool
}

func (s *shelfOf) GetBlob(_ context.Context, id blob.ID, offset, length int64, out blob.OutputBuffer) error {
	s.reads++
	b := s.blobs[id]
	if s.fails || offset+length > int64(len(b)) {
		return errors.New("no")
	}
	_, err := out.Write(b[offset : offset+length])
	return err
}

func (s *shelfOf) GetMetadata(_ context.Context, id blob.ID) (blob.Metadata, error) {
	return blob.Metadata{BlobID: id, Length: int64(len(s.blobs[id]))}, nil
}

func newShelf() (*shelfOf, *steady) {
	rnd := rand.New(rand.NewPCG(3, 4))
	s := &shelfOf{blobs: map[blob.ID][]byte{}}
	for _, id := range []blob.ID{"p1", "p2"} {
		b := make([]byte, 3*nearBytes+777)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		s.blobs[id] = b
	}
	return s, &steady{Storage: s, attempts: 1, open: map[*call]struct{}{}}
}

func wantPiece(t *testing.T, ctx context.Context, shelf *shelfOf, s *steady, id blob.ID, offset, length int64) {
	t.Helper()
	var out heldBytes
	if err := s.GetBlob(ctx, id, offset, length, &out); err != nil || !bytes.Equal(out.Bytes(), shelf.blobs[id][offset:offset+length]) {
		t.Errorf("%s from %d: %d bytes, %v", id, offset, out.Len(), err)
	}
}

func TestNearby_oneAfterTheOther(t *testing.T) {
	t.Parallel()
	shelf, s := newShelf()
	ctx := Nearby(t.Context())
	size := int64(len(shelf.blobs["p1"]))
	pieces := 0
	for at := int64(0); at < size; pieces++ {
		length := min(int64(4000+pieces%3), size-at)
		wantPiece(t, ctx, shelf, s, "p1", at, length)
		if pieces%10 == 5 { // a piece of elsewhere does not disturb
			wantPiece(t, ctx, shelf, s, "p2", at, length)
		}
		at += length
	}
	if most := pieces/10 + 12; shelf.reads > most {
		t.Errorf("%d pieces took %d reads, not at most %d", pieces, shelf.reads, most)
	}
}

func TestNearby_jumps(t *testing.T) {
	t.Parallel()
	shelf, s := newShelf()
	ctx := Nearby(t.Context())
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		id := blob.ID([]string{"p1", "p2"}[rnd.IntN(2)])
		length := 1 + rnd.Int64N(2*nearMost)
		wantPiece(t, ctx, shelf, s, id, rnd.Int64N(int64(len(shelf.blobs[id]))-length), length)
	}
}

// What can't be read is not made up from what was.
func TestNearby_fails(t *testing.T) {
	t.Parallel()
	shelf, s := newShelf()
	ctx := Nearby(t.Context())
	wantPiece(t, ctx, shelf, s, "p1", 0, 100)
	shelf.fails = true
	var out heldBytes
	if err := s.GetBlob(ctx, "p1", 100, 100, &out); err == nil {
		t.Error("read what the storage refused")
	}
	shelf.fails = false
	wantPiece(t, ctx, shelf, s, "p1", 100, 100)
	end := int64(len(shelf.blobs["p1"]))
	wantPiece(t, ctx, shelf, s, "p1", end-200, 100)
	out.Reset()
	if err := s.GetBlob(ctx, "p1", end-100, 101, &out); err == nil {
		t.Error("read beyond the end")
	}
	wantPiece(t, ctx, shelf, s, "p1", end-100, 100)
}

// Without being asked to, and under another context, everything is read anew.
func TestNearby_onlyWhenAsked(t *testing.T) {
	t.Parallel()
	shelf, s := newShelf()
	for i := range int64(20) {
		wantPiece(t, t.Context(), shelf, s, "p1", i*100, 100)
	}
	if shelf.reads != 20 {
		t.Errorf("%d reads", shelf.reads)
	}
}
