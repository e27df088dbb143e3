package sqlserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"kvart/app"
)

// Check implements [app.Connector]. It reads no data. It puts a small file into
// the folder for a moment, to see whether the server sees the same folder.
func (c *Connector) Check(ctx context.Context, a app.Access) (info app.SourceInfo, err error) {
	const op = "sqlserver: check"
	s, err := c.open(ctx, a)
	if err != nil {
		return info, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = s.codeOf(ctx, op, err) }()
	d, err := s.source(ctx, op)
	if err != nil {
		return info, err
	}
	g, err := s.allowed(ctx, op)
	if err != nil {
		return info, err
	}
	t, err := c.stage(s.cfg)
	if err != nil {
		return info, err
	}
	defer func() { c.warn("Could not remove probe", t.Close()) }()
	if err := s.probe(ctx, op, t); err != nil {
		return info, err
	}
	return s.describe(ctx, d, g)
}

func (s *session) describe(ctx context.Context, d database, g grants) (info app.SourceInfo, err error) {
	tables, err := s.tables(ctx, d.name)
	if err != nil {
		return info, err
	}
	used, err := s.used(ctx, d.name)
	if err != nil {
		return info, err
	}
	p, err := s.pulse(ctx, d)
	if err != nil {
		return info, err
	}
	info = app.SourceInfo{Bytes: used, Files: int64(len(tables)), Changed: time.Now(), Details: map[string]string{
		"server": s.server.version + " " + s.server.edition, "tables": strconv.Itoa(len(tables)), "idle": strconv.FormatBool(p.end != ""),
		"account": s.server.account, "recovery": d.recovery,
	}}
	if d.autoClose {
		info.Details["auto_close"] = "true"
		info.Details["statement"] = "ALTER DATABASE " + quote(d.name) + " SET AUTO_CLOSE OFF;"
	}
	if d.encrypted {
		info.Details["encrypted"] = "tde" // can't be restored elsewhere without its certificate
	}
	if d.owner != "" {
		info.Details["owner"] = d.owner
	}
	if len(g.excess) > 0 {
		info.Details["too_many_rights"] = strings.Join(g.excess, ", ")
	}
	lost, err := s.orphans(ctx, d.name)
	if err != nil {
		return info, err
	}
	if len(lost) > 0 {
		info.Details["without_login"] = strings.Join(lost, ", ")
	}
	return info, nil
}

// open connects to the server of a source.
func (c *Connector) open(ctx context.Context, a app.Access) (*session, error) {
	cfg, err := readConfig(a)
	if err != nil {
		return nil, err
	}
	return c.connect(ctx, cfg)
}

// Capture implements [app.Connector]. The server has written its backup, and
// found it whole, before it returns.
func (c *Connector) Capture(ctx context.Context, a app.Access, since app.Marker) (_ *app.Capture, err error) {
	const op = "sqlserver: capture"
	s, err := c.open(ctx, a)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = s.codeOf(ctx, op, err) }()
	d, err := s.source(ctx, op)
	if err != nil {
		return nil, err
	}
	if _, err := s.allowed(ctx, op); err != nil {
		return nil, err
	}
	before, err := s.pulse(ctx, d)
	if err != nil {
		return nil, err
	}
	if before.idle(since) {
		// Nothing is in the folder now that has to be.
		c.warn("Could not look for what earlier runs left", c.sweep(s.cfg))
		return &app.Capture{Idle: true, Close: func() error { return nil }}, nil
	}
	was, err := s.tables(ctx, d.name)
	if err != nil {
		return nil, err
	}
	if heldTables(since) && len(was) == 0 {
		return nil, app.Errorf(app.CodeSourceEmpty, op, "%s had tables and has none now", d.name).With("path", d.name)
	}
	t, ab, err := c.dump(ctx, s, d, false)
	if err != nil {
		return nil, err
	}
	is, err := s.tables(ctx, d.name)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	after, err := c.pulseAfter(ctx, s, d)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	mark := next(before, after, was, is)
	ab.Tables, ab.Exact = count(was, is), exact(mark)
	return t.capture(ab, mark)
}

// dump makes a backup in the folder and closes nothing.
func (c *Connector) dump(ctx context.Context, s *session, d database, damaged bool) (_ *stage, ab about, err error) {
	const op = "sqlserver: capture"
	t, err := c.stage(s.cfg)
	if err != nil {
		return nil, ab, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	need, err := s.used(ctx, d.name)
	if err != nil {
		return nil, ab, err
	}
	if err := s.cfg.room(op, need+need/50+1<<20, app.CodeTempFull); err != nil {
		return nil, ab, err
	}
	if err := s.probe(ctx, op, t); err != nil {
		return nil, ab, err
	}
	if ab, err = s.back(ctx, t, d, damaged); err != nil {
		return nil, ab, err
	}
	ab.Features = s.features(ctx, d.name)
	// Whether it can be read here is known before anybody relies on it.
	f, err := t.open()
	if err != nil {
		return nil, ab, err
	}
	return t, ab, f.Close()
}

// capture makes a capture of a backup in the folder.
func (t *stage) capture(ab about, next app.Marker) (*app.Capture, error) {
	text, err := json.MarshalIndent(ab, "", "  ")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("describe backup: %w", err), t.Close())
	}
	now := time.Now()
	items := []app.Item{
		{Path: fileAbout, Size: int64(len(text)), ModTime: now, Mode: 0o600, Open: opener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(text)), nil
		})},
		{Path: ab.File, Size: ab.Bytes, ModTime: now, Mode: 0o600, Rolling: true, Open: opener(t.open)},
	}
	return &app.Capture{
		Items: func(yield func(app.Item, error) bool) {
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		},
		Next: next, Stats: func() app.Stats { return ab.stats() }, Close: t.Close,
	}, nil
}

func opener(open func() (io.ReadCloser, error)) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		if err := ctx.Err(); err != nil {
			return nil, &app.Error{Code: app.CodeCanceled, Op: "sqlserver: open", Err: err}
		}
		r, err := open()
		if err != nil {
			return nil, err
		}
		return &once{ReadCloser: r}, nil
	}
}

// once is a file that may be closed twice.
type once struct {
	io.ReadCloser
	closed bool
}

func (o *once) Close() error {
	if o.closed {
		return nil
	}
	o.closed = true
	return o.ReadCloser.Close()
}

// Keys of the stats.
const (
	statBytes = "bytes"
	statTable = "table." // before a table's name: its rows
)

func (ab about) stats() app.Stats {
	stats := app.Stats{statBytes: ab.Bytes}
	for _, n := range ab.Tables {
		stats[statTable+n.title()] = n.Rows
	}
	return stats
}

// Present implements [app.Restorer]: a backup of what is there, damaged or not.
// Nothing when there is no such database.
func (c *Connector) Present(ctx context.Context, a app.Access) (_ *app.Capture, err error) {
	const op = "sqlserver: save present state"
	s, err := c.open(ctx, a)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = s.codeOf(ctx, op, err) }()
	d, err := s.source(ctx, op)
	if app.CodeOf(err) == app.CodeInterrupted {
		d, err = s.leftOld(ctx) // what a restore that was cut off had taken away
	}
	if app.CodeOf(err) == app.CodeSourceGone {
		return &app.Capture{Items: func(func(app.Item, error) bool) {}, Stats: func() app.Stats { return nil }, Close: func() error { return nil }}, nil
	}
	if err != nil {
		return nil, err
	}
	was, err := s.tables(ctx, d.name)
	if err != nil {
		return nil, err
	}
	t, ab, err := c.dump(ctx, s, d, false)
	if refused(err, errDamagedPage) || app.CodeOf(err) == app.CodeSourceDamaged {
		t, ab, err = c.dump(ctx, s, d, true)
	}
	if err != nil {
		return nil, err
	}
	ab.Tables, ab.File = count(was, was), backupName(s.cfg.database)
	return t.capture(ab, "")
}
