package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"kvart/app"
)

var (
	_ app.Cataloguer         = (*Engine)(nil)
	_ app.Catalogue          = (*catalogue)(nil)
	_ app.NeighbourCatalogue = (*catalogue)(nil)
)

// maxRecord bounds what is read of one record's file, whatever a point says.
const maxRecord = 32 << 20

// catalogue is a point whose kinds are shelves. What a shelf shows is read when
// it is asked for first, and kept: names and numbers, not the records.
type catalogue struct {
	e     *Engine
	point fs.FS
	count map[string]int64 // of records, by kind

	mu    sync.Mutex
	index map[string]*index
	near  map[string][]entry // complete shelves of another point, by kind
	refs  map[string]ref     // nil until asked for
	money *money
}

// Catalogue implements [app.Cataloguer].
func (e *Engine) Catalogue(ctx context.Context, from fs.FS, _ string) (app.Catalogue, error) {
	return e.catalogue(ctx, from)
}

func (e *Engine) catalogue(ctx context.Context, from fs.FS) (*catalogue, error) {
	if err := ctx.Err(); err != nil {
		return nil, canceled(ctx, err)
	}
	c := &catalogue{e: e, point: from, count: map[string]int64{}, index: map[string]*index{}}
	text, err := fs.ReadFile(from, manifestFile)
	if err != nil {
		return nil, fmt.Errorf("read %s in the point: %w", manifestFile, err)
	}
	var m struct {
		Kinds map[string]struct {
			Records int64
			Absent  bool
		}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, app.Errorf(app.CodeItemUnreadable, "shop: browse", "%s in the point: %w", manifestFile, err).With("path", manifestFile)
	}
	for name, k := range m.Kinds {
		if _, known := e.byName[name]; known && !k.Absent {
			c.count[name] = k.Records
		}
	}
	return c, nil
}

// Neighbour implements [app.NeighbourCatalogue]: a record of the same size and
// time is the same record, since its time is made from its content.
func (c *catalogue) Neighbour(ctx context.Context, from fs.FS, _ string) (app.Catalogue, error) {
	n, err := c.e.catalogue(ctx, from)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n.near = maps.Clone(c.near)
	if n.near == nil {
		n.near = map[string][]entry{}
	}
	for name, ix := range c.index {
		if all := ix.complete(); all != nil {
			n.near[name] = all
		}
	}
	return n, nil
}

// Close implements [app.Catalogue].
func (c *catalogue) Close() error { return nil }

// first are the kinds people ask for most, in this order.
func first() []string {
	return []string{
		"products", "orders", "customers", "variations", "variants", "inventory", "draft_orders", "categories", "collections", "coupons", "discounts", "promotions",
		"gift_cards", "reviews", "pages", "posts", "articles", "library", "files",
	}
}

// Shelves implements [app.Catalogue]. Kinds of which there is nothing are left
// out.
func (c *catalogue) Shelves(ctx context.Context) ([]app.Shelf, error) {
	if err := ctx.Err(); err != nil {
		return nil, canceled(ctx, err)
	}
	order := first()
	place := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	out := []app.Shelf{}
	for _, k := range c.e.kinds {
		n := c.count[k.Name]
		if n == 0 {
			continue
		}
		out = append(out, app.Shelf{Code: k.Name, Known: true, Parent: k.Parent, Count: n, Path: k.Name})
	}
	slices.SortStableFunc(out, func(a, b app.Shelf) int { return place(a.Code) - place(b.Code) })
	return out, nil
}

// Records implements [app.Catalogue].
func (c *catalogue) Records(ctx context.Context, shelf, text string, offset, limit int) (app.RecordsPage, error) {
	k, ok := c.e.byName[shelf]
	if _, there := c.count[shelf]; !ok || !there {
		return app.RecordsPage{}, app.Errorf(app.CodePathUnknown, "shop: browse", "the point has no %q", shelf).With("path", shelf)
	}
	c.mu.Lock()
	ix := c.index[shelf]
	if ix == nil {
		ix = newIndex(c, k, c.near[shelf])
		c.index[shelf] = ix
	}
	c.mu.Unlock()
	found, total, left, err := ix.page(ctx, text, offset, limit)
	if err != nil {
		return app.RecordsPage{}, canceled(ctx, err)
	}
	page := app.RecordsPage{Records: make([]app.Record, len(found)), Total: int64(total), Left: int64(left)}
	for i, e := range found {
		page.Records[i] = app.Record{Path: e.at, Title: e.title, Under: e.under}
		if page.Records[i].Picture, err = c.picture(ctx, e.picture); err != nil {
			return app.RecordsPage{}, err
		}
	}
	return page, nil
}

// Record implements [app.Catalogue].
func (c *catalogue) Record(ctx context.Context, at string) (app.Record, []app.RecordField, error) {
	k, m, err := c.read(ctx, at)
	if err != nil {
		return app.Record{}, nil, err
	}
	return c.shown(ctx, k, at, m)
}

// shown is a record, of the point or of the shop as it is now, for people.
func (c *catalogue) shown(ctx context.Context, k Kind, at string, m map[string]any) (app.Record, []app.RecordField, error) {
	coin, err := c.coin(ctx)
	if err != nil {
		return app.Record{}, nil, err
	}
	e := k.entry(at, m, k.face(), coin)
	r := app.Record{Path: at, Title: e.title, Under: e.under}
	if r.Picture, err = c.picture(ctx, c.shows(k, m)); err != nil {
		return app.Record{}, nil, err
	}
	return r, k.fields(m, coin), nil
}

// read reads the record at a path, which may be anything.
func (c *catalogue) read(ctx context.Context, at string) (Kind, map[string]any, error) {
	unknown := func(err error) error {
		return app.Errorf(app.CodePathUnknown, "shop: browse", "no record %q: %w", at, err).With("path", at)
	}
	if err := ctx.Err(); err != nil {
		return Kind{}, nil, canceled(ctx, err)
	}
	name, _, _ := strings.Cut(at, "/")
	k, ok := c.e.byName[name]
	if !ok || !fs.ValidPath(at) || path.Ext(at) != ".json" {
		return k, nil, unknown(fs.ErrInvalid)
	}
	text, err := readRecord(c.point, at)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil, unknown(err)
	}
	if err != nil {
		return k, nil, canceled(ctx, err)
	}
	m, err := decode(text)
	if err != nil {
		return k, nil, app.Errorf(app.CodeItemUnreadable, "shop: browse", "%s in the point: %w", at, err).With("path", at)
	}
	return k, m, nil
}

// readRecord reads the file of a record, no more of it than a record may be.
func readRecord(point fs.FS, at string) (text []byte, err error) {
	f, err := point.Open(at)
	if err != nil {
		return nil, fmt.Errorf("read %s in the point: %w", at, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fi, err := f.Stat()
	if err == nil && fi.IsDir() {
		err = fs.ErrNotExist
	}
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(f, maxRecord))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s in the point: %w", at, err)
	}
	return text, nil
}

// garbled reports whether what was read is no JSON, or only the beginning of it.
func garbled(err error) bool {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &typ) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// recordMark is how an index remembers a picture that is a record of its own: the
// path of that record.
const recordMark = "record:"

// shows is the first picture a record shows: its address, or the record it is.
func (c *catalogue) shows(k Kind, m map[string]any) string {
	if urls := k.media(m); len(urls) > 0 {
		return urls[0]
	}
	for _, r := range k.Refs {
		of := c.e.byName[r.Kind]
		if !of.File || k.File {
			continue
		}
		for _, v := range values(m, r.Field) {
			if id := text(v); id != "" {
				return recordMark + of.place(id)
			}
		}
	}
	return ""
}

// picture is the file of the point that was at an address, "" where the point
// has it not.
func (c *catalogue) picture(ctx context.Context, of string) (string, error) {
	if at, ok := strings.CutPrefix(of, recordMark); ok {
		k, m, err := c.read(ctx, at)
		switch app.CodeOf(err) {
		case "":
		case app.CodePathUnknown, app.CodeItemUnreadable:
			return "", nil
		default:
			return "", err
		}
		of = ""
		if urls := k.media(m); len(urls) > 0 {
			of = urls[0]
		}
	}
	if of == "" {
		return "", nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refs == nil {
		all, err := refs(c.point)
		if err != nil && !garbled(err) {
			return "", err
		}
		c.refs = all // none of a damaged list: a picture less is no reason to show nothing
		if all == nil {
			c.refs = map[string]ref{}
		}
	}
	r, ok := c.refs[of]
	at := path.Join(mediaDir, r.File)
	if !ok || r.File == "" || !fs.ValidPath(at) || !strings.HasPrefix(at, mediaDir+"/") {
		return "", nil
	}
	return at, nil
}
