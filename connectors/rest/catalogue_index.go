package rest

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"kvart/app"
)

const (
	indexSlice = time.Second // of reading, until an answer is given with what there is
	indexBatch = 256         // records read before the clock is looked at
	readAtOnce = 4           // records
)

// entry is what is kept of a record.
type entry struct {
	at      string
	title   string
	under   string
	find    string // title, under and more, in small letters
	picture string // see [catalogue.shows]
	size    int64
	stamp   int64 // of its file, with which it is another record
}

// index is what is known of a shelf. It grows with every question until all
// was read.
type index struct {
	c    *catalogue
	kind Kind
	face Face
	free chan struct{} // full while somebody reads

	listed bool
	all    []entry // those up to read are known
	read   int
	near   []entry           // of another point
	same   map[string]*entry // of near, by path, while reading
}

func newIndex(c *catalogue, k Kind, near []entry) *index {
	return &index{c: c, kind: k, face: k.face(), near: near, free: make(chan struct{}, 1)}
}

// page reads on for a moment, and returns a part of what holds text.
func (x *index) page(ctx context.Context, text string, offset, limit int) (found []entry, total, left int, err error) {
	select {
	case x.free <- struct{}{}:
		defer func() { <-x.free }()
	case <-ctx.Done():
		return nil, 0, 0, ctx.Err()
	}
	if err := x.readOn(ctx); err != nil {
		return nil, 0, 0, err
	}
	known := x.all[:x.read]
	left = len(x.all) - x.read
	if text == "" {
		from := min(offset, len(known))
		return slices.Clone(known[from:min(from+limit, len(known))]), len(known), left, nil
	}
	text = strings.ToLower(text)
	for i := range known {
		if !strings.Contains(known[i].find, text) {
			continue
		}
		if total >= offset && len(found) < limit {
			found = append(found, known[i])
		}
		total++
	}
	return found, total, left, ctx.Err()
}

// complete returns all of a shelf, nil while it is not known.
func (x *index) complete() []entry {
	select {
	case x.free <- struct{}{}:
		defer func() { <-x.free }()
	default:
		return nil // somebody reads
	}
	if !x.listed || x.read < len(x.all) {
		return nil
	}
	return x.all
}

// readOn reads for a while, or to the end.
func (x *index) readOn(ctx context.Context) error {
	if x.listed && x.read == len(x.all) {
		return nil
	}
	coin, err := x.c.coin(ctx)
	if err != nil {
		return err
	}
	until := time.Now().Add(indexSlice)
	if !x.listed {
		if err := x.list(ctx); err != nil {
			return err
		}
	}
	for x.read < len(x.all) {
		some := x.all[x.read:min(x.read+indexBatch, len(x.all))]
		if err := x.readSome(ctx, some, coin); err != nil {
			return err
		}
		x.read += len(some)
		if time.Now().After(until) && x.read < len(x.all) {
			return nil
		}
	}
	x.same, x.near = nil, nil
	if !x.face.Newest {
		slices.SortStableFunc(x.all, func(a, b entry) int { return cmp.Compare(a.find, b.find) })
	}
	return nil
}

// list finds the records' files, in the order of their ids.
func (x *index) list(ctx context.Context) error {
	if near, ok := x.c.point.(app.Prefetcher); ok && len(x.near) == 0 {
		if err := near.Prefetch(ctx, quiet{}, x.kind.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	x.all = nil
	err := walkKind(ctx, x.c.point, x.kind, func(at string, d fs.DirEntry) error {
		fi, err := d.Info()
		if err != nil {
			return err
		}
		x.all = append(x.all, entry{at: at, size: fi.Size(), stamp: fi.ModTime().UnixNano()})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(x.all, func(a, b entry) int {
		n := compareID(path.Base(a.at), path.Base(b.at))
		if x.face.Newest {
			n = -n
		}
		return cmp.Or(n, cmp.Compare(a.at, b.at))
	})
	x.same = make(map[string]*entry, len(x.near))
	for i := range x.near {
		x.same[x.near[i].at] = &x.near[i]
	}
	x.listed = true
	return nil
}

func (x *index) readSome(ctx context.Context, some []entry, coin money) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readAtOnce)
	for i := range some {
		e := &some[i]
		if old := x.same[e.at]; old != nil && old.size == e.size && old.stamp == e.stamp {
			*e = *old
			continue
		}
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			text, err := readRecord(x.c.point, e.at)
			if err != nil {
				return err
			}
			m, err := decode(text)
			if err != nil {
				m = nil // it is there, by its id: opening it says what is wrong
			}
			full := x.kind.entry(e.at, m, x.face, coin)
			full.size, full.stamp, full.picture = e.size, e.stamp, x.c.shows(x.kind, m)
			*e = full
			return nil
		})
	}
	return g.Wait()
}
