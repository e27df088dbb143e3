package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"kvart/app"
)

// Live implements [app.Differ]: the mirror, brought up to date.
func (e *Engine) Live(ctx context.Context, a app.Access, _ string) (app.PointFS, error) {
	c, err := e.open(ctx, a, true)
	if err != nil {
		return nil, canceled(ctx, err)
	}
	c.live = true
	v, err := newView(ctx, c)
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return v, nil
}

// Diff implements [app.Differ]. It compares records, by kind and id.
func (e *Engine) Diff(ctx context.Context, before, after fs.FS, _ string) ([]app.Change, error) {
	by, err := e.doers(before, after)
	if err != nil {
		return nil, err
	}
	var out []app.Change
	for _, k := range e.kinds {
		was, err := e.infos(ctx, before, k)
		if err != nil {
			return nil, err
		}
		is, err := e.infos(ctx, after, k)
		if err != nil {
			return nil, err
		}
		for _, at := range slices.Sorted(maps.Keys(union(was, is))) {
			b, a := was[at], is[at]
			switch {
			case b == nil:
				out = append(out, app.Change{Path: at, Kind: app.ChangeAdded, After: a.Size()})
			case a == nil:
				out = append(out, app.Change{Path: at, Kind: app.ChangeRemoved, Before: b.Size()})
			case a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()):
				// its time is made from its content
			default:
				c, err := changed(k, before, after, at)
				if err != nil {
					return nil, err
				}
				if c != nil {
					c.Before, c.After = b.Size(), a.Size()
					out = append(out, *c)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b app.Change) int { return cmp.Compare(a.Path, b.Path) })
	for i := range out {
		by.name(&out[i])
	}
	return out, e.authored(after, out)
}

func (e *Engine) infos(ctx context.Context, point fs.FS, k Kind) (map[string]fs.FileInfo, error) {
	out := map[string]fs.FileInfo{}
	err := walkKind(ctx, point, k, func(at string, d fs.DirEntry) error {
		fi, err := d.Info()
		out[at] = fi
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", k.Name, err)
	}
	return out, nil
}

func union(a, b map[string]fs.FileInfo) map[string]fs.FileInfo {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// changed compares two versions of a record, nil when they are the same.
func changed(k Kind, before, after fs.FS, at string) (*app.Change, error) {
	var sides [2]map[string]any
	for i, point := range []fs.FS{before, after} {
		body, err := fs.ReadFile(point, at)
		if err != nil {
			return nil, fmt.Errorf("compare %s: %w", at, err)
		}
		if sides[i], err = decode(body); err != nil {
			return nil, fmt.Errorf("compare %s: %w", at, err)
		}
	}
	fields := fieldChanges("", sides[0], sides[1])
	if len(fields) == 0 {
		return nil, nil
	}
	return &app.Change{Path: at, Kind: app.ChangeChanged, Changed: int64(len(fields)), Fields: fields}, nil
}

// fieldChanges lists the fields that differ, those of objects within by their
// paths, lists as wholes.
func fieldChanges(prefix string, was, is map[string]any) (out []app.FieldChange) {
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, f := range slices.Sorted(maps.Keys(names)) {
		b, hadB := was[f]
		a, hadA := is[f]
		inner, ok1 := b.(map[string]any)
		outer, ok2 := a.(map[string]any)
		switch {
		case ok1 && ok2:
			out = append(out, fieldChanges(prefix+f+".", inner, outer)...)
		case hadA && hadB && same(b, a):
		default:
			out = append(out, app.FieldChange{Name: prefix + f, Before: brief(b, hadB), After: brief(a, hadA)})
		}
	}
	return out
}

func brief(v any, had bool) string {
	if !had {
		return ""
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}
