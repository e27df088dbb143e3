package rest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the mirror's engine

	"kvart/app"
)

// mirrorVersion moves when an older mirror can't be used; it is then made anew.
const mirrorVersion = "1"

const schema = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS record (
	kind TEXT NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL, hash BLOB NOT NULL, size INTEGER NOT NULL,
	modified INTEGER NOT NULL, stamp INTEGER NOT NULL, gen INTEGER NOT NULL, json BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS record_id ON record (kind, id, hash, size, modified);
CREATE INDEX IF NOT EXISTS record_parent ON record (kind, parent);
CREATE TABLE IF NOT EXISTS kind (name TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS held (kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS file (url TEXT PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL, code TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event (kind TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, action TEXT NOT NULL, who TEXT NOT NULL, PRIMARY KEY (kind, id, at, action));
CREATE TABLE IF NOT EXISTS mention (kind TEXT NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS remade (kind TEXT NOT NULL, was TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, was));
`

// kindState is what the mirror remembers of a kind.
type kindState struct {
	Cursor  time.Time         `json:"cursor"`           // by the shop's clock
	Listed  time.Time         `json:"listed"`           // the whole list, last
	Swept   time.Time         `json:"swept"`            //
	Asked   time.Time         `json:"asked"`            // last, with success
	Gen     int64             `json:"gen"`              // of the last list begun
	Listing bool              `json:"listing"`          // that list was not finished
	Resume  string            `json:"resume,omitempty"` // where to go on with it
	Began   time.Time         `json:"began"`            // that list, by the shop's clock
	Absent  bool              `json:"absent,omitempty"` // the shop never had this kind
	Code    app.Code          `json:"code,omitempty"`   // why it is not captured
	Args    map[string]string `json:"args,omitempty"`
	Failed  time.Time         `json:"failed"` // since when
	Held    int               `json:"held,omitempty"`
}

// mirror is the copy of a shop on this computer. One goroutine writes at a
// time; readers see the state of one moment.
type mirror struct {
	db  *sql.DB
	dir string
}

// openMirror opens the mirror in dir, or makes an empty one: also when what
// lies there is damaged, since everything in it can be fetched again.
func openMirror(ctx context.Context, dir string) (*mirror, error) {
	m, err := tryMirror(ctx, dir)
	if err == nil || ctx.Err() != nil {
		return m, err
	}
	if Full(err) {
		return nil, noRoom(err) // it is not damaged
	}
	for _, name := range []string{"mirror.db", "mirror.db-wal", "mirror.db-shm"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove damaged mirror: %w", err)
		}
	}
	return tryMirror(ctx, dir)
}

func tryMirror(ctx context.Context, dir string) (*mirror, error) {
	at := filepath.Join(dir, "mirror.db")
	name := url.URL{Path: filepath.ToSlash(at)} // a folder may be called anything
	db, err := sql.Open("sqlite3", "file:"+name.EscapedPath()+"?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=60000&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open mirror: %w", err)
	}
	m := &mirror{db: db, dir: dir}
	if err := m.prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return m, os.Chmod(at, 0o600)
}

func (m *mirror) prepare(ctx context.Context) error {
	if _, err := m.db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("prepare mirror: %w", err)
	}
	v, err := m.meta(ctx, "version")
	switch {
	case err != nil:
		return err
	case v == "":
		return m.setMeta(ctx, "version", mirrorVersion)
	case v != mirrorVersion:
		return fmt.Errorf("mirror of version %s", v)
	}
	return nil
}

func (m *mirror) close() error { return m.db.Close() }

func (m *mirror) meta(ctx context.Context, name string) (string, error) {
	var v string
	err := m.db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, wrap("read mirror", err)
}

func (m *mirror) setMeta(ctx context.Context, name, value string) error {
	_, err := m.db.ExecContext(ctx, `INSERT OR REPLACE INTO meta VALUES (?, ?)`, name, value)
	return wrap("write mirror", err)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// state returns what is remembered of a kind.
func (m *mirror) state(ctx context.Context, kind string) (s kindState, err error) {
	var text string
	err = m.db.QueryRowContext(ctx, `SELECT state FROM kind WHERE name = ?`, kind).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	return s, wrap("read mirror", err)
}

// execer is a database or a transaction of it.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func setState(ctx context.Context, x execer, kind string, s kindState) error {
	text, err := json.Marshal(s)
	if err == nil {
		_, err = x.ExecContext(ctx, `INSERT OR REPLACE INTO kind VALUES (?, ?)`, kind, string(text))
	}
	return wrap("write mirror", err)
}

// row is a record as the mirror keeps it.
type row struct {
	Key
	hash     [sha256.Size]byte
	size     int64
	modified time.Time
	json     []byte
	files    []string // addresses of its media
}

// put keeps records of a kind, what they mention and the kind's state with them,
// all or nothing.
func (m *mirror) put(ctx context.Context, k Kind, rows []row, mentions []mention, s kindState) error {
	return m.write(ctx, func(tx *sql.Tx) error {
		for _, r := range mentions {
			if err := putMention(ctx, tx, r); err != nil {
				return err
			}
		}
		into, err := newRowWriter(ctx, tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := into.put(ctx, k, r, s.Gen); err != nil {
				return err
			}
			if s.Held == 0 {
				continue
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM held WHERE kind = ? AND id = ?`, k.Name, r.ID); err != nil {
				return wrap("write mirror", err)
			}
		}
		return setState(ctx, tx, k.Name, s)
	})
}

// rowWriter writes rows in one transaction, which ends it.
type rowWriter struct{ file, keep, drop, insert *sql.Stmt }

func newRowWriter(ctx context.Context, tx *sql.Tx) (w rowWriter, err error) {
	for _, q := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&w.file, `INSERT OR IGNORE INTO file VALUES (?, '', 0, '', 0)`},
		{&w.keep, `UPDATE record SET gen = ?, stamp = ? WHERE kind = ? AND id = ? AND hash = ? AND parent = ?`},
		{&w.drop, `DELETE FROM record WHERE kind = ? AND id = ?`},
		{&w.insert, `INSERT INTO record (kind, id, parent, hash, size, modified, stamp, gen, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`},
	} {
		if *q.stmt, err = tx.PrepareContext(ctx, q.text); err != nil {
			return w, wrap("write mirror", err)
		}
	}
	return w, nil
}

func (w rowWriter) put(ctx context.Context, k Kind, r row, gen int64) error {
	for _, url := range r.files {
		if _, err := w.file.ExecContext(ctx, url); err != nil {
			return wrap("write mirror", err)
		}
	}
	// what is unchanged keeps its row: only its number of the list moves
	res, err := w.keep.ExecContext(ctx, gen, unix(r.modified), k.Name, r.ID, r.hash[:], r.Parent)
	if err != nil {
		return wrap("write mirror", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return wrap("write mirror", err)
	}
	if _, err := w.drop.ExecContext(ctx, k.Name, r.ID); err != nil {
		return wrap("write mirror", err)
	}
	_, err = w.insert.ExecContext(ctx, k.Name, r.ID, r.Parent, r.hash[:], len(r.json), unix(r.modified), unix(r.modified), gen, r.json)
	return wrap("write mirror", err)
}

func (m *mirror) write(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return wrap("write mirror", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return wrap("write mirror", tx.Commit())
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromUnix(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
