package mysql

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Parts of a dump that are no table's.
const (
	partHeader    = "" // settings of the session
	partSequences = "sequences"
	partFooter    = "footer"
)

// part is one part of a dump: a table's, or one of those above.
type part struct {
	name  string
	table bool
}

// splitter cuts one dump, as it streams by, into its tables. Sections begin
// with comments of the dump program's; nothing in a string, in a name or in
// the midst of a statement counts as one.
type splitter struct {
	lex *lexer
	// sink returns where a part goes. A part comes once.
	sink func(part) (io.WriteCloser, error)

	at      part
	out     io.WriteCloser
	held    []byte // blank lines and comments that may be the next part's
	ended   bool   // a statement just did: the rest of its line is the part's own
	seen    map[part]bool
	rows    map[string]int64 // by table
	counted int64
}

// split reads a whole dump. It returns the rows of every table, and the length
// of the longest statement.
func split(r io.Reader, sink func(part) (io.WriteCloser, error)) (rows map[string]int64, longest int64, err error) {
	s := &splitter{lex: newLexer(r), sink: sink, seen: map[part]bool{}, rows: map[string]int64{}}
	defer func() {
		if s.out != nil {
			err = errors.Join(err, s.out.Close())
		}
	}()
	if err := s.dropSandbox(); err != nil {
		return nil, 0, err
	}
	if err := s.enter(part{}); err != nil {
		return nil, 0, err
	}
	for {
		t, err := s.lex.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		if err := s.take(t); err != nil {
			return nil, 0, err
		}
	}
	if s.at.name != partFooter || s.at.table {
		return nil, 0, errors.New("the dump has no end")
	}
	_, err = s.out.Write(s.held)
	return s.rows, s.lex.longest, err
}

// dropSandbox drops MariaDB's first line, "/*M!999999\- enable the sandbox mode
// */": programs of before 2024, and MySQL's, stumble over it. See also
// https://mariadb.org/mariadb-dump-file-compatibility-change.
func (s *splitter) dropSandbox() error {
	if err := s.lex.see(lookAhead); err != nil {
		return err
	}
	b := s.lex.buf[s.lex.pos:s.lex.fill]
	if !bytes.HasPrefix(b, []byte("/*M!999999")) && !bytes.HasPrefix(b, []byte("/*!999999")) {
		return nil
	}
	_, err := s.lex.upTo(func(b []byte) int { return bytes.IndexByte(b, '\n') + 1 })
	return err
}

func (s *splitter) take(t token) error {
	if t.space && s.ended && isBlank(t.text[0]) {
		s.ended = t.text[len(t.text)-1] != '\n'
		_, err := s.out.Write(t.text)
		return err
	}
	s.ended = t.last
	if t.space {
		if p, ok := sectionOf(t.text); ok {
			if err := s.enter(p); err != nil {
				return err
			}
		}
		s.held = append(s.held, t.text...)
		return nil
	}
	if t.first {
		// The first of the settings that the end of a dump puts back.
		if bytes.HasPrefix(t.head, []byte("/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE")) {
			if err := s.enter(part{name: partFooter}); err != nil {
				return err
			}
		}
		if _, err := s.out.Write(s.held); err != nil {
			return err
		}
		s.held = s.held[:0]
	}
	if _, err := s.out.Write(t.text); err != nil {
		return err
	}
	if t.last && s.at.table {
		s.rows[s.at.name] += s.lex.rows - s.counted
		s.counted = s.lex.rows
	}
	return nil
}

// enter goes over to another part. What was held back is the new part's.
func (s *splitter) enter(p part) error {
	if s.out != nil && p == s.at {
		return nil // from a table's definition to its rows, or to the next sequence
	}
	if s.seen[p] {
		return fmt.Errorf("the dump comes back to %q", p.name)
	}
	s.seen[p] = true
	if s.out != nil {
		if err := s.out.Close(); err != nil {
			return err
		}
		s.out = nil
	}
	out, err := s.sink(p)
	if err != nil {
		return err
	}
	s.at, s.out = p, out
	if p.table {
		s.rows[p.name] = 0
	}
	return nil
}

// section is a comment that begins a section.
var section = regexp.MustCompile("^-- (Table structure for table|Dumping data for table|Sequence structure for) (`(?:[^`]|``)*`)\\s*$")

func sectionOf(line []byte) (part, bool) {
	if !bytes.HasPrefix(line, []byte("-- ")) {
		return part{}, false
	}
	m := section.FindSubmatch(line)
	switch {
	case m == nil:
		return part{}, false
	case strings.HasPrefix(string(m[1]), "Sequence"):
		return part{name: partSequences}, true
	}
	return part{name: unquote(string(m[2])), table: true}, true
}
