package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// ownAmcheck is the schema amcheck is put into where a database has none.
const ownAmcheck = "kvart_amcheck"

// indexes is what the server finds when it looks into a database's indexes.
type indexes struct {
	check app.Check
	work  []look
	ours  bool // amcheck goes again when the work is done

	mu      sync.Mutex
	seen    int
	err     error // the first that was found, or what keeps amcheck from being used
	without bool  // amcheck can't be had
}

// askIndexes asks which indexes are invalid, and prepares the look into each
// where the extension for it can be used. The caller calls end.
func askIndexes(ctx context.Context, conn *pgx.Conn, want expected) (*indexes, error) {
	invalid, err := column[string](ctx, conn, "SELECT indexrelid::regclass::text FROM pg_catalog.pg_index WHERE NOT indisvalid AND indrelid >= 16384")
	if err != nil {
		return nil, fmt.Errorf("look for invalid indexes: %w", err)
	}
	x := &indexes{check: app.Check{Code: checkIntegrity, OK: len(invalid) == 0, Detail: "no invalid indexes"}}
	if !x.check.OK {
		x.check.Detail = "invalid: " + display(strings.Join(invalid, ", "))
		x.check.See(app.Seen{Code: app.SeenIndexesDamaged, Count: int64(len(invalid)), Names: invalid})
	}
	if want.brief || want.looked || !x.check.OK {
		return x, nil
	}
	list, err := column[uint32](ctx, conn, `SELECT c.oid FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = c.relam
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE m.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisready AND i.indisvalid AND `+ownSchemas)
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	alone := false
	if want.alone {
		if alone, err = mayCheck(ctx, conn); err != nil {
			return nil, err
		}
	}
	if !alone {
		x.work = []look{{do: func(ctx context.Context, conn *pgx.Conn) error { return x.unnoticed(ctx, conn, list) }}}
		return x, nil
	}
	schema, ours, err := provideAmcheck(ctx, conn)
	if x.ours = ours; err != nil {
		x.without = true
		return x, x.note(ctx, conn, err)
	}
	for _, oid := range list {
		x.work = append(x.work, look{oid, func(ctx context.Context, conn *pgx.Conn) error { return x.into(ctx, conn, schema, oid) }})
	}
	return x, nil
}

// provideAmcheck returns the schema that amcheck's functions are in. Where the
// database has none, they are put there.
func provideAmcheck(ctx context.Context, conn *pgx.Conn) (schema string, ours bool, err error) {
	schema, err = one[string](ctx, conn, "SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'")
	if err != nil || schema != "" {
		return ident(schema), false, err
	}
	err = perform(ctx, conn, "CREATE SCHEMA "+ownAmcheck+"; CREATE EXTENSION amcheck SCHEMA "+ownAmcheck)
	return ownAmcheck, err == nil, err
}

// unnoticed looks into all indexes within one transaction, so that nobody who
// uses the database ever sees what that takes.
func (x *indexes) unnoticed(ctx context.Context, conn *pgx.Conn, list []uint32) (err error) {
	if err := perform(ctx, conn, "BEGIN"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, perform(ctx, conn, "ROLLBACK")) }()
	schema, _, err := provideAmcheck(ctx, conn)
	if err != nil {
		x.without = true
		return x.note(ctx, conn, err)
	}
	for _, oid := range list {
		if err := x.into(ctx, conn, schema, oid); err != nil || x.err != nil {
			return err
		}
	}
	return nil
}

// into looks into one index.
func (x *indexes) into(ctx context.Context, conn *pgx.Conn, schema string, oid uint32) error {
	err := perform(ctx, conn, fmt.Sprintf("SELECT %s.bt_index_check(%d)", schema, oid))
	if err != nil {
		return x.note(ctx, conn, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen++
	return nil
}

// note keeps what the server answered instead. It returns an error where there
// was no answer.
func (x *indexes) note(ctx context.Context, conn *pgx.Conn, err error) error {
	if ctx.Err() != nil || conn.IsClosed() {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
	}
	return nil
}

// end takes amcheck away again.
func (x *indexes) end(ctx context.Context, conn *pgx.Conn) error {
	if !x.ours {
		return nil
	}
	if err := perform(ctx, conn, "DROP EXTENSION amcheck; DROP SCHEMA "+ownAmcheck); err != nil {
		return fmt.Errorf("take amcheck away: %w", err)
	}
	return nil
}

// found tells what was found.
func (x *indexes) found(want expected) app.Check {
	check := x.check
	switch {
	case !check.OK || want.brief:
	case want.looked:
		check.Detail += "; indexes checked before the switch"
		check.See(app.Seen{Code: app.SeenIndexesBefore})
	case x.err == nil:
		check.Detail = strconv.Itoa(x.seen) + " indexes checked"
		check.See(app.Seen{Code: app.SeenIndexesRight, Count: int64(x.seen)})
	case x.without || slices.Contains([]string{"42501", "58P01", "0A000"}, sqlState(x.err)):
		check.Detail += "; not looked into: amcheck can't be used"
		check.See(app.Seen{Code: app.SeenIndexesUnseen})
	default:
		check.OK, check.Detail = false, x.err.Error()
		check.See(app.Seen{Code: app.SeenDatabaseDamaged})
	}
	return check
}

// mayCheck reports whether this user can bring amcheck to a database of this
// server, and nothing there takes note of it: a shop's event trigger may keep a
// book of what comes and goes, or refuse it.
func mayCheck(ctx context.Context, conn *pgx.Conn) (bool, error) {
	may, err := one[bool](ctx, conn, `SELECT rolsuper AND EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'amcheck')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D')
FROM pg_catalog.pg_roles WHERE rolname = current_user`)
	if err != nil {
		return false, fmt.Errorf("ask for amcheck: %w", err)
	}
	return may, nil
}
