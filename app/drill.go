package app

// DrillTrend tells how long restores of a source took when they were proven,
// drill by drill.
type DrillTrend struct {
	Source string `json:"source"` // name
	// Seconds are those of the drills that passed, newest first, of the last
	// [TrendDrills] at most. How long one took that failed says nothing.
	Seconds []float64 `json:"seconds"`
	// Change is by how many seconds the newest of them took longer than the one
	// before; 0 where there is none.
	Change float64 `json:"change"`
	// Failed is how many of the last [TrendDrills] failed.
	Failed int `json:"failed"`
}

// TrendDrills is how many drills of a source a trend looks back on.
const TrendDrills = 12

// TrendsOf tells the trend of each source that drills were made of, in the order
// in which they come; drills are newest first, as [ProofService.Drills] has them.
func TrendsOf(drills []DrillResult) (out []DrillTrend) {
	at, seen := map[string]int{}, map[string]int{}
	for _, d := range drills {
		n, known := at[d.Source]
		if !known {
			n = len(out)
			at[d.Source] = n
			out = append(out, DrillTrend{Source: d.Source, Seconds: []float64{}})
		}
		if seen[d.Source]++; seen[d.Source] > TrendDrills {
			continue
		}
		if d.OK {
			out[n].Seconds = append(out[n].Seconds, d.Seconds)
		} else {
			out[n].Failed++
		}
	}
	for n := range out {
		if s := out[n].Seconds; len(s) > 1 {
			out[n].Change = s[0] - s[1]
		}
	}
	return out
}
