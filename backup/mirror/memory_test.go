package mirror

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	gosync "sync"
	"time"

	"github.com/kopia/kopia/repo/blob"
)

// memory is a blob storage in memory with a clock of its own, which fails when
// it is told to.
type memory struct {
	blob.DefaultProviderImplementation

	mu       gosync.Mutex
	objects  map[blob.ID][]byte
	times    map[blob.ID]time.Time
	retained map[blob.ID]time.Duration
	extended int
	now      time.Time
	writes   int // left before all writes fail; -1 for no end
	garble   map[blob.ID]int
	onGet    func(blob.ID)
	most     int // objects read at once
	reading  int
	refuse   bool // deleting
}

var errDead = errors.New("dead")

func newMemory() *memory {
	return &memory{
		objects: map[blob.ID][]byte{}, times: map[blob.ID]time.Time{}, retained: map[blob.ID]time.Duration{}, garble: map[blob.ID]int{},
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), writes: -1,
	}
}

func (m *memory) ListBlobs(_ context.Context, prefix blob.ID, fn func(blob.Metadata) error) error {
	m.mu.Lock()
	var list []blob.Metadata
	for _, id := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(string(id), string(prefix)) {
			list = append(list, blob.Metadata{BlobID: id, Length: int64(len(m.objects[id])), Timestamp: m.times[id]})
		}
	}
	m.mu.Unlock()
	for _, b := range list {
		if err := fn(b); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) GetBlob(_ context.Context, id blob.ID, _, _ int64, out blob.OutputBuffer) error {
	m.mu.Lock()
	hook := m.onGet
	m.mu.Unlock()
	if hook != nil {
		hook(id)
	}
	m.mu.Lock()
	b, ok := m.objects[id]
	m.reading++
	m.most = max(m.most, m.reading)
	m.mu.Unlock()
	defer func() { m.mu.Lock(); m.reading--; m.mu.Unlock() }()
	if !ok {
		return blob.ErrBlobNotFound
	}
	out.Reset()
	_, err := out.Write(b)
	return err
}

func (m *memory) GetMetadata(_ context.Context, id blob.ID) (blob.Metadata, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[id]; !ok {
		return blob.Metadata{}, blob.ErrBlobNotFound
	}
	return blob.Metadata{BlobID: id, Length: int64(len(m.objects[id])), Timestamp: m.times[id]}, nil
}

func (m *memory) ConnectionInfo() blob.ConnectionInfo { return blob.ConnectionInfo{} }
func (m *memory) DisplayName() string                 { return "memory" }

func (m *memory) spend() error {
	if m.writes == 0 {
		return errDead
	}
	m.writes--
	return nil
}

func (m *memory) PutBlob(_ context.Context, id blob.ID, b blob.Bytes, o blob.PutOptions) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.spend(); err != nil {
		return err
	}
	var buf bytes.Buffer
	if _, err := b.WriteTo(&buf); err != nil {
		return err
	}
	m.now = m.now.Add(time.Second)
	stored := buf.Bytes()
	if m.garble[id] > 0 {
		m.garble[id]--
		stored[0] ^= 1
	}
	m.objects[id], m.times[id], m.retained[id] = stored, m.now, o.RetentionPeriod
	return nil
}

func (m *memory) DeleteBlob(_ context.Context, id blob.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse {
		return errRefused
	}
	if err := m.spend(); err != nil {
		return err
	}
	delete(m.objects, id)
	return nil
}

var errRefused = errors.New("refused")

func (m *memory) ExtendBlobRetention(_ context.Context, id blob.ID, o blob.ExtendOptions) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.extended++
	m.retained[id] = o.RetentionPeriod
	return nil
}

func (m *memory) put(id, s string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(time.Second)
	m.objects[blob.ID(id)], m.times[blob.ID(id)] = []byte(s), m.now
}

func (m *memory) drop(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, blob.ID(id))
}

func (m *memory) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for id := range m.objects {
		if id != Marker {
			names = append(names, string(id))
		}
	}
	slices.Sort(names)
	return names
}
