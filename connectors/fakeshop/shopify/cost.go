package shopify

import (
	"math"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// mostCost is what one operation may cost at most.
const mostCost = 1000

// bucket is the leaky bucket of points.
type bucket struct {
	max, left, rate float64
	seen            time.Time
	spent           float64
}

func (b *bucket) refill(now time.Time) {
	b.left = min(b.max, b.left+now.Sub(b.seen).Seconds()*b.rate)
	b.seen = now
}

// Spent returns all points ever spent, and the points a second that come back:
// what time the work must have taken in a real shop.
func (s *Shop) Spent() (points, perSecond float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bucket.spent, s.bucket.rate
}

// Drain empties the bucket, as another program's work would.
func (s *Shop) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bucket.refill(s.clock())
	s.bucket.left = 0
}

// requested is what an operation costs before it is known how much there is.
// The rules are those Shopify publishes: nothing for scalars, one for an object,
// ten for a mutation; a connection grows with the logarithm of its page, which
// is what the one published breakdown shows (250 variants with one object each:
// 25 points).
func requested(set ast.SelectionSet, vars map[string]any) float64 {
	total := 0.0
	for _, sel := range set {
		switch x := sel.(type) {
		case *ast.InlineFragment:
			total = max(total, requested(x.SelectionSet, vars)) + 0
		case *ast.Field:
			total += fieldCost(x, vars)
		}
	}
	return total
}

func fieldCost(f *ast.Field, vars map[string]any) float64 {
	if len(f.SelectionSet) == 0 {
		return 0
	}
	inner := requested(f.SelectionSet, vars)
	if f.Name == "nodes" && f.Arguments.ForName("ids") == nil || f.Name == "edges" || f.Name == "pageInfo" {
		if f.Name == "nodes" || f.Name == "edges" {
			return inner + 1
		}
		return 0
	}
	if first := f.Arguments.ForName("first"); first != nil && connection(f) {
		return math.Ceil(1.5*math.Log2(numberOf(first.Value, vars)+1)) * inner
	}
	if ids := f.Arguments.ForName("ids"); ids != nil {
		list, _ := value(ids.Value, vars).([]any)
		return math.Ceil(1.5*math.Log2(float64(len(list))+1)) * (inner + 1)
	}
	return inner + 1
}

func connection(f *ast.Field) bool {
	for _, sel := range f.SelectionSet {
		if c, ok := sel.(*ast.Field); ok && (c.Name == "nodes" || c.Name == "edges") {
			return true
		}
	}
	return false
}

func numberOf(v *ast.Value, vars map[string]any) float64 {
	switch n := value(v, vars).(type) {
	case int64:
		return float64(n)
	case float64:
		return n
	}
	return 1
}

// mutationCost is what a mutation costs. productSet grows with what it sets.
func mutationCost(f *ast.Field, vars map[string]any) float64 {
	total := 10.0
	if f.Name != "productSet" {
		return total
	}
	args := arguments(f, vars)
	input, _ := args["input"].(map[string]any)
	for _, v := range list(input["variants"]) {
		total += 0.2 + 0.4*float64(len(list(object(v)["metafields"])))
		if object(v)["file"] != nil {
			total += 0.6
		}
	}
	return total + 1.9*float64(len(list(input["files"]))) + 0.4*float64(len(list(input["metafields"])))
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func text(v any) string {
	t, _ := v.(string)
	return t
}
