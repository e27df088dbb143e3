package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// newSuffix ends the names of files that are not in place yet. They lie beside
// the target, so that a rename puts them there whole or not at all.
const newSuffix = ".kvart-new"

// Apply implements [app.Restorer].
//
// The order at the original place is what keeps a power cut, or a till that
// starts at the wrong moment, from doing harm:
//
//  1. The new files are written beside the target and synced. Until here
//     nothing was changed.
//  2. The present database is locked for ourselves alone. A till that is in
//     it makes that fail, and nothing was changed.
//  3. Its WAL is moved into it, so that it is complete without one.
//  4. Its -wal, -journal and -shm are removed. They must go before the new
//     database comes: SQLite would play a WAL or a hot journal that it finds
//     beside any database of that name into it, and ruin it. Cut off here the
//     old database is still whole, because of 3.
//  5. The new database is renamed over the old one.
//
// What has journals of its own, such as a safety point, is put back in another
// order, since database and journal belong together and can't be renamed in one
// step: the old database goes first, the journals come, the database last. So
// are several databases that belong together, the one that attaches the others
// first and last. Cut off in between there is no database, which no till takes
// for its own, and applying again completes it; what was there before is in a
// safety point of its own.
func (c *Connector) Apply(ctx context.Context, r app.Restore, p app.Progress) error {
	const op = "sqlite: restore"
	if tables(r.Paths) != nil {
		return c.applyTables(ctx, r, p)
	}
	j, err := c.job(r)
	if err != nil {
		return err
	}
	p.Expect(int64(len(j.places())), j.bytes())
	for _, u := range j.units {
		dir := filepath.Dir(u.file)
		if root := volume.Unplugged(dir); root != "" {
			return app.Errorf(app.CodeSourceShareGone, op, "%s is not there", root).With("path", root)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return volume.TargetError(op, dir, err)
		}
	}
	if !r.Target.Original() {
		return c.applyElsewhere(ctx, r, j, p)
	}
	for _, u := range j.units {
		if err := c.write(ctx, r.From, u, p); err != nil {
			return closing(volume.TargetError(op, u.file, err), j.clean)
		}
		if r.Raw || u.sealed {
			continue
		}
		if err := c.opens(ctx, u.file+newSuffix); err != nil {
			return closing(err, j.clean)
		}
	}
	if err := c.replace(ctx, j); err != nil {
		return closing(volume.TargetError(op, j.file(), err), j.clean)
	}
	return nil
}

// clean removes what was written and is not in place, of this restore or of
// one that was killed.
func (j job) clean() error {
	var errs []error
	for _, u := range j.units {
		errs = append(errs, u.clean())
	}
	return errors.Join(errs...)
}

func (u unit) clean() error {
	var errs []error
	for _, suffix := range append([]string{""}, companions[:]...) {
		errs = append(errs, remove(u.file+suffix+newSuffix))
	}
	return errors.Join(errs...)
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// write writes the new files beside their places.
func (c *Connector) write(ctx context.Context, from fs.FS, u unit, p app.Progress) error {
	if err := u.clean(); err != nil {
		return err
	}
	present, err := os.Stat(u.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, pl := range u.places {
		if err := copyFile(ctx, from, pl, pl.to+newSuffix, p); err != nil {
			return err
		}
		mode := pl.mode
		if present != nil {
			mode = present.Mode().Perm()
			if err := volume.KeepOwner(pl.to+newSuffix, present); err != nil {
				return err
			}
		}
		if mode == 0 {
			mode = 0o600
		}
		if err := os.Chmod(pl.to+newSuffix, mode); err != nil {
			return err
		}
	}
	return nil
}

// copyFile writes one file of the point to a new file and syncs it.
func copyFile(ctx context.Context, from fs.FS, pl placing, to string, p app.Progress) (err error) {
	src, err := from.Open(pl.from)
	if err != nil {
		return fmt.Errorf("open %s in the point: %w", pl.from, err)
	}
	defer func() { err = closing(err, src.Close) }()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, dst.Close) }()
	n, err := io.Copy(dst, &counted{r: src, ctx: ctx, p: p})
	if err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	if n != pl.size {
		return app.Errorf(app.CodeCheckFailed, "sqlite: restore", "%s has %d bytes in the point and %d were read", pl.from, pl.size, n)
	}
	p.Done(1, 0)
	return dst.Sync()
}

// counted reports what is read and stops when ctx ends.
type counted struct {
	r   io.Reader
	ctx context.Context
	p   app.Progress
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, &app.Error{Code: app.CodeCanceled, Op: "sqlite: restore", Err: err}
	}
	n, err := c.r.Read(b)
	c.p.Done(0, int64(n))
	return n, err
}

// opens makes sure that a file about to take a database's place is one.
func (c *Connector) opens(ctx context.Context, file string) error {
	db, err := open(ctx, file, immutable)
	if err == nil {
		_, err = db.tables(ctx, "main")
		err = closing(err, db.Close)
	}
	if err != nil {
		return &app.Error{Code: app.CodeCheckFailed, Op: "sqlite: restore", Err: fmt.Errorf("open what the point holds: %w", err)}
	}
	return nil
}

// replace puts the new files in place of the present ones.
func (c *Connector) replace(ctx context.Context, j job) (err error) {
	var unlocks []func() error
	defer func() { err = closing(err, unlocks...) }()
	for _, u := range j.units {
		unlock, err := c.lock(ctx, u.file)
		if err != nil {
			return err
		}
		unlocks = append(unlocks, unlock)
	}
	if err := c.free(j, unlocks); err != nil {
		return err
	}
	if len(j.units) > 1 {
		if err := remove(j.file()); err != nil {
			return err
		}
		if err := volume.SyncDir(filepath.Dir(j.file())); err != nil {
			return err
		}
	}
	for i := len(j.units) - 1; i >= 0; i-- {
		if err := j.units[i].swap(); err != nil {
			return err
		}
	}
	return nil
}

func (u unit) swap() error {
	dir := filepath.Dir(u.file)
	if len(u.places) != 1 || u.sealed || u.over {
		if err := remove(u.file); err != nil {
			return err
		}
	}
	for _, suffix := range []string{"-journal", "-wal", "-shm"} {
		if err := remove(u.file + suffix); err != nil {
			return err
		}
	}
	// On the disk, and not only in memory, they must be gone first.
	if err := volume.SyncDir(dir); err != nil {
		return err
	}
	for i := len(u.places) - 1; i >= 0; i-- { // the database is the first
		if err := os.Rename(u.places[i].to+newSuffix, u.places[i].to); err != nil {
			return err
		}
	}
	return volume.SyncDir(dir)
}

// applyElsewhere writes into a folder of the owner's choice, over nothing.
func (c *Connector) applyElsewhere(ctx context.Context, r app.Restore, j job, p app.Progress) error {
	const op = "sqlite: restore to folder"
	if err := j.clean(); err != nil {
		return volume.TargetError(op, j.file(), err)
	}
	for _, pl := range j.places() {
		if _, err := os.Lstat(pl.to); err == nil {
			same, err := c.sameContent(ctx, r.From, pl)
			if err != nil {
				return fmt.Errorf("compare %s: %w", pl.to, err)
			}
			if !same {
				return exists(pl.to)[0]
			}
			p.Done(1, pl.size)
			continue
		}
		if err := copyFile(ctx, r.From, pl, pl.to+newSuffix, p); err != nil {
			return closing(volume.TargetError(op, pl.to, err), j.clean)
		}
		if err := os.Rename(pl.to+newSuffix, pl.to); err != nil {
			return closing(volume.TargetError(op, pl.to, err), j.clean)
		}
	}
	for _, u := range j.units {
		if err := volume.SyncDir(filepath.Dir(u.file)); err != nil {
			return volume.TargetError(op, u.file, err)
		}
	}
	return nil
}

// applyTables writes single tables, and the database itself where it is asked
// for, into a folder.
func (c *Connector) applyTables(ctx context.Context, r app.Restore, p app.Progress) (err error) {
	const op = "sqlite: restore tables"
	if err := onlyWhole(r); err != nil {
		return err
	}
	view := r.From
	if _, err := fs.Stat(r.From, tablesDir); err != nil {
		tmp, err := c.privateDir()
		if err != nil {
			return err
		}
		defer func() { err = closing(err, func() error { return os.RemoveAll(tmp) }) }()
		browsed, err := c.Browse(ctx, r.From, tmp)
		if err != nil {
			return err
		}
		defer func() { err = closing(err, browsed.Close) }()
		view = browsed
	}
	if err := os.MkdirAll(r.Target.Dir, 0o755); err != nil {
		return volume.TargetError(op, r.Target.Dir, err)
	}
	p.Expect(int64(len(r.Paths)), 0)
	for _, name := range r.Paths {
		to := filepath.Join(r.Target.Dir, filepath.Base(filepath.FromSlash(name)))
		if err := c.applyTable(ctx, view, name, to, p); err != nil {
			return closing(volume.TargetError(op, to, err), func() error { return remove(to + newSuffix) })
		}
	}
	return volume.TargetError(op, r.Target.Dir, volume.SyncDir(r.Target.Dir))
}

func (c *Connector) applyTable(ctx context.Context, view fs.FS, name, to string, p app.Progress) error {
	if _, err := fs.Stat(view, name); err != nil {
		return app.Errorf(app.CodePathUnknown, "sqlite: restore tables", "find %s in the point: %w", name, err).With("path", name)
	}
	pl := placing{from: name, to: to}
	if _, err := os.Lstat(to); err == nil {
		same, err := c.sameContent(ctx, view, pl)
		if err != nil || same {
			return err
		}
		return exists(to)[0]
	}
	if err := remove(to + newSuffix); err != nil {
		return err
	}
	if err := writeWhole(ctx, view, name, to+newSuffix, p); err != nil {
		return err
	}
	return os.Rename(to+newSuffix, to)
}

// writeWhole writes a file whose size is not known before.
func writeWhole(ctx context.Context, view fs.FS, name, to string, p app.Progress) (err error) {
	src, err := view.Open(name)
	if err != nil {
		return fmt.Errorf("open %s in the point: %w", name, err)
	}
	defer func() { err = closing(err, src.Close) }()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, dst.Close) }()
	if _, err := io.Copy(dst, &counted{r: src, ctx: ctx, p: p}); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	p.Done(1, 0)
	return dst.Sync()
}
