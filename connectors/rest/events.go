package rest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strings"
	"time"

	"kvart/app"
)

// A Witness is a [Shop] that tells who did what.
type Witness interface {
	// Events yields what people and programs did to records since a time, in any
	// order and some of it perhaps once more. It may ask the shop no more than is
	// asked for changes anyway.
	Events(ctx context.Context, since time.Time) iter.Seq2[Event, error]
}

// Event is something that somebody did to one record.
type Event struct {
	Kind   string         `json:"kind"`
	ID     string         `json:"id"`
	At     time.Time      `json:"at"`
	Action app.ChangeKind `json:"action"`
	By     string         `json:"by"` // a person, or a program's name
}

const (
	eventsDir  = "kvart-events" // in a point: a file for each day
	eventsKept = 92 * 24 * time.Hour
	dayForm    = "2006-01-02"
)

// events keeps what the shop tells of who did what. That it doesn't is no reason
// to go without a backup.
func (u *update) events(ctx context.Context) error {
	w, ok := u.shop.(Witness)
	if !ok {
		return nil
	}
	text, err := u.m.meta(ctx, "events")
	if err != nil {
		return err
	}
	began := u.clock()
	since, err := time.Parse(time.RFC3339, text)
	if err != nil {
		since = began // the first time
	}
	var list []Event
	for ev, err := range w.Events(ctx, since.Add(-overlap)) {
		if err != nil {
			if ctx.Err() != nil {
				return canceled(ctx, err)
			}
			u.e.o.Log.WarnContext(ctx, "Who did what is not known", "error", err)
			return nil
		}
		if _, known := u.e.byName[ev.Kind]; known && ev.By != "" {
			list = append(list, ev)
		}
	}
	if err := u.m.putEvents(ctx, list, u.now.Add(-eventsKept)); err != nil {
		return err
	}
	return u.m.setMeta(ctx, "events", began.UTC().Format(time.RFC3339))
}

// putEvents keeps events, and drops those from before a time.
func (m *mirror) putEvents(ctx context.Context, list []Event, before time.Time) error {
	return m.write(ctx, func(tx *sql.Tx) error {
		for _, ev := range list {
			if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?)`, ev.Kind, ev.ID, ev.At.Unix(), string(ev.Action), ev.By); err != nil {
				return wrap("write mirror", err)
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM event WHERE at < ?`, before.Unix())
		return wrap("write mirror", err)
	})
}

// told yields what is known of who did what, a file for each day.
func (c *capture) told(yield func(app.Item, error) bool) bool {
	var day string
	var list []Event
	var items []app.Item
	flush := func() error {
		if len(list) == 0 {
			return nil
		}
		text, err := json.MarshalIndent(list, "", " ")
		items, list = append(items, whole(path.Join(eventsDir, day+".json"), append(text, '\n'))), nil
		return err
	}
	c.mu.Lock()
	err := each(c.ctx, c.conn, func(scan func(...any) error) error {
		var ev Event
		var at int64
		var action string
		if err := scan(&ev.Kind, &ev.ID, &at, &action, &ev.By); err != nil {
			return err
		}
		ev.At, ev.Action = fromUnix(at), app.ChangeKind(action)
		if d := ev.At.Format(dayForm); d != day {
			if err := flush(); err != nil {
				return err
			}
			day = d
		}
		list = append(list, ev)
		return nil
	}, `SELECT kind, id, at, action, who FROM event ORDER BY at, kind, id, action`)
	c.mu.Unlock()
	if err = errors.Join(err, flush()); err != nil {
		return yield(app.Item{}, canceled(c.ctx, err))
	}
	for _, it := range items {
		if !yield(it, nil) {
			return false
		}
	}
	return true
}

// eventsOf reads who did what from a point, from a day on.
func eventsOf(point fs.FS, from string) (out []Event, err error) {
	days, err := fs.ReadDir(point, eventsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", eventsDir, err)
	}
	for _, d := range days {
		if day, ok := strings.CutSuffix(d.Name(), ".json"); !ok || day < from {
			continue
		}
		text, err := fs.ReadFile(point, path.Join(eventsDir, d.Name()))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", eventsDir, err)
		}
		var list []Event
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("read %s: %w", eventsDir, err)
		}
		out = append(out, list...)
	}
	return out, nil
}

// seedEvents takes over what the newest backup knows.
func (e *Engine) seedEvents(ctx context.Context, m *mirror, point fs.FS) error {
	list, err := eventsOf(point, "")
	if err != nil {
		return err
	}
	return m.putEvents(ctx, list, e.o.Now().Add(-eventsKept))
}

// doers finds who did what between two points: the last who did to each record
// what became of it.
type doers map[string]Event // by path and what was done

// doers reads what after knows and before does not.
func (e *Engine) doers(before, after fs.FS) (doers, error) {
	was, err := eventsOf(before, "")
	if err != nil {
		return nil, err
	}
	old, from := map[Event]bool{}, ""
	for _, ev := range was {
		old[ev] = true
		from = max(from, ev.At.Format(dayForm))
	}
	is, err := eventsOf(after, from)
	if err != nil {
		return nil, err
	}
	out := doers{}
	for _, ev := range is {
		k, ok := e.byName[ev.Kind]
		if !ok || old[ev] {
			continue
		}
		key := string(ev.Action) + " " + k.place(ev.ID)
		if last, ok := out[key]; !ok || ev.At.After(last.At) {
			out[key] = ev
		}
	}
	return out, nil
}

// name notes who made a change, where that is known.
func (d doers) name(c *app.Change) {
	ev, ok := d[string(c.Kind)+" "+c.Path]
	if !ok {
		return
	}
	at := ev.At
	c.By, c.At = ev.By, &at
	for i := range c.Fields {
		c.Fields[i].By, c.Fields[i].At = c.By, c.At
	}
}

// authored notes who wrote records that are new, and with them who changed what
// they belong to: a note at an order says who set it to completed.
func (e *Engine) authored(after fs.FS, changes []app.Change) error {
	byPath := map[string]*app.Change{}
	for i := range changes {
		byPath[changes[i].Path] = &changes[i]
	}
	for i := range changes {
		c := &changes[i]
		name, _, _ := strings.Cut(c.Path, "/")
		k := e.byName[name]
		if k.Author == "" || c.Kind != app.ChangeAdded {
			continue
		}
		body, err := fs.ReadFile(after, c.Path)
		if err != nil {
			return fmt.Errorf("compare %s: %w", c.Path, err)
		}
		m, err := decode(body)
		if err != nil {
			return fmt.Errorf("compare %s: %w", c.Path, err)
		}
		at, err := time.Parse("2006-01-02T15:04:05", At(m, k.Dated))
		if by := At(m, k.Author); by == "" || err != nil {
			continue
		}
		c.By, c.At = At(m, k.Author), &at
		of, _ := m[parentField].(string)
		up := byPath[e.byName[k.Parent].place(of)]
		if up != nil && up.Kind == app.ChangeChanged && (up.At == nil || up.At.Before(at)) {
			up.By, up.At = c.By, c.At
			for j := range up.Fields {
				up.Fields[j].By, up.Fields[j].At = c.By, c.At
			}
		}
	}
	return nil
}
