package assets

import (
	"strconv"
	"strings"
	"time"
)

// Number returns n with the language's thousands separator.
func (w *Words) Number(n int64) string {
	sep := ","
	if w.lang == "sv" {
		sep = "\u00a0"
	}
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return sign + s
}

// decimal returns v with one decimal and the language's decimal mark.
func (w *Words) decimal(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	if w.lang == "sv" {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

// Bytes returns a size in decimal units: "212 kB", "1,4 GB".
func (w *Words) Bytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v, u := float64(n), 0
	for v >= 999.5 && u < len(units)-1 {
		v /= 1000
		u++
	}
	if u == 0 || v >= 10 {
		return w.Number(int64(v+0.5)) + "\u00a0" + units[u]
	}
	return w.decimal(v) + "\u00a0" + units[u]
}

// Clock returns the local time of day: "14:30".
func (w *Words) Clock(t time.Time) string { return t.Local().Format("15:04") }

// Day returns a local date in words: "torsdag 19 november", "Thursday 19 November".
func (w *Words) Day(t time.Time) string {
	t = t.Local()
	return w.T("day", Args{
		"Weekday": w.T("weekday." + strconv.Itoa(int(t.Weekday()))),
		"Day":     t.Day(),
		"Month":   w.T("month." + strconv.Itoa(int(t.Month()))),
	})
}

// When returns a local time as the owner would say it, seen from now: the
// clock for today, "yesterday 14:30" or "tomorrow 06:00", else the date with it.
func (w *Words) When(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
	switch days := int(day(now).Sub(day(t)).Hours() / 24); {
	case days == 0:
		return w.T("when.today", Args{"Clock": w.Clock(t)})
	case days == 1:
		return w.T("when.yesterday", Args{"Clock": w.Clock(t)})
	case days == -1:
		return w.T("when.tomorrow", Args{"Clock": w.Clock(t)})
	case t.Year() == now.Year():
		return w.T("when.day", Args{"Day": w.Day(t), "Clock": w.Clock(t)})
	}
	return w.T("when.year", Args{"Day": w.Day(t), "Year": t.Year(), "Clock": w.Clock(t)})
}

// Span returns a length of time in words, rounded to what matters: "4
// minutes", "3 min 12 s" is [Words.Stopwatch].
func (w *Words) Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return w.N("span.seconds", int64(max(d, 0).Seconds()))
	case d < time.Hour:
		return w.N("span.minutes", int64(d.Minutes()))
	case d < 48*time.Hour:
		return w.N("span.hours", int64(d.Hours()))
	}
	return w.N("span.days", int64(d.Hours()/24))
}

// Stopwatch returns a measured time: "9 s", "3 min 12 s".
func (w *Words) Stopwatch(d time.Duration) string {
	s := int64(d.Round(time.Second).Seconds())
	if s < 60 {
		return w.T("stopwatch.s", Args{"S": max(s, 1)})
	}
	return w.T("stopwatch.ms", Args{"M": s / 60, "S": s % 60})
}
