package screen

import (
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// shownDrills is how many of a source's drills are shown.
const shownDrills = 5

// shownNotes is how much of what its last drill found is shown.
const shownNotes = 4

// DrillRow is one source and what its drills have shown.
type DrillRow struct {
	Source      string
	State       string
	Tone        widgets.Tone
	Last, Trend string
	Times       string
	Notes       []string // what was wrong in the last one, or that it proves less than others
	Can         bool     // there is something to restore
}

// ModelDrills tells what was proven, source by source.
func ModelDrills(w *assets.Words, st app.Status, drills []app.DrillResult, now time.Time) []DrillRow {
	var out []DrillRow
	for _, s := range st.Sources {
		r := DrillRow{Source: s.Source.Name, Can: s.Point != nil}
		r.State, r.Tone = ProofOf(w, s.Proof)
		var mine []app.DrillResult
		for _, d := range drills {
			if d.Source == s.Source.Name || d.Source == string(s.Source.ID) {
				mine = append(mine, d)
			}
		}
		r.Last = w.T("recover.drills.never")
		if len(mine) > 0 {
			d := mine[0]
			r.Notes = drillNotes(w, d)
			args := assets.Args{"When": w.When(d.At, now), "Time": w.Stopwatch(span(d)), "Why": ""}
			r.Last = w.T("recover.drills.good", args)
			if !d.OK {
				title, _, _ := assets.ErrorWords(w, drillError(d))
				args["Why"] = title
				r.Last = w.T("recover.drills.bad", args)
			}
		}
		r.Trend, r.Times = trend(w, mine)
		out = append(out, r)
	}
	return out
}

// drillNotes tells what a drill found wrong, check by check, and where one that
// went well restored nothing.
func drillNotes(w *assets.Words, d app.DrillResult) (notes []string) {
	for _, c := range d.Checks {
		if !c.OK {
			c.Source = "" // stands above
			notes = append(notes, assets.CheckFailedWords(w, c))
			continue
		}
		for _, f := range c.Seen {
			switch f.Code {
			case app.SeenTriedReading, app.SeenTriedVerifying, app.SeenTriedNoRoom:
				notes = append(notes, assets.SeenWords(w, f))
			}
		}
	}
	if n := len(notes); n > shownNotes {
		notes = append(notes[:shownNotes], w.N("checks.others", int64(n-shownNotes)))
	}
	return notes
}

func drillError(d app.DrillResult) *app.Error {
	if d.Error != nil {
		return d.Error
	}
	return app.Errorf(app.CodeCheckFailed, "drill", "not as it was").With("source", d.Source)
}

func span(d app.DrillResult) time.Duration {
	return time.Duration(d.Seconds * float64(time.Second))
}

// trend compares the newest drill that passed with the one before it, and lists
// how long the last ones took, newest first.
func trend(w *assets.Words, drills []app.DrillResult) (words, times string) {
	var good []app.DrillResult
	var list []string
	for n, d := range drills {
		if d.OK {
			good = append(good, d)
		}
		if n < shownDrills {
			t := w.Stopwatch(span(d))
			if !d.OK {
				t = w.T("recover.drills.failed")
			}
			list = append(list, t)
		}
	}
	if len(list) > 1 {
		times = w.T("recover.drills.times", assets.Args{"Times": strings.Join(list, " · ")})
	}
	if len(good) < 2 {
		return "", times
	}
	by := span(good[0]) - span(good[1])
	args := assets.Args{"By": w.Stopwatch(by.Abs())}
	switch {
	case by.Abs() < max(time.Second, span(good[1])/10):
		return w.T("recover.drills.same"), times
	case by > 0:
		return w.T("recover.drills.slower", args), times
	}
	return w.T("recover.drills.faster", args), times
}
