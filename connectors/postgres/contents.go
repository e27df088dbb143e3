package postgres

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// checkContents tells whether every value is what it was.
const checkContents = "contents"

// inUTC is in the first lines of a table's file whose times are written so:
// the same value is then the same text, wherever it is read.
const inUTC = ", times in UTC"

// sum is a checksum of lines in any order: what their hashes add up to.
type sum [4]uint64

// summer takes lines in pieces.
type summer struct {
	sum  sum
	line hash.Hash
}

func newSummer() *summer { return &summer{line: sha256.New()} }

func (s *summer) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			s.line.Write(b)
			break
		}
		s.line.Write(b[:i])
		h := s.line.Sum(nil)
		for k := range s.sum {
			s.sum[k] += binary.LittleEndian.Uint64(h[8*k:])
		}
		s.line.Reset()
		b = b[i+1:]
	}
	return n, nil
}

// sumOfFile adds up the rows of a table's file; ok is false for one whose times
// are in a zone that is not known any more.
func (j *job) sumOfFile(ctx context.Context, name string) (s sum, ok bool, err error) {
	f, err := j.r.From.Open(name)
	if err != nil {
		return s, false, fmt.Errorf("open %s in the point: %w", name, err)
	}
	defer func() { err = closing(err, f.Close) }()
	in := bufio.NewReader(&counted{r: f, ctx: ctx, p: nowhere{}})
	head, err := in.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return s, false, fmt.Errorf("read %s in the point: %w", name, err)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(string(head), "--\n"), "\n")
	if !strings.HasSuffix(first, inUTC) {
		return s, false, nil
	}
	text := newScript(in)
	for !text.rows {
		if _, err := text.next(); err != nil {
			return s, false, fmt.Errorf("read %s in the point: %w", name, err)
		}
	}
	sums := newSummer()
	if _, err := io.Copy(sums, text.copyRows()); err != nil {
		return s, false, fmt.Errorf("read %s in the point: %w", name, err)
	}
	return sums.sum, true, nil
}

// compareContents compares every table's rows with the point's. ok is false
// when nothing was compared: a server of another version may write the same
// value otherwise.
func (j *job) compareContents(ctx context.Context, conn *pgx.Conn) (check app.Check, ok bool, err error) {
	check = app.Check{Code: checkContents, OK: true}
	if server, _ := major(conn); server != majorOf(j.about.Server) {
		return check, false, nil
	}
	if err := perform(ctx, conn, "SET TimeZone = 'UTC'"); err != nil {
		return check, false, err
	}
	list, err := tables(ctx, conn)
	if err != nil {
		return check, false, err
	}
	var n int
	var wrong []string
	for _, t := range list {
		if t.extension {
			continue // the extension may have put rows of its own there
		}
		was, known, err := j.sumOfFile(ctx, t.file)
		if err != nil {
			return check, false, err
		}
		if !known {
			continue
		}
		is := newSummer()
		if _, err := conn.PgConn().CopyTo(ctx, is, t.copyOut()); err != nil {
			return check, false, fmt.Errorf("read %s: %w", t.sql(), err)
		}
		n++
		if is.sum != was {
			wrong = append(wrong, fullName(t.schema, t.name)+": other values")
			check.See(app.Named(app.SeenTablesDiffer, fullName(t.schema, t.name)))
		}
	}
	check.OK = len(wrong) == 0
	check.Detail = strings.Join(append([]string{fmt.Sprintf("%d tables compared, value by value", n)}, wrong...), "; ")
	check.Counted.Tables = int64(n)
	return check, n > 0, nil
}

// contents looks into a database that nobody else writes to.
func (j *job) contents(ctx context.Context, database string) (check app.Check, ok bool, err error) {
	conn, err := j.connect(ctx, database)
	if err != nil {
		return check, false, err
	}
	defer j.let(ctx, conn)
	return j.compareContents(ctx, conn)
}
