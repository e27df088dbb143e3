package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kvart/app"
)

// AddDrill records a drill of one source.
func (j *Journal) AddDrill(ctx context.Context, id app.SourceID, d app.DrillResult) error {
	doc, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return j.exec(ctx, `INSERT INTO drill (source, at, doc) VALUES (?,?,?)`, id, millis(d.At), doc)
}

// LastDrill returns the newest drill of a source, nil when there is none.
func (j *Journal) LastDrill(ctx context.Context, id app.SourceID) (*app.DrillResult, error) {
	l, err := collect(ctx, j.db, document[app.DrillResult], `SELECT doc FROM drill WHERE source = ? ORDER BY id DESC LIMIT 1`, id)
	if err != nil || len(l) == 0 {
		return nil, err
	}
	return &l[0], nil
}

// PutRestore records a restore as it stands, in place of what was recorded of
// it before.
func (j *Journal) PutRestore(ctx context.Context, r app.RestoreRecord) error {
	doc, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return j.exec(ctx, `INSERT OR REPLACE INTO restore (id, started, doc) VALUES (?,?,?)`, r.ID, millis(r.Started), doc)
}

// Restores returns the restores, newest first.
func (j *Journal) Restores(ctx context.Context) ([]app.RestoreRecord, error) {
	return collect(ctx, j.db, document[app.RestoreRecord], `SELECT doc FROM restore ORDER BY started DESC, rowid DESC LIMIT 200`)
}

// Keys of what is remembered beside the tables.
const (
	KeyMaintained  = "maintained"   // time of the last maintenance
	KeyChecked     = "checked"      // time of the last daily check
	KeyState       = "state"        // hash of the settings last stored in the vault
	KeyRead        = "read"         // time of the last slice of the rolling check
	KeyCheck       = "check"        // its report
	KeyLock        = "lock"         // the last proof of the lock
	KeyRepaired    = "repaired"     // time of the last repair
	KeyMending     = "mending"      // set while what a repair forgot has yet to be stored again
	KeyLockTried   = "lock_tried"   // time of the last attempt at one
	KeyAside       = "aside"        // since when another guard of the same identity goes on in this one's place
	KeyUpkeep      = "upkeep"       // why maintenance fails, and since when
	KeyDamaged     = "damaged"      // points found damaged, until a check passes
	KeySetup       = "setup"        // a setup that was left in the middle
	KeyUpdate      = "update"       // what the feed of newer versions told last
	KeyUpdateTried = "update_tried" // when it was asked last
)

// Meta returns what is remembered under a key, "" when nothing is.
func (j *Journal) Meta(ctx context.Context, key string) (string, error) {
	var v string
	err := j.db.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = ?`, key).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read journal: %w", err)
	}
	return v, nil
}

// SetMeta remembers a value under a key.
func (j *Journal) SetMeta(ctx context.Context, key, value string) error {
	return j.exec(ctx, `INSERT OR REPLACE INTO meta (key, value) VALUES (?,?)`, key, value)
}

// MetaTime is [Journal.Meta] for a time; zero when there is none.
func (j *Journal) MetaTime(ctx context.Context, key string) (time.Time, error) {
	v, err := j.Meta(ctx, key)
	if err != nil || v == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		return time.Time{}, fmt.Errorf("read journal: %s: %w", key, err)
	}
	return t, nil
}

// SetMetaTime is [Journal.SetMeta] for a time.
func (j *Journal) SetMetaTime(ctx context.Context, key string, t time.Time) error {
	return j.SetMeta(ctx, key, t.UTC().Format(time.RFC3339))
}
