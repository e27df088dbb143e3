package backup

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"

	"kvart/backup/storage"

	kfs "github.com/kopia/kopia/fs"
)

// openFile is an open file of a view.
type openFile struct {
	info entryInfo

	mu sync.Mutex // ReadAt may be called from several goroutines
	r  io.ReadSeekCloser
}

var (
	_ io.Seeker   = (*openFile)(nil)
	_ io.ReaderAt = (*openFile)(nil)
)

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *openFile) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, err := f.r.Read(p)
	return k, f.wrap("read", err)
}

// Seek implements [io.Seeker].
func (f *openFile) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, err := f.r.Seek(offset, whence)
	return at, f.wrap("seek", err)
}

// ReadAt implements [io.ReaderAt].
func (f *openFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, f.wrap("read", fs.ErrInvalid)
	}
	if offset >= f.info.Size() {
		return 0, io.EOF
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	before, err := f.r.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, f.wrap("seek", err)
	}
	if _, err := f.r.Seek(offset, io.SeekStart); err != nil {
		return 0, f.wrap("seek", err)
	}
	k, err := io.ReadFull(f.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	if _, back := f.r.Seek(before, io.SeekStart); back != nil {
		return k, f.wrap("seek", back)
	}
	return k, f.wrap("read", err)
}

func (f *openFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wrap("close", f.r.Close())
}

func (f *openFile) wrap(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &fs.PathError{Op: op, Path: f.info.name, Err: storage.Translate(op, err)}
}

// openLink yields a link's target as text.
func (f *pointFS) openLink(info entryInfo, link kfs.Symlink) (fs.File, error) {
	target, err := link.Readlink(f.ctx)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: info.name, Err: storage.Translate("read link", err)}
	}
	return &openFile{info: info, r: linkText{strings.NewReader(target)}}, nil
}

// linkText is a link's target, read as a file.
type linkText struct{ *strings.Reader }

func (linkText) Close() error { return nil }
