package mysql

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// lexer reads SQL as the vendor's dump programs write it, and tells statements
// from what lies between them. It knows strings with backslashes, quoted names,
// comments, and the DELIMITER of the client program, and keeps no statement in
// memory: one of them may be a gigabyte long.
//
// Comments for some versions only, "/*!50001 … */", are SQL to it.
type lexer struct {
	r     io.Reader
	buf   []byte
	pos   int // of what was not handed out yet
	fill  int // of what was read
	eof   bool
	delim []byte

	inside  bool // of a statement
	first   bool // nothing of it was handed out yet
	state   byte // 0 plain, or the quote, '-' in a line comment, '*' in a block comment
	escaped bool // after a backslash in a string

	insert bool // the statement is an INSERT
	listed bool // which names its columns
	depth  int  // of parentheses
	prev   byte // the last byte at depth 0 that is no blank
	length int64

	rows    int64             // of all INSERTs so far
	longest int64             // statement so far, in bytes
	onRow   func(list []byte) // gets every row of an INSERT, without parentheses; may be nil
	row     []byte
	most    int // bytes that are kept of a row for onRow; 0 for all
}

// token is a piece of SQL: a blank stretch or comment between statements, or a
// part of a statement. Its bytes are valid until the next one.
type token struct {
	text  []byte
	space bool // between statements
	first bool // part of its statement
	last  bool
	head  []byte // the first bytes of the statement; only in its first part
}

const (
	lexBuffer = 256 << 10
	// lookAhead is how many bytes are in sight at every byte, unless the input
	// ends there.
	lookAhead = 64
	// maxComment bounds a comment between statements.
	maxComment = 16 << 20
)

var errUnended = errors.New("SQL ends in the middle of a statement")

func newLexer(r io.Reader) *lexer {
	return &lexer{r: r, buf: make([]byte, lexBuffer), delim: []byte(";")}
}

// see makes n bytes visible, fewer only where the input ends.
func (l *lexer) see(n int) error {
	for l.fill-l.pos < n && !l.eof {
		if l.pos > 0 {
			copy(l.buf, l.buf[l.pos:l.fill])
			l.fill -= l.pos
			l.pos = 0
		}
		if l.fill == len(l.buf) {
			l.buf = append(l.buf, make([]byte, len(l.buf))...)
		}
		n, err := l.r.Read(l.buf[l.fill:])
		l.fill += n
		if errors.Is(err, io.EOF) {
			l.eof = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// next returns the next token, [io.EOF] after the last.
func (l *lexer) next() (token, error) { //nolint:gocyclo // one case a kind of token
	if err := l.see(lookAhead); err != nil {
		return token{}, err
	}
	rest := l.buf[l.pos:l.fill]
	switch {
	case l.inside && len(rest) == 0:
		return token{}, errUnended
	case l.inside:
		return l.statement(), nil
	case len(rest) == 0:
		return token{}, io.EOF
	}
	end := func(b []byte) int { return bytes.IndexByte(b, '\n') + 1 }
	switch {
	case isBlank(rest[0]):
		n := 0
		for n < len(rest) && isBlank(rest[n]) && (n == 0 || rest[n-1] != '\n') {
			n++
		}
		return l.between(n), nil
	case lineComment(rest):
		return l.upTo(end)
	case rest[0] == '/' && blockComment(rest):
		return l.upTo(func(b []byte) int {
			if i := bytes.Index(b[2:], []byte("*/")); i >= 0 {
				return i + 4
			}
			return 0
		})
	case len(rest) > len(delimiterWord) && bytes.EqualFold(rest[:len(delimiterWord)], []byte(delimiterWord)):
		t, err := l.upTo(end)
		if d := bytes.TrimSpace(t.text[min(len(delimiterWord), len(t.text)):]); err == nil && len(d) > 0 && len(d) < lookAhead {
			l.delim = bytes.Clone(d)
		}
		return t, err
	}
	l.inside, l.first, l.state, l.escaped = true, true, 0, false
	l.depth, l.prev, l.length, l.listed = 0, 0, 0, false
	l.insert = len(rest) > 7 && bytes.EqualFold(rest[:7], []byte("INSERT "))
	return l.statement(), nil
}

// delimiterWord is a command of the client program's own.
const delimiterWord = "DELIMITER "

func isBlank(ch byte) bool { return ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r' }

func lineComment(b []byte) bool {
	return b[0] == '#' || b[0] == '-' && len(b) > 1 && b[1] == '-' && (len(b) == 2 || isBlank(b[2]))
}

func blockComment(b []byte) bool {
	return len(b) > 1 && b[0] == '/' && b[1] == '*' && !bytes.HasPrefix(b[2:], []byte("!")) && !bytes.HasPrefix(b[2:], []byte("M!"))
}

func (l *lexer) between(n int) token {
	t := token{text: l.buf[l.pos : l.pos+n], space: true}
	l.pos += n
	return t
}

// upTo returns what lies before where end says, or all the rest.
func (l *lexer) upTo(end func([]byte) int) (token, error) {
	for {
		rest := l.buf[l.pos:l.fill]
		n := end(rest)
		switch {
		case n > 0:
			return l.between(n), nil
		case l.eof:
			return l.between(len(rest)), nil
		case len(rest) > maxComment:
			return token{}, fmt.Errorf("a comment of more than %d bytes", maxComment)
		}
		if err := l.see(len(rest) + lexBuffer/2); err != nil {
			return token{}, err
		}
	}
}

// statement returns the next part of a statement.
func (l *lexer) statement() token {
	b := l.buf[l.pos:l.fill]
	t := token{first: l.first}
	if l.first {
		t.head = b[:min(len(b), lookAhead)]
		l.first = false
	}
	safe := len(b)
	if !l.eof {
		safe -= lookAhead - 1
	}
	n, done := l.scan(b, safe)
	t.text, t.last = b[:n], done
	l.pos += n
	l.length += int64(n)
	if done {
		l.longest = max(l.longest, l.length)
		l.inside = false
	}
	return t
}

// scan goes through a statement's bytes to its end, or to safe.
func (l *lexer) scan(b []byte, safe int) (n int, done bool) { //nolint:gocyclo // one case a state
	from := 0 // of the row's bytes that are not kept yet
	defer func() {
		if l.onRow != nil && l.depth > 0 {
			l.keep(b[from:n])
		}
	}()
	for n < safe {
		if l.state != 0 {
			n += l.skip(b[n:safe])
			continue
		}
		if l.depth > 0 {
			// Most of a dump: values of a row that are not in quotes.
			for n < safe && !special(b[n]) && b[n] != l.delim[0] {
				n++
			}
			if n == safe {
				break
			}
		}
		ch := b[n]
		switch {
		case ch == '\'' || ch == '"' || ch == '`':
			l.state = ch
			l.mark(ch)
		case ch == '-' && lineComment(b[n:]) || ch == '#':
			l.state = '-'
		case ch == '/' && blockComment(b[n:]):
			l.state = '*'
			n++ // or "/*/" would end what it begins
		case ch == l.delim[0] && bytes.HasPrefix(b[n:], l.delim):
			return n + len(l.delim), true
		case ch == '(' && l.insert:
			if l.depth == 0 {
				from = n + 1
			}
			l.open()
		case ch == ')' && l.insert:
			if l.depth--; l.depth == 0 {
				l.close(b[from:n])
			}
		case !isBlank(ch):
			l.mark(ch)
		}
		n++
	}
	return n, false
}

// special reports whether a byte may begin or end something within a row.
func special(ch byte) bool {
	switch ch {
	case '\'', '"', '`', '-', '#', '/', '(', ')':
		return true
	}
	return false
}

func (l *lexer) mark(ch byte) {
	if l.depth == 0 {
		l.prev = ch
	}
}

// open notes a parenthesis. After VALUES or a comma it begins a row; after a
// name it begins the list of columns.
func (l *lexer) open() {
	if l.depth == 0 {
		l.row = l.row[:0]
		if l.prev == 'S' || l.prev == 's' || l.prev == ',' {
			l.rows++
			l.prev = '('
		} else {
			l.listed = true
			l.prev = 0
		}
	}
	l.depth++
}

func (l *lexer) close(rest []byte) {
	if l.onRow != nil && l.prev == '(' {
		l.keep(rest)
		l.onRow(l.row)
	}
	l.row = l.row[:0]
}

// keep adds to the row that is being read.
func (l *lexer) keep(b []byte) {
	if l.most > 0 {
		b = b[:min(len(b), max(0, l.most-len(l.row)))]
	}
	l.row = append(l.row, b...)
}

// skip goes through a string, name or comment, to its end if that is in sight.
func (l *lexer) skip(b []byte) int {
	switch l.state {
	case '-':
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			l.state = 0
			return i + 1
		}
		return len(b)
	case '*':
		for i, ch := range b {
			if l.escaped && ch == '/' { // here: after a star
				l.state, l.escaped = 0, false
				return i + 1
			}
			l.escaped = ch == '*'
		}
		return len(b)
	}
	return l.quoted(b)
}

// quoted is [lexer.skip] for what is in quotes.
func (l *lexer) quoted(b []byte) int {
	end := l.state
	for i := 0; i < len(b); i++ {
		if !l.escaped {
			for i < len(b) && b[i] != end && b[i] != '\\' {
				i++
			}
			if i == len(b) {
				break
			}
		}
		ch := b[i]
		switch {
		case l.escaped:
			l.escaped = false
		case ch == '\\' && l.state != '`':
			l.escaped = true
		case ch == l.state:
			l.state = 0
			return i + 1
		}
	}
	return len(b)
}
