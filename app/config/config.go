// Package config keeps one document, such as what the owner set up, in a JSON
// file that survives crashes and power cuts. It knows nothing of what the
// document says, and is no place for secrets.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"kvart/app"
)

// Store keeps a document of type T in a file. It is safe for concurrent use by
// one process; the guard's lock keeps other processes out.
type Store[T any] struct {
	path  string
	check func(T) error

	mu  sync.Mutex
	doc T
}

// Open reads the document kept at path, or starts with fresh when there is
// none. A file that is damaged, or fails check, is answered from its copy.
func Open[T any](path string, fresh func() T, check func(T) error) (*Store[T], error) {
	s := &Store[T]{path: path, check: check}
	doc, err := s.read(path)
	if err == nil {
		s.doc = doc
		return s, nil
	}
	if app.CodeOf(err) == app.CodeGuardVersion {
		return nil, err
	}
	doc, copyErr := s.read(s.backup())
	switch {
	case app.CodeOf(copyErr) == app.CodeGuardVersion:
		return nil, copyErr // a newer program's, cut off as it wrote
	case copyErr == nil:
		s.doc = doc
		return s, nil
	case errors.Is(err, fs.ErrNotExist) && errors.Is(copyErr, fs.ErrNotExist):
		return s, s.Update(func(d *T) error { *d = fresh(); return nil })
	}
	return nil, app.Errorf(app.CodeInternal, "read settings", "%w (and the copy: %w)", err, copyErr)
}

func (s *Store[T]) read(path string) (T, error) {
	var d T
	b, err := os.ReadFile(path)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("%s: %w", path, err)
	}
	return d, s.check(d)
}

func (s *Store[T]) backup() string { return s.path + ".bak" }

// Document returns a copy of what is kept.
func (s *Store[T]) Document() T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return clone(s.doc)
}

// Update changes the document by f and keeps it. When f or writing fails,
// nothing changed.
func (s *Store[T]) Update(f func(*T) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := clone(s.doc)
	if err := f(&d); err != nil {
		return err
	}
	if err := s.write(d); err != nil {
		return err
	}
	s.doc = d
	return nil
}

func clone[T any](d T) T {
	// documents are small and plain: their own encoding is the deepest copy
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings, numbers and times always marshal
	}
	var c T
	if err := json.Unmarshal(b, &c); err != nil {
		panic(err)
	}
	return c
}

// write replaces the copy and then the file, each whole: a crash leaves the old
// one or the new one, and a file that is damaged later has a copy that lags
// nothing behind.
func (s *Store[T]) write(d T) error {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	b = append(b, '\n')
	for _, path := range []string{s.backup(), s.path} {
		if err := replace(path, b); err != nil {
			return app.Errorf(app.CodeHomeReadOnly, "write settings", "%w", err).With("path", filepath.Dir(s.path))
		}
	}
	return nil
}

func replace(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
