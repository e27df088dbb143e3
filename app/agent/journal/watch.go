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

// Learned returns what was learned of a source, nil when nothing was, and of
// when it is.
func (j *Journal) Learned(ctx context.Context, id app.SourceID) (doc []byte, at time.Time, err error) {
	var ms int64
	err = j.db.QueryRowContext(ctx, `SELECT doc, at FROM learned WHERE source = ?`, id).Scan(&doc, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read journal: %w", err)
	}
	return doc, fromMillis(ms), nil
}

// SetLearned remembers what was learned of a source.
func (j *Journal) SetLearned(ctx context.Context, id app.SourceID, doc []byte, at time.Time) error {
	return j.exec(ctx, `INSERT OR REPLACE INTO learned (source, at, doc) VALUES (?,?,?)`, id, millis(at), doc)
}

// PutUnusual records an unusual change as it stands; one without an ID is new
// and gets one. A second open one of the same source is refused.
func (j *Journal) PutUnusual(ctx context.Context, u *app.Unusual) error {
	open := 0
	if u.Open() {
		open = 1
	}
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // says nothing once it was committed
	if u.ID == 0 {
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM unusual`).Scan(&u.ID); err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
	}
	doc, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO unusual (id, source, at, open, doc) VALUES (?,?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET open = excluded.open, doc = excluded.doc`, u.ID, u.SourceID, millis(u.At), open, doc); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// Unusuals returns unusual changes, newest first; only those that wait for an
// answer with open.
func (j *Journal) Unusuals(ctx context.Context, open bool) ([]app.Unusual, error) {
	return collect(ctx, j.db, document[app.Unusual], `SELECT doc FROM unusual WHERE open = 1 OR NOT ? ORDER BY id DESC LIMIT 500`, open)
}

// AddLooks counts looks at the storefront. Millis is the sum over those up.
func (j *Journal) AddLooks(ctx context.Context, m app.MonthUptime) error {
	return j.exec(ctx, `INSERT INTO looked (month, up, down, unsure, millis) VALUES (?,?,?,?,?) ON CONFLICT (month) DO UPDATE SET
		up = up + excluded.up, down = down + excluded.down, unsure = unsure + excluded.unsure, millis = millis + excluded.millis`,
		m.Month, m.Up, m.Down, m.Unknown, m.Millis)
}

// Months returns the months in which the storefront was looked at, newest first.
func (j *Journal) Months(ctx context.Context) ([]app.MonthUptime, error) {
	return collect(ctx, j.db, func(rows *sql.Rows) (app.MonthUptime, error) {
		var m app.MonthUptime
		err := rows.Scan(&m.Month, &m.Up, &m.Down, &m.Unknown, &m.Millis)
		if m.Up > 0 {
			m.Millis /= m.Up
		}
		return m, err
	}, `SELECT month, up, down, unsure, millis FROM looked ORDER BY month DESC LIMIT 120`)
}

// PutOutage records an outage by when it began, in place of what was recorded
// of it before.
func (j *Journal) PutOutage(ctx context.Context, o app.Outage) error {
	doc, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return j.exec(ctx, `INSERT INTO outage (id, began, ended, doc) VALUES (?,?,?,?) ON CONFLICT (id) DO UPDATE SET
		ended = excluded.ended, doc = excluded.doc`, millis(o.Begin), millis(o.Begin), millis(o.End), doc)
}

// Outages returns the outages, newest first.
func (j *Journal) Outages(ctx context.Context) ([]app.Outage, error) {
	return collect(ctx, j.db, document[app.Outage], `SELECT doc FROM outage ORDER BY began DESC LIMIT 500`)
}

// OpenOutage returns the outage that lasts, nil when there is none.
func (j *Journal) OpenOutage(ctx context.Context) (*app.Outage, error) {
	l, err := collect(ctx, j.db, document[app.Outage], `SELECT doc FROM outage WHERE ended = 0 ORDER BY began DESC LIMIT 1`)
	if err != nil || len(l) == 0 {
		return nil, err
	}
	return &l[0], nil
}

// Standing is a cause that the owner was alerted to.
type Standing struct {
	Cause string `json:"cause"`
	Title string `json:"title"`
	Alarm bool   `json:"alarm"`
	// Opened is when it came to stand, Closed when it was solved; zero while it
	// stands.
	Opened time.Time `json:"opened"`
	Closed time.Time `json:"closed"`
	// Told is when the owner was told of it last, Times how often.
	Told  time.Time `json:"told"`
	Times int       `json:"times"`
}

// Standings returns every cause there ever was, by its name.
func (j *Journal) Standings(ctx context.Context) (map[string]Standing, error) {
	l, err := collect(ctx, j.db, document[Standing], `SELECT doc FROM alert`)
	if err != nil {
		return nil, err
	}
	m := make(map[string]Standing, len(l))
	for _, s := range l {
		m[s.Cause] = s
	}
	return m, nil
}

// Letter is an alert on its way by one channel.
type Letter struct {
	ID      int64     `json:"-"`
	Channel string    `json:"channel"`
	Alert   app.Alert `json:"alert"`
	Due     time.Time `json:"due"`
	Tries   int       `json:"tries"`
}

// PutStanding records how a cause stands and, with it or not at all, drops
// letters about it that are not sent yet and adds new ones.
func (j *Journal) PutStanding(ctx context.Context, s Standing, drop bool, letters ...Letter) error {
	doc, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // says nothing once it was committed
	if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO alert (cause, doc) VALUES (?,?)`, s.Cause, doc); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if drop {
		if _, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE cause = ?`, s.Cause); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	for _, l := range letters {
		doc, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO outbox (channel, cause, due, doc) VALUES (?,?,?,?)`, l.Channel, s.Cause, millis(l.Due), doc); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// Letters returns the letters that are not sent yet, oldest first.
func (j *Journal) Letters(ctx context.Context) ([]Letter, error) {
	return collect(ctx, j.db, func(rows *sql.Rows) (Letter, error) {
		var l Letter
		var id int64
		var doc []byte
		if err := rows.Scan(&id, &doc); err != nil {
			return l, err
		}
		err := json.Unmarshal(doc, &l)
		l.ID = id
		return l, err
	}, `SELECT id, doc FROM outbox ORDER BY id LIMIT 1000`)
}

// PutLetter records that a letter is to be tried again.
func (j *Journal) PutLetter(ctx context.Context, l Letter) error {
	doc, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return j.exec(ctx, `UPDATE outbox SET due = ?, doc = ? WHERE id = ?`, millis(l.Due), doc, l.ID)
}

// DropLetter drops a letter that was sent or given up.
func (j *Journal) DropLetter(ctx context.Context, id int64) error {
	return j.exec(ctx, `DELETE FROM outbox WHERE id = ?`, id)
}

// Drills returns the drills of a source, or of all with "", newest first.
func (j *Journal) Drills(ctx context.Context, id app.SourceID) ([]app.DrillResult, error) {
	return collect(ctx, j.db, document[app.DrillResult], `SELECT doc FROM drill WHERE source = ? OR ? = '' ORDER BY id DESC LIMIT 500`, id, id)
}

// Busy counts, for each hour of the local day, the days since a time in which
// anything was looked at, and the runs that found something new.
func (j *Journal) Busy(ctx context.Context, since time.Time) (looked, moved [24]int, err error) {
	type row struct {
		at   time.Time
		done bool
	}
	rows, err := collect(ctx, j.db, func(rows *sql.Rows) (row, error) {
		var ms int64
		var state app.RunState
		err := rows.Scan(&ms, &state)
		return row{fromMillis(ms), state == app.RunDone}, err
	}, `SELECT started, state FROM run WHERE quarter >= ? AND state IN ('done', 'idle')`, millis(since))
	if err != nil {
		return looked, moved, err
	}
	days := map[string]bool{}
	for _, r := range rows {
		at := r.at.Local()
		if day := at.Format("2006-01-02 15"); !days[day] {
			days[day] = true
			looked[at.Hour()]++
		}
		if r.done {
			moved[at.Hour()]++
		}
	}
	return looked, moved, nil
}
