// Package home is the first screen: whether the shop is safe, how fast it
// would be back, what became of today's quarters. It decides nothing; all it
// shows is read from the guard's status.
package home

import (
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/kit"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// stage is how far the shop has come with Kvart.
type stage string

const (
	stageEmpty     stage = "empty"     // no vault
	stagePast      stage = "past"      // a vault as it was, only to restore from
	stageNoSources stage = "nosources" // a vault, nothing to put into it
	stageFirst     stage = "first"     // the first backup is not done
	stageRunning   stage = "running"   // everyday life
)

// figure is one of the three cards.
type figure struct {
	Title, Value, Note string
	Tone               widgets.Tone
	Button             string        // "" for none
	Place              *screen.Place // where it leads; nil runs a drill
}

// sourceRow is one source in the list.
type sourceRow struct {
	Name, Kind   string
	Last, Change string
	Back         string
	State        string
	Tone         widgets.Tone
}

// viewModel is everything Home shows.
type viewModel struct {
	Stage    stage
	State    state
	Verdict  app.Verdict
	AsOf     string // the moment a vault of the past is shown at
	Headline string
	Sentence string
	Mark     assets.Mark
	// Primary is the one button that helps most now, and what it does; "" where
	// it stands on a card of its own.
	Primary string
	Act     act
	Help    screen.Problem // what it does, where Act is [actRemedy]
	BackUp  bool           // a backup can be started beside it
	Resume  bool           // a pause can be ended beside it
	GoOn    bool           // the setup can be gone on with beside it
	Job     *screen.JobModel
	// Problems are those the headline and its button leave to be told. The
	// button of the first is the primary one where Act is [actRemedy].
	Problems []screen.Problem
	Notes    []screen.Problem // to be seen to, though the shop is safe
	Kit      kit.Stand        // what the standing card is about; "" for none
	KitText  string
	Figures  []figure
	Open     *figure // what the shop is not protected against, below the figures
	Strip    []widgets.Bar
	StripSum string
	StripNow string
	Sources  []sourceRow
}

// facts are what Home shows, beside the status.
type facts struct {
	Draft bool           // a setup was left in the middle
	Ready *app.Readiness // nil while nobody knows
}

// model tells a status in the owner's words.
func model(w *assets.Words, s app.Status, more facts, now time.Time) viewModel {
	m := viewModel{Stage: stageOf(s), Verdict: s.Verdict}
	m.State = stateOf(s, m.Stage, more, now)
	m.Headline, m.Sentence = headline(w, s, m.State, now)
	m.Mark = markOf(s, now)
	if s.Job != nil && s.Job.Kind == app.JobBackup && s.Job.State == app.JobRunning {
		j := screen.ModelJob(w, *s.Job, now)
		m.Job = &j
	}
	if m.Stage != stageEmpty && m.Stage != stagePast {
		if v := kit.Model(w, s.Kit, now); v.Stand != kit.Good {
			m.Kit, m.KitText = v.Stand, v.Text
		}
	}
	m.Problems, m.Notes = explain(w, m, unasked(s)), explain(w, m, s.Notes)
	m.decide(w, s, more, now)
	switch m.Stage {
	case stageEmpty, stageNoSources:
		return m
	case stagePast:
		m.AsOf = w.When(s.Vault.AsOf, now)
		for _, src := range s.Sources {
			r := row(w, src, now)
			r.State, r.Tone = screen.PastStateOf(w, src)
			m.Sources = append(m.Sources, r)
		}
		return m
	}
	m.Figures, m.Open = figures(w, s, more.Ready, now)
	m.Strip, m.StripSum, m.StripNow = strip(w, s)
	for _, src := range s.Sources {
		m.Sources = append(m.Sources, row(w, src, now))
	}
	return m
}

// explain tells what stands in the way, but for what the headline or the card
// about the kit says already.
func explain(w *assets.Words, m viewModel, problems []app.Problemed) []screen.Problem {
	var out []screen.Problem
	for _, p := range problems {
		switch c := app.CodeOf(p.Error); {
		case c == app.CodeVaultNone && m.Stage == stageEmpty, c == app.CodeVaultPast && m.Stage == stagePast:
		case (c == app.CodeSourcePaused || c == app.CodeSourceQuiet) && m.State.resting():
		case c == app.CodeWaiting && m.State == stateWaiting:
		case c == app.CodeKitMissing, c == app.CodeKitVoid:
		default:
			out = append(out, screen.Explain(w, p.Error, p.Source))
		}
	}
	return out
}

func stageOf(s app.Status) stage {
	switch {
	case s.Vault == nil:
		return stageEmpty
	case !s.Vault.AsOf.IsZero():
		return stagePast
	case len(s.Sources) == 0:
		return stageNoSources
	}
	for _, src := range s.Sources {
		if src.Point != nil || !src.SafeUntil.IsZero() {
			return stageRunning
		}
	}
	return stageFirst
}

func strip(w *assets.Words, s app.Status) (bars []widgets.Bar, sum, rest string) {
	bars = screen.Bars(w, s.Today)
	var onTime, passed int64
	for _, q := range s.Today {
		switch q.State {
		case app.QuarterDone, app.QuarterIdle:
			onTime++
			passed++
		case app.QuarterLate, app.QuarterFailed:
			passed++
		}
	}
	if passed > 0 {
		sum = w.T("home.strip.sum", assets.Args{"OnTime": w.Number(onTime), "Of": w.Number(passed)})
	}
	return bars, sum, w.T("strip.hint")
}

func row(w *assets.Words, s app.SourceStatus, now time.Time) sourceRow {
	r := sourceRow{Name: s.Source.Name, Kind: w.T("source." + string(s.Source.Kind)), Last: w.T("none"), Change: w.T("none"), Back: w.T("none")}
	if !s.SafeUntil.IsZero() {
		r.Last = w.When(s.SafeUntil, now)
		if !s.SafeUntil.After(now) {
			r.Last = w.T("ago", assets.Args{"Span": w.Span(now.Sub(s.SafeUntil))})
		}
	}
	if s.Uploaded > 0 {
		r.Change = w.Bytes(s.Uploaded)
	}
	if s.RestoreSeconds > 0 {
		r.Back = w.Stopwatch(time.Duration(s.RestoreSeconds * float64(time.Second)))
	}
	r.State, r.Tone = screen.StateOf(w, s)
	return r
}
