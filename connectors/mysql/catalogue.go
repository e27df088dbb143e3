package mysql

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unicode/utf8"

	"kvart/app"
	"kvart/connectors/internal/rowpages"
)

var _ app.Cataloguer = (*Connector)(nil)

// maxDefinition bounds what is read of a table's definition.
const maxDefinition = 4 << 20

// longRow is how much of a row is looked at: a value may be a gigabyte, and what
// follows one is not shown.
const longRow = 1 << 20

// Catalogue implements [app.Cataloguer]: the tables of the dump.
func (c *Connector) Catalogue(ctx context.Context, from fs.FS, tmp string) (app.Catalogue, error) {
	list, err := fs.ReadDir(from, tablesDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("mysql: look at tables in the point: %w", err)
	}
	var tables []rowpages.Table
	for _, d := range list {
		if err := ctx.Err(); err != nil {
			return nil, app.Errorf(app.CodeCanceled, "mysql: open catalogue", "%w", err)
		}
		path := tablesDir + "/" + d.Name()
		name := tableName(path)
		if name == "" || !d.Type().IsRegular() {
			continue
		}
		fi, err := d.Info()
		if err != nil {
			return nil, fmt.Errorf("mysql: look at %s in the point: %w", path, err)
		}
		t := rowpages.Table{Name: strings.ToValidUTF8(name, "\uFFFD"), Path: path, Size: fi.Size(), Open: func() (rowpages.Rows, error) { return openRows(from, path) }}
		if t.Columns, err = columnsIn(from, path); err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return rowpages.New(tmp, tables), nil
}

// columnsIn reads the names of a table's columns: those its rows name, else
// those of its definition. Of a text that is none, there are none: what is wrong
// is said when its rows are asked for.
func columnsIn(from fs.FS, path string) (names []string, err error) {
	f, err := from.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mysql: open %s in the point: %w", path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lex := newLexer(f)
	var text []byte
	read := 0
	for read < maxDefinition {
		t, err := lex.next()
		var known *app.Error
		if errors.As(err, &known) {
			return nil, fmt.Errorf("mysql: read %s in the point: %w", path, err)
		}
		if err != nil {
			return names, nil
		}
		read += len(t.text)
		switch {
		case t.space:
			continue
		case lex.insert:
			if of := namedIn(t.text); of != nil {
				return of, nil
			}
			return names, nil
		case t.first:
			text = text[:0]
		}
		if text = append(text, t.text...); t.last && bytes.HasPrefix(text, []byte("CREATE TABLE ")) {
			names = definedIn(string(text))
		}
	}
	return names, nil
}

// definedIn are the columns of a definition as the server writes it: each on a
// line that begins with its name.
func definedIn(create string) (names []string) {
	_, body, _ := strings.Cut(create, "(\n")
	for line := range strings.Lines(body) {
		line = strings.TrimLeft(line, " ")
		if !strings.HasPrefix(line, "`") {
			break
		}
		name, _ := cutName(line)
		names = append(names, name)
	}
	return names
}

// namedIn are the columns that an INSERT names before its VALUES, nil for none.
func namedIn(insert []byte) (names []string) {
	text := string(insert[:min(len(insert), maxDefinition)])
	_, rest, ok := strings.Cut(text, "INTO ")
	if !ok || !strings.HasPrefix(rest, "`") {
		return nil
	}
	_, rest = cutName(rest)
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " "), "(")
	for ok && strings.HasPrefix(strings.TrimLeft(rest, " "), "`") {
		var name string
		name, rest = cutName(strings.TrimLeft(rest, " "))
		names = append(names, name)
		rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " "), ",")
	}
	return names
}

// cutName takes a quoted name off the beginning of s.
func cutName(s string) (name, rest string) {
	for i := 1; i < len(s); i++ {
		if s[i] != '`' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '`' {
			i++
			continue
		}
		return strings.ReplaceAll(s[1:i], "``", "`"), s[i+1:]
	}
	return s, ""
}

// dumpRows are the rows of a table's file.
type dumpRows struct {
	f     fs.File
	lex   *lexer
	read  int64
	queue [][]byte // rows that were read and not handed out yet
	at    int

	text []byte // of the statement that is being read, if it is short
	open bool   // the statement before the rows was read, and the one after them not yet
}

// Dump programs have the table's keys rest while its rows are loaded: what begins
// so is a statement before the rows, or the one after them.
const (
	keysPrefix = "/*!40000 ALTER TABLE "
	keysRest   = " DISABLE KEYS */;"
	keysAgain  = " ENABLE KEYS */;"
)

// errNoEnd is a table whose file ends between two of its statements.
var errNoEnd = errors.New("the table's rows have no end")

func openRows(from fs.FS, path string) (rowpages.Rows, error) {
	f, err := from.Open(path)
	if err != nil {
		return nil, err
	}
	r := &dumpRows{f: f}
	r.lex = newLexer(f)
	r.lex.most = longRow
	r.lex.onRow = func(row []byte) { r.queue = append(r.queue, bytes.Clone(row)) }
	return r, nil
}

// Next implements [rowpages.Rows].
func (r *dumpRows) Next() ([]string, error) {
	for r.at == len(r.queue) {
		r.queue, r.at = r.queue[:0], 0
		t, err := r.lex.next()
		if errors.Is(err, io.EOF) && r.open {
			return nil, errNoEnd
		}
		if err != nil {
			return nil, err
		}
		r.read += int64(len(t.text))
		r.follow(t)
	}
	row := r.queue[r.at]
	r.queue[r.at] = nil
	r.at++
	return cellsOf(row)
}

// follow notes where among the statements the rows stand.
func (r *dumpRows) follow(t token) {
	if t.space || r.lex.insert {
		return
	}
	if t.first {
		r.text = r.text[:0]
	}
	const longest = len(keysPrefix) + 4*64 + len(keysRest) + 64
	if r.text = append(r.text, t.text[:min(len(t.text), longest)]...); !t.last || !bytes.HasPrefix(r.text, []byte(keysPrefix)) {
		return
	}
	r.open = bytes.HasSuffix(r.text, []byte(keysRest)) || r.open && !bytes.HasSuffix(r.text, []byte(keysAgain))
}

// Read implements [rowpages.Rows].
func (r *dumpRows) Read() int64 { return r.read }

// Close implements [rowpages.Rows].
func (r *dumpRows) Close() error { return r.f.Close() }

var errRow = errors.New("a row that is none")

// cellsOf takes a row's values apart.
func cellsOf(row []byte) (cells []string, err error) {
	long := len(row) == longRow
	for {
		row = bytes.TrimLeft(row, " \t\r\n")
		var cell string
		if cell, row, err = value(row); err != nil && long {
			return append(cells, "…"), nil
		}
		if err != nil {
			return nil, err
		}
		cells = append(cells, cell)
		row = bytes.TrimLeft(row, " \t\r\n")
		if len(row) == 0 {
			if long {
				cells[len(cells)-1] = "…" // it goes on
			}
			return cells, nil
		}
		if row[0] != ',' {
			return nil, errRow
		}
		row = row[1:]
	}
}

// value takes the first value off a row. A text may be marked with its
// character set: _binary 'x'.
func value(row []byte) (cell string, rest []byte, err error) {
	if len(row) > 0 && row[0] == '_' {
		marked := bytes.TrimLeft(bytes.TrimLeft(row, "_abcdefghijklmnopqrstuvwxyz0123456789"), " ")
		if len(marked) > 0 && marked[0] == '\'' {
			row = marked
		} else if i := bytes.Index(row, []byte(" 0x")); i > 0 {
			row = row[i+1:]
		}
	}
	if len(row) > 0 && row[0] == '\'' {
		return quotedValue(row)
	}
	end := bytes.IndexByte(row, ',')
	if end < 0 {
		end = len(row)
	}
	word := strings.TrimSpace(string(row[:end]))
	switch {
	case word == "":
		return "", nil, errRow
	case word == "NULL":
		return "", row[end:], nil
	case strings.HasPrefix(word, "0x"):
		return bytesValue(word[2:]), row[end:], nil
	}
	return word, row[end:], nil
}

// quotedValue takes a text in quotes off a row.
func quotedValue(row []byte) (cell string, rest []byte, err error) {
	var b strings.Builder
	for i := 1; i < len(row); i++ {
		switch ch := row[i]; {
		case ch == '\\' && i+1 < len(row):
			i++
			b.WriteByte(unescaped(row[i]))
		case ch == '\'' && i+1 < len(row) && row[i+1] == '\'':
			i++
			b.WriteByte('\'')
		case ch == '\'':
			return b.String(), row[i+1:], nil
		default:
			b.WriteByte(ch)
		}
	}
	return "", nil, errRow
}

func unescaped(ch byte) byte {
	switch ch {
	case '0':
		return 0
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'Z':
		return 26
	}
	return ch
}

// bytesValue is a value written as hexadecimal digits: as text where it is one,
// since texts in a binary column are written so too, else how long it is.
func bytesValue(digits string) string {
	if len(digits) <= 2*64<<10 {
		if b, err := hex.DecodeString(digits); err == nil && utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' }) {
			return string(b)
		}
	}
	return strconv.Itoa(len(digits)/2) + " B"
}
