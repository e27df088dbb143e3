package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// table is a table as the server describes it.
type table struct {
	name     string
	kind     string // "BASE TABLE", "VIEW", "SEQUENCE", "SYSTEM VERSIONED"
	engine   string
	comment  string
	created  string
	updated  string
	rows     int64
	bytes    int64
	broken   bool // it can't be opened
	sequence bool
}

func (t table) view() bool { return strings.HasSuffix(t.kind, "VIEW") }

// transactional reports whether a table's rows are in the dump's transaction.
func (t table) transactional() bool {
	switch strings.ToLower(t.engine) {
	case "innodb", "rocksdb", "tokudb":
		return true
	}
	return t.view() || t.sequence || t.broken
}

// survey is what a database holds, without its rows.
type survey struct {
	charset, collation string
	tables             []table // with views, by name
	defs               []definition
}

// stored returns the names of what keeps rows: tables and sequences.
func (v survey) stored(sequences bool) (names []string) {
	for _, t := range v.tables {
		if !t.view() && t.sequence == sequences {
			names = append(names, t.name)
		}
	}
	return names
}

// exists reports whether a database is there, with its character set.
func (s *session) exists(ctx context.Context, db string) (charset, collation string, ok bool, err error) {
	rows, err := s.rows(ctx, `SELECT DEFAULT_CHARACTER_SET_NAME AS cs, DEFAULT_COLLATION_NAME AS co FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?`, db)
	if err != nil || len(rows) == 0 {
		return "", "", false, err
	}
	return rows[0].str("cs"), rows[0].str("co"), true, nil
}

// survey looks at the database the session is for.
func (s *session) survey(ctx context.Context, op string) (v survey, err error) {
	var ok bool
	if v.charset, v.collation, ok, err = s.exists(ctx, s.cfg.database); err != nil {
		return v, err
	}
	if !ok {
		return v, s.cfg.fail(app.CodeSourceGone, op, fmt.Errorf("no database %q on %s", s.cfg.database, s.cfg.where()))
	}
	// Views name the tables of the chosen database without it, and so can be
	// restored into another.
	if err := s.exec(ctx, `USE `+quote(s.cfg.database)); err != nil {
		return v, err
	}
	if v.tables, err = s.tables(ctx, s.cfg.database); err != nil {
		return v, err
	}
	v.defs, err = s.definitions(ctx, v)
	return v, err
}

// tables lists the tables and views of a database.
func (s *session) tables(ctx context.Context, db string) (out []table, err error) {
	rows, err := s.rows(ctx, `SELECT TABLE_NAME AS n, TABLE_TYPE AS t, ENGINE AS e, TABLE_COMMENT AS c, CREATE_TIME AS ct, UPDATE_TIME AS ut,
		TABLE_ROWS AS r, DATA_LENGTH AS d, INDEX_LENGTH AS i FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?`, db)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		t := table{
			name: r.str("n"), kind: r.str("t"), engine: r.str("e"), comment: r.str("c"), created: r.str("ct"), updated: r.str("ut"),
			rows: r.int("r"), bytes: r.int("d") + r.int("i"), sequence: r.str("t") == "SEQUENCE",
		}
		// A table that can't be opened has no engine, and its comment says why.
		t.broken = !t.view() && r.nulls["e"]
		if t.name != recordTable {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b table) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// unsafe returns the tables that the dump's transaction does not cover.
func (v survey) unsafe() (names []string) {
	for _, t := range v.tables {
		if !t.transactional() {
			names = append(names, t.name)
		}
	}
	return names
}

// versioned returns the tables that keep the history of their rows.
func (v survey) versioned() (names []string) {
	for _, t := range v.tables {
		if t.kind == "SYSTEM VERSIONED" {
			names = append(names, t.name)
		}
	}
	return names
}

func (v survey) bytes() (n int64) {
	for _, t := range v.tables {
		n += t.bytes
	}
	return n
}

// changed returns when a table was changed last, as far as the server knows.
func (v survey) changed() (last time.Time) {
	for _, t := range v.tables {
		for _, text := range []string{t.created, t.updated} {
			at, err := time.ParseInLocation(time.DateTime, strings.SplitN(text, ".", 2)[0], time.Local)
			if err == nil && at.After(last) {
				last = at
			}
		}
	}
	return last
}
