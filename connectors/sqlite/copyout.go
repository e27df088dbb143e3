package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

// tempPrefix begins the names of the private folders copies are made in.
const tempPrefix = "kvart-sqlite-"

// copyOut copies the transaction's state into a private folder with SQLite's
// online backup and lets the transaction go. It costs time and disk room, but
// works however busy the till is.
func (c *Connector) copyOut(ctx context.Context, s *snapshot) error {
	dir, err := c.privateDir()
	if err != nil {
		return err
	}
	remove := func() error { return os.RemoveAll(dir) }
	s.cleanup = append(s.cleanup, remove)
	name := filepath.Join(dir, "copy.db")
	if err := backUp(ctx, s.conn, "main", name); err != nil {
		return fmt.Errorf("copy the database out: %w", err)
	}
	// What was open of the original is closed, the folder stays until Close.
	s.cleanup = s.cleanup[:len(s.cleanup)-1]
	if err := s.Close(); err != nil {
		return closing(err, remove)
	}
	return s.use(ctx, c, name, remove)
}

// use makes the snapshot one of a private copy that is complete in its one
// file. remove takes the copy away.
func (s *snapshot) use(ctx context.Context, c *Connector, name string, remove func() error) (err error) {
	s.cleanup = []func() error{remove}
	if s.file, err = c.files.Open(name); err != nil {
		return err
	}
	s.cleanup = []func() error{s.file.Close, remove}
	conn, err := open(ctx, name, immutable)
	if err != nil {
		return err
	}
	s.conn, s.anew = conn, nil // for counting
	s.cleanup = append([]func() error{conn.Close}, s.cleanup...)
	s.head, err = readHeader(s.file, s.size)
	return err
}

// privateDir makes a folder for copies, for this user's eyes only.
func (c *Connector) privateDir() (string, error) {
	if err := c.sweepTemp(); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(tempDir(), tempPrefix)
	if err != nil {
		return "", tempError(tempDir(), fmt.Errorf("make room for a copy: %w", err))
	}
	return dir, nil
}

// tempDir returns the folder for large temporary files. /tmp often lies in
// memory on Linux, where a database does not belong.
func tempDir() string {
	if runtime.GOOS == "linux" && os.Getenv("TMPDIR") == "" {
		if fi, err := os.Stat("/var/tmp"); err == nil && fi.IsDir() {
			return "/var/tmp"
		}
	}
	return os.TempDir()
}

// backUp copies what src's transaction sees of a database into a new file. The
// transaction stays open all the while, so that all steps copy the same state.
func backUp(ctx context.Context, src *conn, schema, name string) error {
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		return err
	}
	dst, err := open(ctx, name, readWrite+"&_journal_mode=OFF&_synchronous=OFF")
	if err != nil {
		return err
	}
	err = dst.driver(func(to *sqlite3.SQLiteConn) error {
		return src.driver(func(from *sqlite3.SQLiteConn) error {
			b, err := to.Backup("main", from, schema)
			if err != nil {
				return err
			}
			return closing(steps(ctx, b), b.Finish)
		})
	})
	return closing(err, dst.Close)
}

func steps(ctx context.Context, b *sqlite3.SQLiteBackup) error {
	for {
		done, err := b.Step(4096)
		if done || err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// sweepTemp removes the copies that a killed process left behind. One that is
// a day old belongs to nobody who still runs.
func (c *Connector) sweepTemp() error {
	list, err := os.ReadDir(tempDir())
	if err != nil {
		return fmt.Errorf("look for old copies: %w", err)
	}
	for _, e := range list {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), tempPrefix) {
			continue
		}
		fi, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && time.Since(fi.ModTime()) > 24*time.Hour {
			err = os.RemoveAll(filepath.Join(tempDir(), e.Name()))
		}
		c.warn("Could not remove an old copy", err)
	}
	return nil
}

// unwritable reports whether the database may only be read by this user.
func unwritable(err error) bool {
	var se sqlite3.Error
	return errors.As(err, &se) && se.Code == sqlite3.ErrReadonly
}
