package agent

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

const (
	// searchLimit bounds a search: the owner is waiting for it.
	searchLimit = 30 * time.Second
	// searchNames is how many names are found where nobody says.
	searchNames = 50
)

// Search implements [app.ChoiceService]. It looks at names only: of files and
// folders, of what the points' counts name, such as tables, and those that
// people know records by. The newest points come first, so a search that is cut
// short has seen those.
func (a *Agent) Search(ctx context.Context, r app.SearchRequest) (app.SearchResult, error) {
	limited, cancel := context.WithTimeout(ctx, searchLimit)
	defer cancel()
	res, err := a.search(limited, r)
	if ctx.Err() != nil {
		return res, app.Errorf(app.CodeCanceled, "search", "%w", ctx.Err())
	}
	return res, err
}

func (a *Agent) search(ctx context.Context, r app.SearchRequest) (app.SearchResult, error) {
	text := lookedFor(r.Text)
	res := app.SearchResult{Hits: []app.SearchHit{}, All: true}
	if text == "" {
		return res, app.Errorf(app.CodeUsage, "search", "nothing to look for").With("field", "find")
	}
	s, _, err := a.anySource(ctx, r.Source)
	if err != nil {
		return res, err
	}
	v, stand, err := a.vaultToRestore(ctx)
	if err != nil {
		return res, err
	}
	points, err := a.pointsBefore(ctx, v, s, time.Time{})
	if err != nil {
		return res, err
	}
	points = slices.DeleteFunc(points, func(p app.Point) bool { return p.Time.Before(r.Since) })
	res.Points = len(points)
	if r.Limit <= 0 {
		r.Limit = searchNames
	}
	w := search{text: text, limit: r.Limit, hits: map[string]*app.SearchHit{}}
	for n, p := range points {
		err := a.lookIn(ctx, v, p, n == 0, &w)
		if ctx.Err() != nil {
			res.All = false // the newest were looked through, and that is said
			break
		}
		if err != nil {
			return res, err
		}
		res.Looked++
	}
	// what is kept open belongs to the vault in use, and not to a second copy
	if res.All && stand == "" && !strings.Contains(text, "/") && a.hasRecords(s) {
		known := search{text: text, limit: r.Limit, hits: map[string]*app.SearchHit{}}
		if err := a.searchRecords(ctx, v, s, points, &known, &res); err != nil {
			return res, err
		}
		w.after(known)
	}
	res.All = res.All && !w.full
	for _, name := range w.order {
		res.Hits = append(res.Hits, *w.hits[name])
	}
	return res, nil
}

// lookedFor is a name or a path as it is compared, "" for none.
func lookedFor(text string) string {
	text = strings.ToLower(strings.Trim(path.Clean(strings.ReplaceAll(strings.TrimSpace(text), `\`, "/")), "/"))
	if text == "." {
		return ""
	}
	return text
}

// after puts what another search found before what this one did: a record that
// goes by a name is likelier meant than a file.
func (w *search) after(first search) {
	for _, name := range w.order {
		switch {
		case first.hits[name] != nil:
		case len(first.order) >= first.limit:
			first.full = true
		default:
			first.hits[name] = w.hits[name]
			first.order = append(first.order, name)
		}
	}
	first.full = first.full || w.full
	*w = first
}

// search collects what is found, by name.
type search struct {
	text  string
	limit int
	hits  map[string]*app.SearchHit
	order []string
	full  bool // there are more names than wanted
}

// lookIn looks through one point.
func (a *Agent) lookIn(ctx context.Context, v app.Vault, p app.Point, newest bool, w *search) error {
	view, err := v.Open(ctx, p.ID)
	if err != nil {
		return err
	}
	defer a.closeView(ctx, view)
	err = fs.WalkDir(view, ".", func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || name == "." || !w.matches(name) {
			return err
		}
		size := int64(0)
		if info, err := d.Info(); err == nil {
			size = info.Size()
		}
		w.add(app.SearchHit{Path: name, Dir: d.IsDir(), Size: size}, p, newest)
		return nil
	})
	for key, n := range p.Stats {
		if table, ok := strings.CutPrefix(key, "table."); ok && w.matches(tablePath(table)) {
			w.add(app.SearchHit{Path: tablePath(table), Size: n}, p, newest)
		}
	}
	return err
}

// matches reports whether a name is, ends in, or has in its last part what is
// looked for.
func (w *search) matches(name string) bool {
	name = strings.ToLower(name)
	if strings.Contains(w.text, "/") {
		return name == w.text || strings.HasSuffix(name, "/"+w.text)
	}
	return strings.Contains(path.Base(name), w.text)
}

// add notes that a point has a name. Points come newest first.
func (w *search) add(h app.SearchHit, p app.Point, newest bool) {
	if was := w.hits[h.Path]; was != nil {
		was.First = p
		return
	}
	if len(w.hits) >= w.limit {
		w.full = true
		return
	}
	h.First, h.Last, h.Now = p, p, newest
	w.hits[h.Path] = &h
	w.order = append(w.order, h.Path)
}

// tablePath is where a table shows when its point is browsed.
func tablePath(table string) string { return "tables/" + table + ".sql" }

// tableOf is the reverse of [tablePath].
func tableOf(p string) (string, bool) {
	p, ok := strings.CutPrefix(strings.Trim(p, "/"), "tables/")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(p, ".sql")
}
