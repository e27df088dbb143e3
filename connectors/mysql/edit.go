package mysql

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// reference is a foreign key in a table's definition.
var reference = regexp.MustCompile("^(  CONSTRAINT `(?:[^`]|``)*` FOREIGN KEY \\([^()]*\\) REFERENCES )(`(?:[^`]|``)*`)( \\()")

// numbering is a column whose default is the next number of a sequence, which
// MariaDB writes with its database.
var numbering = regexp.MustCompile("^(  (`(?:[^`]|``)*`) .* DEFAULT nextval\\()(`(?:[^`]|``)*`)\\.(`(?:[^`]|``)*`)\\)")

// rowsFollow begins the line after which a table's file holds no definition.
const rowsFollow = "-- Dumping data"

// editor returns what has to be changed in the definitions of tables that are
// loaded into a database beside their own: a table keeps what it refers to when
// it is moved. nil means nothing.
func (j *job) editor(db string) func(line []byte) []byte {
	switch {
	case !j.whole:
		// What is not moved with it stays in the database.
		return func(line []byte) []byte {
			m := reference.FindSubmatch(line)
			if m == nil || slices.Contains(j.tables, unquote(string(m[2]))) {
				return line
			}
			return slices.Concat(m[1], []byte(quote(j.cfg.database)+"."), line[len(m[1]):])
		}
	case j.holds(fileSequences):
		return func(line []byte) []byte {
			m := numbering.FindSubmatch(line)
			if m == nil || unquote(string(m[3])) != j.about.Database {
				return line
			}
			return slices.Concat(m[1], []byte(quote(db)), line[len(m[1])+len(m[3]):])
		}
	}
	return nil
}

// moved makes a view that names its own database read the one it is loaded
// into. Servers write the name where the view reads other databases too, or its
// owner is gone. What is in strings stays.
func moved(sql, from, to string) string {
	if from == to {
		return sql
	}
	name := quote(from) + "."
	var b strings.Builder
	for sql != "" {
		i := strings.IndexAny(sql, "'`")
		if i < 0 {
			break
		}
		b.WriteString(sql[:i])
		sql = sql[i:]
		if strings.HasPrefix(sql, name) && !strings.HasSuffix(b.String(), ".") {
			b.WriteString(quote(to) + ".")
			sql = sql[len(name):]
			continue
		}
		n := quotedEnd(sql)
		b.WriteString(sql[:n])
		sql = sql[n:]
	}
	return b.String() + sql
}

// quotedEnd returns the length of the string or name that s begins with.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] == '\'':
			i++
		case s[i] == s[0] && i+1 < len(s) && s[i+1] == s[0]:
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}

// edited changes the lines of a table's definition, and none of its rows.
func edited(r io.Reader, edit func(line []byte) []byte) io.Reader {
	in := bufio.NewReaderSize(r, 1<<20)
	var head bytes.Buffer
	for {
		line, err := in.ReadSlice('\n')
		head.Write(edit(line))
		if err != nil || bytes.HasPrefix(line, []byte(rowsFollow)) {
			return io.MultiReader(&head, in)
		}
	}
}

// numbered is a column that takes its default from a sequence.
type numbered struct{ table, column, sequence string }

// numbered finds the columns that take their defaults from the database's own
// sequences.
func (j *job) numbered() (out []numbered, err error) {
	if !j.whole || !j.holds(fileSequences) {
		return nil, nil
	}
	for _, table := range j.tables {
		f, err := j.from.Open(tableFile(table))
		if err != nil {
			return nil, fmt.Errorf("open %s in the point: %w", tableFile(table), err)
		}
		found, err := numberedIn(f, table, j.about.Database)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("read %s in the point: %w", tableFile(table), err)
		}
		out = append(out, found...)
	}
	return out, nil
}

func numberedIn(r io.Reader, table, db string) (out []numbered, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		if m := numbering.FindSubmatch(line); m != nil && unquote(string(m[3])) == db {
			out = append(out, numbered{table, unquote(string(m[2])), unquote(string(m[4]))})
		}
		switch {
		case errors.Is(err, io.EOF) || bytes.HasPrefix(line, []byte(rowsFollow)):
			return out, nil
		case err != nil:
			return nil, err
		}
	}
}

// unnumber takes the defaults away in the database beside: they name sequences
// that are about to be moved.
func (w *swap) unnumber(ctx context.Context) error {
	list, err := w.j.numbered()
	if err != nil {
		return err
	}
	for _, n := range list {
		if err := w.s.exec(ctx, `ALTER TABLE `+quote(w.next)+`.`+quote(n.table)+` ALTER COLUMN `+quote(n.column)+` DROP DEFAULT`); err != nil {
			return err
		}
	}
	return nil
}

// renumber gives the defaults back where the tables are now.
func (w *swap) renumber(ctx context.Context) error {
	list, err := w.j.numbered()
	if err != nil {
		return err
	}
	for _, n := range list {
		if err := w.s.exec(ctx, `ALTER TABLE `+quote(w.db)+`.`+quote(n.table)+` ALTER COLUMN `+quote(n.column)+
			` SET DEFAULT NEXTVAL(`+quote(w.db)+`.`+quote(n.sequence)+`)`); err != nil {
			return err
		}
	}
	return nil
}
