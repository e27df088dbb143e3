package backup

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"kvart/app"
)

const (
	// safetyAge is how long the state before a restore is kept.
	safetyAge = 30 * 24 * time.Hour
	// safetyLatest of them are kept whatever the clock says.
	safetyLatest = 3
)

// expired returns the points that keep does not keep. It orders by Seq: a
// point's time only decides which hour, day, week or month it stands for, never
// whether it is old, so that a clock that jumps back or ahead expires nothing
// new.
func expired(points []app.Point, keep app.Retention, now time.Time) []app.Point {
	type group struct {
		source app.SourceID
		kind   app.PointKind
	}
	groups := map[group][]app.Point{}
	for _, p := range points {
		g := group{p.Source, p.Kind}
		groups[g] = append(groups[g], p)
	}
	var out []app.Point
	for g, list := range groups {
		slices.SortFunc(list, func(a, b app.Point) int { return bySeq(b, a) })
		kept := keptByBuckets(list, keep)
		if g.kind == app.PointSafety {
			kept = keptByAge(list, now)
		}
		for i, p := range list {
			if i > 0 && !kept[i] && !p.Pinned {
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, bySeq)
	return out
}

// bySeq orders points, the oldest first. Two computers that save at once may
// have given points the same number.
func bySeq(a, b app.Point) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.ID, b.ID)) }

// keptByBuckets marks the newest points, and the newest of every hour, day,
// week and month until there are enough of each. A retention that keeps nothing
// is a mistake and keeps everything.
func keptByBuckets(newestFirst []app.Point, keep app.Retention) []bool {
	kept := make([]bool, len(newestFirst))
	rules := []struct {
		count  int
		bucket func(i int, t time.Time) string
	}{
		{keep.Latest, func(i int, _ time.Time) string { return fmt.Sprint(i) }},
		{keep.Hourly, func(_ int, t time.Time) string { return t.Format("2006-01-02 15") }},
		{keep.Daily, func(_ int, t time.Time) string { return t.Format(time.DateOnly) }},
		{keep.Weekly, func(_ int, t time.Time) string {
			year, week := t.ISOWeek()
			return fmt.Sprintf("%d-%d", year, week)
		}},
		{keep.Monthly, func(_ int, t time.Time) string { return t.Format("2006-01") }},
	}
	for _, r := range rules {
		seen := map[string]bool{}
		for i, p := range newestFirst {
			b := r.bucket(i, p.Time.UTC())
			if len(seen) < r.count && !seen[b] {
				seen[b], kept[i] = true, true
			}
			if keep == (app.Retention{}) {
				kept[i] = true
			}
		}
	}
	return kept
}

// keptByAge marks safety points that are young, or the last few. The clock that
// made the newest point counts if it is behind now.
func keptByAge(newestFirst []app.Point, now time.Time) []bool {
	if len(newestFirst) > 0 && newestFirst[0].Time.Before(now) {
		now = newestFirst[0].Time
	}
	kept := make([]bool, len(newestFirst))
	for i, p := range newestFirst {
		kept[i] = i < safetyLatest || now.Sub(p.Time) < safetyAge
	}
	return kept
}
