// Package rawfile reads files in a process that also holds SQLite's locks on
// some of them.
//
// POSIX gives up all of a process's locks on a file as soon as the process
// closes any descriptor of it. SQLite takes care of its own descriptors; one
// that other code opened and closed beside it would silently take the lock
// away from under a running transaction, and the till could write in the
// middle of a backup. So whoever reads raw files in this process opens them
// through a [Keeper], which closes none of a database that is in use until
// the last user is gone.
package rawfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Keeper knows which databases are in use and parks descriptors of them. The
// zero value is ready. Use one for a whole process.
type Keeper struct {
	mu    sync.Mutex
	holds []*hold
}

// hold is a database somebody has open with SQLite.
type hold struct {
	path   string
	info   fs.FileInfo
	users  int
	parked []*os.File
}

// Hold says that path, a database, is about to be opened with SQLite. Until
// release is called no descriptor of it or of its -shm file is closed. Release
// after the SQLite connection was closed; calling it again does nothing.
func (k *Keeper) Hold(path string) (release func() error, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fi, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("hold database: %w", err)
	}
	i := slices.IndexFunc(k.holds, func(h *hold) bool { return os.SameFile(h.info, fi) })
	if i < 0 {
		k.holds = append(k.holds, &hold{path: path, info: fi})
		i = len(k.holds) - 1
	}
	h := k.holds[i]
	h.users++
	return sync.OnceValue(func() error { return k.release(h) }), nil
}

func (k *Keeper) release(h *hold) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if h.users--; h.users > 0 {
		return nil
	}
	k.holds = slices.DeleteFunc(k.holds, func(o *hold) bool { return o == h })
	var errs []error
	for _, f := range h.parked {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Open opens a file for reading.
func (k *Keeper) Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return k.Adopt(f), nil
}

// Adopt takes over a file that was opened otherwise.
func (k *Keeper) Adopt(f *os.File) *File { return &File{File: f, keeper: k} }

// File is a file whose Close waits until it can do no harm.
type File struct {
	*os.File
	keeper *Keeper
	once   sync.Once
	err    error
}

// Close closes the file, or parks it while a database is in use. It may be
// called twice.
func (f *File) Close() error {
	f.once.Do(func() { f.err = f.keeper.close(f.File) })
	return f.err
}

func (k *Keeper) close(f *os.File) error {
	// Windows ties locks to handles, not to the process.
	if runtime.GOOS == "windows" {
		return f.Close()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.holds) > 0 {
		fi, err := f.Stat()
		if err != nil {
			return errors.Join(err, f.Close())
		}
		for _, h := range k.holds {
			if os.SameFile(h.info, fi) || h.shm(f.Name(), fi) {
				h.parked = append(h.parked, f)
				return nil
			}
		}
	}
	return f.Close()
}

// shm reports whether fi is the database's -shm file, where SQLite keeps the
// locks of WAL mode.
func (h *hold) shm(name string, fi fs.FileInfo) bool {
	if !strings.HasSuffix(name, "-shm") {
		return false
	}
	si, err := os.Stat(h.path + "-shm")
	return err == nil && os.SameFile(si, fi)
}
