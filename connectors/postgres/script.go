package postgres

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxStatement is more than any statement of a dump needs: rows are not part
// of one, and a large object's come in small pieces.
const maxStatement = 256 << 20

// script reads SQL as psql does, statement by statement. It takes no orders
// meant for psql itself, such as \connect or \!: a point may come from a server
// that somebody else had in his hands.
type script struct {
	r *bufio.Reader

	text    []byte // the statement, without comments before it
	trailer string // the last comment line seen between statements that says something
	rows    bool   // a COPY's rows come next
}

func newScript(r io.Reader) *script { return &script{r: bufio.NewReaderSize(r, 256<<10)} }

// next returns the next statement without its semicolon, and [io.EOF] after
// the last one. When it is a COPY … FROM stdin, its rows are read with
// [script.copyRows] before the next one.
func (s *script) next() (string, error) {
	if s.rows {
		return "", errors.New("the rows before were not read")
	}
	s.text = s.text[:0]
	var lx lexer
	for {
		c, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) && len(bytes.TrimSpace(s.text)) == 0 {
			return "", io.EOF
		}
		if errors.Is(err, io.EOF) {
			return "", fmt.Errorf("statement %.60q: %w", s.text, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return "", err
		}
		if len(s.text) == 0 && lx.mode == plain {
			skip, err := s.between(c)
			if err != nil {
				return "", err
			}
			if skip {
				continue
			}
		}
		s.text = append(s.text, c)
		if len(s.text) > maxStatement {
			return "", fmt.Errorf("statement %.60q is too long", s.text)
		}
		if lx.step(s.text) {
			text := string(s.text[:len(s.text)-1])
			s.rows = isCopy(text)
			if s.rows {
				return text, s.restOfLine()
			}
			return text, nil
		}
	}
}

// between deals with what stands between statements: space, comments to the
// end of the line, which are skipped, and orders to psql, which are refused.
func (s *script) between(c byte) (skip bool, err error) {
	switch c {
	case ' ', '\t', '\r', '\n', '\f', '\v':
		return true, nil
	case '\\':
		line, err := s.r.ReadString('\n')
		return false, errors.Join(fmt.Errorf("an order to psql: %.40q", line), ignoreEOF(err))
	case '-':
		if next, err := s.r.Peek(1); err != nil || next[0] != '-' {
			return false, nil
		}
		line, err := s.r.ReadString('\n')
		if line = strings.TrimRight("-"+line, "\r\n"); line != "--" {
			s.trailer = line
		}
		return true, ignoreEOF(err)
	}
	return false, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// isCopy reports whether rows follow a statement.
func isCopy(text string) bool {
	words := strings.ToUpper(text)
	return strings.HasPrefix(words, "COPY ") && strings.HasSuffix(strings.TrimRight(words, " \t\r\n"), " FROM STDIN")
}

func (s *script) restOfLine() error {
	line, err := s.r.ReadString('\n')
	if err != nil {
		return fmt.Errorf("rows: %w", io.ErrUnexpectedEOF)
	}
	if strings.TrimSpace(line) != "" {
		return fmt.Errorf("%.40q after COPY", line)
	}
	return nil
}

// copyRows returns the rows after a COPY, up to the line that ends them. Read
// returns [io.ErrUnexpectedEOF] when that line is missing.
func (s *script) copyRows() *rowReader {
	s.rows = false
	return &rowReader{r: s.r, start: true}
}

type rowReader struct {
	r     *bufio.Reader
	left  []byte // of the line being handed out; valid until the next read of r
	start bool   // r is at the beginning of a line
	lines int64
	err   error
}

func (r *rowReader) Read(b []byte) (n int, err error) {
	for n < len(b) {
		if len(r.left) == 0 && !r.fill() {
			break
		}
		k := copy(b[n:], r.left)
		r.left = r.left[k:]
		n += k
	}
	if n == 0 && len(b) > 0 {
		return 0, r.err
	}
	return n, nil
}

// fill takes the next piece of a line; a line longer than the buffer comes in
// several.
func (r *rowReader) fill() bool {
	if r.err != nil {
		return false
	}
	line, err := r.r.ReadSlice('\n')
	if r.start && (string(line) == endOfData+"\n" || string(line) == endOfData+"\r\n") {
		r.err = io.EOF
		return false
	}
	switch {
	case err == nil:
		r.start = true
		r.lines++
	case errors.Is(err, bufio.ErrBufferFull):
		r.start = false
	default:
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		r.err = err
		return false
	}
	r.left = line
	return true
}
