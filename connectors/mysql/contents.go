package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"kvart/app"
)

// checkContents tells whether every value is what it was.
const checkContents = "contents"

// sum is a checksum of rows in any order: what their hashes add up to.
type sum [4]uint64

func (s *sum) add(row []byte) {
	h := sha256.Sum256(row)
	for i := range s {
		s[i] += binary.LittleEndian.Uint64(h[8*i:])
	}
}

// sumOf adds up the rows of a table's file.
func sumOf(ctx context.Context, r io.Reader) (s sum, err error) {
	lex := newLexer(r)
	lex.onRow = s.add
	for {
		if _, err := lex.next(); errors.Is(err, io.EOF) {
			return s, nil
		} else if err != nil {
			return s, err
		}
		if err := ctx.Err(); err != nil {
			return s, err
		}
	}
}

// compareContents dumps the database that the session is for and compares
// every table's rows with the point's. A server of another version may write
// the same value otherwise, so then nothing is compared, and ok is false.
func (c *Connector) compareContents(ctx context.Context, s *session, j job) (check app.Check, ok bool, err error) {
	check = app.Check{Code: checkContents, OK: true}
	if j.about.Server != s.banner {
		return check, false, nil
	}
	v, err := s.survey(ctx, j.op)
	if err != nil {
		return check, false, err
	}
	d, err := c.dump(ctx, s, v, nil)
	if err != nil {
		return check, false, err
	}
	defer func() { err = errors.Join(err, d.spool.Close()) }()
	var wrong []string
	for _, name := range j.tables {
		path := tableFile(name)
		at := slices.IndexFunc(d.spool.files, func(f spooled) bool { return f.path == path })
		if at < 0 {
			wrong = append(wrong, name+": missing")
			check.See(app.Named(app.SeenTablesMissing, name))
			continue
		}
		was, err := sumOfFile(ctx, func() (io.ReadCloser, error) { return j.from.Open(path) })
		if err != nil {
			return check, false, fmt.Errorf("read %s in the point: %w", path, err)
		}
		is, err := sumOfFile(ctx, func() (io.ReadCloser, error) { return d.spool.open(d.spool.files[at]) })
		if err != nil {
			return check, false, fmt.Errorf("read %s: %w", path, err)
		}
		if was != is {
			wrong = append(wrong, name+": other values")
			check.See(app.Named(app.SeenTablesDiffer, name))
		}
	}
	check.OK = len(wrong) == 0
	check.Detail = strings.Join(append([]string{fmt.Sprintf("%d tables compared, value by value", len(j.tables))}, wrong...), "; ")
	check.Counted.Tables = int64(len(j.tables))
	return check, true, nil
}

func sumOfFile(ctx context.Context, open func() (io.ReadCloser, error)) (s sum, err error) {
	f, err := open()
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return sumOf(ctx, f)
}
