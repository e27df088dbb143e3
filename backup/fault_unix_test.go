//go:build linux

package backup_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// A pack that is written but cut short must not be called safe.
func TestVault_ReadBackFindsLostPacks(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	item := vaulttest.File("a", vaulttest.Noise(200_000, 1))
	paged := vaulttest.Paged("db", vaulttest.Noise(200_000, 2))
	if err := save(t, v, item, paged); err != nil {
		t.Fatal(err)
	}
	for _, name := range listing(t, root(f)) {
		if rel, err := filepath.Rel(root(f), name); err == nil && strings.HasPrefix(rel, "p") {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The index still knows the contents, so nothing is written again.
	res, err := v.Save(t.Context(), []app.SaveRequest{vaulttest.Request("other", item, paged)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, res[0].Err, app.CodeReadBack)
	if points := vaulttest.Points(t, v, app.PointFilter{}); len(points) != 1 {
		t.Errorf("points %+v", points)
	}
}

func TestVault_StateFolderIsDisposable(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	data := vaulttest.Noise(2<<20, 1)
	vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.Paged("db", slices.Clone(data))))
	if err := os.RemoveAll(f.StateDir); err != nil {
		t.Fatal(err)
	}
	data[1<<20] ^= 1
	res := vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.Paged("db", data)))
	vaulttest.Compare(t, v, res.Point.ID, vaulttest.Paged("db", data))
	if err := os.RemoveAll(f.StateDir); err != nil {
		t.Fatal(err)
	}
	if err := v.Maintain(t.Context(), app.DefaultRetention()); err != nil {
		t.Errorf("maintain: %v", err)
	}
	if l, ok := v.(app.Throttler); !ok || l.SetUploadLimit(1<<20) != nil {
		t.Error("the upload can't be limited")
	}
}

func TestVault_DamagedMemoryIsAFirstRun(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{"flip", "cut", "empty"} {
		f := fixture(t)
		v := f.Create(t)
		data := vaulttest.Noise(2<<20, 1)
		vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.Paged("db", slices.Clone(data))))
		files, err := filepath.Glob(filepath.Join(f.StateDir, "*", "segments", "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("memories %v, %v", files, err)
		}
		b, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		switch damage {
		case "flip":
			b[len(b)/2] ^= 1
		case "cut":
			b = b[:len(b)/2]
		case "empty":
			b = nil
		}
		overwrite(t, files[0], b)
		data[1<<20] ^= 1
		res := vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.Paged("db", data)))
		vaulttest.Compare(t, v, res.Point.ID, vaulttest.Paged("db", data))
	}
}

// The memory of segments means nothing once its point is gone: the objects it
// names may have been collected.
func TestVault_MemoryOfAnotherVaultIsNotUsed(t *testing.T) {
	t.Parallel()
	f, g := fixture(t), fixture(t)
	g.StateDir = f.StateDir
	data := vaulttest.Noise(2<<20, 1)
	for _, x := range []*vaulttest.Fixture{f, g, f} {
		v, err := x.Provider.Create(t.Context(), x.Setup())
		if app.CodeOf(err) == app.CodeVaultExists {
			v, err = x.Provider.Open(t.Context(), x.Setup())
		}
		if err != nil {
			t.Fatal(err)
		}
		res := vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.Paged("db", data)))
		vaulttest.Compare(t, v, res.Point.ID, vaulttest.Paged("db", data))
		if err := v.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// The reader of a database locks the shop's till: it must be closed before
// anything is written to the vault.
func TestVault_PagedReaderIsClosedBeforeWriting(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	before := len(listing(t, root(f)))
	it := vaulttest.Paged("db", nil)
	it.Open = func(context.Context) (io.ReadCloser, error) {
		return &watchedReader{r: strings.NewReader(string(vaulttest.Noise(40<<20, 1))), closing: func() {
			if now := len(listing(t, root(f))); now > before+1 { // Kopia's session marker
				t.Errorf("%d files were written while the database was open", now-before)
			}
		}}, nil
	}
	if err := save(t, v, it); err != nil {
		t.Fatal(err)
	}
}

type watchedReader struct {
	r       io.Reader
	closing func()
}

func (w *watchedReader) Read(p []byte) (int, error) { return w.r.Read(p) }

func (w *watchedReader) Close() error {
	w.closing()
	return nil
}

func TestVault_StorageReadOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("KVART-SKIP root: needs a mount of its own, which only root may make")
	}
	f := fixture(t)
	tmpfs(t, root(f), "size=64m")
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", []byte("1"))); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", root(f), "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	it := vaulttest.File("b", vaulttest.Noise(1000, 1))
	it.Optional = true
	wantCode(t, save(t, v, it), app.CodeStorageReadOnly)
	_, err := f.Provider.Probe(t.Context(), f.Spec)
	wantCode(t, err, app.CodeStorageReadOnly)
	again := f.Open(t) // reading goes on
	if points := vaulttest.Points(t, again, app.PointFilter{}); len(points) != 1 {
		t.Errorf("points %+v", points)
	}
}

func TestVault_StorageFull(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("KVART-SKIP root: needs a mount of its own, which only root may make")
	}
	f := fixture(t)
	tmpfs(t, root(f), "size=8m")
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", []byte("1"))); err != nil {
		t.Fatal(err)
	}
	for _, pages := range []int{0, 4096} {
		it := vaulttest.File("b", vaulttest.Noise(50<<20, 1))
		it.Optional, it.Pages = true, pages
		wantCode(t, save(t, v, it), app.CodeStorageFull)
	}
	const many = 300 // a megabyte each
	asked := 0
	r := vaulttest.Request("shop")
	r.Items = func(yield func(app.Item, error) bool) {
		for asked < many {
			it := vaulttest.File(fmt.Sprint(asked), vaulttest.Noise(1<<20, uint64(asked)))
			it.Early = true
			if asked++; !yield(it, nil) {
				return
			}
		}
	}
	_, err := v.Save(t.Context(), []app.SaveRequest{r}, nil)
	wantCode(t, err, app.CodeStorageFull)
	if asked == many {
		t.Error("early items are asked for to the last, though none can be stored")
	}
	if points := vaulttest.Points(t, v, app.PointFilter{}); len(points) != 1 {
		t.Errorf("points %+v", points)
	}
}

func tmpfs(t *testing.T, dir, options string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("KVART-SKIP mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 2); err != nil { // lazily: vaults close after this
			t.Error(err)
		}
	})
}

func TestVault_MaintainSweepsStrayFiles(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	old, young := filepath.Join(root(f), "p1.f.tmp.0123456789abcdef"), filepath.Join(root(f), "p2.f.tmp.0123456789abcdef")
	for _, name := range []string{old, young} {
		overwrite(t, name, []byte("half"))
	}
	then := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(old, then, then); err != nil {
		t.Fatal(err)
	}
	if err := v.Maintain(t.Context(), app.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Error("an old stray file stayed")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("a young file was taken for a stray")
	}
}

// BenchmarkSave_quarter stores a database of 64 MiB of which one page in a
// hundred changed, read-back included: in segments, as Kvart does, and as its
// peer in the same run the way stock Kopia stores a file. The peer's line ends
// with the ratio of bytes sent.
func BenchmarkSave_quarter(b *testing.B) {
	var segments, stock float64
	b.Run("segments", func(b *testing.B) { segments = benchmarkQuarter(b, 4096) })
	b.Run("stockKopia", func(b *testing.B) {
		stock = benchmarkQuarter(b, 0)
		b.ReportMetric(stock/segments, "x-bytes-of-segments")
	})
}

func benchmarkQuarter(b *testing.B, pages int) (uploadedPerRun float64) {
	dir := b.TempDir()
	p := provider(nil)
	v, err := p.Create(b.Context(), app.VaultSetup{
		Storage:    app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": filepath.Join(dir, "vault")}},
		Passphrase: app.NewSecret(vaulttest.Passphrase), StateDir: filepath.Join(dir, "state"),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close(context.Background())
	const size, page = 64 << 20, 4096
	data := vaulttest.Noise(size, 1)
	var uploaded int64
	round := 0
	run := func() {
		item := vaulttest.Paged("db", data)
		item.Pages = pages
		item.ModTime = item.ModTime.Add(time.Duration(round) * time.Second) // or stock Kopia would not look
		res, err := v.Save(b.Context(), []app.SaveRequest{vaulttest.Request("s", item)}, nil)
		if err != nil || res[0].Err != nil {
			b.Fatal(err, res)
		}
		uploaded += res[0].BytesUploaded
	}
	run()
	uploaded = 0
	b.SetBytes(size)
	for b.Loop() {
		round++
		for i := 0; i < size/page; i += 100 {
			data[i*page+round%page]++
		}
		run()
	}
	uploadedPerRun = float64(uploaded) / float64(b.N)
	b.ReportMetric(uploadedPerRun, "uploaded-B/op")
	return uploadedPerRun
}
