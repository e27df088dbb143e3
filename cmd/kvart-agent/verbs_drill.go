package main

import (
	"context"
	"slices"
	"time"

	"kvart/app"
)

// drilled tells of earlier drills, newest first, and of their trend.
func (c *command) drilled(ctx context.Context, s app.Service, sources []string) error {
	drills := []app.DrillResult{}
	if len(sources) == 0 {
		sources = []string{""}
	}
	for _, name := range sources {
		list, err := s.Drills(ctx, name)
		if err != nil {
			return err
		}
		drills = append(drills, list...)
	}
	for _, d := range drills {
		mark := "✓"
		if !d.OK {
			mark = "✗"
		}
		c.line("%s %-24s %-16s %s", mark, d.Source, d.At.Local().Format("2006-01-02 15:04"), c.words.Stopwatch(time.Duration(d.Seconds*float64(time.Second))))
		c.checks(slices.DeleteFunc(slices.Clone(d.Checks), func(k app.Check) bool { return k.OK }))
	}
	trends := app.TrendsOf(drills)
	if trends == nil {
		trends = []app.DrillTrend{}
	}
	return c.document(map[string]any{"drills": drills, "trends": trends})
}
