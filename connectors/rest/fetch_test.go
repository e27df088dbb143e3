package rest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// batches is a fair that notes how many stocks it is asked for at a time, and may
// fail at one of these times.
type batches struct {
	*fair
	sizes []int
	fail  int
}

func (s *batches) Open(context.Context, app.Access, bool) (rest.Shop, error) { return s, nil }

func (s *batches) Fetch(ctx context.Context, k rest.Kind, keys []rest.Key) ([]rest.Record, error) {
	if k.Name == "stock" {
		if s.sizes = append(s.sizes, len(keys)); len(s.sizes) == s.fail {
			return nil, app.Errorf(app.CodeShopAnswer, "test", "cut off")
		}
	}
	return s.fair.Fetch(ctx, k, keys)
}

// Many single records are fetched a hundred at a time, those that follow while the
// last are written down: each once, and all of them. When one time fails the kind
// is missing, what was known stays, and the next capture brings the rest.
func TestEngine_Capture_fetchesInBatches(t *testing.T) {
	t.Parallel()
	const many = 350
	s, _, a := newFair(t, many)
	b := &batches{fair: s}
	e := rest.New(b, rest.Options{Dir: t.TempDir(), Now: s.now})
	s.left(t, e, a, 0)
	for i := range many {
		s.stock[fmt.Sprint("s", i)] = i
	}
	for fail := range 5 {
		s.passed += 30 * time.Hour
		b.sizes, b.fail, s.fetched = nil, fail, nil
		point, problems := capture(t, e, a)
		if b.fail > 0 {
			if problems["stock.missing"] != app.CodeShopAnswer || len(b.sizes) != fail {
				t.Errorf("failed at the %d. time: %v, asked for %v", fail, problems, b.sizes)
			}
			continue
		}
		if len(problems) > 0 || !slices.Equal(b.sizes, []int{100, 100, 100, 50}) {
			t.Errorf("asked for %v, problems %v", b.sizes, problems)
		}
		slices.Sort(s.fetched)
		if n := len(slices.Compact(s.fetched)); n != many {
			t.Errorf("%d of %d fetched", n, many)
		}
		for i := range many {
			if got := string(point[fmt.Sprintf("stock/s%d.json", i)].Data); got != fmt.Sprintf("{\n \"left\": %d\n}\n", i) {
				t.Fatalf("stock of %d: %s", i, got)
			}
		}
	}
	s.passed += 30 * time.Hour
	b.fail, s.stock["s349"] = 0, 1000
	if got := s.left(t, e, a, 349); got != `{"left":1000}` {
		t.Errorf("after the failures: %s", got)
	}
}
