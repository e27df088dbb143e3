package vendure_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
	"kvart/connectors/vendure"
)

// A list that is cut off goes on behind the last record that was kept, however
// many of those before it have been deleted since.
func TestShop_List_resumedAfterDeletions(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for i := range 450 {
		f.add("products", record{"id": strconv.Itoa(i + 1), "slug": fmt.Sprintf("p%d", i), "translations": []any{}})
	}
	b := newBench(t, f.URL, owner, password)
	p := &vendure.Platform{Speed: 1e6, Nap: func(context.Context, time.Duration) error { return nil }}
	k := p.Kinds()[slices.IndexFunc(p.Kinds(), func(k rest.Kind) bool { return k.Name == "products" })]
	list := func(resume string, upTo int) (last string, seen map[string]bool) {
		s, err := p.Open(t.Context(), b.access, false)
		if err == nil {
			_, err = s.Probe(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		seen = map[string]bool{}
		for r, err := range s.List(t.Context(), k, rest.Query{Resume: resume}) {
			if err != nil {
				t.Fatal(err)
			}
			seen[r.ID], last = true, r.Resume
			if len(seen) == upTo {
				break
			}
		}
		return last, seen
	}
	at, first := list("", 300)
	var gone []string
	for i := range 250 {
		gone = append(gone, strconv.Itoa(i+1))
	}
	f.drop("products", gone...)
	_, left := list(at, 1000)
	for _, r := range f.lists["products"] {
		if id := r["id"].(string); !first[id] && !left[id] {
			t.Errorf("product %s was passed over", id)
		}
	}
}

// Whether a right is lacking or a session has ended is not known when the second
// look fails: then nobody is told to grant anything.
func TestShop_Probe_secondLookFails(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b := newBench(t, f.URL, owner, password)
	var forbidden atomic.Bool
	b.line.set(func(_ *http.Request, body []byte) error {
		forbidden.CompareAndSwap(false, strings.Contains(string(body), "mutation MayWrite"))
		if forbidden.Load() && strings.Contains(string(body), "query Look") {
			return errors.New("the line is cut")
		}
		return nil
	}, nil)
	f.do(func() {
		f.fault = func(w http.ResponseWriter, list string) bool {
			if forbidden.Load() {
				f.forbid(w, list)
			}
			return forbidden.Load()
		}
	})
	p := &vendure.Platform{Speed: 1e6, Nap: func(context.Context, time.Duration) error { return nil }, Transport: b.line}
	s, err := p.Open(t.Context(), b.access, true)
	if err == nil {
		_, err = s.Probe(t.Context())
	}
	if app.CodeOf(err) != app.CodeSourceOffline {
		t.Errorf("the line was cut before the second look: %v", err)
	}
}
