package connectortest

import (
	"fmt"
	"strings"
	"testing"

	"kvart/app"
)

// Seen writes down what the checks that failed saw, a line each: the check's
// code, what was seen, how many, and by name: "rows: rows_missing 12 sale, kund +3".
// A check that failed and saw nothing fails the test.
func Seen(t *testing.T, checks []app.Check) string {
	t.Helper()
	var out []string
	for _, c := range checks {
		if c.OK {
			continue
		}
		if len(c.Seen) == 0 {
			t.Errorf("the owner isn't told what is wrong: %+v", c)
		}
		for _, s := range c.Seen {
			line := c.Code + ": " + strings.Trim(string(s.Code)+" "+s.Kind, " ")
			if s.Count != 0 || s.Of != 0 {
				line += fmt.Sprintf(" %d", s.Count)
			}
			if s.Of != 0 {
				line += fmt.Sprintf("/%d", s.Of)
			}
			if len(s.Names) > 0 {
				line += " " + strings.Join(s.Names, ", ")
			}
			if s.More != 0 {
				line += fmt.Sprintf(" +%d", s.More)
			}
			out = append(out, strings.TrimSpace(line+" "+string(s.Why)))
		}
	}
	return strings.Join(out, "\n")
}
