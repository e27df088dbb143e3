package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// lock takes the database for this process alone and moves its WAL into it, so
// that it is complete in its one file. It fails with CodeTargetInUse
// while any other program is in it. What is no database, or is too damaged to
// be locked, has only its open descriptors to ask. unlock may be called twice.
// Where no file can be replaced that is open, nobody is asked for yet: see
// [Connector.free].
func (c *Connector) lock(ctx context.Context, file string) (unlock func() error, err error) {
	none := func() error { return nil }
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return none, c.alone(file)
	}
	st, err := c.state(file)
	if err != nil || st.size == 0 {
		return none, c.alone(file)
	}
	release, err := c.files.Hold(file)
	if err != nil {
		return none, err
	}
	var db *conn
	err = c.patiently(ctx, func() error {
		if db, err = open(ctx, file, readWrite); err != nil {
			return err
		}
		if err := db.takeAlone(ctx); err != nil {
			return closing(err, db.Close)
		}
		return nil
	})
	unlock = sync.OnceValue(func() error { return closing(nil, db.Close, release) })
	if err != nil {
		unlock = sync.OnceValue(release)
	}
	switch {
	case err == nil:
	case locked(err):
		return none, closing(c.whoLocks(file), unlock)
	case damaged(err) || unwritable(err):
		// Its pages make no sense, or it can't be written in place: there is
		// nothing to complete, and the safety point has it as it lies.
		c.log.Warn("Present database could not be locked", "connector", string(Kind), "path", file, "error", err)
	default:
		return none, closing(codeOf(ctx, "sqlite: lock", file, err), unlock)
	}
	if c.heldStay {
		return unlock, nil
	}
	if err := c.alone(file); err != nil {
		return none, closing(err, unlock)
	}
	return unlock, nil
}

// free makes ready to replace databases that are all locked. On Windows a file
// that is open can't be replaced, nor is it told who has one open, so that our
// own connections would count: there all of them are let go, at once and only
// now, and the files seen to be free. By the same rule no till gets in between
// unnoticed.
func (c *Connector) free(j job, unlocks []func() error) error {
	if !c.heldStay {
		return nil
	}
	if err := closing(nil, unlocks...); err != nil {
		return err
	}
	for _, u := range j.units {
		if err := c.alone(u.file); err != nil {
			return err
		}
	}
	return nil
}

// takeAlone locks the database and completes it. In exclusive mode SQLite
// keeps the WAL's index to itself and needs the file's only lock, which it
// does not get while another program is connected in WAL mode or inside a
// transaction in rollback mode.
func (c *conn) takeAlone(ctx context.Context) error {
	if err := c.exec(ctx, `PRAGMA locking_mode = EXCLUSIVE`); err != nil {
		return err
	}
	// Closing must not remove a WAL by its name: by then the name may belong
	// to the database that was put in place, and to a till that has opened it.
	err := c.driver(func(sc *sqlite3.SQLiteConn) error {
		return sc.SetFileControlInt("main", sqlite3.SQLITE_FCNTL_PERSIST_WAL, 1)
	})
	if err != nil {
		return err
	}
	if err := c.exec(ctx, `BEGIN EXCLUSIVE`); err != nil {
		return err
	}
	if err := c.exec(ctx, `COMMIT`); err != nil {
		return err
	}
	var mode string
	if err := c.one(ctx, `PRAGMA journal_mode`, &mode); err != nil || mode != "wal" {
		return err
	}
	var busy, log, done int64
	if err := c.one(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`, &busy, &log, &done); err != nil {
		return err
	}
	if busy != 0 {
		return sqlite3.Error{Code: sqlite3.ErrBusy}
	}
	return nil
}

// alone makes sure that no other program has the files open, not even idly.
func (c *Connector) alone(file string) error {
	program, err := holder(file, file+"-wal", file+"-shm", file+"-journal")
	if err != nil {
		return fmt.Errorf("look for programs that use %s: %w", file, err)
	}
	if program != "" {
		return inUse(file, program)
	}
	return nil
}

func (c *Connector) whoLocks(file string) error {
	if err := c.alone(file); err != nil {
		return err
	}
	return inUse(file, "")
}

// sameContent reports whether what lies at a place is what the point holds.
func (c *Connector) sameContent(ctx context.Context, from fs.FS, pl placing) (same bool, err error) {
	a, err := from.Open(pl.from)
	if err != nil {
		return false, err
	}
	defer func() { err = closing(err, a.Close) }()
	b, err := c.files.Open(pl.to)
	if err != nil {
		return false, err
	}
	defer func() { err = closing(err, b.Close) }()
	bufA, bufB := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, errA := io.ReadFull(a, bufA)
		m, errB := io.ReadFull(b, bufB)
		if !ended(errA) || !ended(errB) {
			return false, errors.Join(notEnd(errA), notEnd(errB))
		}
		if n != m || !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		if n < len(bufA) {
			return true, nil
		}
	}
}

// ended reports whether err says no more than that a file came to its end.
func ended(err error) bool { return notEnd(err) == nil }

func notEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
