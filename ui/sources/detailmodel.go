package sources

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

const (
	// mostKinds is how many kinds of content are listed.
	mostKinds = 12
	// mostRuns is how many of the last backups are.
	mostRuns = 8
	// opening is the hour at which a pause until tomorrow ends: in time for the
	// shop.
	opening = 6
)

// runRow is one of the last backups.
type runRow struct {
	When, Size string
	Stand      string
	Tone       widgets.Tone
}

// detailModel is everything the page about one source shows.
type detailModel struct {
	card
	Found     bool   // the source is still there
	Paused    bool   // by itself
	PauseText string // "" while it is not
	Past      bool
	Fresh     []screen.Fact
	Kinds     []screen.Fact
	MoreKinds string
	Gaps      []string
	ProofText string
	ProofTone widgets.Tone
	ProofWhen string
	Every     int // among paceOptions
	From, To  int // of the quiet hours; equal for none
	Runs      []runRow
	RunsNone  string
	Bars      []widgets.Bar
}

// known is what the page asked the guard for.
type known struct {
	waiting bool // for the first answer
	failed  bool // the points could not be listed
	points  []app.Point
	day     []app.Quarter
	drills  []app.DrillResult
}

// paces lists what can be chosen as the time between two backups; 0 is as for
// the others.
func paces() []time.Duration { return append([]time.Duration{0}, app.Paces()...) }

// paceOptions names [paces].
func paceOptions(w *assets.Words) []string {
	out := []string{w.T("detail.every.usual")}
	for _, p := range app.Paces() {
		out = append(out, w.T("detail.every", assets.Args{"Span": w.Span(p)}))
	}
	return out
}

func detailOf(w *assets.Words, st app.Status, id app.SourceID, k known, now time.Time) detailModel {
	i := slices.IndexFunc(st.Sources, func(s app.SourceStatus) bool { return s.Source.ID == id })
	if i < 0 {
		return detailModel{}
	}
	src := st.Sources[i]
	m := detailModel{card: cardOf(w, src, now), Found: true, Past: st.Vault != nil && !st.Vault.AsOf.IsZero()}
	if m.Past {
		m.State, m.Tone = screen.PastStateOf(w, src)
	}
	sch := src.Source.Schedule
	m.Paused = sch.PausedAt(now)
	switch {
	case m.Paused && sch.Paused:
		m.PauseText = w.T("detail.paused.open")
	case m.Paused:
		m.PauseText = w.T("detail.paused.until", assets.Args{"Until": w.When(sch.PausedUntil, now)})
	}
	if m.Paused || src.State == app.SourceQuiet {
		m.Problem = nil // the card about times says it
	}
	m.Every = max(slices.Index(paces(), sch.Every), 0)
	m.From, m.To = sch.QuietFrom, sch.QuietTo
	m.Fresh = freshness(w, st, src, now)
	m.Kinds, m.MoreKinds = content(w, newest(src, k.points))
	m.Gaps = gaps(w, src.Source)
	m.ProofText, m.ProofTone = screen.ProofOf(w, src.Proof)
	if len(k.drills) > 0 {
		m.ProofWhen = w.T("detail.proof.when", assets.Args{"When": w.When(k.drills[0].At, now), "Time": w.Stopwatch(time.Duration(k.drills[0].Seconds * float64(time.Second)))})
	}
	for _, p := range k.points[:min(len(k.points), mostRuns)] {
		r := runRow{When: w.When(p.Time, now), Size: w.N("sources.size", p.Files, assets.Args{"Bytes": w.Bytes(p.Bytes)}), Stand: w.T("detail.run.verified"), Tone: widgets.ToneGood}
		switch {
		case p.Incomplete > 0:
			r.Stand, r.Tone = w.N("detail.run.incomplete", p.Incomplete), widgets.ToneWarn
		case !p.Verified:
			r.Stand, r.Tone = w.T("detail.run.unverified"), widgets.ToneWarn
		}
		m.Runs = append(m.Runs, r)
	}
	switch {
	case len(m.Runs) > 0 || k.waiting:
	case k.failed:
		m.RunsNone = w.T("detail.run.unknown")
	default:
		m.RunsNone = w.T("detail.run.none")
	}
	m.Bars = screen.Bars(w, k.day)
	return m
}

// newest returns the newest verified point with what the vault told of it.
func newest(s app.SourceStatus, points []app.Point) app.Stats {
	if s.Point == nil {
		return nil
	}
	for _, p := range points {
		if p.ID == s.Point.ID {
			return p.Stats
		}
	}
	return s.Point.Stats
}

// freshness tells how new, how big and how soon.
func freshness(w *assets.Words, st app.Status, s app.SourceStatus, now time.Time) []screen.Fact {
	none := w.T("none")
	safe, last, size, next, sent, restore := none, none, none, none, none, none
	if !s.SafeUntil.IsZero() {
		safe = w.When(s.SafeUntil, now)
	}
	if s.Point != nil {
		last = w.When(s.Point.Time, now)
		size = w.N("sources.size", s.Point.Files, assets.Args{"Bytes": w.Bytes(s.Point.Bytes)})
	}
	switch run := s.NextRun; {
	case !st.Vault.AsOf.IsZero() || s.Source.Schedule.Paused:
	case run.After(now):
		next = w.When(run, now)
	case !run.IsZero():
		next = w.T("detail.next.soon")
	}
	if s.Uploaded > 0 {
		sent = w.Bytes(s.Uploaded)
	}
	if s.RestoreSeconds > 0 {
		restore = w.Stopwatch(time.Duration(s.RestoreSeconds * float64(time.Second)))
	}
	return []screen.Fact{
		{Title: w.T("home.table.last"), Value: safe},
		{Title: w.T("sources.last"), Value: last},
		{Title: w.T("detail.next"), Value: next},
		{Title: w.T("sources.content"), Value: size},
		{Title: w.T("home.table.changed"), Value: sent},
		{Title: w.T("sources.back"), Value: restore},
	}
}

// content lists what a point holds by kind, the most first.
func content(w *assets.Words, stats app.Stats) (out []screen.Fact, more string) {
	type kind struct {
		name string
		n    int64
	}
	var kinds []kind
	for key, n := range stats {
		if name, ok := strings.CutPrefix(key, "kind."); ok {
			if k := "shop.kind." + name; w.Has(k) {
				name = w.T(k)
			}
			kinds = append(kinds, kind{name, n})
		} else if name, ok := strings.CutPrefix(strings.TrimPrefix(key, "database."), "table."); ok {
			kinds = append(kinds, kind{w.T("detail.table", assets.Args{"Table": name}), n})
		}
	}
	slices.SortFunc(kinds, func(a, b kind) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	for i, k := range kinds {
		if i == mostKinds {
			return out, w.N("sources.more", int64(len(kinds)-i))
		}
		out = append(out, screen.Fact{Title: k.name, Value: w.Number(k.n)})
	}
	return out, ""
}

// gaps tells what a source does not cover: what its kind never does, and what
// the owner left out.
func gaps(w *assets.Words, s app.Source) (out []string) {
	for n := 1; ; n++ {
		key := "detail.gap." + string(s.Kind) + "." + strconv.Itoa(n)
		if !w.Has(key) {
			break
		}
		out = append(out, w.T(key))
	}
	if left := strings.Fields(s.Settings["exclude"]); len(left) > 0 {
		out = append(out, w.T("detail.gap.exclude", assets.Args{"What": strings.Join(strings.Split(strings.TrimSpace(s.Settings["exclude"]), "\n"), ", ")}))
	}
	return out
}

// tomorrow returns the next time the shop is soon to open.
func tomorrow(now time.Time) time.Time {
	now = now.Local()
	return time.Date(now.Year(), now.Month(), now.Day()+1, opening, 0, 0, 0, time.Local)
}
