package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// dump writes one table as SQL, row by row as it is read. Loaded into an empty
// database the text makes the same table with the same values, to the last bit
// of a real and the last byte of a blob.
type dump struct {
	ctx   context.Context
	db    *conn
	table string

	buf     bytes.Buffer
	rows    *sql.Rows
	columns []string
	ended   bool
	err     error
}

// Read implements [io.Reader].
func (d *dump) Read(b []byte) (int, error) {
	for d.buf.Len() == 0 {
		if d.err != nil {
			return 0, d.err
		}
		if d.err = d.more(); d.err == nil && d.ended && d.buf.Len() == 0 {
			d.err = io.EOF
		}
	}
	return d.buf.Read(b)
}

// Close implements [io.Closer].
func (d *dump) Close() error {
	d.err = errors.New("read of a closed file")
	d.buf.Reset()
	if d.rows == nil {
		return nil
	}
	rows := d.rows
	d.rows = nil
	return rows.Close()
}

// more writes the next part of the text into the buffer.
func (d *dump) more() error {
	switch {
	case d.ended:
		return nil
	case d.rows == nil:
		return d.begin()
	}
	for d.buf.Len() < 1<<16 {
		if !d.rows.Next() {
			if err := d.rows.Err(); err != nil {
				return err
			}
			return d.end()
		}
		if err := d.row(); err != nil {
			return err
		}
	}
	return nil
}

// begin writes what makes the table and starts to read its rows.
func (d *dump) begin() error {
	var create string
	err := d.db.QueryRowContext(d.ctx, `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`, d.table).Scan(&create)
	if err != nil {
		return fmt.Errorf("read schema of %s: %w", d.table, err)
	}
	if d.columns, err = d.db.stored(d.ctx, "main", d.table); err != nil {
		return fmt.Errorf("read columns of %s: %w", d.table, err)
	}
	fmt.Fprintf(&d.buf, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n%s;\n", create)
	plain := make([]string, len(d.columns))
	for i, name := range d.columns {
		// As an expression a column has no declared type, and the driver hands
		// over what is stored instead of what the type's name suggests.
		plain[i] = "+" + quote(name)
	}
	d.rows, err = d.db.QueryContext(d.ctx, `SELECT `+strings.Join(plain, ", ")+` FROM `+quote(d.table))
	if err != nil {
		return fmt.Errorf("read %s: %w", d.table, err)
	}
	return nil
}

func (d *dump) row() error {
	values := make([]any, len(d.columns))
	dest := make([]any, len(values))
	for i := range values {
		dest[i] = &values[i]
	}
	if err := d.rows.Scan(dest...); err != nil {
		return err
	}
	names := make([]string, len(d.columns))
	for i, name := range d.columns {
		names[i] = quote(name)
	}
	d.buf.WriteString("INSERT INTO " + quote(d.table) + "(" + strings.Join(names, ",") + ") VALUES(")
	for i, v := range values {
		if i > 0 {
			d.buf.WriteByte(',')
		}
		lit, err := literal(v)
		if err != nil {
			return fmt.Errorf("write %s.%s: %w", d.table, d.columns[i], err)
		}
		d.buf.WriteString(lit)
	}
	d.buf.WriteString(");\n")
	return nil
}

// end writes the table's indexes, which are faster made after the rows.
func (d *dump) end() error {
	if err := d.rows.Close(); err != nil {
		return err
	}
	indexes, err := d.db.column(d.ctx, `SELECT sql FROM sqlite_schema
		WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY name`, d.table)
	if err != nil {
		return fmt.Errorf("read indexes of %s: %w", d.table, err)
	}
	for _, index := range indexes {
		d.buf.WriteString(index + ";\n")
	}
	d.buf.WriteString("COMMIT;\n")
	d.ended = true
	return nil
}

// stored lists the columns a table stores; generated ones make themselves.
func (c *conn) stored(ctx context.Context, schema, table string) ([]string, error) {
	return c.column(ctx, `SELECT name FROM pragma_table_xinfo(?, ?) WHERE hidden = 0 ORDER BY cid`, table, schema)
}

// literal spells a value so that SQLite reads back exactly the same.
func literal(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "NULL", nil
	case int64:
		if v == math.MinInt64 {
			return "(-9223372036854775807-1)", nil // the digits alone would read as a real
		}
		return strconv.FormatInt(v, 10), nil
	case float64:
		return realLiteral(v), nil
	case []byte:
		return "X'" + hex.EncodeToString(v) + "'", nil
	case string:
		if strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
			return "CAST(X'" + hex.EncodeToString([]byte(v)) + "' AS TEXT)", nil
		}
		return "'" + strings.ReplaceAll(v, "'", "''") + "'", nil
	}
	return "", fmt.Errorf("value of unexpected type %T", v)
}

func realLiteral(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "9e999"
	case math.IsInf(v, -1):
		return "-9e999"
	case v == 0 && math.Signbit(v):
		return "-0.0"
	}
	s := strconv.FormatFloat(v, 'e', 17, 64)
	if short := strconv.FormatFloat(v, 'g', 15, 64); v == parsed(short) {
		s = short
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0" // or it would be an integer
	}
	return s
}

func parsed(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
