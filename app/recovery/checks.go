package recovery

import (
	"strings"

	"kvart/app"
	"kvart/assets"
)

// mostFailed is how many checks of a restore that failed are told of one by one.
const mostFailed = 12

// failed tells what each check that failed saw.
func (r report) failed(checks []app.Check) (lines []string) {
	for _, c := range checks {
		if c.OK || len(lines) == mostFailed {
			continue
		}
		lines = append(lines, assets.CheckFailedWords(r.w, c))
	}
	return lines
}

// noted is what was noted for the log of checks that failed, as it was noted.
func (r report) noted() (lines []string) {
	for _, rec := range r.restores {
		for _, c := range rec.Checks {
			if !c.OK && c.Detail != "" {
				lines = append(lines, strings.Trim(r.clock(rec.Started)+": "+c.Source+": "+c.Code+": "+c.Detail, ": "))
			}
		}
	}
	return lines
}
