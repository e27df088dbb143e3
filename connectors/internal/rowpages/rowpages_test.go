package rowpages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

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

// A large table answers with what it has, says that there is more, and goes on.
func TestCatalogue_Records_bitByBit(t *testing.T) {
	t.Parallel()
	var opened, closed int
	c := New(t.TempDir(), []Table{table(600_000, &opened, &closed, func(*numbered) {})})
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	p, err := c.Records(t.Context(), "sale", "", 0, 2)
	if err != nil || len(p.Records) != 2 || p.Left == 0 && p.Total != 600_000 {
		t.Fatalf("%+v, %v", p, err)
	}
	files, err := os.ReadDir(c.tmp)
	if err != nil || len(files) != 1 {
		t.Errorf("kept in %v, %v", files, err)
	}
}
