package backup

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"
	"github.com/zeebo/xxh3"
	"golang.org/x/sync/errgroup"

	"kvart/app"
)

// memory is what is remembered of a file stored in segments: of each segment
// the hash and the object. It is a cache: without it the next session reads and
// writes as the first one did.
type memory struct {
	// point is the verified point it belongs to. It means nothing without it.
	point   app.PointID
	segment int
	// seed of the hashes is random, so that nobody can prepare data that would
	// pass as unchanged.
	seed    uint64
	size    int64
	hashes  []xxh3.Uint128
	objects []object.ID // EmptyID where the object must be written again
	// lengths of the segments of a rolling file, while it is being stored; they
	// are not remembered, since such segments are found by hash alone.
	lengths []int
}

// forgetLost forgets the segments that the vault has no more.
func (m *memory) forgetLost(ctx context.Context, rep repo.Repository) error {
	g, ctx := errgroup.WithContext(ctx)
	for ids := range slices.Chunk(m.objects, max(len(m.objects)/runtime.GOMAXPROCS(0), perList)) {
		g.Go(func() error {
			for i, id := range ids {
				there, err := hasSegment(ctx, rep, id)
				if err != nil {
					return err
				}
				if !there {
					ids[i] = object.EmptyID
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func hasSegment(ctx context.Context, rep repo.Repository, id object.ID) (bool, error) {
	cid, _, ok := id.ContentID()
	if !ok {
		return false, nil
	}
	info, err := rep.ContentInfo(ctx, cid)
	if errors.Is(err, content.ErrContentNotFound) {
		return false, nil
	}
	return err == nil && !info.Deleted, err
}

const memoryMagic = "kvart segments 1\n"

var errMemory = errors.New("not a memory of segments")

func newMemory(segment int) (*memory, error) {
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("draw seed: %w", err)
	}
	return &memory{segment: segment, seed: binary.LittleEndian.Uint64(seed[:])}, nil
}

// length returns the length of segment i.
func (m *memory) length(i int) int64 {
	if m.lengths != nil {
		return int64(m.lengths[i])
	}
	return min(int64(m.segment), m.size-int64(i)*int64(m.segment))
}

// memoryFile names the file that remembers n. The names of sources and files
// are not for everybody to read, so the name is a hash.
func (c *capture) memoryFile(n *node) string {
	h := xxh3.HashString128(c.si.Path + "\x00" + n.path).Bytes()
	return filepath.Join(c.v.dir, "segments", hex.EncodeToString(h[:]))
}

// loadMemory reads file; any doubt about it is an error.
func loadMemory(file string, segment int) (*memory, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("load memory: %w", err)
	}
	if len(b) < len(memoryMagic)+16 || string(b[:len(memoryMagic)]) != memoryMagic {
		return nil, errMemory
	}
	body, sum := b[:len(b)-16], b[len(b)-16:]
	if h := xxh3.Hash128(body).Bytes(); !bytes.Equal(h[:], sum) {
		return nil, errMemory
	}
	r := bytes.NewReader(body[len(memoryMagic):])
	m := &memory{}
	var head struct{ Seed, Size, Segment, Count uint64 }
	if err := binary.Read(r, binary.LittleEndian, &head); err != nil {
		return nil, errMemory
	}
	point, err := readShort(r)
	if err != nil {
		return nil, errMemory
	}
	m.point, m.seed, m.size, m.segment = app.PointID(point), head.Seed, int64(head.Size), int(head.Segment)
	if m.segment != segment || head.Count > uint64(r.Len()) {
		return nil, errMemory
	}
	for range head.Count {
		var h [2]uint64
		if err := binary.Read(r, binary.LittleEndian, &h); err != nil {
			return nil, errMemory
		}
		s, err := readShort(r)
		if err != nil {
			return nil, errMemory
		}
		id, err := object.ParseID(s)
		if err != nil {
			return nil, errMemory
		}
		m.hashes, m.objects = append(m.hashes, xxh3.Uint128{Hi: h[0], Lo: h[1]}), append(m.objects, id)
	}
	return m, nil
}

// save replaces file.
func (m *memory) save(file string) error {
	b := make([]byte, 0, len(memoryMagic)+64*(len(m.hashes)+1))
	b = append(b, memoryMagic...)
	for _, n := range []uint64{m.seed, uint64(m.size), uint64(m.segment), uint64(len(m.hashes))} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	b = appendShort(b, string(m.point))
	for i, h := range m.hashes {
		b = binary.LittleEndian.AppendUint64(b, h.Hi)
		b = binary.LittleEndian.AppendUint64(b, h.Lo)
		b = appendShort(b, m.objects[i].String())
	}
	h := xxh3.Hash128(b).Bytes()
	return writeFile(file, append(b, h[:]...))
}

func appendShort(b []byte, s string) []byte {
	return append(append(b, byte(len(s))), s...)
}

func readShort(r *bytes.Reader) (string, error) {
	n, err := r.ReadByte()
	if err != nil {
		return "", fmt.Errorf("read length: %w", err)
	}
	b := make([]byte, n)
	if k, err := r.Read(b); err != nil || k != len(b) {
		return "", errMemory
	}
	return string(b), nil
}
