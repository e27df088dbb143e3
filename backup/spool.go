package backup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

const (
	spoolMemory = 32 << 20
	spoolPrefix = "spool-"
	// leftoverAge is when a temporary file is taken for one a crash left.
	leftoverAge = 24 * time.Hour
)

// spool keeps the changed segments of one file between its two passes: in
// memory first, then in a file that has no name where the system allows.
type spool struct {
	dir    string
	pieces []piece
	used   int
	file   *os.File
	end    int64
}

type piece struct {
	index  int
	data   []byte // nil when it lies in the file
	offset int64
	length int
}

func newSpool(dir string) *spool { return &spool{dir: dir} }

func (s *spool) add(index int, b []byte) error {
	p := piece{index: index, length: len(b)}
	if s.used+len(b) <= spoolMemory {
		p.data = append([]byte(nil), b...)
		s.used += len(b)
		s.pieces = append(s.pieces, p)
		return nil
	}
	if s.file == nil {
		if err := s.openFile(); err != nil {
			return err
		}
	}
	if _, err := s.file.WriteAt(b, s.end); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	p.offset = s.end
	s.end += int64(len(b))
	s.pieces = append(s.pieces, p)
	return nil
}

// bytes counts what the spool holds.
func (s *spool) bytes() int64 { return int64(s.used) + s.end }

func (s *spool) openFile() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make state folder: %w", err)
	}
	f, err := os.CreateTemp(s.dir, spoolPrefix+"*") // mode 0600
	if err != nil {
		return fmt.Errorf("make spool: %w", err)
	}
	s.file = f
	if runtime.GOOS != "windows" {
		if err := os.Remove(f.Name()); err != nil {
			return fmt.Errorf("unlink spool: %w", err)
		}
	}
	return nil
}

// each calls fn for every segment in order. The bytes are fn's only until it
// returns.
func (s *spool) each(fn func(index int, b []byte) error) error {
	var buf []byte
	for i, p := range s.pieces {
		b := p.data
		if b == nil {
			if cap(buf) < p.length {
				buf = make([]byte, p.length)
			}
			b = buf[:p.length]
			if _, err := s.file.ReadAt(b, p.offset); err != nil {
				return fmt.Errorf("read spool: %w", err)
			}
		}
		if err := fn(p.index, b); err != nil {
			return err
		}
		s.pieces[i].data = nil
	}
	return nil
}

// close frees what the spool holds. Errors don't matter any more.
func (s *spool) close() {
	s.pieces = nil
	if s.file == nil {
		return
	}
	name := s.file.Name()
	_ = s.file.Close()
	_ = os.Remove(name) // where it could not be unlinked while open
}

// sweepOld removes what a crash left in dir under names of the pattern.
func sweepOld(dir, pattern string) error {
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return fmt.Errorf("look for leftovers: %w", err)
	}
	var errs []error
	for _, name := range names {
		fi, err := os.Stat(name)
		if err == nil && time.Since(fi.ModTime()) > leftoverAge {
			errs = append(errs, os.RemoveAll(name))
		}
	}
	return errors.Join(errs...)
}
