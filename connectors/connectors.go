// Package connectors holds the registry of the kinds of sources Kvart can
// read. It knows connectors only as [app.Connector]s: which ones there are is
// decided where the registry is built.
package connectors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"kvart/app"
)

// discoverTime is how long a discovery may take in all.
const discoverTime = 3 * time.Second

// Registry finds connectors by kind. It never changes once it is built.
type Registry struct{ list []app.Connector }

// NewRegistry returns a registry of the given connectors, which keep their
// order. Of two with the same kind the first is found.
func NewRegistry(cs ...app.Connector) *Registry { return &Registry{list: slices.Clone(cs)} }

// Connector returns the connector of a kind; [app.CodeSourceKind] with the
// kinds there are in its arg "choices" when there is none.
func (r *Registry) Connector(kind app.Kind) (app.Connector, error) {
	choices := make([]string, 0, len(r.list))
	for _, c := range r.list {
		if c.Spec().Kind == kind {
			return c, nil
		}
		choices = append(choices, string(c.Spec().Kind))
	}
	all := strings.Join(choices, ", ")
	return nil, app.Errorf(app.CodeSourceKind, "connectors: find", "no kind of source is called %q; there are %s", kind, all).
		With("kind", string(kind)).With("choices", all)
}

// Specs returns the form of every kind.
func (r *Registry) Specs() []app.KindSpec {
	specs := make([]app.KindSpec, 0, len(r.list))
	for _, c := range r.list {
		specs = append(specs, c.Spec())
	}
	return specs
}

// Discover asks every [app.Discoverer] at the same time and gives up after
// about three seconds with what there is by then: likely sources first, the
// newest before the older. A discoverer that fails does not hide what the
// others found; its error is returned only when nothing was found at all.
func (r *Registry) Discover(ctx context.Context) ([]app.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	found := make([][]app.Found, len(r.list))
	errs := make([]error, len(r.list))
	var wg sync.WaitGroup
	for i, c := range r.list {
		d, ok := c.(app.Discoverer)
		if !ok {
			continue
		}
		wg.Go(func() {
			var err error
			if found[i], err = d.Discover(ctx); err != nil {
				errs[i] = fmt.Errorf("discover %s: %w", c.Spec().Kind, err)
			}
		})
	}
	wg.Wait()
	all := unique(slices.Concat(found...))
	if len(all) == 0 {
		return nil, errors.Join(errs...)
	}
	return all, nil
}

// unique drops what was found twice and puts the likeliest first.
func unique(all []app.Found) []app.Found {
	var out []app.Found
	for _, f := range all {
		same := func(o app.Found) bool { return o.Kind == f.Kind && maps.Equal(o.Settings, f.Settings) }
		if !slices.ContainsFunc(out, same) {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b app.Found) int {
		if a.Likely != b.Likely {
			if a.Likely {
				return -1
			}
			return 1
		}
		return b.Changed.Compare(a.Changed)
	})
	return out
}
