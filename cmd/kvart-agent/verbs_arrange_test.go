package main

import (
	"flag"
	"testing"
	"time"

	"kvart/app"
)

func TestArrangement_request(t *testing.T) {
	t.Parallel()
	was := app.Source{ID: "lager", Name: "Lager", Schedule: app.Schedule{Every: time.Hour, QuietFrom: 22, QuietTo: 6, Paused: true}}
	for name, tt := range map[string]struct {
		args        []string
		want        app.Schedule
		given, more bool
		code        app.Code
	}{
		"nothing":       {nil, was.Schedule, false, false, ""},
		"settings only": {[]string{"--set", "a=b"}, was.Schedule, false, true, ""},
		"a name":        {[]string{"--name", "Lagret"}, was.Schedule, true, false, ""},
		"every":         {[]string{"--every", "30m", "--set", "a=b"}, app.Schedule{Every: 30 * time.Minute, QuietFrom: 22, QuietTo: 6, Paused: true}, true, true, ""},
		"as the others": {[]string{"--every", "0"}, app.Schedule{QuietFrom: 22, QuietTo: 6, Paused: true}, true, false, ""},
		"resumed":       {[]string{"--resume"}, app.Schedule{Every: time.Hour, QuietFrom: 22, QuietTo: 6}, true, false, ""},
		"no quiet":      {[]string{"--quiet", "off"}, app.Schedule{Every: time.Hour, Paused: true}, true, false, ""},
		"until": {
			[]string{"--pause-until", "2026-11-30T06:00:00Z"},
			app.Schedule{Every: time.Hour, QuietFrom: 22, QuietTo: 6, PausedUntil: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)},
			true, false, "",
		},
		"both":     {[]string{"--pause", "--resume"}, app.Schedule{}, true, false, app.CodeUsage},
		"no hours": {[]string{"--quiet", "night"}, app.Schedule{}, true, false, app.CodeUsage},
		"no time":  {[]string{"--pause-until", "soon"}, app.Schedule{}, true, false, app.CodeUsage},
	} {
		c := &command{flags: flag.NewFlagSet("", flag.ContinueOnError)}
		c.flags.Var(pairs{}, "set", "")
		a := arrangeFlags(c)
		if err := c.flags.Parse(tt.args); err != nil {
			t.Fatal(name, err)
		}
		r, given, more, err := a.request(c, was)
		if app.CodeOf(err) != tt.code || given != tt.given || more != tt.more {
			t.Errorf("%s: %t, %t, %v", name, given, more, err)
		}
		if err == nil && (*r.Schedule != tt.want || r.Source != "lager") {
			t.Errorf("%s: %+v", name, *r.Schedule)
		}
	}
}

// TestSourceChange_nameAndSchedule runs the program: what it is told is kept, and
// a source that is paused is not safe.
func TestSourceChange_nameAndSchedule(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.protect()
	s.must([]string{"backup"})
	s.must([]string{"status"}, "verdict", "safe")
	s.must([]string{"source", "change", "Bilder", "--every", "30m", "--quiet", "22-6", "--name", "Foton"}, "name", "Foton", "id", "bilder")
	s.must([]string{"source", "change", "Foton", "--pause"}, "schedule.paused", "true")
	s.must([]string{"status"}, "verdict", "late", "sources.1.state", "paused")
	s.must([]string{"source", "list"}, "1.schedule.quietFrom", "22", "1.schedule.quietTo", "6", "1.schedule.paused", "true")
	s.must([]string{"source", "change", "Foton", "--resume"})
	s.must([]string{"status"}, "verdict", "safe")
	s.expect(2, []string{"source", "change", "Foton", "--every", "7m"})
	s.fails("source_exists", []string{"source", "change", "Foton", "--name", "Kassan"})
	s.fails("source_unknown", []string{"source", "change", "Bilder", "--pause"})
}
