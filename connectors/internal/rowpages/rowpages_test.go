package rowpages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// numbered are so many rows: their number, a name, and something long.
type numbered struct {
	n, at  int
	fail   int // the row that can't be read; 0 for none
	err    error
	closed *int
}

func (r *numbered) Next() ([]string, error) {
	switch {
	case r.at == r.n:
		return nil, io.EOF
	case r.fail > 0 && r.at == r.fail:
		return nil, r.err
	}
	r.at++
	return []string{fmt.Sprint(r.at), fmt.Sprintf("Åsa %d", r.at*7), strings.Repeat("å", r.at%900)}, nil
}

func (r *numbered) Read() int64 { return int64(r.at) }
func (r *numbered) Close() error {
	*r.closed++
	return nil
}

func table(n int, opened, closed *int, more ...func(*numbered)) Table {
	return Table{Name: "sale", Columns: []string{"id", "Name", "note"}, Path: "tables/sale.sql", Size: int64(n), Open: func() (Rows, error) {
		*opened++
		r := &numbered{n: n, closed: closed}
		for _, fn := range more {
			fn(r)
		}
		return r, nil
	}}
}

func all(t *testing.T, c *Catalogue, text string, offset, limit int) app.RecordsPage {
	t.Helper()
	for {
		p, err := c.Records(t.Context(), "sale", text, offset, limit)
		if err != nil {
			t.Fatal(err)
		}
		if p.Left == 0 {
			return p
		}
	}
}

func TestCatalogue_Records(t *testing.T) {
	t.Parallel()
	var opened, closed int
	tmp := t.TempDir()
	c := New(tmp, []Table{table(5500, &opened, &closed)})
	if s, err := c.Shelves(t.Context()); err != nil || len(s) != 1 || s[0].Count != -1 || s[0].Columns[1] != "Name" || s[0].Path != "tables/sale.sql" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, offset := range []int{5499, 0, 999, 1000, 1001, 4321} {
		p := all(t, c, "", offset, 3)
		if p.Total != 5500 || len(p.Records) != min(3, 5500-offset) || p.Records[0].Cells[0] != fmt.Sprint(offset+1) || p.Records[0].Title != fmt.Sprintf("Åsa %d", (offset+1)*7) {
			t.Errorf("from %d on: %+v", offset, p)
		}
	}
	if p := all(t, c, "", 5500, 3); len(p.Records) != 0 || p.Total != 5500 {
		t.Errorf("past the end: %+v", p)
	}
	if p := all(t, c, "ÅSA 77", 1, 2); p.Total != 18 || len(p.Records) != 2 || p.Records[0].Title != "Åsa 770" {
		t.Errorf("search: %+v", p)
	}
	if p := all(t, c, "finns inte", 0, 2); p.Total != 0 || len(p.Records) != 0 {
		t.Errorf("nothing: %+v", p)
	}
	long := all(t, c, "", 898, 1).Records[0].Cells[2]
	if n := len([]rune(long)); n != longCell || !strings.HasSuffix(long, "å…") {
		t.Errorf("a long cell has %d signs, %q", n, long)
	}
	if s, err := c.Shelves(t.Context()); err != nil || s[0].Count != 5500 {
		t.Errorf("counted: %+v, %v", s, err)
	}
	if opened != 1 || closed != 1 {
		t.Errorf("opened %d times, closed %d times", opened, closed)
	}
	if _, err := c.Records(t.Context(), "other", "", 0, 1); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("unknown: %v", err)
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	if _, err := c.Records(t.Context(), "sale", "", 0, 1); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("closed: %v", err)
	}
}

// What can't be read is said, nothing half is shown for it, and asking again
// begins anew.
func TestCatalogue_Records_bad(t *testing.T) {
	t.Parallel()
	var opened, closed int
	fail := errors.New("the text ends in the middle")
	c := New(t.TempDir(), []Table{table(3000, &opened, &closed, func(r *numbered) { r.fail, r.err = 2000, fail })})
	if _, err := c.Records(t.Context(), "sale", "", 0, 5); app.CodeOf(err) != app.CodeItemUnreadable {
		t.Errorf("cut off: %v", err)
	}
	fail = app.Errorf(app.CodeStorageOffline, "read", "no answer")
	if _, err := c.Records(t.Context(), "sale", "", 0, 5); app.CodeOf(err) != app.CodeStorageOffline {
		t.Errorf("offline: %v", err)
	}
	fail = io.EOF
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Records(ctx, "sale", "", 0, 5); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("canceled: %v", err)
	}
	if p := all(t, c, "", 1990, 20); p.Total != 2000 || len(p.Records) != 10 {
		t.Errorf("afterwards: %+v", p)
	}
	if err := c.Close(); err != nil || opened != closed {
		t.Errorf("%v, opened %d times, closed %d times", err, opened, closed)
	}
	gone := New(t.TempDir()+"/gone", []Table{table(1, &opened, &closed)})
	if _, err := gone.Records(t.Context(), "sale", "", 0, 5); app.CodeOf(err) != app.CodeTempFull {
		t.Errorf("no room: %v", err)
	}
	if err := gone.Close(); err != nil {
		t.Error(err)
	}
}

// A large table answers with what it has, says that there is more, and goes on
// from there.
func TestCatalogue_Records_bitByBit(t *testing.T) {
	t.Parallel()
	const rows = 2000
	var opened, closed int
	c := New(t.TempDir(), []Table{table(rows, &opened, &closed)})
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	c.tables[0].slice = 0 // no answer waits for more than a few rows
	read, answers, found := int64(0), 0, int64(0)
	for {
		answers++
		text := ""
		if answers%2 == 0 {
			text = "åsa 7"
		}
		p, err := c.Records(t.Context(), "sale", text, 0, 2)
		if err != nil || len(p.Records) != 2 || p.Records[0].Cells[0] != "1" {
			t.Fatalf("answer %d: %+v, %v", answers, p, err)
		}
		s, err := c.Shelves(t.Context())
		if err != nil || (s[0].Count == -1) != (p.Left > 0) {
			t.Fatalf("answer %d: %d left, %+v, %v", answers, p.Left, s, err)
		}
		if text == "" {
			if p.Total <= read || p.Left > 0 && p.Total+p.Left != rows {
				t.Fatalf("answer %d: %d rows after %d, %d left", answers, p.Total, read, p.Left)
			}
			read = p.Total
		} else {
			if p.Total < found {
				t.Fatalf("answer %d: found %d after %d", answers, p.Total, found)
			}
			found = p.Total
		}
		if p.Left == 0 {
			break
		}
	}
	if p := all(t, c, "", 0, 1); p.Total != rows || answers < 5 || opened != 1 || closed != 1 {
		t.Errorf("%d rows after %d answers, opened %d times, closed %d times", p.Total, answers, opened, closed)
	}
	files, err := os.ReadDir(c.tmp)
	if err != nil || len(files) != 1 {
		t.Errorf("kept in %v, %v", files, err)
	}
}

// Nobody's disk is filled by looking at a table: it is said that there is no room
// before there is none, and the room that was taken is given back.
func TestCatalogue_Records_noRoom(t *testing.T) {
	t.Parallel()
	var opened, closed int
	tmp := t.TempDir()
	c := New(tmp, []Table{{Name: "sale", Columns: []string{"id"}, Size: 7000, Open: func() (Rows, error) {
		opened++
		return &wide{left: 7000, closed: &closed}, nil
	}}})
	room, asked := int64(spare+lookEvery), 0
	c.tables[0].slice = time.Hour
	c.tables[0].free = func(path string) (int64, error) {
		if asked++; !strings.HasPrefix(path, tmp) {
			t.Errorf("asked for the room on %s", path)
		}
		return room, nil
	}
	if _, err := c.Records(t.Context(), "sale", "", 0, 5); app.CodeOf(err) != app.CodeTempFull || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	if files, err := os.ReadDir(tmp); err != nil || len(files) > 0 || closed != 1 {
		t.Errorf("left behind: %v, %v, closed %d times", files, err, closed)
	}
	room = 2 * spare
	if p := all(t, c, "", 6999, 5); p.Total != 7000 || len(p.Records) != 1 || asked < 3 {
		t.Errorf("with room: %+v, asked %d times", p, asked)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(tmp); err != nil || len(files) > 0 || opened != closed {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// wide are rows of 10,000 bytes.
type wide struct {
	left   int
	end    func() error // instead of io.EOF after the last
	shut   error
	closed *int
}

func (r *wide) Next() ([]string, error) {
	if r.left == 0 {
		return nil, io.EOF
	}
	if r.left--; r.left == 0 && r.end != nil {
		if err := r.end(); err != nil {
			return nil, err
		}
	}
	return []string{strings.Repeat("x", 9_999)}, nil
}

func (r *wide) Read() int64 { return int64(7000 - r.left) }
func (r *wide) Close() error {
	*r.closed++
	return r.shut
}

// A table is whole when its last row is kept, and its text was read to a good end;
// not before.
func TestCatalogue_Records_notWhole(t *testing.T) {
	t.Parallel()
	broken := errors.New("the text is another")
	for name, spoil := range map[string]func(*wide, *pages){
		"the last rows can't be kept": func(r *wide, p *pages) { r.end = func() error { return p.file.Close() } },
		"the text ends badly":         func(r *wide, _ *pages) { r.shut = broken },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed, opened := 0, 0
			var c *Catalogue
			c = New(t.TempDir(), []Table{{Name: "sale", Size: 3, Open: func() (Rows, error) {
				r := &wide{left: 3, closed: &closed}
				if opened++; opened == 1 {
					spoil(r, c.tables[0])
				}
				return r, nil
			}}})
			p, err := c.Records(t.Context(), "sale", "", 0, 5)
			if code := app.CodeOf(err); code != app.CodeTempFull && code != app.CodeItemUnreadable {
				t.Errorf("%+v, %v", p, err)
			}
			if s, err := c.Shelves(t.Context()); err != nil || s[0].Count != -1 {
				t.Errorf("%+v, %v", s, err)
			}
			if p := all(t, c, "", 0, 5); p.Total != 3 || len(p.Records) != 3 || opened != 2 {
				t.Errorf("asked again: %+v, opened %d times", p, opened)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is looked for is found far into a long text too.
func TestCatalogue_Records_deep(t *testing.T) {
	t.Parallel()
	closed := 0
	deep := strings.Repeat("å", 20_000) + " Blå kopp"
	c := New(t.TempDir(), []Table{{Name: "sale", Columns: []string{"name"}, Size: 1, Open: func() (Rows, error) {
		return &one{cell: deep, closed: &closed}, nil
	}}})
	for text, want := range map[string]int64{"BLÅ KOPP": 1, deep[100:5000]: 1, "röd": 0} {
		if p := all(t, c, text, 0, 5); p.Total != want {
			t.Errorf("%.20q: %d rows, want %d", text, p.Total, want)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

type one struct {
	cell   string
	closed *int
}

func (r *one) Next() ([]string, error) {
	if r.cell == "" {
		return nil, io.EOF
	}
	cell := r.cell
	r.cell = ""
	return []string{cell}, nil
}
func (r *one) Read() int64  { return 0 }
func (r *one) Close() error { *r.closed++; return nil }
