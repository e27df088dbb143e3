package agent

import (
	"context"
	"errors"
	"io/fs"

	"kvart/app"
)

// recordsLimit bounds the part of a search that looks for records by their
// names: what is left of [searchLimit] finds out which points had them.
const recordsLimit = searchLimit * 2 / 3

// hasRecords reports whether a source's points hold records that lie in files of
// their own: those are known by their paths in every point once they were found
// by their names in one.
func (a *Agent) hasRecords(s app.Source) bool {
	c, err := a.Connectors.Connector(s.Kind)
	if err != nil {
		return false
	}
	_, ok := c.(app.LiveReader)
	return ok
}

// searchRecords looks for records by name and number, and notes in res how far it
// came. Points come newest first; they are looked through from both ends and then
// ever closer between, so that a search that is cut short has seen all times.
func (a *Agent) searchRecords(ctx context.Context, v app.Vault, s app.Source, points []app.Point, w *search, res *app.SearchResult) error {
	limited, cancel := context.WithTimeout(ctx, recordsLimit)
	defer cancel()
	found := map[string]*app.SearchHit{}
	var order []string
	looked := 0
	for _, n := range spread(len(points)) {
		err := a.recordsIn(limited, v, s, points[n], w, func(shelf string, r app.Record) {
			if found[r.Path] == nil && len(order) < w.limit {
				found[r.Path] = &app.SearchHit{Path: r.Path, Shelf: shelf, Title: r.Title, Under: r.Under}
				order = append(order, r.Path)
			}
		})
		if limited.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		looked++
		if len(order) >= w.limit {
			w.full = looked < len(points)
			break
		}
	}
	err := a.whichHad(ctx, v, points, found, order, w)
	res.Looked, res.All = looked, err == nil && looked == len(points)
	if ctx.Err() != nil {
		return nil // what was found until then is told
	}
	return err
}

// recordsIn calls fn for every record of a point that is known by what is looked
// for.
func (a *Agent) recordsIn(ctx context.Context, v app.Vault, s app.Source, p app.Point, w *search, fn func(shelf string, r app.Record)) error {
	cat, release, err := a.shelf(ctx, v, s, p)
	if err != nil {
		return err
	}
	defer release()
	if cat.cat == nil {
		return nil
	}
	shelves, err := cat.cat.Shelves(ctx)
	if err != nil {
		return err
	}
	for _, sh := range shelves {
		if sh.Parent != "" {
			continue
		}
		page, err := cat.cat.Records(ctx, sh.Code, w.text, 0, w.limit)
		for err == nil && page.Left > 0 {
			page, err = cat.cat.Records(ctx, sh.Code, w.text, 0, w.limit)
		}
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			fn(sh.Code, r)
		}
		w.full = w.full || page.Total > int64(len(page.Records))
	}
	return nil
}

// whichHad finds out which points had the records found, and adds those to w.
func (a *Agent) whichHad(ctx context.Context, v app.Vault, points []app.Point, found map[string]*app.SearchHit, order []string, w *search) error {
	if len(order) == 0 {
		return nil
	}
	for n, p := range points {
		view, err := v.Open(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, name := range order {
			fi, err := fs.Stat(view, name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				a.closeView(ctx, view)
				return err
			}
			hit := *found[name]
			hit.Size = fi.Size()
			w.add(hit, p, n == 0)
		}
		a.closeView(ctx, view)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// spread lists 0 to n-1: the ends first, then the middle of every gap.
func spread(n int) []int {
	if n == 0 {
		return nil
	}
	out := []int{0}
	if n > 1 {
		out = append(out, n-1)
	}
	gaps := [][2]int{{0, n - 1}}
	for len(gaps) > 0 {
		from, to := gaps[0][0], gaps[0][1]
		gaps = gaps[1:]
		if to-from < 2 {
			continue
		}
		mid := (from + to) / 2
		out = append(out, mid)
		gaps = append(gaps, [2]int{from, mid}, [2]int{mid, to})
	}
	return out
}
