package main

import (
	"context"
	"flag"
	"strconv"
	"strings"
	"time"

	"kvart/app"
)

// arrangement is what source change says about a source's name and schedule.
type arrangement struct {
	name, quiet, until string
	every              time.Duration
	pause, resume      bool
}

func arrangeFlags(c *command) *arrangement {
	a := &arrangement{}
	c.flags.StringVar(&a.name, "name", "", "what the source is called from now on")
	c.flags.DurationVar(&a.every, "every", 0, "the time between two of its backups: 5m, 15m, 30m or 60m; 0 is as the others")
	c.flags.StringVar(&a.quiet, "quiet", "", "hours of the day in which it is left alone, `FROM-TO`; \"off\" for none")
	c.flags.BoolVar(&a.pause, "pause", false, "stop backing it up until it is resumed")
	c.flags.StringVar(&a.until, "pause-until", "", "stop backing it up until a `TIME`")
	c.flags.BoolVar(&a.resume, "resume", false, "end its pause")
	return a
}

// request returns what is to be changed of a source; false when nothing is, and
// whether anything else was named among the flags.
func (a *arrangement) request(c *command, now app.Source) (r app.ArrangeRequest, given, more bool, err error) {
	s := now.Schedule
	r = app.ArrangeRequest{Source: string(now.ID), Name: a.name, Schedule: &s}
	c.flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "name":
			given = true
		case "every":
			given, s.Every = true, a.every
		case "quiet":
			given = true
			s.QuietFrom, s.QuietTo, err = parseHours(a.quiet)
		case "pause", "pause-until", "resume":
			given = true
		case "set", "secret", "admin", "restoring":
			more = true
		}
	})
	if err != nil {
		return r, given, more, err
	}
	until, err := parseTime(a.until)
	if err != nil {
		return r, given, more, err
	}
	switch {
	case a.resume && (a.pause || a.until != ""):
		return r, given, more, app.Errorf(app.CodeUsage, "change source", "both paused and resumed").With("field", "resume")
	case a.resume:
		s.Paused, s.PausedUntil = false, time.Time{}
	case a.until != "":
		s.Paused, s.PausedUntil = false, until
	case a.pause:
		s.Paused, s.PausedUntil = true, time.Time{}
	}
	return r, given, more, nil
}

// parseHours reads "22-6" as hours of the day.
func parseHours(s string) (from, to int, err error) {
	if s == "off" {
		return 0, 0, nil
	}
	a, b, ok := strings.Cut(s, "-")
	from, errFrom := strconv.Atoi(a)
	to, errTo := strconv.Atoi(b)
	if !ok || errFrom != nil || errTo != nil || from == to {
		return 0, 0, app.Errorf(app.CodeUsage, "read hours", "%q are no hours", s).With("field", "quiet").With("choices", "22-6, off")
	}
	return from, to, nil
}

// arrange changes name and schedule where they were given, and reports whether
// nothing else is to be changed.
func (a *arrangement) arrange(ctx context.Context, c *command, s app.Service, now app.Source) (app.Source, bool, error) {
	r, given, more, err := a.request(c, now)
	if err != nil || !given {
		return now, false, err
	}
	src, err := s.ArrangeSource(ctx, r)
	return src, !more, err
}
