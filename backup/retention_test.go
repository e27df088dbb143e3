package backup

import (
	"testing"
	"time"

	"kvart/app"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// quarters returns n backups a quarter of an hour apart, the first of Seq 1.
func quarters(n int) []app.Point {
	points := make([]app.Point, n)
	for i := range points {
		points[i] = app.Point{ID: app.PointID(rune('a' + i)), Source: "s", Kind: app.PointBackup, Seq: uint64(i + 1), Time: start.Add(time.Duration(i) * app.QuarterLength)}
	}
	return points
}

func seqs(points []app.Point) map[uint64]bool {
	m := map[uint64]bool{}
	for _, p := range points {
		m[p.Seq] = true
	}
	return m
}

func TestExpired_KeepsDefaultForAYear(t *testing.T) {
	t.Parallel()
	points := quarters(96 * 365)
	gone := seqs(expired(points, app.DefaultRetention(), start))
	last := uint64(len(points))
	for seq := last; seq > last-192; seq-- {
		if gone[seq] {
			t.Fatalf("quarter %d of the last two days expired", seq)
		}
	}
	kept := len(points) - len(gone)
	// 192 quarters, 168 hours of which 48 are among them, and so on.
	if kept < 192+120+53 || kept > 192+168+60+26+24 {
		t.Errorf("%d points kept", kept)
	}
}

func TestExpired_NeverBecauseOfTheClock(t *testing.T) {
	t.Parallel()
	keep := app.Retention{Latest: 4, Hourly: 2}
	back := quarters(20)
	for i := 10; i < 20; i++ {
		back[i].Time = back[i].Time.AddDate(-1, 0, 0)
	}
	ahead := quarters(20)
	ahead[5].Time = ahead[5].Time.AddDate(0, 0, 400)
	for name, points := range map[string][]app.Point{"back": back, "ahead": ahead} {
		for _, now := range []time.Time{start, start.AddDate(50, 0, 0), start.AddDate(-50, 0, 0)} {
			gone := seqs(expired(points, keep, now))
			for seq := uint64(17); seq <= 20; seq++ {
				if gone[seq] {
					t.Errorf("%s: point %d expired", name, seq)
				}
			}
		}
	}
}

func TestExpired_KeepsNewestPinnedAndSafety(t *testing.T) {
	t.Parallel()
	points := quarters(10)
	points[0].Pinned = true
	for i := 1; i < 8; i++ {
		points[i].Kind = app.PointSafety
	}
	points[1].Time = start.AddDate(0, 0, -40)
	points = append(points, app.Point{ID: "x", Source: "closed shop", Kind: app.PointBackup, Seq: 11, Time: start.AddDate(-9, 0, 0)})
	gone := seqs(expired(points, app.Retention{Latest: 1}, start.AddDate(10, 0, 0)))
	if len(gone) != 2 || !gone[2] || !gone[9] {
		t.Errorf("expired %v, want the old safety point 2 and backup 9", gone)
	}
	if gone := expired(points, app.Retention{}, start); len(seqs(gone)) != 1 {
		t.Errorf("an empty retention expired %v", gone)
	}
}
