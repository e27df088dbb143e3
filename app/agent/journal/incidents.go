package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"kvart/app"
)

// PutIncident records an incident as it stands, in place of what was recorded
// of it before. A second open one is refused.
func (j *Journal) PutIncident(ctx context.Context, i app.Incident) error {
	doc, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	open := 0
	if i.Closed.IsZero() {
		open = 1
	}
	return j.exec(ctx, `INSERT INTO incident (id, started, open, doc) VALUES (?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET open = excluded.open, doc = excluded.doc`, i.ID, millis(i.Started), open, doc)
}

// Incidents returns the incidents, newest first.
func (j *Journal) Incidents(ctx context.Context) ([]app.Incident, error) {
	return collect(ctx, j.db, document[app.Incident], `SELECT doc FROM incident ORDER BY rowid DESC LIMIT 200`)
}

// OpenIncident returns the open incident, nil when there is none.
func (j *Journal) OpenIncident(ctx context.Context) (*app.Incident, error) {
	l, err := collect(ctx, j.db, document[app.Incident], `SELECT doc FROM incident WHERE open = 1`)
	if err != nil || len(l) == 0 {
		return nil, err
	}
	return &l[0], nil
}
