package postgres

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"kvart/app"
	"kvart/connectors/internal/rowpages"
)

var _ app.Cataloguer = (*Connector)(nil)

// Catalogue implements [app.Cataloguer]: the tables whose rows a point holds.
func (c *Connector) Catalogue(ctx context.Context, from fs.FS, tmp string) (app.Catalogue, error) {
	list, err := fs.ReadDir(from, dirData)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("postgres: look at tables in the point: %w", err)
	}
	var tables []rowpages.Table
	for _, d := range list {
		if err := ctx.Err(); err != nil {
			return nil, app.Errorf(app.CodeCanceled, "postgres: open catalogue", "%w", err)
		}
		name := path.Join(dirData, d.Name())
		if path.Ext(name) != ".sql" || !d.Type().IsRegular() {
			continue
		}
		fi, err := d.Info()
		if err != nil {
			return nil, fmt.Errorf("postgres: look at %s in the point: %w", name, err)
		}
		t := rowpages.Table{Path: name, Size: fi.Size(), Open: func() (rowpages.Rows, error) { return openRows(from, name) }}
		if t.Name, t.Columns, err = tableHead(from, name); err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return rowpages.New(tmp, tables), nil
}

// tableHead reads what table a file holds, and which columns. Of a file that holds
// none it is the file's name: what is wrong is said when its rows are asked for.
func tableHead(from fs.FS, name string) (table string, columns []string, err error) {
	f, err := from.Open(name)
	if err != nil {
		return "", nil, fmt.Errorf("postgres: open %s in the point: %w", name, err)
	}
	defer func() { err = closing(err, f.Close) }()
	text, read, err := copyStatement(newScript(f))
	var known *app.Error
	if errors.As(err, &known) {
		return "", nil, fmt.Errorf("postgres: read %s in the point: %w", name, err)
	}
	schema, rest, ok1 := cutIdent(strings.TrimPrefix(text, "COPY "))
	of, rest, ok2 := cutIdent(strings.TrimPrefix(rest, "."))
	if err != nil || !ok1 || !ok2 {
		return strings.TrimSuffix(path.Base(name), ".sql"), nil, nil
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(rest), "(")
	for ok {
		var column string
		if column, rest, ok = cutIdent(rest); ok {
			columns = append(columns, display(read(column)))
			rest, ok = strings.CutPrefix(rest, ", ")
		}
	}
	return fullName(read(schema), read(of)), columns, nil
}

// copyStatement goes to the rows, and returns the statement before them, and what
// makes text of what stands in the file.
func copyStatement(s *script) (string, func(string) string, error) {
	read := func(s string) string { return s }
	for {
		text, err := s.next()
		if errors.Is(err, io.EOF) {
			return "", read, io.ErrUnexpectedEOF
		}
		if err != nil || s.rows {
			return text, read, err
		}
		if name, ok := strings.CutPrefix(text, "SET client_encoding = '"); ok {
			read = decoder(strings.TrimSuffix(name, "'"))
		}
	}
}

// decoder makes text of what is in an encoding of PostgreSQL's. Encodings of
// several bytes a character, but UTF-8, are left as they are: what is no text in
// them is shown as such.
func decoder(name string) func(string) string {
	set, ok := map[string]*charmap.Charmap{
		"LATIN1": charmap.ISO8859_1, "LATIN2": charmap.ISO8859_2, "LATIN3": charmap.ISO8859_3, "LATIN4": charmap.ISO8859_4, "LATIN5": charmap.ISO8859_9,
		"LATIN6": charmap.ISO8859_10, "LATIN7": charmap.ISO8859_13, "LATIN8": charmap.ISO8859_14, "LATIN9": charmap.ISO8859_15, "LATIN10": charmap.ISO8859_16,
		"ISO_8859_5": charmap.ISO8859_5, "ISO_8859_6": charmap.ISO8859_6, "ISO_8859_7": charmap.ISO8859_7, "ISO_8859_8": charmap.ISO8859_8,
		"WIN866": charmap.CodePage866, "WIN874": charmap.Windows874, "WIN1250": charmap.Windows1250, "WIN1251": charmap.Windows1251,
		"WIN1252": charmap.Windows1252, "WIN1253": charmap.Windows1253, "WIN1254": charmap.Windows1254, "WIN1255": charmap.Windows1255,
		"WIN1256": charmap.Windows1256, "WIN1257": charmap.Windows1257, "WIN1258": charmap.Windows1258, "KOI8R": charmap.KOI8R, "KOI8U": charmap.KOI8U,
	}[name]
	if !ok {
		return func(s string) string { return s }
	}
	return func(s string) string {
		var b strings.Builder
		b.Grow(len(s))
		for i := range len(s) {
			b.WriteRune(set.DecodeByte(s[i]))
		}
		return b.String()
	}
}

// copyLines are the rows of a table's file.
type copyLines struct {
	f    fs.File
	in   *counting
	rows *bufio.Reader
	read func(string) string

	cells []string
	cell  []byte // the beginning of the value that is being read
	size  int    // of it
}

// counting counts what is read.
type counting struct {
	io.Reader
	n int64
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}

func openRows(from fs.FS, name string) (rowpages.Rows, error) {
	f, err := from.Open(name)
	if err != nil {
		return nil, err
	}
	in := &counting{Reader: f}
	s := newScript(in)
	_, read, err := copyStatement(s)
	if err != nil {
		return nil, closing(err, f.Close)
	}
	return &copyLines{f: f, in: in, read: read, rows: bufio.NewReaderSize(s.copyRows(), 256<<10)}, nil
}

// Next implements [rowpages.Rows].
func (r *copyLines) Next() ([]string, error) {
	r.cells, r.cell, r.size = r.cells[:0], r.cell[:0], 0
	for begun := false; ; begun = true {
		part, err := r.rows.ReadSlice('\n')
		for len(part) > 0 {
			end := bytes.IndexAny(part, "\t\n")
			if end < 0 {
				r.add(part)
				break
			}
			r.add(part[:end])
			r.cells = append(r.cells, r.read(cellOf(string(bytes.TrimSuffix(r.cell, []byte("\r"))), r.size)))
			r.cell, r.size = r.cell[:0], 0
			part = part[end+1:]
		}
		switch {
		case err == nil:
			return r.cells, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && begun:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// add adds to the value that is being read.
func (r *copyLines) add(part []byte) {
	r.size += len(part)
	r.cell = append(r.cell, part[:min(len(part), max(0, rowpages.LongKept-len(r.cell)))]...)
}

// Read implements [rowpages.Rows].
func (r *copyLines) Read() int64 { return r.in.n }

// Close implements [rowpages.Rows].
func (r *copyLines) Close() error { return r.f.Close() }

// cellOf is a value as COPY writes it, for people: bytes by their number. s is
// what was kept of size bytes.
func cellOf(s string, size int) string {
	if s == `\N` {
		return ""
	}
	if digits, ok := strings.CutPrefix(s, `\\x`); ok && size%2 == 1 {
		if _, err := hex.DecodeString(digits[:min(len(digits)/2*2, 64)]); err == nil {
			return strconv.Itoa((size-len(`\\x`))/2) + " B"
		}
	}
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'v':
			b.WriteByte('\v')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
