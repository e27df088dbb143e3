package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"kvart/app"
)

// comparable finds the source a request is about, and what compares its states.
func (a *Agent) comparable(ctx context.Context, r app.DiffRequest) (app.Source, app.Access, app.Differ, error) {
	s, own, err := a.anySource(ctx, r.Source)
	if err != nil {
		return s, app.Access{}, nil, err
	}
	if !own && (r.With == "" || r.With == app.Live) {
		return s, app.Access{}, nil, app.Errorf(app.CodeUsage, "compare", "%s is on another computer: compare two backups of it", s.Name).With("field", "with")
	}
	c, access, err := a.access(ctx, s)
	if err != nil {
		return s, access, nil, err
	}
	d, ok := c.(app.Differ)
	if !ok {
		return s, access, nil, app.Errorf(app.CodeSourceKind, "compare", "%s can't be compared", s.Kind)
	}
	return s, access, d, nil
}

// Diff implements [app.HistoryService].
func (a *Agent) Diff(ctx context.Context, r app.DiffRequest) (changes []app.Change, err error) {
	s, access, differ, err := a.comparable(ctx, r)
	if err != nil {
		return nil, err
	}
	tmp, err := a.tempDir("diff-")
	if err != nil {
		return nil, err
	}
	var closers []func() error
	defer func() {
		for _, f := range slices.Backward(closers) {
			err = errors.Join(err, f())
		}
	}()
	closers = append(closers, func() error { return os.RemoveAll(tmp) })
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, err
	}
	open := func(id app.PointID) (fs.FS, error) {
		var view app.PointFS
		if id == app.Live {
			view, err = differ.Live(ctx, access, tmp)
		} else {
			var p app.Point
			if p, err = a.choose(ctx, v, s, id, time.Time{}); err != nil {
				return nil, err
			}
			if view, err = v.Open(ctx, p.ID); err == nil {
				if err := prefetch(ctx, view); err != nil {
					return nil, errors.Join(err, view.Close())
				}
			}
		}
		if err != nil {
			return nil, err
		}
		closers = append(closers, view.Close)
		return view, nil
	}
	before, err := open(r.Point)
	if err != nil {
		return nil, err
	}
	if r.With == "" {
		r.With = app.Live
	}
	after, err := open(r.With)
	if err != nil {
		return nil, err
	}
	return differ.Diff(ctx, before, after, tmp)
}
