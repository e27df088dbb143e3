package agent

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

const (
	recordsAsked = 100  // of a page, where nobody says
	recordsMost  = 1000 // of a page
)

// catalogue finds the point that a request is about and opens it.
func (a *Agent) catalogue(ctx context.Context, source string, id app.PointID) (app.Source, *shelved, func(), error) {
	s, _, err := a.anySource(ctx, source)
	if err != nil {
		return s, nil, nil, err
	}
	w, release, err := a.catalogueOf(ctx, s, id)
	return s, w, release, err
}

func (a *Agent) catalogueOf(ctx context.Context, s app.Source, id app.PointID) (*shelved, func(), error) {
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, nil, err
	}
	// also when it is open: a point that is gone meanwhile is not shown
	point, err := a.choose(ctx, v, s, id, time.Time{})
	if err != nil {
		return nil, nil, err
	}
	return a.shelf(ctx, v, s, point)
}

// Shelves implements [app.CatalogueService].
func (a *Agent) Shelves(ctx context.Context, r app.PathRequest) ([]app.Shelf, error) {
	s, w, release, err := a.catalogue(ctx, r.Source, r.Point)
	if err != nil {
		return nil, err
	}
	defer release()
	if w.cat == nil {
		return []app.Shelf{}, nil
	}
	shelves, err := w.cat.Shelves(ctx)
	if err != nil {
		return nil, err
	}
	c, err := a.Connectors.Connector(s.Kind)
	if err != nil {
		return nil, err
	}
	if x, ok := c.(app.Exporter); ok {
		for i, sh := range shelves {
			if slices.Contains(x.Exports(), sh.Code) {
				shelves[i].Export = sh.Code
			}
		}
	}
	return shelves, nil
}

// Records implements [app.CatalogueService].
func (a *Agent) Records(ctx context.Context, r app.RecordsRequest) (app.RecordsPage, error) {
	if r.Offset < 0 || r.Limit < 0 || r.Limit > recordsMost {
		return app.RecordsPage{}, app.Errorf(app.CodeUsage, "list records", "%d from %d on; at most %d at once", r.Limit, r.Offset, recordsMost).With("field", "limit")
	}
	s, w, release, err := a.catalogue(ctx, r.Source, r.Point)
	if err != nil {
		return app.RecordsPage{}, err
	}
	defer release()
	if w.cat == nil {
		return app.RecordsPage{}, filesOnly(s, r.Shelf)
	}
	return w.cat.Records(ctx, r.Shelf, strings.TrimSpace(r.Text), r.Offset, cmp.Or(r.Limit, recordsAsked))
}

// filesOnly says that a source's points are not known by shelves.
func filesOnly(s app.Source, path string) error {
	return app.Errorf(app.CodePathUnknown, "browse", "a backup of %s is known by its files only", s.Name).With("path", path)
}

// Record implements [app.CatalogueService].
func (a *Agent) Record(ctx context.Context, r app.RecordRequest) (app.RecordView, error) {
	path, err := cleanPath(r.Path)
	if err != nil {
		return app.RecordView{}, err
	}
	s, own, err := a.anySource(ctx, r.Source)
	if err != nil {
		return app.RecordView{}, err
	}
	if !own && r.With == app.Live {
		return app.RecordView{}, app.Errorf(app.CodeUsage, "compare", "%s is on another computer: compare two backups of it", s.Name).With("field", "with")
	}
	w, release, err := a.catalogueOf(ctx, s, r.Point)
	if err != nil {
		return app.RecordView{}, err
	}
	defer release()
	if w.cat == nil {
		return app.RecordView{}, filesOnly(s, r.Path)
	}
	out := app.RecordView{}
	if out.Record, out.Fields, err = w.cat.Record(ctx, path); err != nil || r.With == "" {
		return out, err
	}
	var with []app.RecordField
	if r.With == app.Live {
		with, err = a.liveRecord(ctx, s, w, path)
	} else {
		with, err = a.recordAt(ctx, s, r.With, path)
	}
	if app.CodeOf(err) == app.CodePathUnknown {
		out.Gone = true
		return out, nil
	}
	out.Fields = besides(out.Fields, with)
	return out, err
}

// recordAt reads a record of another point.
func (a *Agent) recordAt(ctx context.Context, s app.Source, id app.PointID, path string) ([]app.RecordField, error) {
	w, release, err := a.catalogueOf(ctx, s, id)
	if err != nil {
		return nil, err
	}
	defer release()
	if w.cat == nil {
		return nil, filesOnly(s, path)
	}
	_, fields, err := w.cat.Record(ctx, path)
	return fields, err
}

// liveRecord asks the source for a record as it is now: for that alone, where
// its connector can, else out of the source as a whole.
func (a *Agent) liveRecord(ctx context.Context, s app.Source, w *shelved, path string) (fields []app.RecordField, err error) {
	c, access, err := a.access(ctx, s)
	if err != nil {
		return nil, err
	}
	if l, ok := c.(app.LiveReader); ok {
		_, fields, err = l.LiveRecord(ctx, access, w.from, path)
		return fields, err
	}
	d, ok := c.(app.Differ)
	known, isKnown := c.(app.Cataloguer)
	if !ok || !isKnown {
		return nil, app.Errorf(app.CodeSourceKind, "compare", "%s can't be compared", s.Kind)
	}
	live := &shelved{}
	defer func() { err = errors.Join(err, live.close()) }()
	if live.tmp, err = a.tempDir("live-"); err != nil {
		return nil, err
	}
	if live.from, err = d.Live(ctx, access, live.tmp); err != nil {
		return nil, err
	}
	err = a.withRoom(ctx, live, func(ctx context.Context) error {
		cat, err := known.Catalogue(ctx, live.from, live.tmp)
		if err != nil {
			return err
		}
		live.cat = &roomy{cat, a, live}
		_, fields, err = cat.Record(ctx, path)
		return err
	})
	return fields, err
}

// besides adds the values of the other side: fields that only it has come
// last.
func besides(fields, with []app.RecordField) []app.RecordField {
	other := make(map[string]app.RecordField, len(with))
	for _, f := range with {
		other[f.Name] = f
	}
	for i, f := range fields {
		o := other[f.Name]
		fields[i].With, fields[i].Differs = o.Value, o.Raw != f.Raw
		delete(other, f.Name)
	}
	for _, f := range with {
		if _, only := other[f.Name]; only {
			fields = append(fields, app.RecordField{Name: f.Name, With: f.Value, Differs: f.Raw != ""})
		}
	}
	return fields
}
