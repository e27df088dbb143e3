package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"kvart/app"
)

// Run is one look at one source.
type Run struct {
	Source  app.SourceID
	Quarter time.Time // start of the quarter it was for
	Started time.Time
	Ended   time.Time
	Result  app.RunResult
}

// Code returns why the run failed, "" when it did not.
func (r Run) Code() app.Code {
	if r.Result.Error == nil {
		return ""
	}
	return r.Result.Error.Code
}

// Verified is a point that was read back.
type Verified struct {
	Point  app.PointID
	Source app.SourceID
	Seq    uint64
	At     time.Time
}

// Place is how far a source is captured.
type Place struct {
	Marker    app.Marker
	Point     app.PointID
	Captured  time.Time
	SafeUntil time.Time
}

// AddRun records a run and, together with it or not at all, what it moved: a
// verified point and the source's place. Either may be nil.
func (j *Journal) AddRun(ctx context.Context, r Run, v *Verified, p *Place) (err error) {
	doc, err := json.Marshal(r.Result)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the error that led here says more
		}
	}()
	if _, err = tx.ExecContext(ctx, `INSERT INTO run (source, quarter, started, ended, state, code, point, uploaded, doc) VALUES (?,?,?,?,?,?,?,?,?)`,
		r.Source, millis(r.Quarter), millis(r.Started), millis(r.Ended), r.Result.State, r.Code(), r.Result.Point, r.Result.BytesUploaded, doc); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if v != nil {
		if _, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO verified (point, source, seq, at) VALUES (?,?,?,?)`, v.Point, v.Source, v.Seq, millis(v.At)); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	if p != nil {
		if _, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO place (source, marker, point, captured, safe_until) VALUES (?,?,?,?,?)`,
			r.Source, p.Marker, p.Point, millis(p.Captured), millis(p.SafeUntil)); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	if err = tx.Commit(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// Place returns how far a source is captured; the zero Place when it is not.
func (j *Journal) Place(ctx context.Context, id app.SourceID) (Place, error) {
	l, err := collect(ctx, j.db, func(rows *sql.Rows) (Place, error) {
		var p Place
		var captured, until int64
		err := rows.Scan(&p.Marker, &p.Point, &captured, &until)
		p.Captured, p.SafeUntil = fromMillis(captured), fromMillis(until)
		return p, err
	}, `SELECT marker, point, captured, safe_until FROM place WHERE source = ?`, id)
	if err != nil || len(l) == 0 {
		return Place{}, err
	}
	return l[0], nil
}

// ForgetPlace makes the next run of a source capture it, whatever its marker.
func (j *Journal) ForgetPlace(ctx context.Context, id app.SourceID) error {
	return j.exec(ctx, `UPDATE place SET marker = '' WHERE source = ?`, id)
}

const runColumns = `SELECT source, quarter, started, ended, doc FROM run `

func scanRun(rows *sql.Rows) (Run, error) {
	var r Run
	var quarter, started, ended int64
	var doc []byte
	if err := rows.Scan(&r.Source, &quarter, &started, &ended, &doc); err != nil {
		return r, err
	}
	r.Quarter, r.Started, r.Ended = fromMillis(quarter), fromMillis(started), fromMillis(ended)
	return r, json.Unmarshal(doc, &r.Result)
}

// Runs returns the runs for quarters from one time to before another, oldest
// first, of one source or, when id is "", of all.
func (j *Journal) Runs(ctx context.Context, id app.SourceID, from, to time.Time) ([]Run, error) {
	return collect(ctx, j.db, scanRun, runColumns+`WHERE quarter >= ? AND quarter < ? AND (? = '' OR source = ?) ORDER BY id`,
		millis(from), millis(to), id, id)
}

// LastRun returns the newest run of a source, and the newest that stored a
// point; nil where there is none.
func (j *Journal) LastRun(ctx context.Context, id app.SourceID) (last, stored *Run, err error) {
	one := func(where string) (*Run, error) {
		l, err := collect(ctx, j.db, scanRun, runColumns+where+` ORDER BY id DESC LIMIT 1`, id)
		if err != nil || len(l) == 0 {
			return nil, err
		}
		return &l[0], nil
	}
	if last, err = one(`WHERE source = ?`); err != nil {
		return nil, nil, err
	}
	stored, err = one(`WHERE source = ? AND state = 'done'`)
	return last, stored, err
}

// AddVerified records points that were read back.
func (j *Journal) AddVerified(ctx context.Context, vs ...Verified) error {
	for _, v := range vs {
		if err := j.exec(ctx, `INSERT OR REPLACE INTO verified (point, source, seq, at) VALUES (?,?,?,?)`, v.Point, v.Source, v.Seq, millis(v.At)); err != nil {
			return err
		}
	}
	return nil
}

// Verified returns every point that was read back and not forgotten since.
func (j *Journal) Verified(ctx context.Context) (map[app.PointID]Verified, error) {
	l, err := collect(ctx, j.db, func(rows *sql.Rows) (Verified, error) {
		var v Verified
		var at int64
		err := rows.Scan(&v.Point, &v.Source, &v.Seq, &at)
		v.At = fromMillis(at)
		return v, err
	}, `SELECT point, source, seq, at FROM verified`)
	if err != nil {
		return nil, err
	}
	m := make(map[app.PointID]Verified, len(l))
	for _, v := range l {
		m[v.Point] = v
	}
	return m, nil
}

// Forget drops points that are no longer kept, or no longer trusted.
func (j *Journal) Forget(ctx context.Context, ids ...app.PointID) error {
	for _, id := range ids {
		if err := j.exec(ctx, `DELETE FROM verified WHERE point = ?`, id); err != nil {
			return err
		}
	}
	return nil
}

// ForgetVault drops everything that is about the vault in use, for another:
// runs, drills and pauses stay, they are about this computer.
func (j *Journal) ForgetVault(ctx context.Context) error {
	for _, q := range []string{`DELETE FROM verified`, `DELETE FROM place`, `DELETE FROM restore`, `DELETE FROM meta`, `DELETE FROM used`, `DELETE FROM unusual`} {
		if err := j.exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// AddPause records that backups were paused from one time to another. A pause
// that begins where the newest one did replaces it: it was prolonged or ended.
func (j *Journal) AddPause(ctx context.Context, from, to time.Time) error {
	if err := j.exec(ctx, `DELETE FROM pause WHERE started = ?`, millis(from)); err != nil {
		return err
	}
	return j.exec(ctx, `INSERT INTO pause (started, ended) VALUES (?,?)`, millis(from), millis(to))
}

// Pause is a time without backups that the owner asked for.
type Pause struct{ From, To time.Time }

// Pauses returns the pauses that touch a span of time.
func (j *Journal) Pauses(ctx context.Context, from, to time.Time) ([]Pause, error) {
	return collect(ctx, j.db, func(rows *sql.Rows) (Pause, error) {
		var a, b int64
		err := rows.Scan(&a, &b)
		return Pause{fromMillis(a), fromMillis(b)}, err
	}, `SELECT started, ended FROM pause WHERE started < ? AND ended > ? ORDER BY started`, millis(to), millis(from))
}

// Trim drops runs, pauses, rests, drills and uses older than a time.
func (j *Journal) Trim(ctx context.Context, before time.Time) error {
	for _, q := range []string{`DELETE FROM run WHERE quarter < ?`, `DELETE FROM pause WHERE ended < ?`, `DELETE FROM rest WHERE quarter < ?`, `DELETE FROM drill WHERE at < ?`, `DELETE FROM used WHERE at < ?`} {
		if err := j.exec(ctx, q, millis(before)); err != nil {
			return err
		}
	}
	return nil
}
