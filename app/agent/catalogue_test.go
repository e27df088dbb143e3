package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

// shelfShop is a fake shop whose points are known by their files: each is a
// record, called after it.
type shelfShop struct {
	*fakeShop
	mu     sync.Mutex
	opened int
	closed int
	near   int                         // opened with the help of another
	hold   func(context.Context) error // called while one is opened
	live   func(path string) ([]app.RecordField, error)
}

func (s *shelfShop) Connector(app.Kind) (app.Connector, error)     { return s, nil }
func (s *shelfShop) Specs() []app.KindSpec                         { return []app.KindSpec{s.Spec()} }
func (s *shelfShop) Discover(context.Context) ([]app.Found, error) { return nil, nil }
func (s *shelfShop) Exports() []string                             { return []string{"goods"} }
func (s *shelfShop) counts() (opened, closed, near int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened, s.closed, s.near
}

func (s *shelfShop) Catalogue(ctx context.Context, from fs.FS, tmp string) (app.Catalogue, error) {
	if s.hold != nil {
		if err := s.hold(ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened++
	return &fileShelves{s: s, from: from}, os.WriteFile(filepath.Join(tmp, "clear"), []byte("customers"), 0o600)
}

func (s *shelfShop) LiveRecord(_ context.Context, _ app.Access, _ fs.FS, path string) (app.Record, []app.RecordField, error) {
	fields, err := s.live(path)
	return app.Record{Path: path}, fields, err
}

// fileShelves has two shelves: the files in "goods", and as many records of
// their own below them.
type fileShelves struct {
	s     *shelfShop
	from  fs.FS
	asked int
}

func (c *fileShelves) Neighbour(ctx context.Context, from fs.FS, tmp string) (app.Catalogue, error) {
	c.s.mu.Lock()
	c.s.near++
	c.s.mu.Unlock()
	return c.s.Catalogue(ctx, from, tmp)
}

func (c *fileShelves) Close() error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.closed++
	return nil
}

func (c *fileShelves) Shelves(context.Context) ([]app.Shelf, error) {
	return []app.Shelf{{Code: "goods", Count: -1}, {Code: "notes", Parent: "goods", Count: 1}}, nil
}

func (c *fileShelves) Records(_ context.Context, shelf, text string, _, _ int) (app.RecordsPage, error) {
	if shelf != "goods" {
		return app.RecordsPage{}, app.Errorf(app.CodePathUnknown, "fake", "no shelf")
	}
	if c.asked++; c.asked == 1 {
		return app.RecordsPage{Left: 1}, nil // it takes a while
	}
	var out app.RecordsPage
	names, err := fs.Glob(c.from, "goods/*")
	for _, n := range names {
		if title := "Vara " + filepath.Base(n); strings.Contains(strings.ToLower(title), strings.ToLower(text)) {
			out.Records = append(out.Records, app.Record{Path: n, Title: title, Under: "9 kr"})
		}
	}
	out.Total = int64(len(out.Records))
	return out, err
}

func (c *fileShelves) Record(_ context.Context, path string) (app.Record, []app.RecordField, error) {
	b, err := fs.ReadFile(c.from, path)
	if err != nil {
		return app.Record{}, nil, app.Errorf(app.CodePathUnknown, "fake", "%w", err).With("path", path)
	}
	return app.Record{Path: path}, []app.RecordField{{Name: "text", Value: string(b), Raw: string(b)}, {Name: "size", Value: fmt.Sprint(len(b)), Raw: fmt.Sprint(len(b))}}, nil
}

// newShelfTest returns an agent whose source "Kassan" has points that are
// catalogues.
func newShelfTest(t *testing.T) (*shopTest, *shelfShop) {
	t.Helper()
	s := newShopTest(t)
	shelves := &shelfShop{fakeShop: s.shop}
	s.known = shelves
	s.crash()
	return s, shelves
}

func (s *shopTest) pointIDs() (ids []app.PointID) {
	s.t.Helper()
	all, err := s.Points(s.t.Context(), app.PointsRequest{Source: "Kassan"})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range all {
		ids = append(ids, p.ID)
	}
	return ids
}

// unpacked lists what was unpacked and not removed.
func (s *shopTest) unpacked() []string {
	s.t.Helper()
	left, err := filepath.Glob(filepath.Join(s.dir, tempFolder, "*", "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	return left
}

func TestShelves(t *testing.T) {
	t.Parallel()
	s, _ := newShelfTest(t)
	s.manyFiles("goods/a", "goods/b")
	shelves, err := s.Shelves(t.Context(), app.PathRequest{Source: "Kassan"})
	if err != nil || len(shelves) != 2 || shelves[0].Export != "goods" || shelves[1].Export != "" {
		t.Fatalf("%+v, %v", shelves, err)
	}
	page, err := s.Records(t.Context(), app.RecordsRequest{Source: "Kassan", Shelf: "goods"})
	if err != nil || page.Left == 0 {
		t.Fatalf("%+v, %v", page, err)
	}
	if page, err = s.Records(t.Context(), app.RecordsRequest{Source: "Kassan", Shelf: "goods", Text: " B "}); err != nil || len(page.Records) != 1 || page.Records[0].Title != "Vara b" {
		t.Errorf("%+v, %v", page, err)
	}
	for _, bad := range []app.RecordsRequest{{Limit: 1001}, {Limit: -1}, {Offset: -1}} {
		bad.Source, bad.Shelf = "Kassan", "goods"
		if _, err := s.Records(t.Context(), bad); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := s.Shelves(t.Context(), app.PathRequest{Source: "Ingen"}); app.CodeOf(err) != app.CodeSourceUnknown {
		t.Errorf("unknown source: %v", err)
	}
	if _, err := s.Shelves(t.Context(), app.PathRequest{Source: "Kassan", Point: "gone"}); app.CodeOf(err) != app.CodePointUnknown {
		t.Errorf("unknown point: %v", err)
	}
}

// A source whose connector knows no shelves has its files.
func TestShelves_filesOnly(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	if shelves, err := s.Shelves(t.Context(), app.PathRequest{Source: "Kassan"}); err != nil || shelves == nil || len(shelves) != 0 {
		t.Errorf("%+v, %v", shelves, err)
	}
	if _, err := s.Records(t.Context(), app.RecordsRequest{Source: "Kassan", Shelf: "goods"}); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("records: %v", err)
	}
	if _, err := s.Record(t.Context(), app.RecordRequest{Source: "Kassan", Path: "text"}); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("a record: %v", err)
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	s, shop := newShelfTest(t)
	s.manyFiles("goods/a", "goods/b")
	s.manyFiles("goods/a")
	ids := s.pointIDs()
	v, err := s.Record(t.Context(), app.RecordRequest{Source: "Kassan", Path: "/goods/a", With: ids[1]})
	if err != nil || len(v.Fields) != 2 || v.Fields[0].With != "abc" || v.Fields[0].Differs || v.Gone {
		t.Errorf("the same: %+v, %v", v, err)
	}
	if v, err = s.Record(t.Context(), app.RecordRequest{Source: "Kassan", Point: ids[1], Path: "goods/b", With: ids[0]}); err != nil || !v.Gone || len(v.Fields) != 2 {
		t.Errorf("gone: %+v, %v", v, err)
	}
	shop.live = func(path string) ([]app.RecordField, error) {
		return []app.RecordField{{Name: "text", Value: "abc", Raw: "abcd"}, {Name: "new", Value: "n", Raw: "n"}}, nil
	}
	v, err = s.Record(t.Context(), app.RecordRequest{Source: "Kassan", Path: "goods/a", With: app.Live})
	want := "text abc abc true|size 3  true|new  n true"
	var got []string
	for _, f := range v.Fields {
		got = append(got, fmt.Sprint(f.Name, " ", f.Value, " ", f.With, " ", f.Differs))
	}
	if err != nil || strings.Join(got, "|") != want {
		t.Errorf("live: %q, want %q, %v", got, want, err)
	}
	shop.live = func(path string) ([]app.RecordField, error) {
		return nil, app.Errorf(app.CodePathUnknown, "fake", "gone")
	}
	if v, err = s.Record(t.Context(), app.RecordRequest{Source: "Kassan", Path: "goods/a", With: app.Live}); err != nil || !v.Gone {
		t.Errorf("gone from the shop: %+v, %v", v, err)
	}
	shop.live = func(path string) ([]app.RecordField, error) {
		return nil, app.Errorf(app.CodeSourceOffline, "fake", "no answer")
	}
	if _, err = s.Record(t.Context(), app.RecordRequest{Source: "Kassan", Path: "goods/a", With: app.Live}); app.CodeOf(err) != app.CodeSourceOffline {
		t.Errorf("offline is not gone: %v", err)
	}
	for _, path := range []string{"goods/zz", "../../etc/passwd", "", `goods\..\..\x`, "goods/\x00"} {
		if _, err := s.Record(t.Context(), app.RecordRequest{Source: "Kassan", Path: path}); app.CodeOf(err) != app.CodePathUnknown {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// A few points are kept open, for a while, and nothing stays of those that are
// not: neither when they are many, nor when time passes, nor when the vault
// goes, nor when the guard is killed.
func TestCatalogues_kept(t *testing.T) {
	t.Parallel()
	s, shop := newShelfTest(t)
	for range cataloguesKept + 2 {
		s.manyFiles("goods/a")
	}
	ids := s.pointIDs()
	open := func(id app.PointID) {
		t.Helper()
		if _, err := s.Shelves(t.Context(), app.PathRequest{Source: "Kassan", Point: id}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, opened, closed int) {
		t.Helper()
		if o, c, _ := shop.counts(); o != opened || c != closed || len(s.unpacked()) != o-c {
			t.Errorf("%s: opened %d, closed %d, want %d and %d; unpacked %v", what, o, c, opened, closed, s.unpacked())
		}
	}
	open(ids[0])
	open(ids[0])
	want("again", 1, 0)
	for _, id := range ids {
		open(id)
	}
	want("many", 5, 2)
	if _, _, near := shop.counts(); near != 4 {
		t.Errorf("%d were opened with the help of another", near)
	}
	open(ids[4])
	want("the newest of them", 5, 2)
	s.clock.set(catalogueKept + time.Second)
	if err := s.catalogues.expire(s.Now()); err != nil {
		t.Fatal(err)
	}
	want("time passes", 5, 5)
	open(ids[1])
	if err := s.closeVault(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("the vault goes", 6, 6)
	left := filepath.Join(s.dir, tempFolder, "shelf-1", "clear")
	if err := errors.Join(os.MkdirAll(filepath.Dir(left), 0o700), os.WriteFile(left, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s.crash()
	if l := s.unpacked(); len(l) != 0 {
		t.Errorf("a killed guard left %v", l)
	}
}

// One who is being served keeps what he uses, whatever becomes of it.
func TestCatalogues_inUse(t *testing.T) {
	t.Parallel()
	s, shop := newShelfTest(t)
	s.manyFiles("goods/a")
	_, w, release, err := s.catalogue(t.Context(), "Kassan", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.catalogues.close(); err != nil {
		t.Fatal(err)
	}
	if _, closed, _ := shop.counts(); closed != 0 {
		t.Error("closed under its user")
	}
	if _, err := w.cat.Shelves(t.Context()); err != nil {
		t.Error(err)
	}
	release()
	if _, closed, _ := shop.counts(); closed != 1 || len(s.unpacked()) != 0 {
		t.Errorf("closed %d times, left %v", closed, s.unpacked())
	}
}

// Two who ask at once share one opening; the one who gives up takes nothing from
// the other.
func TestCatalogues_together(t *testing.T) {
	t.Parallel()
	s, shop := newShelfTest(t)
	s.manyFiles("goods/a")
	began := make(chan struct{}, 2)
	var first sync.Once
	shop.hold = func(ctx context.Context) (err error) {
		first.Do(func() {
			began <- struct{}{}
			<-ctx.Done()
			err = app.Errorf(app.CodeCanceled, "fake", "%w", ctx.Err())
		})
		return err
	}
	ask := func(ctx context.Context) error {
		_, err := s.Shelves(ctx, app.PathRequest{Source: "Kassan"})
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan error, 2)
	go func() { answers <- ask(ctx) }()
	<-began
	go func() { answers <- ask(t.Context()) }()
	impatient, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if err := ask(impatient); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("who waits may give up: %v", err)
	}
	cancel()
	errs := []error{<-answers, <-answers}
	if i := slices.Index(errs, nil); i < 0 || app.CodeOf(errs[1-i]) != app.CodeCanceled {
		t.Errorf("answers %v", errs)
	}
	shop.hold = func(context.Context) error { return app.Errorf(app.CodeItemUnreadable, "fake", "damaged") }
	if err := s.catalogues.close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := ask(t.Context()); app.CodeOf(err) != app.CodeItemUnreadable {
			t.Errorf("damaged: %v", err)
		}
	}
	if l := s.unpacked(); len(l) != 0 {
		t.Errorf("left %v", l)
	}
}
