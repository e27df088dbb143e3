package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// table is one whose rows belong to the database's own state.
type table struct {
	oid          uint32
	schema, name string
	columns      []string // those that are stored, in order
	condition    string   // of an extension's table: the rows that are not the extension's own
	extension    bool
	mayRead      bool
	mayUse       bool // the schema
	file         string
}

func (t table) sql() string { return ident(t.schema) + "." + ident(t.name) }

func (t table) key() string { return statTable + fullName(t.schema, t.name) }

// columnList is empty where the server's own choice, every stored column, is
// the only way to say it.
func (t table) columnList() string {
	if len(t.columns) == 0 {
		return ""
	}
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = ident(c)
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// copyOut is the statement that reads the table's rows. A parent's rows are
// its own ones, never its children's.
func (t table) copyOut() string {
	if t.condition == "" {
		return "COPY " + t.sql() + t.columnList() + " TO STDOUT"
	}
	list := strings.TrimSuffix(strings.TrimPrefix(t.columnList(), " ("), ")")
	return "COPY (SELECT " + list + " FROM ONLY " + t.sql() + " " + t.condition + ") TO STDOUT"
}

// ownSchemas leaves out what belongs to the server or to a session.
const ownSchemas = `n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'`

// tables lists the tables with rows of their own, of which those that belong
// to an extension only where the extension says that they hold the owner's
// data. The order never depends on anything but the names.
func tables(ctx context.Context, conn *pgx.Conn) ([]table, error) {
	rows, err := conn.Query(ctx, `
SELECT c.oid, n.nspname, c.relname,
  ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
  COALESCE((SELECT e.extcondition[i] FROM pg_catalog.pg_extension e, generate_subscripts(e.extconfig, 1) i WHERE e.extconfig[i] = c.oid LIMIT 1), ''),
  x.objid IS NOT NULL,
  pg_catalog.has_table_privilege(c.oid, 'SELECT'), pg_catalog.has_schema_privilege(n.oid, 'USAGE')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend x ON x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid AND x.objsubid = 0 AND x.deptype = 'e'
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND `+ownSchemas+`
  AND (x.objid IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE c.oid = ANY (e.extconfig)))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t table, err error) {
		err = row.Scan(&t.oid, &t.schema, &t.name, &t.columns, &t.condition, &t.extension, &t.mayRead, &t.mayUse)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	// Of two names that differ in case alone the plain one keeps its own.
	names := namer{}
	for _, lower := range []bool{true, false} {
		for i, t := range list {
			if (t.name == strings.ToLower(t.name)) == lower {
				list[i].file = names.file(t.schema, t.name)
			}
		}
	}
	return list, nil
}

// sameTables reports whether two lists name the same tables, shaped the same.
func sameTables(a, b []table) bool {
	return slices.EqualFunc(a, b, func(a, b table) bool {
		return a.oid == b.oid && a.schema == b.schema && a.name == b.name && slices.Equal(a.columns, b.columns)
	})
}

// sequence is where a sequence stands.
type sequence struct {
	schema, name string
	mayRead      bool
	last         int64
	called       bool
}

func (s sequence) sql() string { return ident(s.schema) + "." + ident(s.name) }

func (s sequence) setval() string {
	return fmt.Sprintf("SELECT pg_catalog.setval(%s, %d, %v);\n", literal(s.sql()), s.last, s.called)
}

const sequenceList = `
SELECT n.nspname, c.relname, pg_catalog.has_sequence_privilege(c.oid, 'SELECT') FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND ` + ownSchemas + `
  AND (NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')
    OR EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE c.oid = ANY (e.extconfig)))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`

// listSequences lists sequences without looking where they stand.
func listSequences(ctx context.Context, conn *pgx.Conn) ([]sequence, error) {
	rows, err := conn.Query(ctx, sequenceList)
	if err != nil {
		return nil, fmt.Errorf("list sequences: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s sequence, err error) {
		err = row.Scan(&s.schema, &s.name, &s.mayRead)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list sequences: %w", err)
	}
	return list, nil
}

// sequences reads where every sequence stands.
func sequences(ctx context.Context, conn *pgx.Conn) ([]sequence, error) {
	list, err := listSequences(ctx, conn)
	if err != nil {
		return nil, err
	}
	// Many at a time: a shop's program may have one for each of hundreds of tables.
	for from := 0; from < len(list); from += 100 {
		part := list[from:min(from+100, len(list))]
		var b strings.Builder
		for i, s := range part {
			if i > 0 {
				b.WriteString(" UNION ALL ")
			}
			fmt.Fprintf(&b, "SELECT %d, last_value, is_called FROM %s", i, s.sql())
		}
		rows, err := conn.Query(ctx, b.String())
		if err != nil {
			return nil, fmt.Errorf("read sequences: %w", err)
		}
		for rows.Next() {
			var i int
			var s sequence
			if err := rows.Scan(&i, &s.last, &s.called); err != nil {
				return nil, fmt.Errorf("read sequences: %w", err)
			}
			part[i].last, part[i].called = s.last, s.called
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read sequences: %w", err)
		}
	}
	return list, nil
}

// column reads the first column of every row.
func column[T any](ctx context.Context, conn *pgx.Conn, sql string, args ...any) ([]T, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[T])
}

// one reads a single value; the zero one when there is no row.
func one[T any](ctx context.Context, conn *pgx.Conn, sql string, args ...any) (v T, err error) {
	err = conn.QueryRow(ctx, sql, args...).Scan(&v)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, nil
	}
	return v, err
}
