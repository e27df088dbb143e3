package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"kvart/app"
)

// captureTogether captures several databases that a program writes across, as
// of one moment.
func (c *Connector) captureTogether(ctx context.Context, a app.Access, all []member, since app.Marker) (*app.Capture, error) {
	const op = "sqlite: capture together"
	if err := c.holdable(a, all); err != nil {
		return nil, err
	}
	now := time.Now()
	states := make([]state, len(all))
	h := sha256.New()
	var sizes []string
	for i, m := range all {
		st, err := c.state(m.file)
		if err != nil {
			return nil, codeOf(ctx, op, m.file, err)
		}
		if st.size == 0 && heldAll(since, i) {
			return nil, app.Errorf(app.CodeSourceDamaged, op, "%s held data and is empty now", m.file).With("path", m.file)
		}
		states[i] = st
		fmt.Fprintf(h, "%s %s\n", m.name, st.marker(now))
		sizes = append(sizes, strconv.FormatInt(st.size, 10))
	}
	next := app.Marker(fmt.Sprintf("2:%s:%x", strings.Join(sizes, ","), h.Sum(nil)[:16]))
	if next == since {
		return &app.Capture{Idle: true, Close: func() error { return nil }}, nil
	}
	dir, err := c.privateDir()
	if err != nil {
		return nil, err
	}
	remove := sync.OnceValue(func() error { return os.RemoveAll(dir) })
	if err := c.copyTogether(ctx, all, dir); err != nil {
		return nil, closing(err, remove)
	}
	items, stats, err := c.copies(ctx, all, states, dir, now)
	if err != nil {
		return nil, closing(codeOf(ctx, op, all[0].file, err), remove)
	}
	return &app.Capture{
		Items: yielding(ctx, items), Next: next, Close: remove,
		Stats: func() app.Stats { return stats },
	}, nil
}

// heldAll reports whether the i-th database of a marker was not empty.
func heldAll(m app.Marker, i int) bool {
	parts := strings.Split(string(m), ":")
	if len(parts) != 3 || parts[0] != "2" {
		return false
	}
	sizes := strings.Split(parts[1], ",")
	return i < len(sizes) && sizes[i] != "0"
}

// holdable refuses databases that nothing holds together: under encryption they
// have no common lock that can be taken, on a share in WAL mode they must not be
// opened, and one that may only be read can't be kept still in WAL mode.
func (c *Connector) holdable(a app.Access, all []member) error {
	if len(all) == 1 {
		return nil
	}
	if a.Source.Settings[fieldEncrypted] == "true" {
		return badWith("databases under encryption can't be held together")
	}
	for _, m := range all {
		st, err := c.state(m.file)
		if err != nil || !st.head.wal() {
			continue // what is wrong with it shows when it is read
		}
		if c.remote(m.file) {
			return badWith("%s is in WAL mode on a network share and can't be held together with others", m.path)
		}
		f, err := os.OpenFile(m.file, os.O_RDWR, 0)
		if errors.Is(err, os.ErrPermission) {
			return app.Errorf(app.CodeSourceUnreadable, "sqlite: capture together",
				"hold %s together with others: %w", m.path, err).With("path", m.path)
		}
		if err == nil {
			if err := c.files.Adopt(f).Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyTogether copies databases into dir as of one moment between two commits,
// also of commits across them.
//
// A first connection, with all of them attached, begins to write in each, which
// lets SQLite's own locks on all of them be had at the same time. A commit
// across files keeps the same locks of every file it writes until the last of
// them is written: in rollback mode until the file that says that it happened is
// gone, in WAL mode until every log has its commit. So whoever has them all is
// between two commits, or after a crash has rolled the torn one back by having
// opened the files. Then a second connection begins to read in each, and only
// then the first lets go. In WAL mode everybody writes on, and the second one
// goes on seeing that moment; in rollback mode its locks keep writers out of the
// files until the copies are made, which is as fast as the disk allows.
func (c *Connector) copyTogether(ctx context.Context, all []member, dir string) (err error) {
	const op = "sqlite: copy together"
	for _, m := range all {
		release, err := c.files.Hold(m.file)
		if err != nil {
			return codeOf(ctx, op, m.file, err)
		}
		defer func() { c.warn("Could not close descriptors", release()) }()
	}
	reader, err := c.attached(ctx, all)
	if err != nil {
		return codeOf(ctx, op, all[0].file, err)
	}
	defer func() { err = closing(err, reader.Close) }()
	err = c.patiently(ctx, func() error { return c.freeze(ctx, reader, all) })
	if err != nil {
		return codeOf(ctx, op, all[0].file, err)
	}
	for i, m := range all {
		to := copyName(dir, i)
		var mode string
		err := reader.one(ctx, `PRAGMA `+schemaName(i)+`.journal_mode`, &mode)
		if err == nil && mode == "wal" {
			err = backUp(ctx, reader, schemaName(i), to)
		} else if err == nil {
			err = c.copyLocked(ctx, m.file, to)
		}
		if err != nil {
			return codeOf(ctx, op, m.file, err)
		}
	}
	return nil
}

func copyName(dir string, i int) string { return filepath.Join(dir, strconv.Itoa(i)+".db") }

// schemaName names the i-th database on a connection that has all attached.
func schemaName(i int) string {
	if i == 0 {
		return "main"
	}
	return "kvart" + strconv.Itoa(i)
}

// attached opens a connection to all databases.
func (c *Connector) attached(ctx context.Context, all []member) (db *conn, err error) {
	err = c.patiently(ctx, func() error {
		db, err = open(ctx, all[0].file, readWrite)
		for i := 1; err == nil && i < len(all); i++ {
			if err = db.exec(ctx, `ATTACH ? AS `+schemaName(i), dsn(all[i].file, readWrite)); err != nil {
				return closing(codeOf(ctx, "sqlite: attach", all[i].file, err), db.Close)
			}
		}
		return err
	})
	return db, err
}

// freeze makes reader see all databases as of one moment; see copyTogether.
func (c *Connector) freeze(ctx context.Context, reader *conn, all []member) (err error) {
	writer, err := c.attached(ctx, all)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, writer.Close) }()
	if err := writer.exec(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	err = c.look(ctx, reader, all)
	if err != nil {
		err = closing(err, func() error { return reader.exec(context.WithoutCancel(ctx), `ROLLBACK`) })
	}
	return closing(err, func() error { return writer.exec(context.WithoutCancel(ctx), `ROLLBACK`) })
}

// look begins to read in every database.
func (c *Connector) look(ctx context.Context, reader *conn, all []member) error {
	if err := reader.exec(ctx, `BEGIN`); err != nil {
		return err
	}
	for i := range all {
		var objects int64
		if err := reader.one(ctx, `SELECT count(*) FROM `+schemaName(i)+`.sqlite_schema`, &objects); err != nil {
			return err
		}
	}
	return nil
}

// copyLocked copies a database in rollback mode that a lock keeps still.
func (c *Connector) copyLocked(ctx context.Context, file, to string) (err error) {
	s := &snapshot{}
	if s.file, err = c.files.Open(file); err != nil {
		return err
	}
	defer func() { err = closing(err, s.file.Close) }()
	fi, err := s.file.Stat()
	if err != nil {
		return err
	}
	s.size, s.mtime = fi.Size(), fi.ModTime()
	if s.head, err = readHeader(s.file, s.size); err != nil {
		return err
	}
	if s.pageSize = s.head.pageSize(); s.pageSize == 0 {
		s.pageSize = 4096 // of a database of no bytes
	}
	if c.remote(file) {
		s.anew = s.reopen(c, file)
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return tempError(to, err)
	}
	defer func() { err = closing(err, dst.Close) }()
	_, err = io.Copy(tempFile{dst}, &read{snap: s, ctx: ctx})
	return err
}

// copies describes the copies to the vault and counts what is in them.
func (c *Connector) copies(ctx context.Context, all []member, states []state, dir string, now time.Time) (items []app.Item, stats app.Stats, err error) {
	stats = app.Stats{statBytes: 0}
	brief, cancel := context.WithTimeout(ctx, c.countTime)
	defer cancel()
	for i, m := range all {
		name := copyName(dir, i)
		st, err := c.state(name)
		if err != nil {
			return nil, nil, err
		}
		mod := states[i].changed()
		if now.Sub(mod).Abs() < 2*time.Second {
			mod = now // a commit a moment later must not look the same
		}
		if i == 1 {
			items = append(items, withFolder(mod))
		}
		items = append(items, app.Item{
			Path: m.name, Size: st.size, ModTime: mod, Mode: states[i].mode.Perm(), Pages: st.head.pageSize(), Open: c.opener(ctx, name),
		})
		stats[statBytes] += st.size
		if err := c.countCopy(ctx, brief, m, name, i, stats); err != nil {
			return nil, nil, err
		}
	}
	return items, stats, nil
}

// countCopy adds the rows of a copy's tables to stats, for as long as brief
// lasts.
func (c *Connector) countCopy(ctx, brief context.Context, m member, name string, i int, stats app.Stats) (err error) {
	db, err := open(ctx, name, immutable)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, db.Close) }()
	counted, err := c.countRows(ctx, brief, db)
	for key, n := range counted {
		switch table, ok := strings.CutPrefix(key, statTable); {
		case !ok:
			stats[key] += n
		case i == 0:
			stats[key] = n
		default:
			stats[statTable+m.name+"/"+table] = n
		}
	}
	return err
}
