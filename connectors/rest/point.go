package rest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"kvart/app"
)

// want is one record of a point that may have to be put back.
type want struct {
	id     string // in the point
	parent string
	record map[string]any
	only   []string // the fields to look at; nil for all
	size   int      // of its text
}

// selection says which records of a point a restore is about.
type selection struct {
	point fs.FS
	paths []string                   // clean; none for everything
	below map[string]map[string]bool // by kind: parents that were picked
}

func selected(r app.Restore) (selection, error) {
	s := selection{point: r.From, below: map[string]map[string]bool{}}
	for _, p := range r.Paths {
		p = path.Clean(strings.TrimSuffix(p, "/"))
		if !fs.ValidPath(p) {
			return s, app.Errorf(app.CodeUsage, "shop: read point", "%q is no path in a point", p).With("path", p)
		}
		if p == "." {
			s.paths = nil
			return s, nil
		}
		if _, err := fs.Stat(r.From, p); errors.Is(err, fs.ErrNotExist) {
			return s, app.Errorf(app.CodePathUnknown, "shop: read point", "%s: %w", p, err).With("path", p)
		}
		s.paths = append(s.paths, p)
	}
	return s, nil
}

// all reports whether everything is to be put back.
func (s selection) all() bool { return len(s.paths) == 0 }

// picks reports whether the file at a path is among what is to be put back.
func (s selection) picks(at string) bool {
	for _, p := range s.paths {
		if at == p || strings.HasPrefix(at, p+"/") {
			return true
		}
	}
	return s.all()
}

// touches reports whether anything of a kind can be picked.
func (s selection) touches(k Kind) bool {
	for _, p := range s.paths {
		if p == k.Name || strings.HasPrefix(p, k.Name+"/") {
			return true
		}
	}
	return s.all() || k.Parent != "" && len(s.below[k.Parent]) > 0
}

// mayTouch is touches before the parents that were picked are known.
func (s selection) mayTouch(k Kind) bool {
	if s.touches(k) {
		return true
	}
	for _, p := range s.paths {
		if k.Parent != "" && (p == k.Parent || strings.HasPrefix(p, k.Parent+"/")) {
			return true
		}
	}
	return false
}

// few reports whether so few records of a kind are named that each is compared
// with the shop itself.
func (s selection) few(ctx context.Context, k Kind) (bool, error) {
	if s.all() {
		return false, nil
	}
	count := 0
	err := s.each(ctx, k, func(string, fs.DirEntry) bool { count++; return count > fresh }, func(want) error { return nil })
	return count <= fresh, err
}

// each calls fn for the file of every record of a kind that is to be put back;
// unread tells of one whose content is not needed to know that.
func (s selection) each(ctx context.Context, k Kind, unread func(at string, d fs.DirEntry) (skip bool), fn func(want) error) error {
	return walkKind(ctx, s.point, k, func(at string, d fs.DirEntry) error {
		picked := s.picks(at)
		if picked {
			if s.below[k.Name] == nil {
				s.below[k.Name] = map[string]bool{}
			}
			s.below[k.Name][k.idAt(at)] = true
		}
		if !picked && (k.Parent == "" || len(s.below[k.Parent]) == 0) || unread != nil && unread(at, d) {
			return nil
		}
		w, err := s.read(k, at)
		if err != nil {
			return err
		}
		if !picked && !s.below[k.Parent][w.parent] {
			return nil
		}
		return fn(w)
	})
}

// read reads one record of the point.
func (s selection) read(k Kind, at string) (want, error) {
	text, err := fs.ReadFile(s.point, at)
	if err != nil {
		return want{}, fmt.Errorf("read %s in the point: %w", at, err)
	}
	m, err := decode(text)
	if err != nil {
		return want{}, fmt.Errorf("%s in the point: %w", at, err)
	}
	parent, _ := m[parentField].(string)
	return want{id: k.idAt(at), parent: parent, record: m, size: len(text)}, nil
}
