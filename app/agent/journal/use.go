package journal

import (
	"context"
	"database/sql"
	"time"
)

// Use is how many bytes the vault held at a time.
type Use struct {
	At    time.Time
	Bytes int64
}

// AddUse remembers a use, in place of an earlier one of the same day.
func (j *Journal) AddUse(ctx context.Context, u Use) error {
	day := u.At.Unix() / int64((24 * time.Hour).Seconds())
	return j.exec(ctx, `INSERT OR REPLACE INTO used (day, at, bytes) VALUES (?,?,?)`, day, millis(u.At), u.Bytes)
}

// Uses returns what was remembered since a time, oldest first.
func (j *Journal) Uses(ctx context.Context, since time.Time) ([]Use, error) {
	return collect(ctx, j.db, func(rows *sql.Rows) (Use, error) {
		var u Use
		var at int64
		err := rows.Scan(&at, &u.Bytes)
		u.At = fromMillis(at)
		return u, err
	}, `SELECT at, bytes FROM used WHERE at >= ? ORDER BY at`, millis(since))
}
