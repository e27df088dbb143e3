package sqlserver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"time"

	"kvart/app"
)

// drillPrefix begins the names of databases of rehearsals. After it comes a
// mark of the source, by which the next rehearsal finds what a killed one left.
const drillPrefix = "kvart_drill_"

// Rehearse implements [app.Rehearser]: in a new database on the same server.
// Where the user may not make one, or there is no room for one, the server
// reads the backup through, checks its checksums and tells what it holds; the
// first check's detail then says that it was only looked at.
func (c *Connector) Rehearse(ctx context.Context, r app.Restore, _ string, p app.Progress) (checks []app.Check, err error) {
	const op = "sqlserver: rehearse"
	j, err := c.job(r)
	if err != nil {
		return nil, err
	}
	j.op = op
	defer func() {
		for i := range checks {
			checks[i].Source = r.Access.Source.Name
		}
	}()
	p.Expect(int64(len(j.files)), j.bytes())
	s, err := c.connect(ctx, j.cfg)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	if err := c.dropDrills(ctx, s, j); err != nil {
		return nil, s.targetCode(ctx, op, err)
	}
	checks, err = c.drill(ctx, s, j, p)
	err = s.targetCode(ctx, op, err)
	switch app.CodeOf(err) {
	case app.CodeTargetFull, app.CodeSourceTooLarge, app.CodeSourceRight:
		if checks != nil {
			return checks, err
		}
		c.log.Info("Rehearsing without restoring", "connector", string(Kind), "reason", err)
		checks, err = c.readThrough(ctx, s, j, p)
		return checks, s.targetCode(ctx, op, err)
	}
	return checks, err
}

func drillMark(cfg config) string {
	sum := sha256.Sum256([]byte(cfg.where() + "\n" + cfg.origin))
	return drillPrefix + hex.EncodeToString(sum[:4]) + "_"
}

// dropDrills removes what a rehearsal left that was killed.
func (c *Connector) dropDrills(ctx context.Context, s *session, j job) error {
	all, err := s.databases(ctx)
	if err != nil {
		return err
	}
	ours := regexp.MustCompile(`^` + drillMark(j.cfg) + `[0-9a-f]{8}$`)
	var errs []error
	for _, d := range all {
		if ours.MatchString(d.name) {
			errs = append(errs, c.swap(s, j).drop(ctx, d))
		}
	}
	return errors.Join(errs...)
}

// drill restores into a database of its own and looks at it.
func (c *Connector) drill(ctx context.Context, s *session, j job, p app.Progress) (checks []app.Check, err error) {
	if err := s.suits(j); err != nil {
		return nil, err
	}
	if err := s.free(ctx, j); err != nil {
		return nil, err
	}
	random, err := randomName(4)
	if err != nil {
		return nil, err
	}
	db := drillMark(j.cfg) + random
	defer func() { err = errors.Join(err, c.endDrill(ctx, j)) }()
	if err := s.load(ctx, c, j, loading{as: db, base: db, tag: j.id + random[:4]}, p); err != nil {
		return nil, err
	}
	proof, err := s.prove(ctx, db, j)
	if err != nil {
		return nil, err
	}
	return append([]app.Check{{Code: checkDrill, OK: true, Detail: "a database of its own on the same server", Seen: []app.Seen{{Code: app.SeenTriedBeside}}}}, proof...), nil
}

// endDrill drops the drill's database, also when the rehearsal was canceled,
// over a connection of its own: with its context a connection ends too.
func (c *Connector) endDrill(ctx context.Context, j job) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute+c.patience)
	defer cancel()
	s, err := c.connect(ctx, j.cfg)
	if err != nil {
		return err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	return c.dropDrills(ctx, s, j)
}

// readThrough has the server read the backup, and compares what it says.
func (c *Connector) readThrough(ctx context.Context, s *session, j job, p app.Progress) (checks []app.Check, err error) {
	t, err := c.stage(s.cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := t.put(ctx, j.from, j.about.File, p); err != nil {
		return nil, err
	}
	var a about
	err = s.shown(t, func() (err error) {
		a, err = s.inspect(ctx, t, j.about.Damaged)
		return err
	})
	looked := app.Check{Code: checkDrill, OK: true, Detail: "only looked at, not restored: RESTORE VERIFYONLY read it through, and its checksums are right"}
	switch {
	case app.CodeOf(s.cfg.codeOf(ctx, j.op, err)) == app.CodeReadBack:
		looked.OK, looked.Detail = false, err.Error()
		looked.See(app.Named(app.SeenBackupUnread, j.about.File))
	case err != nil:
		return nil, err
	case a.LastLSN != j.about.LastLSN || !strings.EqualFold(a.Database, j.about.Database):
		looked.See(app.Seen{Code: app.SeenBackupOther})
		looked.OK, looked.Detail = false, "the backup is of "+a.Database+", up to "+a.LastLSN+", and not of "+j.about.Database+", up to "+j.about.LastLSN
	}
	if looked.OK {
		looked.See(app.Seen{Code: app.SeenTriedVerifying})
	}
	return []app.Check{looked}, nil
}
