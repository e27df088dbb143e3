package history

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/history/near"
)

// tellEvery is how often it is told how far a table was written.
const tellEvery = 300 * time.Millisecond

// saving is a table that is being written.
type saving struct {
	bytes atomic.Int64
	stop  chan struct{}
	done  bool
}

// export writes the shelf as a table where the owner wants it.
func (s *Screen) export() {
	sh, ok := s.st.shelf(s.st.Shelf)
	if !ok || sh.Export == "" || s.saving != nil {
		return
	}
	r := app.ExportRequest{Source: s.st.Source, Point: s.st.Point.ID, What: sh.Export}
	name := s.env.T("history.export.file", assets.Args{"Kind": shelfName(s.env.Words, sh), "When": s.st.Point.Time.Local().Format("2006-01-02 1504")})
	s.env.SaveFile(name, func(path string) { s.exportTo(r, path) })
}

func (s *Screen) exportTo(r app.ExportRequest, path string) {
	if s.saving != nil {
		return
	}
	sv := &saving{stop: make(chan struct{})}
	s.saving, s.st.Saving, s.st.Saved, s.st.File = sv, true, 0, ""
	s.show(&s.pane, nil, nil)
	s.draw()
	s.env.Go(func(ctx context.Context) func() {
		ctx, end := near.Until(ctx, sv.stop)
		defer end()
		err := writeTable(ctx, s.env.Service, r, path, &sv.bytes)
		return func() {
			sv.done = true
			if s.saving != sv {
				return // the owner stopped it
			}
			s.stopSaving()
			if err == nil {
				s.st.File = path
			}
			s.blamed = &s.pane
			s.trouble.Show(err, func() { s.exportTo(r, path) })
			s.draw()
		}
	})
	s.tell(sv)
}

// tell tells now and then how far a table was written.
func (s *Screen) tell(sv *saving) {
	if sv.done || s.saving != sv {
		return
	}
	s.env.Go(func(ctx context.Context) func() {
		select {
		case <-ctx.Done():
		case <-time.After(tellEvery):
		}
		return func() {
			if s.saving == sv {
				s.st.Saved = sv.bytes.Load()
				s.draw()
				s.tell(sv)
			}
		}
	})
}

// stopSaving ends the writing of a table; the part of it that was written is
// taken away.
func (s *Screen) stopSaving() {
	if s.saving != nil {
		close(s.saving.stop)
		s.saving = nil
	}
	s.st.Saving = false
}

// openTable shows what was written in the program the system has for it.
func (s *Screen) openTable() {
	s.trouble.Show(s.env.OpenFile(s.st.File), s.openTable)
}

// writeTable writes a table of a point to a file, whole or not at all, readable
// by its owner only: it may hold customers.
func writeTable(ctx context.Context, svc app.HistoryService, r app.ExportRequest, path string, bytes *atomic.Int64) error {
	from, err := svc.Export(ctx, r)
	if err != nil {
		return err
	}
	to, err := os.CreateTemp(filepath.Dir(path), ".kvart-*.part")
	if err != nil {
		return errors.Join(noRoom(err, path), from.Close())
	}
	w := &counted{w: to, n: bytes}
	_, err = io.Copy(w, reader{ctx, from})
	err = errors.Join(err, from.Close())
	if w.err == nil {
		w.err = to.Sync()
	}
	if late := to.Close(); w.err == nil {
		w.err = late
	}
	if err == nil && w.err == nil {
		w.err = os.Rename(to.Name(), path)
	}
	if w.err != nil {
		err = noRoom(w.err, path)
	}
	if err != nil {
		if rest := os.Remove(to.Name()); rest != nil && !errors.Is(rest, os.ErrNotExist) {
			err = errors.Join(err, rest)
		}
	}
	return err
}

// noRoom says why nothing can be written beside a path.
func noRoom(err error, path string) error {
	code := app.CodeTargetReadOnly
	if errors.Is(err, syscall.ENOSPC) {
		code = app.CodeTargetFull
	}
	return app.Errorf(code, "write table", "%w", err).With("path", filepath.Dir(path))
}

// counted counts what is written, and keeps the failure to write apart from one
// to read.
type counted struct {
	w   io.Writer
	n   *atomic.Int64
	err error
}

// Write implements [io.Writer].
func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n.Add(int64(n))
	c.err = err
	return n, err
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements [io.Reader].
func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, app.Errorf(app.CodeCanceled, "read table", "%w", err)
	}
	return r.r.Read(b)
}
