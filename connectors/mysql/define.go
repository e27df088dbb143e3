package mysql

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kinds of definitions, as SHOW CREATE knows them and as they are written into
// a point.
const (
	kindProcedure   = "PROCEDURE"
	kindFunction    = "FUNCTION"
	kindPackage     = "PACKAGE"
	kindPackageBody = "PACKAGE BODY"
	kindTrigger     = "TRIGGER"
	kindView        = "VIEW"
	kindEvent       = "EVENT"
)

// definition is one thing of a database that is not a table.
type definition struct {
	kind, name string
	table      string // of a trigger
	sql        string // as SHOW CREATE has it
	enabled    bool   // of an event
	broken     bool   // of a view: it selects from what is no longer there

	mode      string // sql_mode
	client    string // character_set_client
	collation string // of the connection
	database  string // the database's collation then
	zone      string // time zone, of an event
	columns   []string
}

// definitions reads everything that is no table.
func (s *session) definitions(ctx context.Context, v survey) (out []definition, err error) {
	db := s.cfg.database
	routines, err := s.rows(ctx, `SELECT ROUTINE_TYPE AS t, ROUTINE_NAME AS n FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? ORDER BY ROUTINE_TYPE, ROUTINE_NAME`, db)
	if err != nil {
		return nil, err
	}
	for _, r := range routines {
		out = append(out, definition{kind: r.str("t"), name: r.str("n")})
	}
	// A package comes before its body, and both before what uses them.
	order := []string{kindPackage, kindPackageBody, kindFunction, kindProcedure}
	slices.SortStableFunc(out, func(a, b definition) int { return slices.Index(order, a.kind) - slices.Index(order, b.kind) })
	// In the order in which several of one table and moment are called.
	triggers, err := s.rows(ctx, `SELECT TRIGGER_NAME AS n, EVENT_OBJECT_TABLE AS t FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?
		ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`, db)
	if err != nil {
		return nil, err
	}
	for _, r := range triggers {
		out = append(out, definition{kind: kindTrigger, name: r.str("n"), table: r.str("t")})
	}
	for _, t := range v.tables {
		if t.view() {
			out = append(out, definition{kind: kindView, name: t.name})
		}
	}
	events, err := s.column(ctx, `SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ? ORDER BY EVENT_NAME`, db)
	if err != nil {
		return nil, err
	}
	for _, name := range events {
		out = append(out, definition{kind: kindEvent, name: name})
	}
	for i := range out {
		if err := s.define(ctx, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// define reads one definition.
func (s *session) define(ctx context.Context, d *definition) error {
	full := quote(s.cfg.database) + "." + quote(d.name)
	rows, err := s.rows(ctx, `SHOW CREATE `+d.kind+` `+full)
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("no definition of %s %s", d.kind, d.name)
	}
	r := rows[0]
	for _, column := range []string{"create " + strings.ToLower(d.kind), "sql original statement", "create view"} {
		if d.sql == "" {
			d.sql = r.str(column)
		}
	}
	if d.sql == "" {
		return s.rightsError(ctx, "mysql: read definitions", []string{"SHOW CREATE " + d.kind + " " + d.name}, s.backupGrants)
	}
	d.mode, d.client, d.collation = r.str("sql_mode"), r.str("character_set_client"), r.str("collation_connection")
	d.database, d.zone = r.str("database collation"), r.str("time_zone")
	switch d.kind {
	case kindView:
		return s.look(ctx, d)
	case kindEvent:
		d.sql, d.enabled = disabled(d.sql)
	}
	return nil
}

// look finds out the columns of a view, and whether it still works. It asks the
// server only to prepare a reading of it: a view may take long, or do things.
func (s *session) look(ctx context.Context, d *definition) (err error) {
	d.columns, err = s.column(ctx, `SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`, s.cfg.database, d.name)
	if err != nil {
		return err
	}
	stmt, err := s.conn.PrepareContext(ctx, `SELECT * FROM `+quote(s.cfg.database)+`.`+quote(d.name))
	switch numberOf(err) {
	case errViewInvalid, errNoTable, errUnknownDB, 1054, 1305:
		d.broken = true // it selects from what was dropped or renamed since
		return nil
	case 1449:
		return nil // its owner is no longer a user
	}
	if err != nil {
		return err
	}
	return stmt.Close()
}

// disabled turns what makes an event into what makes it disabled, so that it
// does not run before everything is in place.
func disabled(sql string) (out string, was bool) {
	at := strings.Index(sql, " ON COMPLETION ")
	if head := strings.Index(sql, " ON SCHEDULE "); at < 0 || head < 0 || head > at {
		return sql, false
	}
	for _, state := range []string{" PRESERVE ENABLE", " PRESERVE DISABLE", " PRESERVE SLAVESIDE_DISABLED"} {
		if i := strings.Index(sql[at:], state); i >= 0 && i <= len(" ON COMPLETION NOT") {
			i += at
			if state != " PRESERVE ENABLE" {
				return sql, false
			}
			return sql[:i] + " PRESERVE DISABLE" + sql[i+len(state):], true
		}
	}
	return sql, false
}

// write writes a definition as the client program takes it. now is the
// database's collation.
func (d definition) write(b *bytes.Buffer, now string) {
	fmt.Fprintf(b, "--\n-- %s\n--\n\n", d.title())
	if d.broken {
		b.WriteString("-- It did not work any more when it was backed up, and is left out:\n")
		for line := range strings.Lines(d.sql) {
			b.WriteString("-- " + strings.TrimRight(line, "\n") + "\n")
		}
		b.WriteString("\n")
		return
	}
	fmt.Fprintf(b, "SET character_set_client = %s;\nSET collation_connection = %s;\n", d.charset(), d.collation)
	if d.kind != kindView {
		fmt.Fprintf(b, "SET sql_mode = %s;\n", literal(d.mode))
	}
	if d.kind == kindEvent && d.zone != "" {
		fmt.Fprintf(b, "SET time_zone = %s;\n", literal(d.zone))
	}
	moved := d.database != "" && now != "" && d.database != now
	if moved {
		fmt.Fprintf(b, "ALTER DATABASE COLLATE %s;\n", d.database)
	}
	// On a line of its own: the definition may end with a comment.
	delim := d.delimiter()
	if rest, ok := strings.CutPrefix(d.sql, "CREATE "); ok && d.kind == kindView {
		d.sql = "CREATE OR REPLACE " + rest // of the one that held its place
	}
	fmt.Fprintf(b, "%s%s\n%s\n%s\n%s;\n", delimiterWord, delim, d.sql, delim, delimiterWord)
	if moved {
		fmt.Fprintf(b, "ALTER DATABASE COLLATE %s;\n", now)
	}
	b.WriteString("\n")
}

// title names a definition, so that it can be found again.
func (d definition) title() string {
	title := d.kind + " " + quote(d.name)
	if d.kind == kindTrigger {
		title += " ON " + quote(d.table)
	}
	return title
}

// charset is the client's character set to load the definition with. The file
// is in UTF-8: another one will do only where it reads the same bytes.
func (d definition) charset() string {
	ascii, bmp := true, true
	for _, r := range d.sql {
		ascii = ascii && r < utf8.RuneSelf
		bmp = bmp && r <= 0xFFFF
	}
	if d.client != "" && (ascii || bmp && (d.client == "utf8" || d.client == "utf8mb3")) {
		return d.client
	}
	return "utf8mb4"
}

// delimiter returns one that is not in the definition.
func (d definition) delimiter() string {
	delim := ";;"
	for strings.Contains(d.sql, delim) {
		delim += ";"
	}
	return delim
}

// settled ends a file of definitions: what comes after it is loaded as the
// dump's header says.
const settled = "SET NAMES utf8mb4;\nSET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\nSET time_zone = '+00:00';\n"

// written returns the files that hold the definitions, by path. Those of which
// there is nothing are left out.
func (v survey) written() map[string][]byte {
	files := map[string]*bytes.Buffer{}
	at := func(path string) *bytes.Buffer {
		if files[path] == nil {
			files[path] = &bytes.Buffer{}
		}
		return files[path]
	}
	// Views may select from each other: each is a view of the right columns
	// before any is what it should be.
	for _, d := range v.defs {
		if d.kind == kindView && !d.broken {
			fmt.Fprintf(at(fileViews), "CREATE OR REPLACE VIEW %s AS SELECT %s;\n", quote(d.name), placeholder(d.columns))
		}
	}
	for _, d := range v.defs {
		d.write(at(fileOf(d.kind)), v.collation)
	}
	for _, d := range v.defs {
		if d.kind == kindEvent && d.enabled {
			fmt.Fprintf(at(fileEvents), "ALTER EVENT %s ENABLE;\n", quote(d.name))
		}
	}
	out := map[string][]byte{}
	for path, b := range files {
		b.WriteString(settled)
		out[path] = b.Bytes()
	}
	return out
}

func fileOf(kind string) string {
	switch kind {
	case kindTrigger:
		return fileTriggers
	case kindView:
		return fileViews
	case kindEvent:
		return fileEvents
	}
	return fileRoutines
}

func placeholder(columns []string) string {
	var b strings.Builder
	for i, name := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("1 AS " + quote(name))
	}
	if len(columns) == 0 {
		return "1"
	}
	return b.String()
}
