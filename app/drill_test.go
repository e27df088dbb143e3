package app

import (
	"reflect"
	"testing"
)

func TestTrendsOf(t *testing.T) {
	t.Parallel()
	drill := func(source string, ok bool, seconds float64) DrillResult {
		return DrillResult{Source: source, OK: ok, Seconds: seconds}
	}
	var many []DrillResult
	for range 2 * TrendDrills {
		many = append(many, drill("Bilder", true, 5))
	}
	got := TrendsOf(append([]DrillResult{
		drill("Kassan", true, 30), drill("Lager", false, 1), drill("Kassan", false, 2), drill("Kassan", true, 20), drill("Kassan", true, 50),
	}, many...))
	want := []DrillTrend{
		{Source: "Kassan", Seconds: []float64{30, 20, 50}, Change: 10, Failed: 1},
		{Source: "Lager", Seconds: []float64{}, Failed: 1},
		{Source: "Bilder", Seconds: []float64{5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := TrendsOf(nil); len(got) != 0 {
		t.Errorf("of nothing: %+v", got)
	}
}
