package app

import (
	"context"
	"slices"
	"time"
)

// Schedule is the owner's choice of when a source is backed up. The zero value
// is with every backup. A backup that is asked for by the source's name is made
// whatever it says.
type Schedule struct {
	// Every is the time between two backups, one of [Paces]; 0 is every
	// [QuarterLength], and [PeakLength] over peak days. One that is chosen holds
	// over peak days too.
	Every time.Duration `json:"every,omitzero"`
	// QuietFrom and QuietTo are the hours of the day, 0 to 23, between which the
	// source is left alone; equal means never.
	QuietFrom int `json:"quietFrom,omitzero"`
	QuietTo   int `json:"quietTo,omitzero"`
	// Paused holds until the source is taken up again, whatever PausedUntil says:
	// from [PauseReminded] on the owner is told so once a day.
	Paused bool `json:"paused,omitzero"`
	// PausedUntil is set to at most [LongestPause] ahead.
	PausedUntil time.Time `json:"pausedUntil,omitzero"`
	// PausedFrom is when the pause began; set by the guard.
	PausedFrom time.Time `json:"pausedFrom,omitzero"`
}

const (
	// LongestPause is how far ahead the end of a pause may be set, of one source
	// or of all: what happens meanwhile is not protected.
	LongestPause = 7 * 24 * time.Hour
	// PauseReminded is how long a pause lasts before the owner is told of it, and
	// from then on told again. A shop one of whose sources has been paused for so
	// long sends no heartbeat.
	PauseReminded = 24 * time.Hour
)

// Paces lists the times between two backups of a source that can be chosen.
func Paces() []time.Duration {
	return []time.Duration{5 * time.Minute, QuarterLength, 30 * time.Minute, time.Hour}
}

// Pace returns the time between two backups, where between is what it is for
// sources of which nothing was chosen.
func (s Schedule) Pace(between time.Duration) time.Duration {
	if s.Every > 0 {
		return s.Every
	}
	return between
}

// PausedAt reports whether the source is paused at a time. A clock that was set
// back to before a pause with an end ends it: an hour must not become a year.
func (s Schedule) PausedAt(t time.Time) bool {
	return s.Paused || s.PausedUntil.After(t) && !t.Before(s.PausedFrom.Add(-time.Minute))
}

// Quiet reports whether t lies in the source's quiet hours.
func (s Schedule) Quiet(t time.Time) bool {
	h := t.Local().Hour()
	switch {
	case s.QuietFrom == s.QuietTo:
		return false
	case s.QuietFrom < s.QuietTo:
		return s.QuietFrom <= h && h < s.QuietTo
	}
	return h >= s.QuietFrom || h < s.QuietTo
}

// mostQuiet bounds how far back quiet hours are looked for, in days.
const mostQuiet = 14

// QuietBetween returns how much of the time from one moment to another lies in
// quiet hours, as far as the last two weeks of it go.
func (s Schedule) QuietBetween(from, to time.Time) time.Duration {
	if s.QuietFrom == s.QuietTo || !to.After(from) {
		return 0
	}
	var sum time.Duration
	last := to.Local()
	for back := range mostQuiet + 1 {
		begin := time.Date(last.Year(), last.Month(), last.Day()-back, s.QuietFrom, 0, 0, 0, time.Local)
		day := begin.Day()
		if s.QuietFrom > s.QuietTo {
			day++
		}
		end := time.Date(begin.Year(), begin.Month(), day, s.QuietTo, 0, 0, 0, time.Local)
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		if end.After(begin) {
			sum += end.Sub(begin)
		}
	}
	return sum
}

// Check returns a [CodeUsage] error for what can't be.
func (s Schedule) Check() error {
	const op = "change schedule"
	if s.Every != 0 && !slices.Contains(Paces(), s.Every) {
		return Errorf(CodeUsage, op, "every %s; there are: 5m, 15m, 30m, 60m", s.Every).With("field", "every").With("choices", "5m, 15m, 30m, 60m")
	}
	if min(s.QuietFrom, s.QuietTo) < 0 || max(s.QuietFrom, s.QuietTo) > 23 {
		return Errorf(CodeUsage, op, "hours of the day are 0 to 23").With("field", "quietFrom")
	}
	return nil
}

// ArrangeRequest says what a source is called and when it is backed up. What is
// not given stays.
type ArrangeRequest struct {
	Source   string    `json:"source"` // name or ID
	Name     string    `json:"name,omitempty"`
	Schedule *Schedule `json:"schedule,omitempty"`
}

// ArrangeService changes what nothing has to be proven for.
type ArrangeService interface {
	// ArrangeSource returns the source as it is then. A name that another source
	// has is [CodeSourceExists]; an end of a pause that is past, or more than
	// [LongestPause] ahead, is [CodeUsage].
	ArrangeSource(ctx context.Context, r ArrangeRequest) (Source, error)
}

// Resting returns the sources that are paused or in their quiet hours, where
// nothing else keeps the verdict from "safe"; nil otherwise.
func (s Status) Resting() (out []SourceStatus) {
	if s.Verdict != VerdictLate {
		return nil
	}
	for _, src := range s.Sources {
		switch src.State {
		case SourcePaused, SourceQuiet:
			out = append(out, src)
		case SourceSafe:
		default:
			return nil
		}
	}
	return out
}
