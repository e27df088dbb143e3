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

// drillAge is how old a drill may be and still prove anything.
const drillAge = 30 * 24 * time.Hour

// figure is one of the three cards.
type figure struct {
	Title, Value, Note string
	Tone               widgets.Tone
	Button             string // "" for none
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
	Verdict  app.Verdict
	AsOf     string // the moment a vault of the past is shown at
	Headline string
	Sentence string
	Mark     assets.Mark
	Primary  string // the primary button
	Job      *screen.JobModel
	Paused   bool
	Problems []screen.Problem
	Notes    []screen.Problem // to be seen to, though the shop is safe
	Kit      kit.Stand        // what the standing card is about; "" for none
	KitText  string
	Figures  []figure
	Strip    []widgets.Bar
	StripSum string
	StripNow string
	Sources  []sourceRow
}

// model tells a status in the owner's words.
func model(w *assets.Words, s app.Status, now time.Time) viewModel {
	m := viewModel{Stage: stageOf(s), Verdict: s.Verdict}
	m.Paused = s.PausedUntil.After(now) && m.Stage != stagePast
	m.Headline, m.Sentence = headline(w, s, m.Stage, now)
	m.Primary = w.T("home.button." + string(m.Stage))
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
	m.Problems, m.Notes = explain(w, m.Stage, s.Problems), explain(w, m.Stage, s.Notes)
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
	m.Figures = []figure{backIn(w, s, now), loseAtMost(w, s, now), unprotected(w, s)}
	m.Strip, m.StripSum, m.StripNow = strip(w, s)
	for _, src := range s.Sources {
		m.Sources = append(m.Sources, row(w, src, now))
	}
	return m
}

// explain tells what stands in the way, but for what the headline or the card
// about the kit says already.
func explain(w *assets.Words, st stage, problems []app.Problemed) []screen.Problem {
	var out []screen.Problem
	for _, p := range problems {
		switch c := app.CodeOf(p.Error); {
		case c == app.CodeVaultNone && st == stageEmpty, c == app.CodeVaultPast && st == stagePast:
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

func headline(w *assets.Words, s app.Status, st stage, now time.Time) (title, text string) {
	if st == stagePast {
		when := assets.Args{"When": w.When(s.Vault.AsOf, now)}
		return w.T("home.head.past", when), w.T("home.text.past", when)
	}
	if st != stageRunning {
		return w.T("home.head." + string(st)), w.T("home.text." + string(st))
	}
	title = w.T("verdict." + string(s.Verdict))
	if s.PausedUntil.After(now) {
		if oneStepLeft(s) {
			title = w.T("home.head.kit")
		}
		return title, w.T("home.text.paused", assets.Args{"Until": w.When(s.PausedUntil, now)})
	}
	if oneStepLeft(s) {
		return w.T("home.head.kit"), w.T("home.text.kit")
	}
	if s.Verdict == app.VerdictSafe && !s.LastBackup.IsZero() && !s.LastBackup.After(now) {
		args := assets.Args{"Ago": w.Span(now.Sub(s.LastBackup)), "Where": s.Vault.Where, "Next": w.Span(s.NextBackup.Sub(now))}
		if s.NextBackup.After(now) {
			return title, w.T("home.text.safe", args)
		}
		return title, w.T("home.text.safe.soon", args)
	}
	return title, w.T("home.text.verdict." + string(s.Verdict))
}

// oneStepLeft reports whether all is well but that nobody could open the
// backups if this computer were lost.
func oneStepLeft(s app.Status) bool { return s.Verdict == app.VerdictSafe && !s.Kit.Good() }

// markOf draws the state; while all is well its fill shows how much of the
// quarter has passed.
func markOf(s app.Status, now time.Time) assets.Mark {
	switch {
	case s.Vault != nil && !s.Vault.AsOf.IsZero():
		return assets.NewMark(assets.MarkUnknown)
	case s.PausedUntil.After(now):
		return assets.NewMark(assets.MarkPaused)
	case s.Job != nil && s.Job.State == app.JobRunning:
		m := assets.NewMark(assets.MarkWorking)
		m.Turn = float64(now.Second()%assets.Turns) / assets.Turns
		return m
	}
	if oneStepLeft(s) {
		return assets.NewMark(assets.MarkLate)
	}
	switch s.Verdict {
	case app.VerdictSafe:
		m := assets.NewMark(assets.MarkSafe)
		left := s.NextBackup.Sub(now).Seconds() / app.QuarterLength.Seconds()
		m.Fill = 1 - min(max(left, 0), 1)
		return m
	case app.VerdictLate, app.VerdictUnproven:
		return assets.NewMark(assets.MarkLate)
	case app.VerdictFailed, app.VerdictSuspicious:
		return assets.NewMark(assets.MarkAlarm)
	}
	return assets.NewMark(assets.MarkUnknown)
}

// backIn is the time a restore would take, a number only when drills of every
// source have shown it.
func backIn(w *assets.Words, s app.Status, now time.Time) figure {
	f := figure{Title: w.T("home.back.title"), Tone: widgets.ToneWarn, Button: w.T("home.back.drill")}
	total, proven := 0.0, true
	for _, src := range s.Sources {
		proven = proven && src.RestoreSeconds > 0
		total += src.RestoreSeconds
	}
	d := s.LastDrill
	switch {
	case d != nil && !d.OK:
		f.Value, f.Note, f.Tone = w.T("home.back.unproven"), w.T("home.back.failed", assets.Args{"When": w.When(d.At, now)}), widgets.ToneDanger
	case d == nil || !proven:
		f.Value, f.Note = w.T("home.back.unproven"), w.T("home.back.never")
	case now.Sub(d.At) > drillAge:
		f.Value, f.Note = w.T("home.back.unproven"), w.T("home.back.old", assets.Args{"When": w.When(d.At, now)})
	default:
		t := time.Duration(total * float64(time.Second))
		f.Value, f.Note = w.T("home.back.value", assets.Args{"Time": w.Stopwatch(t)}), w.T("home.back.proven", assets.Args{"When": w.When(d.At, now)})
		f.Tone, f.Button = widgets.ToneNeutral, ""
	}
	return f
}

func loseAtMost(w *assets.Words, s app.Status, now time.Time) figure {
	f := figure{Title: w.T("home.lose.title"), Tone: widgets.ToneNeutral, Note: w.T("home.lose.note")}
	switch gap := now.Sub(s.LastBackup); {
	case s.LastBackup.IsZero():
		f.Value, f.Note, f.Tone = w.T("home.lose.everything"), w.T("home.lose.everything.note"), widgets.ToneDanger
	case gap < 0:
		f.Value, f.Note, f.Tone = w.T("home.lose.unknown"), w.T("home.lose.unknown.note"), widgets.ToneWarn
	default:
		f.Value = w.T("home.lose.value", assets.Args{"Span": w.Span(gap)})
		if gap > 2*app.QuarterLength {
			f.Tone, f.Note = widgets.ToneWarn, w.T("home.lose.late", assets.Args{"When": w.When(s.LastBackup, now)})
		}
	}
	return f
}

func unprotected(w *assets.Words, s app.Status) figure {
	f := figure{Title: w.T("home.open.title"), Tone: widgets.ToneWarn}
	switch v := s.Vault; {
	case !v.OffSite && !s.Locked():
		f.Value, f.Note = w.T("home.open.both"), w.T("home.open.both.note")
	case !v.OffSite:
		f.Value, f.Note = w.T("home.open.fire"), w.T("home.open.fire.note")
	case !s.Locked():
		f.Value, f.Note = w.T("home.open.lock"), w.T("home.open.lock.note")
	default:
		f.Value, f.Note, f.Tone = w.T("home.open.none"), w.T("home.open.none.note"), widgets.ToneNeutral
	}
	return f
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
