// Package ask asks what happened, to what and when, shows which backups there
// are from before it, and opens the incident.
package ask

import (
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// when is how the owner says when the trouble began.
type when string

const (
	whenNow       when = "now" // just now, or not known
	whenToday     when = "today"
	whenYesterday when = "yesterday"
	whenDay       when = "day"
)

func whens() []when { return []when{whenNow, whenToday, whenYesterday, whenDay} }

// asks tells what a playbook wants to know before it begins.
func asks(code app.PlaybookCode) (what, began bool) {
	switch code {
	case app.PlaybookComputer:
		return false, false
	case app.PlaybookRehearsal:
		return true, false
	}
	return true, true
}

// began works out when the trouble began; wrong is the key of what is said where
// it can't be read. Zero stands for just now.
func began(k when, day, clock string, now time.Time) (at time.Time, wrong string) {
	now = now.Local()
	if k == whenNow {
		return time.Time{}, ""
	}
	h, m, ok := parseClock(clock)
	if !ok {
		return time.Time{}, "recover.when.bad_clock"
	}
	date := now
	switch k {
	case whenYesterday:
		date = now.AddDate(0, 0, -1)
	case whenDay:
		d, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(day), time.Local)
		if err != nil {
			return time.Time{}, "recover.when.bad_day"
		}
		date = d
	}
	at = time.Date(date.Year(), date.Month(), date.Day(), h, m, 0, 0, time.Local)
	if at.After(now) {
		return time.Time{}, "recover.when.future"
	}
	return at, ""
}

// parseClock reads a time of day as people type it: "14:30", "14.30", "9".
func parseClock(s string) (h, m int, ok bool) {
	hours, minutes, found := strings.Cut(strings.NewReplacer(".", ":", " ", "").Replace(strings.TrimSpace(s)), ":")
	if !found {
		minutes = "0"
	}
	h, err := strconv.Atoi(hours)
	if err != nil || h < 0 || h > 23 {
		return 0, 0, false
	}
	m, err = strconv.Atoi(minutes)
	return h, m, err == nil && m >= 0 && m <= 59
}

// pill is a mark on a candidate.
type pill struct {
	Words string
	Tone  widgets.Tone
}

// candidateRow is a backup that could be brought back.
type candidateRow struct {
	Source string
	Point  app.PointID
	When   string
	Detail string
	Pills  []pill
	Chosen bool
}

func modelCandidate(w *assets.Words, source string, c app.Candidate, now time.Time) candidateRow {
	r := candidateRow{Source: source, Point: c.Point.ID, When: w.When(c.Point.Time, now)}
	parts := []string{w.Bytes(c.Point.Bytes)}
	if c.Rows >= 0 {
		parts = append(parts, w.N("recover.cand.rows", c.Rows))
	}
	if c.NewestOrder != "" {
		parts = append(parts, w.T("recover.cand.order", assets.Args{"Order": c.NewestOrder}))
	}
	r.Detail = strings.Join(parts, " · ")
	if c.Proposed {
		r.Pills = append(r.Pills, pill{w.T("recover.cand.proposed"), widgets.ToneGood})
	}
	if c.Unusual != "" {
		r.Pills = append(r.Pills, pill{w.T("recover.cand.unusual"), widgets.ToneDanger})
	}
	if c.Point.Verified {
		r.Pills = append(r.Pills, pill{w.T("recover.cand.verified"), widgets.ToneNeutral})
	} else {
		r.Pills = append(r.Pills, pill{w.T("recover.cand.unverified"), widgets.ToneWarn})
	}
	return r
}

// rowsOf shows one source's candidates, or of several sources the proposed.
func rowsOf(w *assets.Words, found []sourceCandidates, chosen app.PointID, now time.Time) (rows []candidateRow, without []string) {
	for _, s := range found {
		shown := false
		for _, c := range s.list {
			r := modelCandidate(w, s.name, c, now)
			r.Chosen = c.Point.ID == chosen || chosen == "" && c.Proposed
			switch {
			case len(found) == 1:
				rows, shown = append(rows, r), true
			case c.Proposed: // which the heading says
				r.Pills = r.Pills[1:]
				rows, shown = append(rows, r), true
			}
		}
		if !shown {
			without = append(without, s.name)
		}
	}
	return rows, without
}

// planText tells what a restore would do: how much, how long, whether it can be
// undone.
func planText(w *assets.Words, p app.RestorePlan, rehearsal bool) (sentence, undo string) {
	args := assets.Args{"Bytes": w.Bytes(p.Bytes), "Time": w.Stopwatch(time.Duration(p.Seconds * float64(time.Second)))}
	sentence = w.N("recover.plan.size", p.Files, args)
	if p.Seconds > 0 {
		sentence = w.N("recover.plan.sentence", p.Files, args)
	}
	switch {
	case rehearsal:
		return sentence, w.T("recover.ask.safe_place")
	case p.Undoable:
		return sentence, w.T("recover.plan.undoable")
	}
	return sentence, w.T("recover.plan.final")
}

// hitRow is something that a search found.
type hitRow struct {
	Title, Under, Seen string
	Gone               bool
}

func modelHit(w *assets.Words, h app.SearchHit, now time.Time) hitRow {
	r := hitRow{Title: h.Title, Under: h.Under, Gone: !h.Now}
	if r.Title == "" {
		r.Title = h.Path
	}
	args := assets.Args{"When": w.When(h.Last.Time, now)}
	r.Seen = w.T("recover.find.gone", args)
	if h.Now {
		r.Seen = w.T("recover.find.there", args)
	}
	return r
}

// introOf returns the key of what is said of a kind of trouble. That the backups
// can't be deleted is said only where the storage lately refused to.
func introOf(code app.PlaybookCode, st app.Status) string {
	if code == app.PlaybookHacked && st.Locked() {
		return "recover.hacked.locked"
	}
	return "incident.playbook." + string(code) + ".text"
}
