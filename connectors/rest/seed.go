package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"kvart/app"
)

// seed fills an empty mirror from the newest backup: what the shop no longer
// shows, or refuses to show just now, would otherwise be missing from the next.
// What is read from the shop afterwards takes its place.
func (e *Engine) seed(ctx context.Context, a app.Access, m *mirror) error {
	done, err := m.meta(ctx, "seeded")
	if err != nil || done != "" {
		return err
	}
	if a.Newest != nil {
		point, err := a.Newest(ctx)
		if err != nil {
			return fmt.Errorf("read newest backup: %w", err)
		}
		if point != nil {
			err := e.seedFrom(ctx, m, point)
			if err = errors.Join(err, point.Close()); err != nil {
				return fmt.Errorf("read newest backup: %w", err)
			}
		}
	}
	return m.setMeta(ctx, "seeded", e.o.Now().UTC().Format(time.RFC3339))
}

func (e *Engine) seedFrom(ctx context.Context, m *mirror, point fs.FS) error {
	for _, k := range e.kinds {
		var rows []row
		flush := func() error {
			err := m.put(ctx, k, rows, nil, kindState{})
			rows = rows[:0]
			return err
		}
		err := walkKind(ctx, point, k, func(at string, d fs.DirEntry) error {
			text, err := fs.ReadFile(point, at)
			if err != nil {
				return err
			}
			r, err := k.stored(k.idAt(at), text)
			if err != nil {
				return err
			}
			if info, err := d.Info(); err == nil && info.ModTime().Year() != 2000 {
				r.modified = info.ModTime().Truncate(time.Second)
			}
			if rows = append(rows, r); len(rows) < perBatch {
				return nil
			}
			return flush()
		})
		if err == nil {
			err = flush()
		}
		if err != nil {
			return err
		}
	}
	if err := e.seedEvents(ctx, m, point); err != nil {
		return err
	}
	return e.seedFiles(ctx, m, point)
}

// stored makes a row of a record as a point holds it.
func (k Kind) stored(id string, text []byte) (row, error) {
	m, err := decode(text)
	if err != nil {
		return row{}, err
	}
	r := row{Key: Key{ID: id}, hash: hashOf(text), size: int64(len(text)), json: text, files: k.media(m)}
	if k.Parent != "" {
		r.Parent, _ = m[parentField].(string)
	}
	return r, nil
}

// walkKind calls fn for the file of every record of a kind in a point.
func walkKind(ctx context.Context, point fs.FS, k Kind, fn func(at string, d fs.DirEntry) error) error {
	err := fs.WalkDir(point, k.Name, func(at string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() || path.Ext(at) != ".json" {
			return err
		}
		return fn(at, d)
	})
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := fs.Stat(point, k.Name); errors.Is(gone, fs.ErrNotExist) {
			return nil
		}
	}
	return canceled(ctx, err)
}

// refs reads which address is which file in a point.
func refs(point fs.FS) (map[string]ref, error) {
	all := map[string]ref{}
	list, err := fs.ReadDir(point, mediaRefs)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", mediaRefs, err)
	}
	for _, d := range list {
		if !strings.HasSuffix(d.Name(), ".json") {
			continue
		}
		text, err := fs.ReadFile(point, path.Join(mediaRefs, d.Name()))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", mediaRefs, err)
		}
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, fmt.Errorf("read %s: %w", mediaRefs, err)
		}
	}
	return all, nil
}

func (e *Engine) seedFiles(ctx context.Context, m *mirror, point fs.FS) error {
	all, err := refs(point)
	if err != nil {
		return err
	}
	for url, r := range all {
		if !fs.ValidPath(r.File) {
			continue
		}
		if err := m.setFile(ctx, file{url: url, name: r.File, size: r.Size}, time.Unix(0, 0)); err != nil {
			return err
		}
	}
	return nil
}
