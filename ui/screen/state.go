package screen

import (
	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// Bars tells a day's quarters for a strip.
func Bars(w *assets.Words, quarters []app.Quarter) []widgets.Bar {
	bars := make([]widgets.Bar, 0, len(quarters))
	for _, q := range quarters {
		b := widgets.Bar{State: q.State, Words: w.T("quarter."+string(q.State), assets.Args{"Clock": w.Clock(q.Start)})}
		if q.State == app.QuarterFailed && q.Code != "" {
			title, _, _ := assets.ErrorWords(w, &app.Error{Code: q.Code})
			b.Words = w.T("quarter.failed.why", assets.Args{"Clock": w.Clock(q.Start), "Why": title})
		}
		if t := q.Start.Local(); t.Minute() == 0 && t.Hour()%3 == 0 {
			b.Hour = t.Format("15")
		}
		bars = append(bars, b)
	}
	return bars
}

// PastStateOf tells what a source is worth in a vault that is shown as it was:
// nothing new of it is kept, whatever stands there.
func PastStateOf(w *assets.Words, s app.SourceStatus) (string, widgets.Tone) {
	if s.Point == nil {
		return w.T("stand.unknown"), widgets.ToneNeutral
	}
	return w.T("stand.past"), widgets.ToneNeutral
}

// ProofOf tells what drills have shown of a source, in a few words.
func ProofOf(w *assets.Words, p app.Proof) (string, widgets.Tone) {
	switch p {
	case app.ProofNone:
		return w.T("proof.none"), widgets.ToneNeutral
	case app.ProofProven:
		return w.T("proof.proven"), widgets.ToneGood
	case app.ProofFailed:
		return w.T("proof.failed"), widgets.ToneDanger
	}
	return w.T("proof." + string(p)), widgets.ToneWarn
}

// StateOf tells how a source stands, in a few words.
func StateOf(w *assets.Words, s app.SourceStatus) (string, widgets.Tone) {
	tone := widgets.ToneNeutral
	switch s.State {
	case app.SourceSafe:
		tone = widgets.ToneGood
	case app.SourceLate, app.SourceUnproven, app.SourceIncomplete, app.SourceUnknown, app.SourcePaused:
		tone = widgets.ToneWarn
	case app.SourceFailed:
		tone = widgets.ToneDanger
	}
	return w.T("stand." + string(s.State)), tone
}
