package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// clearSchemas empties a database of everything but what extensions made. What
// another object needs to be dropped with goes with it; what an object owns
// for itself, such as an identity column's sequence, is never dropped alone.
const clearSchemas = `DO $kvart$
DECLARE
  s name;
  what record;
BEGIN
  FOR s IN SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE ` + ownSchemas + ` AND n.nspname <> 'public'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', s);
  END LOOP;
  LOOP
    SELECT i.type, i.identity INTO what
    FROM pg_catalog.pg_depend d, pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.deptype = 'n'
      AND d.refobjid = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'public')
      AND d.classid NOT IN ('pg_catalog.pg_default_acl'::regclass, 'pg_catalog.pg_extension'::regclass)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = d.classid AND x.objid = d.objid AND x.deptype IN ('e', 'i'))
    ORDER BY d.classid = 'pg_catalog.pg_class'::regclass DESC LIMIT 1;
    EXIT WHEN NOT FOUND;
    EXECUTE format('DROP %s %s CASCADE',
      CASE what.type WHEN 'composite type' THEN 'type' WHEN 'statistics object' THEN 'statistics' ELSE what.type END, what.identity);
  END LOOP;
END $kvart$`

// inside restores within the database, for a user that may not make another:
// one transaction empties it, loads the point and counts it, so that nobody
// ever sees half of it and a kill leaves it as it was. What stands outside
// every schema, such as servers of foreign tables, stays.
func (j *job) inside(ctx context.Context, p app.Progress) error {
	conn, err := j.connect(ctx, j.name)
	if err != nil {
		return err
	}
	defer j.let(ctx, conn)
	if have, _, err := marked(ctx, conn, j.name); err != nil || have == j.mark {
		return err
	}
	if err := perform(ctx, conn, fmt.Sprintf("BEGIN; SET LOCAL lock_timeout = %d", j.c.lockWait.Milliseconds())); err != nil {
		return err
	}
	if err := perform(ctx, conn, clearSchemas); err != nil {
		return fmt.Errorf("empty the database: %w", err)
	}
	if err := perform(ctx, conn, "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata"); err != nil {
		return fmt.Errorf("empty the database: %w", err)
	}
	j.c.step("emptied")
	l := &loader{conn: conn, from: j.r.From, p: p, whole: true, rows: map[string]int64{}, step: j.c.step}
	list := slices.DeleteFunc(slices.Clone(j.files), func(f file) bool { return f.name == fileRoles || f.name == fileDatabase })
	if err := l.load(ctx, list); err != nil {
		return err
	}
	for _, n := range l.notes {
		j.c.log.Warn("Not given back", "connector", string(Kind), "what", n)
	}
	checks, err := j.inspect(ctx, conn, expected{stats: j.r.Stats, rows: l.rows, brief: true})
	if err != nil {
		return err
	}
	for _, check := range checks {
		if !check.OK {
			return app.Errorf(app.CodeCheckFailed, opRestore, "%s: %s", check.Code, check.Detail).With("source", j.r.Access.Source.Name).With("detail", check.Detail)
		}
	}
	if j.rights.owns && !j.r.Raw {
		if err := mark(ctx, conn, j.name, j.mark); err != nil {
			return err
		}
	}
	j.c.step("checked")
	return commit(ctx, conn)
}

// commit ends a transaction and makes sure that it was no rollback.
func commit(ctx context.Context, conn *pgx.Conn) error {
	tag, err := conn.Exec(ctx, "COMMIT")
	if err == nil && tag.String() != "COMMIT" {
		err = app.Errorf(app.CodeCheckFailed, opRestore, "the transaction was rolled back")
	}
	return err
}
