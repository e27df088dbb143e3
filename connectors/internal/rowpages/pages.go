package rowpages

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kvart/app"
)

// LongKept is how many bytes of a cell are kept, and searched. What lies beyond
// is not shown.
const LongKept = 64 << 10

const (
	apart    = 1000      // rows between two marks
	longCell = 200       // runes of a cell that are shown
	manyHits = 1_000_000 // rows that are remembered of a search
	// spare is the room, in bytes, that is left to others on the disk that rows are
	// kept on. It is looked at after every lookEvery bytes: less is no matter.
	spare     = 1 << 30
	lookEvery = 32 << 20
)

// pages is a table, as far as it was read.
type pages struct {
	Table
	free  func(path string) (int64, error) // bytes on the disk that path is on
	slice time.Duration                    // of reading, until an answer is given with what there is

	title, under int // columns, or -1

	rows  Rows // nil before the first, and after the last
	whole bool
	count int64

	file   *os.File // of the rows read
	out    *bufio.Writer
	size   int64   // of file
	looked int64   // of it, when the room left was looked at last
	marks  []int64 // where every 1,000th row begins
	buf    []byte

	sought string // what was looked for last
	hits   []int64
	upTo   int64 // how much of file was looked through for it
}

// close forgets what was read, and gives its room back.
func (t *pages) close() (err error) {
	if t.rows != nil {
		err = t.rows.Close()
		t.rows = nil
	}
	if t.file != nil {
		err = errors.Join(err, t.file.Close(), os.Remove(t.file.Name()))
		t.file = nil
	}
	t.whole = false
	return err
}

// page reads on for a while, and returns a part of what was read.
func (t *pages) page(ctx context.Context, tmp, text string, offset, limit int) (p app.RecordsPage, err error) {
	if err := t.readOn(ctx, tmp); err != nil {
		return p, err
	}
	p.Records = []app.Record{}
	if !t.whole {
		p.Left = t.left()
	}
	if text == "" {
		p.Total = t.count
		if int64(offset) >= t.count {
			return p, nil
		}
		r := t.reader(t.marks[offset/apart])
		for i := offset - offset%apart; i < offset+limit && int64(i) < t.count; i++ {
			cells, err := r.next()
			if err != nil {
				return p, err
			}
			if i >= offset {
				p.Records = append(p.Records, t.record(cells))
			}
		}
		return p, nil
	}
	if err := t.seek(ctx, strings.ToLower(text)); err != nil {
		return p, err
	}
	p.Total = int64(len(t.hits))
	from := min(offset, len(t.hits))
	for _, at := range t.hits[from:min(from+limit, len(t.hits))] {
		cells, err := t.reader(at).next()
		if err != nil {
			return p, err
		}
		p.Records = append(p.Records, t.record(cells))
	}
	return p, nil
}

// left guesses how many rows are yet to be read.
func (t *pages) left() int64 {
	read := t.rows.Read()
	if read <= 0 || t.Size <= read {
		return 1
	}
	return max(1, int64(float64(t.count)*float64(t.Size-read)/float64(read)))
}

// readOn reads for a while, or to the end. What failed is tried again from the
// beginning by the next question.
func (t *pages) readOn(ctx context.Context, tmp string) error {
	if t.whole {
		return nil
	}
	if t.rows == nil {
		if err := t.begin(tmp); err != nil {
			return err
		}
	}
	until := time.Now().Add(t.slice)
	for n := 0; ; n++ {
		if n%256 == 255 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if time.Now().After(until) {
				return t.flushed()
			}
		}
		cells, err := t.rows.Next()
		if errors.Is(err, io.EOF) {
			return t.ended()
		}
		if err != nil {
			return errors.Join(garbled(t.Path, err), t.close())
		}
		if err := t.keep(cells); err != nil {
			return errors.Join(err, t.close())
		}
	}
}

// ended notes that all rows were read, once all of them are kept and the table's
// text was read to a good end.
func (t *pages) ended() error {
	if err := t.flushed(); err != nil {
		return err
	}
	rows := t.rows
	t.rows = nil
	if err := rows.Close(); err != nil {
		return errors.Join(garbled(t.Path, err), t.close())
	}
	t.whole = true
	return nil
}

func (t *pages) begin(tmp string) (err error) {
	t.count, t.size, t.looked, t.marks, t.hits, t.sought, t.upTo = 0, 0, 0, nil, nil, "", 0
	if t.file, err = os.CreateTemp(tmp, "rows-*"); err != nil {
		return app.Errorf(app.CodeTempFull, "browse tables", "keep rows: %w", err)
	}
	t.out = bufio.NewWriterSize(t.file, 64<<10)
	if t.rows, err = t.Open(); err != nil {
		return errors.Join(garbled(t.Path, err), t.close())
	}
	return nil
}

// keep writes a row behind those before it.
func (t *pages) keep(cells []string) error {
	if t.count%apart == 0 {
		t.marks = append(t.marks, t.size)
	}
	b := binary.AppendUvarint(t.buf[:0], uint64(len(cells)))
	for _, c := range cells {
		if len(c) > LongKept {
			c = c[:LongKept]
		}
		b = binary.AppendUvarint(b, uint64(len(c)))
		b = append(b, c...)
	}
	t.buf = b
	if t.size-t.looked >= lookEvery {
		if err := t.room(lookEvery + int64(len(b))); err != nil {
			return err
		}
		t.looked = t.size
	}
	t.size += int64(len(b))
	t.count++
	_, err := t.out.Write(b)
	return kept(err)
}

// room makes sure that the disk holds so many bytes more, and the spare ones
// after them. Where it doesn't tell, the writing does.
func (t *pages) room(bytes int64) error {
	free, err := t.free(t.file.Name())
	if err != nil || free >= spare+bytes {
		return nil
	}
	return kept(fmt.Errorf("%d bytes free, %d wanted", free, spare+bytes))
}

// flushed writes what was read to the file. Half of it is of no use.
func (t *pages) flushed() error {
	err := kept(t.out.Flush())
	if err != nil {
		err = errors.Join(err, t.close())
	}
	return err
}

func kept(err error) error {
	if err == nil {
		return nil
	}
	return app.Errorf(app.CodeTempFull, "browse tables", "keep rows: %w", err)
}

// seek looks through the rows that were read since the last time.
func (t *pages) seek(ctx context.Context, text string) error {
	if t.sought != text {
		t.sought, t.hits, t.upTo = text, nil, 0
	}
	want := []byte(text)
	r := t.reader(t.upTo)
	for n := 0; t.upTo < t.size; n++ {
		if n%1024 == 1023 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		cells, err := r.next()
		if err != nil {
			return err
		}
		if len(t.hits) < manyHits && slices.ContainsFunc(cells, func(c []byte) bool { return bytes.Contains(bytes.ToLower(c), want) }) {
			t.hits = append(t.hits, t.upTo)
		}
		t.upTo = r.at
	}
	return nil
}

// rowReader reads rows from a place in the file on.
type rowReader struct {
	r     *bufio.Reader
	at    int64
	cells [][]byte
}

func (t *pages) reader(at int64) *rowReader {
	return &rowReader{r: bufio.NewReaderSize(io.NewSectionReader(t.file, at, t.size-at), 32<<10), at: at}
}

// next returns the next row, valid until the one after it.
func (r *rowReader) next() ([][]byte, error) {
	n, err := r.number()
	if err != nil {
		return nil, err
	}
	for len(r.cells) < int(n) {
		r.cells = append(r.cells, nil)
	}
	for i := range int(n) {
		size, err := r.number()
		if err != nil {
			return nil, err
		}
		r.cells[i] = slices.Grow(r.cells[i][:0], int(size))[:size]
		if _, err := io.ReadFull(r.r, r.cells[i]); err != nil {
			return nil, fmt.Errorf("read rows that were kept: %w", err)
		}
		r.at += int64(size)
	}
	return r.cells[:n], nil
}

func (r *rowReader) number() (uint64, error) {
	n, err := binary.ReadUvarint(r.r)
	if err != nil {
		return 0, fmt.Errorf("read rows that were kept: %w", err)
	}
	r.at += int64(len(binary.AppendUvarint(nil, n)))
	return n, nil
}

func (t *pages) record(cells [][]byte) app.Record {
	r := app.Record{Cells: make([]string, len(cells))}
	for i, c := range cells {
		r.Cells[i] = shown(c)
	}
	if t.title >= 0 && t.title < len(cells) {
		r.Title = r.Cells[t.title]
	}
	if t.under >= 0 && t.under < len(cells) {
		r.Under = r.Cells[t.under]
	}
	return r
}

// shown is a cell as it is shown.
func shown(c []byte) string {
	cut := len(c) == LongKept
	for cut && len(c) > 0 && !utf8.FullRune(c[lastRune(c):]) {
		c = c[:lastRune(c)]
	}
	s := strings.ToValidUTF8(string(c), "\uFFFD")
	if cut || utf8.RuneCountInString(s) > longCell {
		runes := []rune(s)
		s = string(runes[:min(len(runes), longCell-1)]) + "…"
	}
	return s
}

// lastRune is where the last character begins, whole or not.
func lastRune(c []byte) int {
	i := len(c) - 1
	for i > 0 && !utf8.RuneStart(c[i]) {
		i--
	}
	return i
}

// telling picks the columns that say what a row is, -1 where there are not
// enough of them.
func telling(columns []string) (title, under int) {
	found := []int{}
	for _, n := range []string{
		"name", "namn", "title", "titel", "post_title", "user_login", "full_name", "lastname", "last_name", "efternamn", "product_name", "number", "nummer", "order_number", "ordernr",
		"email", "user_email", "epost", "sku", "code", "kod", "description", "beskrivning",
	} {
		if i := slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, n) }); i >= 0 {
			found = append(found, i)
		}
	}
	for i := range columns {
		if !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	found = append(found, -1, -1)
	return found[0], found[1]
}
