package sqlite

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"kvart/app"
)

// capture is one capture of a database. In WAL mode its snapshot is taken at
// once and kept until Close, which harms nobody; in rollback mode, where it
// locks the till out, it is taken when the vault asks for the item and let go
// as soon as the item was read.
type capture struct {
	c    *Connector
	ctx  context.Context // of Capture: governs everything until Close
	name string
	file string
	mode fs.FileMode
	mod  time.Time

	mu      sync.Mutex
	snap    *snapshot
	readers int
	closed  bool
	first   *snapshot // what the item yielded describes; its files may be closed
	stats   app.Stats
}

// Capture implements [app.Connector]. ctx governs the capture until its Close.
func (c *Connector) Capture(ctx context.Context, a app.Access, since app.Marker) (*app.Capture, error) {
	const op = "sqlite: capture"
	all, err := members(a)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		return c.captureTogether(ctx, a, all, since)
	}
	path, file := all[0].path, all[0].file
	now := time.Now()
	before, err := c.state(file)
	if err != nil && !mayEncrypt(a, err) {
		return nil, codeOf(ctx, op, file, err)
	}
	next := before.marker(now)
	if since != "" && next == since {
		return &app.Capture{Idle: true, Close: func() error { return nil }}, nil
	}
	if before.size == 0 && heldData(since) {
		return nil, app.Errorf(app.CodeSourceDamaged, op, "%s held data and is empty now", file).With("path", file)
	}
	if before.sealed {
		return c.captureSealed(ctx, all[0], next)
	}
	cp := &capture{c: c, ctx: ctx, name: filepath.Base(path), file: file, mode: before.mode.Perm(), mod: before.changed()}
	if now.Sub(cp.mod).Abs() < 2*time.Second {
		cp.mod = now // a commit a moment later must not look the same
	}
	if err := cp.acquire(); err != nil {
		return nil, codeOf(ctx, op, file, err)
	}
	if !cp.snap.wal {
		// It was only to learn now rather than later that it can be read.
		if err := cp.let(); err != nil {
			return nil, codeOf(ctx, op, file, err)
		}
	} else if after, err := c.state(file); err == nil && settled(before, after) {
		// Our own checkpoint moved the file's time, and nobody committed.
		next = after.marker(now)
	}
	return &app.Capture{Items: cp.items(), Next: next, Stats: cp.counts, Close: cp.close}, nil
}

// acquire takes the snapshot unless it is held. Only the holder of mu, or who
// has not shared the capture yet, may call it.
func (cp *capture) acquire() (err error) {
	if cp.closed {
		return app.Errorf(app.CodeUsage, "sqlite: capture", "the capture is closed")
	}
	if cp.snap == nil {
		cp.snap, err = cp.c.snapshot(cp.ctx, cp.file)
	}
	return err
}

// let gives the snapshot up.
func (cp *capture) let() error {
	if cp.snap == nil {
		return nil
	}
	snap := cp.snap
	cp.snap = nil
	return snap.Close()
}

func (cp *capture) items() iter.Seq2[app.Item, error] {
	return func(yield func(app.Item, error) bool) {
		item, err := cp.item()
		yield(item, codeOf(cp.ctx, "sqlite: capture", cp.file, err))
	}
}

// item fixes the state that is captured and counts it.
func (cp *capture) item() (app.Item, error) {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if err := cp.acquire(); err != nil {
		return app.Item{}, err
	}
	cp.first = cp.snap
	if cp.stats == nil {
		stats, err := cp.c.count(cp.ctx, cp.snap)
		if err != nil {
			return app.Item{}, closing(err, cp.let)
		}
		cp.stats = stats
	}
	return app.Item{
		Path: cp.name, Size: cp.snap.size, ModTime: cp.mod, Mode: cp.mode,
		Pages: cp.snap.pageSize, Open: cp.open,
	}, nil
}

// open returns a reader of the state the item described. When the lock was let
// go meanwhile it is taken again, and the state must still be the same.
func (cp *capture) open(ctx context.Context) (io.ReadCloser, error) {
	const op = "sqlite: open"
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, codeOf(ctx, op, cp.file, err)
	}
	if cp.snap == nil {
		if err := cp.acquire(); err != nil {
			return nil, codeOf(cp.ctx, op, cp.file, err)
		}
		if cp.snap.size != cp.first.size || cp.snap.head != cp.first.head {
			err := app.Errorf(app.CodeItemChanged, op, "%s was written between two readings", cp.file)
			return nil, closing(err, cp.let)
		}
		cp.first = cp.snap
	}
	cp.readers++
	return &read{snap: cp.snap, ctx: ctx, done: cp.readDone}, nil
}

func (cp *capture) readDone() error {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if cp.readers--; cp.readers > 0 || cp.snap == nil || cp.snap.wal {
		return nil
	}
	return cp.let()
}

func (cp *capture) counts() app.Stats {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	return cp.stats
}

func (cp *capture) close() error {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.closed = true
	return cp.let()
}

// Stats keys, beside [app.StatDamaged]: the tables that could not be read through.
const (
	statBytes = "bytes"
	statTable = "table." // before a table's name
	// app.StatDamaged counts tables that could not be read through: the database
	// was damaged already when it was captured, and is captured all the same,
	// since it may be all the owner has.
)

// count counts the rows of every table in the snapshot's own transaction, but
// never for long: a table that was not reached is left out. In rollback mode
// counting keeps the till waiting, so only a small database is counted.
func (c *Connector) count(ctx context.Context, s *snapshot) (app.Stats, error) {
	stats := app.Stats{statBytes: s.size}
	c.newestOrder(ctx, s.conn, stats)
	if !s.wal && s.size > c.countBytes {
		return stats, nil
	}
	brief, cancel := context.WithTimeout(ctx, c.countTime)
	defer cancel()
	rows, err := c.countRows(ctx, brief, s.conn)
	maps.Copy(stats, rows)
	return stats, err
}

// countRows counts the rows of every table for as long as brief lasts.
func (c *Connector) countRows(ctx, brief context.Context, db *conn) (app.Stats, error) {
	stats := app.Stats{}
	tables, err := db.tables(brief, "main")
	for _, table := range tables {
		n, err := db.rows(brief, "main", table)
		switch {
		case brief.Err() != nil:
			return stats, ctx.Err()
		case damaged(err):
			c.log.Warn("Damaged table", "connector", string(Kind), "table", table, "error", err)
			stats[app.StatDamaged]++
		case err != nil:
			// Built on a function or module only the till has.
			c.log.Info("Table could not be counted", "connector", string(Kind), "table", table, "error", err)
		default:
			stats[statTable+table] = n
		}
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil
	}
	return stats, err
}
