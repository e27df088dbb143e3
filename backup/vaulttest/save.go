package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"kvart/app"
)

func manyItems() []app.Item {
	long := strings.Repeat("långt-", 30)
	return []app.Item{
		{Path: "mapp", Mode: fs.ModeDir | 0o755, ModTime: Stamp()},
		File("mapp/räksmörgås åäö.txt", []byte("hej\n")),
		{Path: "tom mapp", Mode: fs.ModeDir | 0o755, ModTime: Stamp()},
		File("tom fil", nil),
		File("djup/a/b/c/d/"+long+".bin", Noise(300_000, 1)),
		File("CACHEDIR.TAG", []byte("Signature: 8a477f597d28d172789f06886806bc55")),
		File(".kopiaignore", []byte("*\n")),
		File("日本語/😀", []byte{0}),
		{Path: "länk", Mode: fs.ModeSymlink | 0o777, Link: "mapp/räksmörgås åäö.txt", ModTime: Stamp()},
		{Path: "bruten", Mode: fs.ModeSymlink | 0o777, Link: "/finns/inte", ModTime: Stamp()},
		Paged("db/kassa.sqlite", Noise(1<<20+4096, 2)),
		Paged("db/small.sqlite", Noise(4096, 3)),
		Paged("db/empty.sqlite", nil),
		Paged("db/large.sqlite", Noise(5<<20, 4)),
	}
}

func testRoundTrip(t *testing.T, f *Fixture) {
	v := f.Create(t)
	items := manyItems()
	r := Request("kassa", items...)
	r.Stats = func() app.Stats { return app.Stats{"table.sale": 42} }
	r.Time = time.Date(2026, 11, 22, 10, 15, 0, 123456789, time.FixedZone("CET", 3600))
	res := Save(t, v, r)
	Compare(t, v, res.Point.ID, items...)

	points := Points(t, v, app.PointFilter{})
	if len(points) != 1 {
		t.Fatalf("%d points, want 1", len(points))
	}
	p := points[0]
	if p.ID != res.Point.ID || p.Source != "kassa" || p.Name != "Kassa kassa" || p.Kind != app.PointBackup || !p.Time.Equal(r.Time) ||
		p.Stats["table.sale"] != 42 || p.Incomplete != 0 || p.Files != 10 || p.Bytes != res.Point.Bytes || p.Seq == 0 {
		t.Errorf("listed point %+v", p)
	}
	if p.Verified {
		t.Error("a listed point claims to be verified")
	}
	checkReaderAt(t, v, p.ID)
}

// checkReaderAt checks random access where a file offers it.
func checkReaderAt(t *testing.T, v app.Vault, id app.PointID) {
	t.Helper()
	view, err := v.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = view.Close() }()
	file, err := view.Open("db/large.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	ra, ok := file.(io.ReaderAt)
	if !ok {
		return
	}
	want := Noise(5<<20, 4)
	for _, at := range []int{0, 4095, 16384, 4<<20 - 10, 5<<20 - 100} {
		buf := make([]byte, 100)
		if n, err := ra.ReadAt(buf, int64(at)); n != 100 || err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(buf, want[at:at+100]) {
			t.Errorf("ReadAt %d: %d bytes, %v", at, n, err)
		}
	}
	if _, err := ra.ReadAt(make([]byte, 1), 5<<20); !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt beyond the end: %v", err)
	}
	if all, err := io.ReadAll(file); err != nil || !bytes.Equal(all, want) {
		t.Errorf("reading after ReadAt: %d bytes, %v", len(all), err)
	}
}

func testUnchanged(t *testing.T, f *Fixture) {
	v := f.Create(t)
	var opened atomic.Int32
	items := func(body string) []app.Item {
		a, b := File("a", []byte(body)), File("utan tid", []byte("x"))
		b.ModTime = time.Time{}
		open := a.Open
		a.Open = func(ctx context.Context) (io.ReadCloser, error) {
			opened.Add(1)
			return open(ctx)
		}
		return []app.Item{a, b}
	}
	Save(t, v, Request("s", items("one")...))
	first := opened.Load()
	res := Save(t, v, Request("s", items("one")...))
	if n := opened.Load(); n > first+1 {
		t.Errorf("opened %d times", n)
	}
	if got := readPoint(t, v, res.Point.ID, "a"); got != "one" {
		t.Errorf("a holds %q", got)
	}
	changed := items("two!")
	res = Save(t, v, Request("s", changed...))
	if got := readPoint(t, v, res.Point.ID, "a"); got != "two!" {
		t.Errorf("a holds %q after it changed", got)
	}
	changed[1].Open = File("", []byte("y")).Open // the same size, no time
	res = Save(t, v, Request("s", changed...))
	if got := readPoint(t, v, res.Point.ID, "utan tid"); got != "y" {
		t.Errorf("a file without a time holds %q", got)
	}
}

func readPoint(t *testing.T, v app.Vault, id app.PointID, name string) string {
	t.Helper()
	view, err := v.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = view.Close() }()
	b, err := fs.ReadFile(view, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func testPaged(t *testing.T, f *Fixture) {
	v := f.Create(t)
	data := Noise(8<<20, 7)
	first := Save(t, v, Request("kassa", Paged("kassa.db", data)))
	if first.BytesUploaded < 8<<20 || first.BytesRead != 8<<20 {
		t.Errorf("first: read %d, uploaded %d", first.BytesRead, first.BytesUploaded)
	}
	old := slices.Clone(data)
	copy(data[3<<20+5000:], "changed")
	copy(data[100:], "changed")
	second := Save(t, v, Request("kassa", Paged("kassa.db", data)))
	if second.BytesUploaded > 200_000 {
		t.Errorf("two changed pages uploaded %d bytes", second.BytesUploaded)
	}
	grown := append(slices.Clone(data), Noise(4096, 9)...)
	third := Save(t, v, Request("kassa", Paged("kassa.db", grown)))
	short := grown[:2<<20+4096]
	fourth := Save(t, v, Request("kassa", Paged("kassa.db", short)))
	if fourth.BytesUploaded > 200_000 {
		t.Errorf("a shorter file uploaded %d bytes", fourth.BytesUploaded)
	}
	Compare(t, v, first.Point.ID, Paged("kassa.db", old))
	Compare(t, v, second.Point.ID, Paged("kassa.db", data))
	Compare(t, v, third.Point.ID, Paged("kassa.db", grown))
	Compare(t, v, fourth.Point.ID, Paged("kassa.db", short))
}

func testPagedAlwaysRead(t *testing.T, f *Fixture) {
	v := f.Create(t)
	data := Noise(1<<20, 1)
	Save(t, v, Request("kassa", Paged("kassa.db", slices.Clone(data))))
	data[500_000] ^= 1
	res := Save(t, v, Request("kassa", Paged("kassa.db", data)))
	Compare(t, v, res.Point.ID, Paged("kassa.db", data))
}

func testOneFails(t *testing.T, f *Fixture) {
	v := f.Create(t)
	broken := File("b", []byte("abc"))
	broken.Open = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("disk on fire")))), nil
	}
	late := File("c", []byte("abc"))
	late.Open = func(context.Context) (io.ReadCloser, error) {
		return closeError{strings.NewReader("all of it"), errors.New("dump tool exited with 2")}, nil
	}
	badEnd := Request("four")
	badEnd.Items = func(yield func(app.Item, error) bool) {
		if yield(File("a", []byte("x")), nil) {
			yield(app.Item{}, errors.New("listing broke off"))
		}
	}
	pagedLate := late
	pagedLate.Path, pagedLate.Pages = "p", 4096
	reqs := []app.SaveRequest{
		Request("one", File("a", []byte("1"))), Request("two", File("a", []byte("2")), broken),
		Request("three", late), badEnd, Request("five", pagedLate), Request("six", File("a", Noise(100_000, 5))),
	}
	res, err := v.Save(t.Context(), reqs, nil)
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	for i, fails := range []bool{false, true, true, true, true, false} {
		if fails != (res[i].Err != nil) {
			t.Errorf("request %d: error %v", i+1, res[i].Err)
		}
		if fails && (res[i].Point.ID != "" || app.CodeOf(res[i].Err) != app.CodeSourceUnreadable) {
			t.Errorf("request %d: %+v", i+1, res[i])
		}
	}
	points := Points(t, v, app.PointFilter{})
	if len(points) != 2 || points[0].Source != "six" || points[1].Source != "one" {
		t.Errorf("points %+v", points)
	}
}

type closeError struct {
	io.Reader
	err error
}

func (c closeError) Close() error { return c.err }

func testFailureCode(t *testing.T, f *Fixture) {
	v := f.Create(t)
	locked := File("b", nil)
	locked.Open = func(context.Context) (io.ReadCloser, error) {
		return nil, app.Errorf(app.CodeSourceLocked, "test", "locked")
	}
	res, err := v.Save(t.Context(), []app.SaveRequest{Request("one", locked)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, res[0].Err, app.CodeSourceLocked)
	if points := Points(t, v, app.PointFilter{}); len(points) != 0 {
		t.Errorf("points %+v", points)
	}
}

func testOptional(t *testing.T, f *Fixture) {
	v := f.Create(t)
	optional := func(name string, open func() (io.ReadCloser, error)) app.Item {
		it := File(name, nil)
		it.Optional, it.Size = true, 9
		it.Open = func(context.Context) (io.ReadCloser, error) { return open() }
		return it
	}
	changed := optional("mapp/changed", func() (io.ReadCloser, error) {
		return closeError{strings.NewReader("as it was"), app.Errorf(app.CodeItemChanged, "test", "changed")}, nil
	})
	paged := optional("db", func() (io.ReadCloser, error) { return nil, fs.ErrPermission })
	paged.Pages = 4096
	res := Save(t, v, Request("s",
		File("mapp/good", []byte("good")), changed, paged,
		optional("mapp/gone", func() (io.ReadCloser, error) { return nil, &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist} }),
		optional("mapp/denied", func() (io.ReadCloser, error) { return nil, fs.ErrPermission }),
		optional("mapp/torn", func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(errors.New("bad sector")))), nil
		}),
		optional("mapp/online", func() (io.ReadCloser, error) { return nil, app.Errorf(app.CodeSourceLocked, "test", "locked") }),
	))
	want := []app.Problem{
		{Path: "db", Code: app.CodeItemUnreadable},
		{Path: "mapp/changed", Code: app.CodeItemChanged},
		{Path: "mapp/denied", Code: app.CodeItemUnreadable},
		{Path: "mapp/gone", Code: app.CodeItemVanished},
		{Path: "mapp/online", Code: app.CodeSourceLocked},
		{Path: "mapp/torn", Code: app.CodeItemUnreadable},
	}
	got := slices.SortedFunc(slices.Values(res.Problems), func(a, b app.Problem) int { return strings.Compare(a.Path, b.Path) })
	if !slices.Equal(got, want) {
		t.Errorf("problems %v, want %v", got, want)
	}
	if p := Points(t, v, app.PointFilter{})[0]; p.Incomplete != 5 || p.Files != 2 {
		t.Errorf("point %+v", p)
	}
	if got := readPoint(t, v, res.Point.ID, "mapp/changed"); got != "as it was" {
		t.Errorf("the changed file holds %q", got)
	}
	view, err := v.Open(t.Context(), res.Point.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = view.Close() }()
	for _, name := range []string{"mapp/gone", "mapp/torn", "db"} {
		if _, err := fs.Stat(view, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A source that goes while its optional files are read ends the request: what
// can't be read then is not gone from the source.
func testSourceGoes(t *testing.T, f *Fixture) {
	v := f.Create(t)
	for _, pages := range []int{0, 4096} {
		gone := File("b", nil)
		gone.Optional, gone.Pages, gone.Size = true, pages, 9
		gone.Open = func(context.Context) (io.ReadCloser, error) {
			return nil, fmt.Errorf("read b: %w", app.Errorf(app.CodeSourceOffline, "test", "the line is cut"))
		}
		res, err := v.Save(t.Context(), []app.SaveRequest{Request("s", File("a", []byte("a")), gone)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, res[0].Err, app.CodeSourceOffline)
	}
	if points := Points(t, v, app.PointFilter{}); len(points) != 0 {
		t.Errorf("points with holes: %+v", points)
	}
}

func testCancel(t *testing.T, f *Fixture) {
	v := f.Create(t)
	for _, pages := range []int{0, 4096} {
		ctx, cancel := context.WithCancel(t.Context())
		slow := File("b", Noise(1<<20, 1))
		slow.Pages = pages
		open := slow.Open
		slow.Open = func(ctx context.Context) (io.ReadCloser, error) {
			cancel()
			return open(ctx)
		}
		_, err := v.Save(ctx, []app.SaveRequest{Request("one", File("a", []byte("1"))), Request("two", slow)}, nil)
		wantCode(t, err, app.CodeCanceled)
		cancel()
	}
	if points := Points(t, v, app.PointFilter{}); len(points) != 0 {
		t.Errorf("points %+v", points)
	}
	Save(t, v, Request("one", File("a", []byte("1"))))
}

type counter struct{ items, bytes, doneItems, doneBytes atomic.Int64 }

func (c *counter) Expect(items, bytes int64) { c.items.Add(items); c.bytes.Add(bytes) }
func (c *counter) Done(items, bytes int64)   { c.doneItems.Add(items); c.doneBytes.Add(bytes) }

func testProgress(t *testing.T, f *Fixture) {
	v := f.Create(t)
	for range 2 {
		var c counter
		reqs := []app.SaveRequest{Request("s", File("a", Noise(1000, 1)), File("m/b", Noise(2000, 2)), Paged("c", Noise(40960, 3)))}
		if _, err := v.Save(t.Context(), reqs, &c); err != nil {
			t.Fatal(err)
		}
		if c.items.Load() != 3 || c.bytes.Load() != 43960 || c.doneItems.Load() != 3 || c.doneBytes.Load() != 43960 {
			t.Errorf("expected %d items %d bytes, done %d items %d bytes", c.items.Load(), c.bytes.Load(), c.doneItems.Load(), c.doneBytes.Load())
		}
	}
}
