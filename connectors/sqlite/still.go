package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// still is a copy of a database and of its journals as they lay, made without
// SQLite, for a database it can't or must not open where it lies.
//
// Nothing is locked, so the copy is made, and kept only if nothing was written
// meanwhile: the files' sizes, times and identities are the same before and
// after, and a second reading of every byte gives what the first one gave. Then
// it is what a power cut would have left at that moment, which is what the
// journals are for: the database and its journals together are whole. A commit
// across several files is the exception, since whether it happened is written
// in a file of its own; while there is one, it is waited for.
type still struct {
	dir   string
	parts []part
}

// part is one file of a still.
type part struct {
	suffix string // "", "-wal", "-journal"
	copy   string // where the copy lies
	info   fs.FileInfo
	sum    [sha256.Size]byte
}

// same reports whether nothing was written between two looks at a part.
func (p part) same(o part) bool {
	return p.suffix == o.suffix && os.SameFile(p.info, o.info) && p.info.Size() == o.info.Size() && p.info.ModTime().Equal(o.info.ModTime())
}

func (s *still) bytes() (n int64) {
	for _, p := range s.parts {
		n += p.info.Size()
	}
	return n
}

// Close removes the copy. It may be called twice.
func (s *still) Close() error { return os.RemoveAll(s.dir) }

// copyStill copies a database that holds still for as long as that takes, and
// tries again while it doesn't.
func (c *Connector) copyStill(ctx context.Context, file string) (_ *still, err error) {
	const op = "sqlite: copy as it lies"
	dir, err := c.privateDir()
	if err != nil {
		return nil, err
	}
	s := &still{dir: dir}
	defer func() {
		if err != nil {
			err = closing(err, s.Close)
		}
	}()
	for try := range c.stillTries {
		if try > 0 {
			if err := nap(ctx, c.stillWait*time.Duration(try)); err != nil {
				return nil, codeOf(ctx, op, file, err)
			}
		}
		ok, err := c.copyOnce(ctx, file, s)
		if err != nil {
			return nil, codeOf(ctx, op, file, err)
		}
		if ok {
			return s, nil
		}
	}
	return nil, app.Errorf(app.CodeSourceAltered, op, "%s was written every one of %d times it was read", file, c.stillTries).With("path", file)
}

// copyOnce makes one copy and reports whether it is one of a single moment.
func (c *Connector) copyOnce(ctx context.Context, file string, s *still) (ok bool, err error) {
	before, err := c.parts(file)
	if err != nil {
		return false, err
	}
	for i := range before {
		p := &before[i]
		p.copy = filepath.Join(s.dir, "copy.db"+p.suffix)
		if p.sum, err = c.copyPart(ctx, file+p.suffix, p.copy); err != nil {
			return false, vanished(err)
		}
		if p.suffix == "-journal" {
			if open, err := ofSeveral(p.copy); err != nil || open {
				return false, err
			}
		}
	}
	if c.remote(file) {
		// A share's client goes on showing what it read for as long as this.
		if err := nap(ctx, c.shareWait); err != nil {
			return false, err
		}
	}
	for _, p := range before {
		sum, err := c.copyPart(ctx, file+p.suffix, "")
		if err != nil {
			return false, vanished(err)
		}
		if sum != p.sum {
			return false, nil
		}
	}
	after, err := c.parts(file)
	if err != nil || !slices.EqualFunc(before, after, part.same) {
		return false, err
	}
	s.parts = before
	return true, removeOthers(s.dir, before)
}

// vanished forgives a journal that went while it was to be read: that shows in
// the next look, and the copy is made again. A database that went is told then.
func vanished(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeOthers removes what an earlier attempt left and this one didn't find.
func removeOthers(dir string, parts []part) error {
	for _, suffix := range companions {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.suffix == suffix }) {
			if err := remove(filepath.Join(dir, "copy.db"+suffix)); err != nil {
				return err
			}
		}
	}
	return nil
}

// parts looks at a database and the journals that lie beside it.
func (c *Connector) parts(file string) (out []part, err error) {
	for _, suffix := range append([]string{""}, companions[:]...) {
		fi, err := os.Stat(file + suffix)
		if suffix != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = regular(fi)
		}
		if err != nil {
			return nil, err
		}
		if suffix == "" || fi.Size() > 0 {
			out = append(out, part{suffix: suffix, info: fi})
		}
	}
	return out, nil
}

// copyPart copies a file, or only reads it where there is no place to copy to,
// and returns the hash of what it read.
func (c *Connector) copyPart(ctx context.Context, from, to string) (sum [sha256.Size]byte, err error) {
	src, err := c.files.Open(from) // anew each time: a share asks its server then
	if err != nil {
		return sum, err
	}
	defer func() { err = closing(err, src.Close) }()
	h := sha256.New()
	var bytes io.Reader = src
	if runtime.GOOS == "windows" {
		bytes = &around{r: src}
	}
	bytes = &counted{r: bytes, ctx: ctx, p: silent{}}
	if to == "" {
		_, err = io.Copy(h, bytes)
		return sumOf(h), err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return sum, tempError(to, err)
	}
	defer func() { err = closing(err, dst.Close) }()
	_, err = io.Copy(io.MultiWriter(h, tempFile{dst}), bytes)
	return sumOf(h), err
}

// around reads a file without asking for the bytes that SQLite places its locks
// on, which hold no data: Windows gives them to nobody while they are locked.
type around struct {
	r   io.ReaderAt
	off int64
}

// lockSize is how many bytes SQLite's locks take.
const lockSize = 512

// Read implements [io.Reader].
func (a *around) Read(b []byte) (int, error) {
	switch {
	case a.off < lockByte:
		b = b[:min(int64(len(b)), lockByte-a.off)]
	case a.off < lockByte+lockSize:
		var beyond [1]byte
		if _, err := a.r.ReadAt(beyond[:], lockByte+lockSize); err != nil {
			return 0, err // it ends where the locks begin
		}
		b = b[:min(int64(len(b)), lockByte+lockSize-a.off)]
		clear(b)
		a.off += int64(len(b))
		return len(b), nil
	}
	n, err := a.r.ReadAt(b, a.off)
	a.off += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func sumOf(h hash.Hash) (sum [sha256.Size]byte) {
	h.Sum(sum[:0])
	return sum
}

// tempFile is a private copy that is written. What goes wrong with it is not
// the source's doing.
type tempFile struct{ *os.File }

// Write implements [io.Writer].
func (f tempFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	if err != nil {
		err = tempError(f.Name(), err)
	}
	return n, err
}

// tempError names a failure to write a temporary copy.
func tempError(path string, err error) error {
	const op = "sqlite: write a temporary copy"
	if err = volume.TargetError(op, path, err); app.CodeOf(err) == app.CodeTargetFull {
		return (&app.Error{Code: app.CodeTempFull, Op: op, Err: err}).With("path", filepath.Dir(path))
	}
	return err
}

// ofSeveral reports whether a journal is of a commit across several files that
// is under way: it ends in the name of the file that says whether it happened.
func ofSeveral(journal string) (bool, error) {
	f, err := os.Open(journal)
	if err != nil {
		return false, err
	}
	const magic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
	var head, tail [8]byte
	_, err = f.ReadAt(head[:], 0)
	if fi, e := f.Stat(); err == nil && e == nil && fi.Size() >= 16 {
		_, err = f.ReadAt(tail[:], fi.Size()-8)
	}
	if err = closing(notEnd(err), f.Close); err != nil {
		return false, fmt.Errorf("look at %s: %w", journal, err)
	}
	return string(head[:]) == magic && string(tail[:]) == magic, nil
}
