//go:build unix

package postgres

import (
	"os"
	"testing"
)

// Every table of a point of a server is shown, with every row.
func TestCatalogue_realPoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zoo(t, w)
	point, stats, _ := w.point()
	c, err := (&Connector{}).Catalogue(t.Context(), os.DirFS(point), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	shelves, err := c.Shelves(t.Context())
	if err != nil || len(shelves) < 10 {
		t.Fatalf("%+v, %v", shelves, err)
	}
	counted := 0
	for _, s := range shelves {
		p, err := c.Records(t.Context(), s.Code, "", 0, 1000)
		if err != nil || p.Left != 0 {
			t.Errorf("%s: %+v, %v", s.Code, p, err)
		}
		if n, ok := stats["table."+s.Code]; ok {
			counted++
			if p.Total != n {
				t.Errorf("%s: %d rows, want %d", s.Code, p.Total, n)
			}
		}
		for _, r := range p.Records {
			if len(s.Columns) > 0 && len(r.Cells) != len(s.Columns) {
				t.Errorf("%s: %d cells of %v", s.Code, len(r.Cells), s.Columns)
				break
			}
		}
	}
	if counted < 10 {
		t.Errorf("only %d tables were counted: %v", counted, stats)
	}
}
