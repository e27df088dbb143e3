// Package journal remembers what happened on this computer: runs, verified
// points, drills, restores. It is an SQLite file and disposable: what a
// restore needs is in the vault. It knows nothing of vaults or schedules.
package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"kvart/app"
)

// Journal is an open journal. It is safe for concurrent use.
type Journal struct{ db *sql.DB }

// How the file is written. On a network drive the memory that processes share
// over a log beside it is none, and locks are the server's: there it is written
// in the older way, by one process that keeps it to itself.
const (
	onDisk  = "_journal_mode=WAL"
	onShare = "_journal_mode=TRUNCATE&_locking_mode=EXCLUSIVE"
)

// Open opens the journal in dir, bringing an older form up to date. A damaged
// file is set aside under a name with the time and a new journal begun.
func Open(ctx context.Context, dir string, log *slog.Logger) (*Journal, error) {
	return openIn(ctx, dir, onDisk, log)
}

// OpenOnShare is [Open] for a folder on a network drive.
func OpenOnShare(ctx context.Context, dir string, log *slog.Logger) (*Journal, error) {
	return openIn(ctx, dir, onShare, log)
}

func openIn(ctx context.Context, dir, mode string, log *slog.Logger) (*Journal, error) {
	path := filepath.Join(dir, "journal.db")
	if v := formOf(path); v > len(migrations) {
		return nil, app.Errorf(app.CodeGuardVersion, "open journal", "form %d was written by a newer Kvart", v)
	}
	j, err := open(ctx, path, mode)
	if err == nil {
		return j, nil
	}
	if app.CodeOf(err) == app.CodeGuardVersion {
		return nil, err
	}
	if !damaged(err) {
		return nil, app.Errorf(app.CodeHomeReadOnly, "open journal", "%w", err).With("path", dir)
	}
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405")
	log.WarnContext(ctx, "Journal is damaged and was set aside", "path", aside, "error", err)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, app.Errorf(app.CodeHomeReadOnly, "set journal aside", "%w", err).With("path", dir)
		}
	}
	if j, err = open(ctx, path, mode); err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "open journal", "%w", err).With("path", dir)
	}
	return j, nil
}

// formOf returns the form that a journal's first page tells, without opening
// it: what a newer program wrote is not touched. It is 0 where there is none.
func formOf(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0 // opening it says why
	}
	var head [64]byte
	_, err = io.ReadFull(f, head[:])
	if err = errors.Join(err, f.Close()); err != nil || string(head[:16]) != "SQLite format 3\x00" {
		return 0
	}
	return int(binary.BigEndian.Uint32(head[60:])) // user_version
}

func damaged(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB)
}

func open(ctx context.Context, path, mode string) (*Journal, error) {
	db, err := sql.Open("sqlite3", "file:"+path+"?"+mode+"&_synchronous=FULL&_busy_timeout=5000&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// one connection: writes are few and small, and none waits for another
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Journal{db}, nil
}

// migrations bring the journal from one form to the next. Add at the end;
// never change one that was released.
var migrations = [...]string{
	`CREATE TABLE run (
		id INTEGER PRIMARY KEY,
		source TEXT NOT NULL,
		quarter INTEGER NOT NULL,  -- start of the quarter it was for; times are Unix milliseconds
		started INTEGER NOT NULL,
		ended INTEGER NOT NULL,
		state TEXT NOT NULL,
		code TEXT NOT NULL,
		point TEXT NOT NULL,
		uploaded INTEGER NOT NULL,
		doc TEXT NOT NULL          -- app.RunResult
	);
	CREATE INDEX run_quarter ON run (quarter);
	CREATE INDEX run_source ON run (source, id);
	CREATE TABLE pause (started INTEGER NOT NULL, ended INTEGER NOT NULL);
	CREATE TABLE place (                -- how far each source is captured
		source TEXT PRIMARY KEY,
		marker TEXT NOT NULL,
		point TEXT NOT NULL,        -- the point that holds the marker's state
		captured INTEGER NOT NULL,  -- when that point was taken
		safe_until INTEGER NOT NULL
	);
	CREATE TABLE verified (
		point TEXT PRIMARY KEY,
		source TEXT NOT NULL,
		seq INTEGER NOT NULL,
		at INTEGER NOT NULL
	);
	CREATE TABLE drill (id INTEGER PRIMARY KEY, source TEXT NOT NULL, at INTEGER NOT NULL, doc TEXT NOT NULL);
	CREATE TABLE restore (id TEXT PRIMARY KEY, started INTEGER NOT NULL, doc TEXT NOT NULL);
	CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);`,
	`CREATE TABLE used (day INTEGER PRIMARY KEY, at INTEGER NOT NULL, bytes INTEGER NOT NULL);`,
	`CREATE TABLE incident (
		id TEXT PRIMARY KEY,
		started INTEGER NOT NULL,
		open INTEGER NOT NULL,
		doc TEXT NOT NULL           -- app.Incident
	);
	CREATE UNIQUE INDEX incident_open ON incident (open) WHERE open = 1;`,
	`CREATE TABLE unusual (
		id INTEGER PRIMARY KEY,
		source TEXT NOT NULL,
		at INTEGER NOT NULL,
		open INTEGER NOT NULL,      -- the owner has yet to answer
		doc TEXT NOT NULL           -- app.Unusual
	);
	CREATE UNIQUE INDEX unusual_open ON unusual (source) WHERE open = 1;
	CREATE TABLE learned (source TEXT PRIMARY KEY, at INTEGER NOT NULL, doc BLOB NOT NULL);
	CREATE TABLE outage (id INTEGER PRIMARY KEY, began INTEGER NOT NULL, ended INTEGER NOT NULL, doc TEXT NOT NULL);
	CREATE TABLE looked (month TEXT PRIMARY KEY, up INTEGER NOT NULL, down INTEGER NOT NULL, unsure INTEGER NOT NULL, millis INTEGER NOT NULL);
	CREATE TABLE alert (cause TEXT PRIMARY KEY, doc TEXT NOT NULL);
	CREATE TABLE outbox (
		id INTEGER PRIMARY KEY,
		channel TEXT NOT NULL,
		cause TEXT NOT NULL,
		due INTEGER NOT NULL,
		doc TEXT NOT NULL           -- journal.Letter
	);`,
	`CREATE TABLE rest (source TEXT NOT NULL, quarter INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (source, quarter)) WITHOUT ROWID;
	CREATE INDEX rest_quarter ON rest (quarter);`,
}

func migrate(ctx context.Context, db *sql.DB) error {
	var v int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&v); err != nil {
		return fmt.Errorf("read journal's form: %w", err)
	}
	if v > len(migrations) {
		return app.Errorf(app.CodeGuardVersion, "open journal", "form %d was written by a newer Kvart", v)
	}
	for ; v < len(migrations); v++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("migrate journal: %w", err)
		}
		if _, err := tx.ExecContext(ctx, migrations[v]+fmt.Sprintf("\nPRAGMA user_version = %d;", v+1)); err != nil {
			return errors.Join(fmt.Errorf("migrate journal to form %d: %w", v+1, err), tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("migrate journal to form %d: %w", v+1, err)
		}
	}
	return nil
}

// Close closes the journal.
func (j *Journal) Close() error { return j.db.Close() }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// collect reads a query's rows by scan.
func collect[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), query string, args ...any) (out []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// document scans one column of JSON.
func document[T any](rows *sql.Rows) (T, error) {
	var b []byte
	var v T
	if err := rows.Scan(&b); err != nil {
		return v, err
	}
	return v, json.Unmarshal(b, &v)
}

func (j *Journal) exec(ctx context.Context, query string, args ...any) error {
	if _, err := j.db.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}
