package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

// gate lets packs be read only when it is open, or when they are let through.
type gate struct {
	s *s3test.Server

	mu   sync.Mutex
	open chan struct{}
	let  map[string]bool
	read map[string]bool
}

func newGate(s *s3test.Server) *gate {
	g := &gate{s: s, open: make(chan struct{}), let: map[string]bool{}, read: map[string]bool{}}
	s.Intercept(g.serve)
	return g
}

func (g *gate) serve(_ http.ResponseWriter, r *http.Request) bool {
	key, isPack := strings.CutPrefix(r.URL.Path, "/bucket/shop/p")
	if r.Method != http.MethodGet || !isPack {
		return false
	}
	g.mu.Lock()
	g.read[key] = true
	open := g.open
	if g.let[key] {
		open = nil
	}
	g.mu.Unlock()
	if open != nil {
		select {
		case <-open:
		case <-r.Context().Done():
		}
	}
	return false
}

// earlyFiles of 8 MiB lie in three packs.
const earlyFiles = 6

// earlyPoint stores files of 8 MiB in several packs and opens the point with
// nothing of it near.
func earlyPoint(t *testing.T) (f *vaulttest.Fixture, s *s3test.Server, open func() app.PointFS) {
	t.Helper()
	f, s = s3Fixture(t)
	v := f.Create(t)
	var items []app.Item
	for i := range earlyFiles {
		items = append(items, vaulttest.File(early(i), vaulttest.Noise(8<<20, uint64(i))))
	}
	id := vaulttest.Save(t, v, vaulttest.Request("s", items...)).Point.ID
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f, s, func() app.PointFS {
		f.StateDir = t.TempDir()
		view, err := f.Open(t).Open(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return view
	}
}

func early(i int) string { return fmt.Sprintf("picture/%d.jpg", i) }

func readEarly(view fs.FS, i int) error {
	b, err := fs.ReadFile(view, early(i))
	if err == nil && !bytes.Equal(b, vaulttest.Noise(8<<20, uint64(i))) {
		err = fmt.Errorf("%s is not what it was", early(i))
	}
	return err
}

// What has arrived is read while the rest is still on its way: bringing and
// reading take as long as the slower of the two, not as both.
func TestPoint_PrefetchedIsReadWhileTheRestArrives(t *testing.T) {
	t.Parallel()
	_, s, open := earlyPoint(t)

	first := newGate(s) // learns which packs the first file lies in
	close(first.open)
	view := open()
	if err := readEarly(view, 0); err != nil {
		t.Fatal(err)
	}
	if err := view.Close(); err != nil {
		t.Fatal(err)
	}

	g := newGate(s)
	g.let = first.read
	view = open()
	if err := view.(app.Prefetcher).Prefetch(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := readEarly(view, 0); err != nil {
		t.Fatalf("with the rest on its way: %v", err)
	}
	rest := make(chan error, earlyFiles-1)
	for i := 1; i < earlyFiles; i++ {
		go func() { rest <- readEarly(view, i) }()
	}
	close(g.open)
	for range earlyFiles - 1 {
		if err := <-rest; err != nil {
			t.Error(err)
		}
	}
	g.mu.Lock()
	if len(g.read) <= len(first.read) {
		t.Errorf("all lies in %d packs, as the first file alone does: nothing was held back", len(g.read))
	}
	g.mu.Unlock()
	if err := view.Close(); err != nil {
		t.Fatal(err)
	}
}

// Who waits for a pack goes on when the prefetch is called off, and reads for
// himself.
func TestPoint_PrefetchCalledOff(t *testing.T) {
	t.Parallel()
	_, s, open := earlyPoint(t)
	g := newGate(s)
	view := open()
	ctx, cancel := context.WithCancel(t.Context())
	if err := view.(app.Prefetcher).Prefetch(ctx, nil); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() { read <- readEarly(view, 3) }()
	cancel()
	close(g.open)
	if err := <-read; err != nil {
		t.Error(err)
	}
	if err := view.Close(); err != nil {
		t.Fatal(err)
	}
}

// A view that is closed in the middle ends the prefetch and leaves nothing
// behind.
func TestPoint_PrefetchEndsWithTheView(t *testing.T) {
	t.Parallel()
	f, s, open := earlyPoint(t)
	newGate(s)
	view := open()
	if err := view.(app.Prefetcher).Prefetch(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- view.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("closing hangs")
	}
	for _, name := range listing(t, f.StateDir) {
		if strings.Contains(name, "near-") {
			t.Errorf("%s was left", name)
		}
	}
	if err := view.(app.Prefetcher).Prefetch(t.Context(), nil); err == nil {
		t.Error("a closed view prefetches")
	}
}
