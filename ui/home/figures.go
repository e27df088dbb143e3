package home

import (
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// drillAge is how old a drill may be and still prove anything.
const drillAge = 30 * 24 * time.Hour

// figures are the three cards, and what the shop is not protected against where
// there was no room for it among them.
func figures(w *assets.Words, s app.Status, r *app.Readiness, now time.Time) (out []figure, below *figure) {
	out = []figure{backIn(w, s, now), loseAtMost(w, s, now)}
	open := unprotected(w, s)
	if s.Watch.Peak == nil {
		return append(out, open), nil
	}
	out = append(out, nextPeak(w, *s.Watch.Peak, r, now))
	if open.Tone != widgets.ToneNeutral {
		below = &open
	}
	return out, below
}

// backIn is the time a restore would take, a number only when drills of every
// source have shown it and still hold.
func backIn(w *assets.Words, s app.Status, now time.Time) figure {
	f := figure{Title: w.T("home.back.title"), Tone: widgets.ToneWarn, Button: w.T("home.back.drill")}
	total, proven := 0.0, true
	var open []app.SourceStatus
	for _, src := range s.Sources {
		proven = proven && src.RestoreSeconds > 0
		total += src.RestoreSeconds
		if src.Proof != app.ProofProven {
			open = append(open, src)
		}
	}
	d := s.LastDrill
	switch {
	case d != nil && !d.OK:
		f.Value, f.Note, f.Tone = w.T("home.back.unproven"), w.T("home.back.failed", assets.Args{"When": w.When(d.At, now)}), widgets.ToneDanger
	case d == nil || !proven:
		f.Value, f.Note = w.T("home.back.unproven"), w.T("home.back.never")
	case now.Sub(d.At) > drillAge:
		f.Value, f.Note = w.T("home.back.unproven"), w.T("home.back.old", assets.Args{"When": w.When(d.At, now)})
	case len(open) > 0:
		f.Value = w.T("home.back.unproven")
		f.Note = w.N("home.back.open", int64(len(open)), assets.Args{"Source": open[0].Source.Name})
	default:
		t := time.Duration(total * float64(time.Second))
		f.Value, f.Note = w.T("home.back.value", assets.Args{"Time": w.Stopwatch(t)}), w.T("home.back.proven", assets.Args{"When": w.When(d.At, now)})
		f.Tone, f.Button = widgets.ToneNeutral, ""
	}
	return f
}

func loseAtMost(w *assets.Words, s app.Status, now time.Time) figure {
	f := figure{Title: w.T("home.lose.title"), Tone: widgets.ToneNeutral, Note: w.T("home.lose.every", assets.Args{"Span": w.Span(slowest(s))})}
	switch gap := now.Sub(s.LastBackup); {
	case s.LastBackup.IsZero():
		f.Value, f.Note, f.Tone = w.T("home.lose.everything"), w.T("home.lose.everything.note"), widgets.ToneDanger
	case gap < 0:
		f.Value, f.Note, f.Tone = w.T("home.lose.unknown"), w.T("home.lose.unknown.note"), widgets.ToneWarn
	default:
		f.Value = w.T("home.lose.value", assets.Args{"Span": w.Span(gap)})
		if gap > 2*slowest(s) {
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

// pace is the time between two backups of what nothing was chosen of.
func pace(s app.Status) time.Duration {
	if s.Pace > 0 {
		return s.Pace
	}
	return app.QuarterLength // an older guard does not say
}

// slowest is the longest time between two backups that was chosen for a source.
func slowest(s app.Status) time.Duration {
	var out time.Duration
	for _, src := range s.Sources {
		every := src.Source.Schedule.Every
		if every == 0 {
			every = app.QuarterLength
			if s.Watch.DenseUntil.After(s.Now) {
				every = app.PeakLength
			}
		}
		out = max(out, every)
	}
	if out == 0 {
		return pace(s)
	}
	return out
}

// nextPeak is when the shop can stand an outage least, and whether it is ready.
func nextPeak(w *assets.Words, p app.PeakDay, r *app.Readiness, now time.Time) figure {
	name := assets.Args{"Name": assets.PeakName(w, p)}
	f := figure{Title: w.T("home.peak.title"), Tone: widgets.ToneNeutral}
	days := calendarDays(now, p.From)
	switch {
	case days <= 0:
		f.Value = w.T("home.peak.now", name)
	case days == 1:
		f.Value = w.T("home.peak.tomorrow", name)
	default:
		f.Value = w.N("home.peak.value", int64(days), name)
	}
	if r == nil || r.Peak == nil {
		f.Note = w.T("home.peak.unknown")
		return f
	}
	var left, of int64
	for _, it := range r.Items {
		switch it.State {
		case app.ReadyYes:
			of++
		case app.ReadyNo, app.ReadyUnknown:
			of++
			left++
		}
	}
	switch {
	case r.State == app.ReadyYes:
		f.Note = w.T("home.peak.ready")
	case left > 0:
		f.Note = w.N("home.peak.left", left, assets.Args{"Of": w.Number(of)})
	default:
		f.Note = w.T("home.peak.unknown")
	}
	if r.Soon && r.State != app.ReadyYes {
		f.Tone, f.Button, f.Place = widgets.ToneWarn, w.T("home.peak.button"), &screen.Place{Screen: screen.Safety, Part: screen.PartPeak}
	}
	return f
}

// calendarDays counts the midnights from one moment to another.
func calendarDays(from, to time.Time) int {
	day := func(t time.Time) time.Time {
		t = t.Local()
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	return int(day(to).Sub(day(from)) / (24 * time.Hour))
}
