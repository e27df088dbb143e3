package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kvart/app"
)

const (
	longCell = 200  // runes
	apart    = 1000 // rows between two bookmarks
)

// shelf is a table that is shown.
type shelf struct {
	table   string
	columns []string
	rowid   string // the name it goes by, "" for a table without
	count   int64  // -1 when it can't be counted
	title   int    // columns, or -1
	under   int

	// marks are the numbers of every 1,000th row, as far as anybody looked:
	// what lies before a page is stepped over once, and not read.
	marks []int64
	// sought and hits are the text that was looked for last, and the numbers of
	// the rows that hold it.
	sought string
	hits   []int64
}

// telling picks the columns that say what a row is.
func (s *shelf) telling() (title, under int) {
	names := []string{
		"name", "namn", "title", "titel", "full_name", "fullname", "lastname", "last_name", "efternamn", "product_name", "produkt", "artikel", "number", "nummer", "order_number", "ordernr",
		"email", "e_mail", "epost", "sku", "code", "kod", "description", "beskrivning",
	}
	found := []int{}
	for _, n := range names {
		i := slices.IndexFunc(s.columns, func(c string) bool { return strings.EqualFold(c, n) })
		if i >= 0 {
			found = append(found, i)
		}
	}
	for i := range s.columns {
		if !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	found = append(found, -1, -1)
	return found[0], found[1]
}

// cells is what is selected of a row. As an expression a column has no declared
// type, and the driver hands over what is stored.
func (s *shelf) cells() string {
	out := make([]string, len(s.columns))
	for i, c := range s.columns {
		out[i] = "+" + quote(c)
	}
	return strings.Join(out, ", ")
}

func (s *shelf) from() string { return " FROM main." + quote(s.table) }

// part is a part of the whole table.
func (s *shelf) part(ctx context.Context, db *conn, offset, limit int) (page app.RecordsPage, err error) {
	page = app.RecordsPage{Records: []app.Record{}, Total: max(s.count, 0)}
	if s.count >= 0 && int64(offset) >= s.count {
		return page, nil
	}
	query, args := `SELECT `+s.cells()+s.from()+` LIMIT ? OFFSET ?`, []any{limit, offset}
	if s.rowid != "" {
		after, skip, err := s.mark(ctx, db, offset)
		if err != nil {
			return page, err
		}
		query, args = `SELECT `+s.cells()+s.from()+` ORDER BY `+s.rowid+` LIMIT ? OFFSET ?`, []any{limit, skip}
		if offset != skip {
			query = strings.Replace(query, " ORDER BY", " WHERE "+s.rowid+" > ? ORDER BY", 1)
			args = []any{after, limit, skip}
		}
	}
	err = s.each(ctx, db, func(r app.Record) { page.Records = append(page.Records, r) }, query, args...)
	if s.count < 0 {
		page.Total = int64(offset + len(page.Records))
	}
	return page, err
}

// mark is the number of the row at or before offset, and how many rows after it
// the page begins.
func (s *shelf) mark(ctx context.Context, db *conn, offset int) (after int64, skip int, err error) {
	for len(s.marks) < offset/apart {
		where, args := "", []any{}
		if n := len(s.marks); n > 0 {
			where, args = " WHERE "+s.rowid+" > ?", []any{s.marks[n-1]}
		}
		var id int64
		row := db.QueryRowContext(ctx, `SELECT `+s.rowid+s.from()+where+` ORDER BY `+s.rowid+` LIMIT 1 OFFSET `+strconv.Itoa(apart-1), args...)
		if err := row.Scan(&id); err != nil {
			return 0, 0, fmt.Errorf("find row %d of %s: %w", (len(s.marks)+1)*apart, s.table, err)
		}
		s.marks = append(s.marks, id)
	}
	n := offset / apart
	if n == 0 {
		return 0, offset, nil
	}
	return s.marks[n-1], offset - n*apart, nil
}

// found is a part of the rows that hold a text: their numbers are found once.
func (s *shelf) found(ctx context.Context, db *conn, text string, offset, limit int) (page app.RecordsPage, err error) {
	text = strings.ToLower(text)
	if s.sought != text || s.hits == nil {
		if err := s.seek(ctx, db, text); err != nil {
			return page, err
		}
	}
	page = app.RecordsPage{Records: []app.Record{}, Total: int64(len(s.hits))}
	if offset >= len(s.hits) {
		return page, nil
	}
	some := s.hits[offset:min(offset+limit, len(s.hits))]
	in := make([]string, len(some))
	for i, id := range some {
		in[i] = strconv.FormatInt(id, 10)
	}
	query := `SELECT ` + s.cells() + s.from() + ` WHERE ` + s.rowid + ` IN (` + strings.Join(in, ",") + `) ORDER BY ` + s.rowid
	return page, s.each(ctx, db, func(r app.Record) { page.Records = append(page.Records, r) }, query)
}

func (s *shelf) seek(ctx context.Context, db *conn, text string) (err error) {
	where, args, exact := s.like(text)
	selected := s.rowid
	if !exact {
		selected += ", " + s.cells()
	}
	rows, err := db.QueryContext(ctx, `SELECT `+selected+s.from()+where+` ORDER BY `+s.rowid, args...)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, rows.Close) }()
	s.sought, s.hits = "", nil
	hits := []int64{}
	values, dest := s.dest()
	var id int64
	dest = append([]any{&id}, dest...)
	if exact {
		dest = dest[:1]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if exact || rowHolds(values, text) {
			hits = append(hits, id)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	s.sought, s.hits = text, hits
	return nil
}

// sift goes through a table without row numbers.
func (s *shelf) sift(ctx context.Context, db *conn, text string, offset, limit int) (page app.RecordsPage, err error) {
	text = strings.ToLower(text)
	where, args, _ := s.like(text)
	rows, err := db.QueryContext(ctx, `SELECT `+s.cells()+s.from()+where, args...)
	if err != nil {
		return page, err
	}
	defer func() { err = closing(err, rows.Close) }()
	page.Records = []app.Record{}
	values, dest := s.dest()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return page, err
		}
		if !rowHolds(values, text) {
			continue
		}
		if page.Total >= int64(offset) && len(page.Records) < limit {
			page.Records = append(page.Records, s.record(values))
		}
		page.Total++
	}
	return page, rows.Err()
}

// like is a condition that every row holding the text fulfils; exact reports
// that no other row does. SQLite takes "Å" and "å" for two letters: any sign
// stands in for what isn't ASCII.
func (s *shelf) like(text string) (where string, args []any, exact bool) {
	pattern, exact := strings.Builder{}, true
	for _, r := range text {
		switch {
		case r >= utf8.RuneSelf:
			exact = false
			pattern.WriteByte('_')
		case strings.ContainsRune(`%_\`, r):
			pattern.WriteString(`\` + string(r))
		default:
			pattern.WriteRune(r)
		}
	}
	var conds []string
	for _, c := range s.columns {
		conds = append(conds, `typeof(`+quote(c)+`) <> 'blob' AND `+quote(c)+` LIKE ? ESCAPE '\'`)
		args = append(args, "%"+pattern.String()+"%")
	}
	return " WHERE " + strings.Join(conds, " OR "), args, exact
}

func rowHolds(values []any, text string) bool {
	for _, v := range values {
		if _, blob := v.([]byte); !blob && strings.Contains(strings.ToLower(cell(v)), text) {
			return true
		}
	}
	return false
}

func (s *shelf) dest() (values, dest []any) {
	values, dest = make([]any, len(s.columns)), make([]any, len(s.columns))
	for i := range values {
		dest[i] = &values[i]
	}
	return values, dest
}

// each calls fn for every row of a query for cells.
func (s *shelf) each(ctx context.Context, db *conn, fn func(app.Record), query string, args ...any) (err error) {
	var rows *sql.Rows
	if rows, err = db.QueryContext(ctx, query, args...); err != nil {
		return err
	}
	defer func() { err = closing(err, rows.Close) }()
	values, dest := s.dest()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		fn(s.record(values))
	}
	return rows.Err()
}

func (s *shelf) record(values []any) app.Record {
	r := app.Record{Cells: make([]string, len(values))}
	for i, v := range values {
		r.Cells[i] = short(cell(v))
	}
	if s.title >= 0 {
		r.Title = r.Cells[s.title]
	}
	if s.under >= 0 {
		r.Under = r.Cells[s.under]
	}
	return r
}

// cell is a value for people: of what is no text, how long it is.
func cell(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return strings.ToValidUTF8(x, "\uFFFD")
	case []byte:
		return strconv.Itoa(len(x)) + " B"
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(x)
	case time.Time:
		return x.Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

func short(s string) string {
	if len(s) <= longCell || utf8.RuneCountInString(s) <= longCell {
		return s
	}
	return string([]rune(s)[:longCell-1]) + "…"
}
