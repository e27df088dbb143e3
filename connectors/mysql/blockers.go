package mysql

import (
	"context"
	"fmt"
	"slices"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// needed are the rights a restore needs on the database and the two beside it.
func needed() []string {
	return []string{
		"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES", "LOCK TABLES",
		"CREATE VIEW", "SHOW VIEW", "TRIGGER", "EVENT", "CREATE ROUTINE", "ALTER ROUTINE",
	}
}

// blockers lists what must be solved before a restore into a database. It
// only looks.
func (c *Connector) blockers(ctx context.Context, s *session, j job) (out []*app.Error, err error) {
	block := func(err error) error {
		if known := app.AsError(err); known != nil && known.Code != app.CodeInternal && known.Code != app.CodeCanceled {
			out = append(out, known)
			return nil
		}
		return err
	}
	if _, err := c.program(ctx, s, roleLoad()); err != nil {
		if err := block(err); err != nil {
			return nil, err
		}
	}
	if err := s.mayRestore(ctx, j.op); err != nil {
		if err := block(err); err != nil {
			return nil, err
		}
	}
	if err := s.takes(ctx, j, false); err != nil {
		if err := block(err); err != nil {
			return nil, err
		}
	}
	if err := s.unreferenced(ctx, j); err != nil {
		if err := block(err); err != nil {
			return nil, err
		}
	}
	if err := c.room(ctx, s, j); err != nil {
		if err := block(err); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mayRestore makes sure of the rights to restore.
func (s *session) mayRestore(ctx context.Context, op string) error {
	g, err := s.grants(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, right := range needed() {
		for _, db := range []string{s.cfg.database, beside(s.cfg.database, newSuffix), beside(s.cfg.database, oldSuffix)} {
			if !g.has(right, db) && !slices.Contains(missing, right) {
				missing = append(missing, right)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return s.rightsError(ctx, op, missing, func(db, account string, _ bool) []string { return restoreGrants(db, account) })
}

// takes makes sure that the server takes the longest statement of the point;
// with set it makes the server take it, if it may.
func (s *session) takes(ctx context.Context, j job, set bool) error {
	var packet int64
	if err := s.one(ctx, `SELECT @@GLOBAL.max_allowed_packet`, &packet); err != nil {
		return err
	}
	need := (j.about.Longest + 1<<20) &^ 1023
	if j.about.Longest < packet {
		return nil
	}
	statement := fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", need)
	g, err := s.grants(ctx)
	if err != nil {
		return err
	}
	if need <= 1<<30 && (g.has("SUPER", "") || g.has("SYSTEM_VARIABLES_ADMIN", "")) {
		if set {
			return s.exec(ctx, statement)
		}
		return nil
	}
	e := j.cfg.tooLarge(j.op, fmt.Errorf("the server takes %d bytes at once, the point has a row of %d", packet, j.about.Longest))
	return e.With("statement", statement+";")
}

// unreferenced makes sure that nothing that stays refers to a table that is
// exchanged: a foreign key follows the old table to where it is dropped.
func (s *session) unreferenced(ctx context.Context, j job) error {
	rows, err := s.rows(ctx, `SELECT CONSTRAINT_SCHEMA AS s, TABLE_NAME AS t, REFERENCED_TABLE_NAME AS r FROM information_schema.REFERENTIAL_CONSTRAINTS
		WHERE UNIQUE_CONSTRAINT_SCHEMA = ? ORDER BY s, t`, j.cfg.database)
	if err != nil {
		return err
	}
	moving := slices.Concat(j.tables, j.gone)
	for _, r := range rows {
		own := r.str("s") == j.cfg.database
		if own && (j.whole || slices.Contains(moving, r.str("t"))) || !j.whole && !slices.Contains(moving, r.str("r")) {
			continue
		}
		by := r.str("t")
		if !own {
			by = r.str("s") + "." + by
		}
		return app.Errorf(app.CodeTargetInUse, j.op, "%s refers to %s", by, r.str("r")).
			With("path", r.str("r")).With("table", by).With("reason", "referenced")
	}
	return nil
}

// room looks at the server's disk where that is one of this computer's.
func (c *Connector) room(ctx context.Context, s *session, j job) error {
	if !j.cfg.local() {
		return nil
	}
	var dir string
	if err := s.one(ctx, `SELECT @@datadir`, &dir); err != nil {
		return err
	}
	if free, err := volume.Free(dir); err == nil && j.bytes() > free {
		return app.Errorf(app.CodeTargetFull, j.op, "%d bytes to restore, %d free in %s", j.bytes(), free, dir).
			With("path", dir).With("need", fmt.Sprint(j.bytes())).With("free", fmt.Sprint(free))
	}
	return nil
}
