package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
)

// Check implements [app.Connector]. It reads the definitions, counts nothing,
// and makes sure that a program is there to dump with.
func (c *Connector) Check(ctx context.Context, a app.Access) (info app.SourceInfo, err error) {
	const op = "mysql: check"
	s, err := c.connect(ctx, a)
	if err != nil {
		return info, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	g, v, err := c.ready(ctx, s, op)
	if err != nil {
		return info, s.cfg.codeOf(ctx, op, err)
	}
	p, err := c.program(ctx, s, roleDump())
	if err != nil {
		return info, s.cfg.codeOf(ctx, op, err)
	}
	marker, err := s.marker(ctx, v)
	if err != nil {
		return info, s.cfg.codeOf(ctx, op, err)
	}
	info = app.SourceInfo{Bytes: v.bytes(), Files: int64(len(v.stored(false))), Changed: v.changed(), Details: map[string]string{
		"server": s.banner, "program": p.Path + " " + p.Version, "tables": strconv.Itoa(len(v.stored(false))),
		"encrypted": strconv.FormatBool(s.encrypted), "idle": strconv.FormatBool(marker != ""),
	}}
	if info.Changed.IsZero() {
		info.Changed = time.Now()
	}
	for key, names := range map[string][]string{
		"not_transactional": v.unsafe(), "without_history": v.versioned(), "damaged": v.damagedNames(), "broken_views": v.brokenViews(),
		"too_many_rights": s.excess(g),
	} {
		if len(names) > 0 {
			info.Details[key] = strings.Join(names, ", ")
		}
	}
	return info, nil
}

func (v survey) damagedNames() (names []string) {
	for _, t := range v.tables {
		if t.broken {
			names = append(names, t.name)
		}
	}
	return names
}

func (v survey) brokenViews() (names []string) {
	for _, d := range v.defs {
		if d.broken {
			names = append(names, d.name)
		}
	}
	return names
}

// ready makes sure that everything may be seen, and looks at it.
func (c *Connector) ready(ctx context.Context, s *session, op string) (g grants, v survey, err error) {
	if g, err = s.grants(ctx); err != nil {
		return g, v, err
	}
	if _, _, ok, err := s.exists(ctx, s.cfg.database); err != nil {
		return g, v, err
	} else if !ok {
		// A user without any right on a database does not see it.
		if err := s.exec(ctx, `USE `+quote(s.cfg.database)); numberOf(err) == errDBDenied {
			return g, v, s.allowed(ctx, op, g)
		}
		return g, v, s.cfg.fail(app.CodeSourceGone, op, fmt.Errorf("no database %q on %s", s.cfg.database, s.cfg.where()))
	}
	if err := s.allowed(ctx, op, g); err != nil {
		return g, v, err
	}
	v, err = s.survey(ctx, op)
	return g, v, err
}

// Capture implements [app.Connector]. Without a marker the whole dump is made
// before it returns, see the package's comment. With one, which is also how it
// is asked whether anything moved, it is made when the first item is asked for.
func (c *Connector) Capture(ctx context.Context, a app.Access, since app.Marker) (_ *app.Capture, err error) {
	const op = "mysql: capture"
	s, err := c.connect(ctx, a)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = s.cfg.codeOf(ctx, op, err) }()
	_, v, err := c.ready(ctx, s, op)
	if err != nil {
		return nil, err
	}
	next, err := s.marker(ctx, v)
	if err != nil {
		return nil, err
	}
	if since != "" && next == headOf(since) {
		return &app.Capture{Idle: true, Close: func() error { return nil }}, nil
	}
	if heldTables(since) && len(v.stored(false)) == 0 {
		return nil, app.Errorf(app.CodeSourceEmpty, op, "%s had tables and has none now", s.cfg.database).With("path", s.cfg.database)
	}
	if since != "" {
		return c.later(ctx, a, next, since), nil
	}
	return c.dumpNow(ctx, s, v, next, since)
}

// later is a capture whose dump is made when its items are asked for. next is its
// marker until then.
func (c *Connector) later(ctx context.Context, a app.Access, next, since app.Marker) *app.Capture {
	const op = "mysql: capture"
	made := &app.Capture{Stats: func() app.Stats { return nil }, Close: func() error { return nil }}
	capture := func() (_ *app.Capture, err error) {
		s, err := c.connect(ctx, a)
		if err != nil {
			return nil, err
		}
		defer func() { c.warn("Could not end connection", s.Close()) }()
		defer func() { err = s.cfg.codeOf(ctx, op, err) }()
		_, v, err := c.ready(ctx, s, op)
		if err != nil {
			return nil, err
		}
		next, err := s.marker(ctx, v)
		if err != nil {
			return nil, err
		}
		return c.dumpNow(ctx, s, v, next, since)
	}
	all := &app.Capture{Next: next, Stats: func() app.Stats { return made.Stats() }, Close: func() error { return made.Close() }}
	all.Items = func(yield func(app.Item, error) bool) {
		if made.Items == nil {
			dumped, err := capture()
			if err != nil {
				yield(app.Item{}, err)
				return
			}
			made, all.Next = dumped, dumped.Next
		}
		made.Items(yield)
	}
	return all
}

// dumpNow makes the dump of a capture.
func (c *Connector) dumpNow(ctx context.Context, s *session, v survey, next, since app.Marker) (*app.Capture, error) {
	d, v, next, err := c.dumpSteady(ctx, s, v, next, since)
	if err != nil {
		return nil, err
	}
	return d.capture(c, v, next), nil
}

// dumpSteady dumps until no definition changed meanwhile, and no table that was
// taken over from the point of the marker since.
func (c *Connector) dumpSteady(ctx context.Context, s *session, v survey, next, since app.Marker) (*dumped, survey, app.Marker, error) {
	const op = "mysql: capture"
	var last error
	for range c.tries {
		before, err := s.states(ctx, v)
		if err != nil {
			return nil, v, "", err
		}
		newest := c.newestOrder(ctx, s, v)
		d, err := c.dumpLocked(ctx, s, v, before.unchanged(since, time.Now()))
		number := numberOf(err)
		switch {
		case err == nil:
		case number == errAltered || number == errNoTable || errors.Is(err, errDefinitions):
			last = err
		default:
			return nil, v, "", err
		}
		after, err := s.survey(ctx, op)
		if err != nil {
			return nil, v, "", errors.Join(err, d.drop())
		}
		if d != nil && sameDefinitions(v, after) {
			marker, done, err := d.finish(ctx, s, before, after, next)
			if err != nil {
				return nil, v, "", errors.Join(err, d.spool.Close())
			}
			if done {
				d.newest = newest
				return d, v, marker, nil
			}
		}
		if d != nil {
			last = errDefinitions
		}
		if err := d.drop(); err != nil {
			return nil, v, "", err
		}
		v = after
		if next, err = s.marker(ctx, v); err != nil {
			return nil, v, "", err
		}
	}
	return nil, v, "", s.cfg.fail(app.CodeSourceAltered, op, last)
}

// finish makes the marker of a dump that is done, unless a table that was taken
// over changed meanwhile.
func (d *dumped) finish(ctx context.Context, s *session, before states, after survey, next app.Marker) (_ app.Marker, done bool, err error) {
	now, err := s.states(ctx, after)
	if err != nil || !now.hold(before.server, d.kept) {
		return "", false, err
	}
	d.server = before.server
	next, err = remembers(next, d.remember(before))
	return next, err == nil, err
}

// sameDefinitions compares what rows and times have no part in.
func sameDefinitions(a, b survey) bool {
	return a.collation == b.collation && slices.EqualFunc(a.tables, b.tables, func(x, y table) bool {
		return x.name == y.name && x.kind == y.kind && x.engine == y.engine && x.created == y.created
	}) && slices.EqualFunc(a.defs, b.defs, func(x, y definition) bool {
		return x.kind == y.kind && x.name == y.name && x.table == y.table && x.sql == y.sql && x.enabled == y.enabled && x.broken == y.broken
	})
}

// dumpLocked dumps with the tables locked that the owner wants to be.
func (c *Connector) dumpLocked(ctx context.Context, s *session, v survey, kept map[string]known) (d *dumped, err error) {
	names := v.unsafe()
	if !s.cfg.lock || len(names) == 0 {
		return c.dump(ctx, s, v, kept)
	}
	for i, name := range names {
		names[i] = quote(s.cfg.database) + "." + quote(name) + " READ"
	}
	locker, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// Ending the connection lets the locks go, whatever became of it.
	defer func() { c.warn("Could not let tables go", locker.Close()) }()
	for _, q := range []string{c.waitAtMost(), `LOCK TABLES ` + strings.Join(names, ", ")} {
		if _, err := locker.ExecContext(ctx, q); err != nil {
			return nil, fmt.Errorf("lock tables: %w", err)
		}
	}
	defer func() {
		if _, uerr := locker.ExecContext(context.WithoutCancel(ctx), `UNLOCK TABLES`); uerr != nil {
			c.warn("Could not unlock tables", uerr)
		}
	}()
	return c.dump(ctx, s, v, kept)
}

// capture makes a capture of a dump.
func (d *dumped) capture(c *Connector, v survey, next app.Marker) *app.Capture {
	if len(d.damaged) > 0 {
		next = "" // not to be taken for done
	}
	return &app.Capture{
		Items: func(yield func(app.Item, error) bool) {
			for _, item := range d.items(c) {
				if !yield(item, nil) {
					return
				}
			}
		},
		Next:  next,
		Stats: func() app.Stats { return d.stats(v) },
		Close: d.spool.Close,
	}
}

func (d *dumped) items(c *Connector) (items []app.Item) {
	now := d.at
	items = append(items, app.Item{Path: tablesDir, Size: 0, ModTime: now, Mode: fs.ModeDir | 0o700})
	for _, f := range d.spool.files {
		items = append(items, app.Item{
			Path: f.path, Size: f.size, ModTime: now, Mode: 0o600, Rolling: true,
			Open: func(ctx context.Context) (io.ReadCloser, error) {
				if err := ctx.Err(); err != nil {
					return nil, &app.Error{Code: app.CodeCanceled, Op: "mysql: open", Err: err}
				}
				return d.spool.open(f)
			},
		})
	}
	for name, k := range d.kept {
		items = append(items, c.keptItem(d.cfg, d.server, name, k))
	}
	for name, why := range d.damaged {
		path := tableFile(name)
		items = append(items, app.Item{
			Path: path, Size: -1, ModTime: now, Mode: 0o600, Optional: true,
			Open: func(context.Context) (io.ReadCloser, error) {
				return nil, (&app.Error{Code: app.CodeSourceDamaged, Op: "mysql: open", Err: why}).With("path", path)
			},
		})
	}
	return items
}

// Keys of the stats, beside [app.StatDamaged].
const (
	statBytes    = "bytes"
	statTable    = "table." // before a table's name: its rows
	statViews    = "views"
	statTriggers = "triggers"
	statRoutines = "routines"
	statEvents   = "events"
)

func (d *dumped) stats(v survey) app.Stats {
	stats := app.Stats{statBytes: d.bytes(), statViews: 0, statTriggers: 0, statRoutines: 0, statEvents: 0}
	for name, n := range d.rows {
		stats[statTable+name] = n
	}
	if d.newest > 0 {
		stats[app.StatNewestOrder] = d.newest
	}
	for _, def := range v.defs {
		if !def.broken {
			stats[statOf(def.kind)]++
		}
	}
	if len(d.damaged) > 0 {
		stats[app.StatDamaged] = int64(len(d.damaged))
	}
	return stats
}

func statOf(kind string) string {
	switch kind {
	case kindView:
		return statViews
	case kindTrigger:
		return statTriggers
	case kindEvent:
		return statEvents
	}
	return statRoutines
}

// Present implements [app.Restorer]: a dump of what is there. A table that is
// damaged is an optional item that can't be read.
func (c *Connector) Present(ctx context.Context, a app.Access) (_ *app.Capture, err error) {
	const op = "mysql: save present state"
	s, err := c.connect(ctx, a)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = s.cfg.codeOf(ctx, op, err) }()
	_, v, err := c.ready(ctx, s, op)
	if app.CodeOf(err) == app.CodeSourceGone {
		return &app.Capture{Items: func(func(app.Item, error) bool) {}, Stats: func() app.Stats { return nil }, Close: func() error { return nil }}, nil
	}
	if err != nil {
		return nil, err
	}
	d, v, _, err := c.dumpSteady(ctx, s, v, "", "")
	if err != nil {
		return nil, err
	}
	return d.capture(c, v, ""), nil
}
