//go:build unix

package main

import (
	"fmt"
	"io"
)

// report is the table that the run prints.
type report struct{ rows []line }

// line is one thing measured: ours and a peer's, in the same unit. Without a
// peer the goal is for ours itself.
type line struct {
	what, unit, peer  string
	ours, theirs, aim float64
	free              bool // nothing was promised
}

// against adds a comparison; aim is how large a part of the peer's ours may be.
func (r *report) against(what, unit, peer string, ours, theirs, aim float64) {
	r.rows = append(r.rows, line{what: what, unit: unit, peer: peer, ours: ours, theirs: theirs, aim: aim})
}

// alone adds a figure with a limit of its own.
func (r *report) alone(what, unit string, ours, limit float64) {
	r.rows = append(r.rows, line{what: what, unit: unit, ours: ours, aim: limit})
}

// note adds a comparison nothing was promised of.
func (r *report) note(what, unit, peer string, ours, theirs float64) {
	r.rows = append(r.rows, line{what: what, unit: unit, peer: peer, ours: ours, theirs: theirs, free: true})
}

// plain adds a figure that is part of another, and of which nothing was promised.
func (r *report) plain(what, unit string, ours float64) {
	r.rows = append(r.rows, line{what: what, unit: unit, ours: ours, free: true})
}

func (r *report) print(w io.Writer) {
	fmt.Fprintln(w, "| measured | ours | peer | peer's | ratio | target | met |")
	fmt.Fprintln(w, "|---|---:|---|---:|---:|---:|---|")
	for _, l := range r.rows {
		fmt.Fprintln(w, l)
	}
}

func (l line) String() string {
	ours := number(l.ours, l.unit)
	if l.peer == "" && l.free {
		return fmt.Sprintf("| %s | %s | | | | | |", l.what, ours)
	}
	if l.peer == "" {
		return fmt.Sprintf("| %s | %s | | | | ≤ %s | %s |", l.what, ours, number(l.aim, l.unit), met(l.ours <= l.aim))
	}
	ratio := 0.0
	if l.theirs > 0 {
		ratio = l.ours / l.theirs
	}
	aim, ok := "", ""
	if !l.free {
		aim, ok = "≤ "+part(l.aim), met(ratio <= l.aim)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", l.what, ours, l.peer, number(l.theirs, l.unit), part(ratio), aim, ok)
}

func met(ok bool) string {
	if ok {
		return "yes"
	}
	return "**no**"
}

// part writes a ratio the way it is spoken of.
func part(r float64) string {
	if r > 0 && r <= 0.34 {
		return fmt.Sprintf("1/%.3g", 1/r)
	}
	return fmt.Sprintf("%.2f", r)
}

// Units.
const (
	inSeconds = "s"
	inMillis  = "ms"
	inMB      = "MB"
	inAll     = "requests"
)

func number(v float64, unit string) string {
	switch {
	case unit == inMillis, unit == inAll, v >= 100:
		return fmt.Sprintf("%.0f %s", v, unit)
	case v >= 10:
		return fmt.Sprintf("%.1f %s", v, unit)
	}
	return fmt.Sprintf("%.2f %s", v, unit)
}

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }
