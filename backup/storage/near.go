package storage

import (
	"bytes"
	"context"
	"sync"

	"github.com/kopia/kopia/repo/blob"
)

const (
	// nearBytes are read at a time of a blob that is read piece by piece.
	nearBytes = 512 << 10
	// nearMost is how long a piece may be to come from there.
	nearMost = 64 << 10
)

// nearKey is the key of a context's [near].
type nearKey struct{}

// Nearby returns a context under which small pieces of a blob that are asked for
// one after the other are read from the storage many at a time. It is for one
// goroutine that reads a stretch of a file: what was read is held as long as the
// context.
func Nearby(ctx context.Context) context.Context {
	return context.WithValue(ctx, nearKey{}, &near{})
}

// near is a stretch of a blob that was read a moment ago.
type near struct {
	mu   sync.Mutex
	id   blob.ID
	from int64
	held heldBytes

	last blob.ID // read last, up to next
	next int64
}

// heldBytes is a buffer that a storage can write to.
type heldBytes struct{ bytes.Buffer }

// Length implements [blob.OutputBuffer].
func (b *heldBytes) Length() int { return b.Len() }

var _ blob.OutputBuffer = (*heldBytes)(nil)

// get writes a piece to output and reports whether it did. What it can't read
// has to be read by itself: that tells why.
func (n *near) get(ctx context.Context, s *steady, id blob.ID, offset, length int64, output blob.OutputBuffer) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	follows := id == n.last && offset == n.next
	n.last, n.next = id, offset+length
	if !n.holds(id, offset, length) {
		if !follows || !n.fetch(ctx, s, id, offset, length) {
			return false
		}
	}
	output.Reset()
	at := offset - n.from
	_, err := output.Write(n.held.Bytes()[at : at+length])
	return err == nil
}

func (n *near) holds(id blob.ID, offset, length int64) bool {
	return id == n.id && offset >= n.from && offset+length <= n.from+int64(n.held.Len())
}

func (n *near) fetch(ctx context.Context, s *steady, id blob.ID, offset, length int64) bool {
	n.id = ""
	m, err := s.GetMetadata(ctx, id)
	if err != nil {
		return false
	}
	stretch := min(nearBytes, m.Length-offset)
	if stretch < length || s.read(ctx, id, offset, stretch, &n.held) != nil {
		return false
	}
	n.id, n.from = id, offset
	return true
}
