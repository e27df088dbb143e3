package journal

import (
	"context"
	"database/sql"
	"time"

	"kvart/app"
)

// AddRest records that a source was not due in a quarter, and why:
// [app.QuarterPaused] or [app.QuarterRest].
func (j *Journal) AddRest(ctx context.Context, id app.SourceID, quarter time.Time, state app.QuarterState) error {
	return j.exec(ctx, `INSERT OR REPLACE INTO rest (source, quarter, state) VALUES (?,?,?)`, string(id), millis(quarter), string(state))
}

// Rest is a quarter in which a source was not due.
type Rest struct {
	Source  app.SourceID
	Quarter time.Time
	State   app.QuarterState
}

// Rests returns the quarters of a span of time in which a source was not due, or
// with "" any of them.
func (j *Journal) Rests(ctx context.Context, id app.SourceID, from, to time.Time) ([]Rest, error) {
	return collect(ctx, j.db, func(rows *sql.Rows) (Rest, error) {
		var q int64
		var source, state string
		err := rows.Scan(&source, &q, &state)
		return Rest{app.SourceID(source), fromMillis(q), app.QuarterState(state)}, err
	}, `SELECT source, quarter, state FROM rest WHERE quarter >= ? AND quarter < ? AND (? = '' OR source = ?) ORDER BY quarter`,
		millis(from), millis(to), string(id), string(id))
}
