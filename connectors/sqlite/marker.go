package sqlite

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"kvart/app"
)

// state is what can be read of a database in a moment, without SQLite and
// without a lock, and that no commit leaves as it was: in rollback mode every
// commit counts up the header; in WAL mode every commit moves the head of the
// -shm file, which holds the WAL's salts, length and checksum.
type state struct {
	size  int64
	mtime time.Time
	mode  fs.FileMode
	head  header

	sealed bool // under encryption: head is what that made of it

	walSize  int64 // 0 also when there is none
	walMTime time.Time
	hasShm   bool
	shm      [48]byte
}

// state reads the state of a database. It fails when the file is not one; of
// one under encryption the state is returned with the error.
func (c *Connector) state(file string) (st state, err error) {
	// The WAL comes before the main file: a checkpoint in between then shows
	// as a change the next time, never as none.
	if err := st.readWAL(c, file); err != nil {
		return st, err
	}
	fi, err := os.Stat(file)
	if err != nil {
		return st, err
	}
	// Before it is opened: opening a pipe waits for its other end.
	if err := regular(fi); err != nil {
		return st, err
	}
	f, err := c.files.Open(file)
	if err != nil {
		return st, err
	}
	defer func() { err = closing(err, f.Close) }()
	if fi, err = f.Stat(); err != nil {
		return st, err
	}
	st.size, st.mtime, st.mode = fi.Size(), fi.ModTime(), fi.Mode()
	st.head, err = readHeader(f, st.size)
	st.sealed = app.CodeOf(err) == app.CodeSourceEncrypted
	return st, err
}

// wal reports whether the database is in WAL mode. Of one under encryption only
// the files beside it tell.
func (st state) wal() bool {
	if st.sealed {
		return st.walSize > 0 || st.hasShm
	}
	return st.head.wal()
}

func (st *state) readWAL(c *Connector, file string) (err error) {
	fi, err := os.Stat(file + "-wal")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	st.walSize, st.walMTime = fi.Size(), fi.ModTime()
	f, err := c.files.Open(file + "-shm")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	defer func() { err = closing(err, f.Close) }()
	n, err := f.ReadAt(st.shm[:], 0)
	st.hasShm = n == len(st.shm)
	if st.hasShm || n == 0 {
		return nil
	}
	return err
}

// changed returns when the database was last written.
func (st state) changed() time.Time {
	if st.walSize > 0 && st.walMTime.After(st.mtime) {
		return st.walMTime
	}
	return st.mtime
}

// fresh reports whether the times in st are so young, and of so coarse a file
// system, that a later change could leave them as they are: a USB stick's
// counts in steps of two seconds.
func (st state) fresh(now time.Time) bool {
	const step = 2 * time.Second
	coarse := st.changed().Nanosecond()%int(10*time.Millisecond) == 0
	return coarse && now.Sub(st.changed()).Abs() < step
}

// marker returns the marker of st. One that can't be trusted to show the next
// change equals no other.
func (st state) marker(now time.Time) app.Marker {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %x ", st.size, st.mtime.UnixNano(), st.head)
	if st.walSize > 0 || st.hasShm {
		fmt.Fprintf(h, "%d %d %x", st.walSize, st.walMTime.UnixNano(), st.shm)
	}
	// Only a WAL that came and went again leaves nothing but times.
	if (st.head.wal() || st.sealed) && !st.hasShm && st.fresh(now) {
		fmt.Fprintf(h, " seen %d", now.UnixNano())
	}
	return app.Marker(fmt.Sprintf("1:%d:%x", st.size, h.Sum(nil)[:16]))
}

// heldData reports whether a marker is of a database that was not empty.
func heldData(m app.Marker) bool {
	return strings.HasPrefix(string(m), "1:") && !strings.HasPrefix(string(m), "1:0:")
}

// settled reports whether no commit fell between a and b, two states of a
// database in WAL mode, so that both describe what was captured between them.
func settled(a, b state) bool {
	return a.walSize > 0 && a.hasShm && b.hasShm && a.shm == b.shm &&
		a.walSize == b.walSize && a.walMTime.Equal(b.walMTime)
}
