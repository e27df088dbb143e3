package journal

import (
	"slices"
	"testing"
	"time"

	"kvart/app"
)

func TestRests_perSourceOncePerQuarterAndTrimmed(t *testing.T) {
	t.Parallel()
	j := openTest(t, t.TempDir())
	q := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	add := func(id app.SourceID, at time.Time, s app.QuarterState) {
		t.Helper()
		if err := j.AddRest(t.Context(), id, at, s); err != nil {
			t.Fatal(err)
		}
	}
	add("kassan", q, app.QuarterRest)
	add("kassan", q, app.QuarterPaused) // paused in the middle of it
	add("lager", q.Add(app.QuarterLength), app.QuarterRest)
	want := func(id app.SourceID, states ...app.QuarterState) {
		t.Helper()
		rests, err := j.Rests(t.Context(), id, q, q.Add(time.Hour))
		var got []app.QuarterState
		for _, r := range rests {
			got = append(got, r.State)
		}
		if err != nil || !slices.Equal(got, states) {
			t.Errorf("%q: %v, %v, want %v", id, got, err, states)
		}
	}
	want("kassan", app.QuarterPaused)
	want("lager", app.QuarterRest)
	want("", app.QuarterPaused, app.QuarterRest)
	if err := j.Trim(t.Context(), q.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	want("", app.QuarterRest)
}
