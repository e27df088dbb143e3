package assets

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

// How a peak day's date is found.
const (
	RuleFixed     = "fixed"       // month, day
	RuleNth       = "nth"         // the nth weekday of a month; the last with -1
	RuleOnOrAfter = "on_or_after" // the first such weekday from a date on
	RuleEaster    = "easter"      // Easter Sunday
)

// PeakRule is one of the trade's days, and how its date is found. Its words are
// translations keyed "peak.<code>".
type PeakRule struct {
	Code      string   `json:"code"`
	Countries []string `json:"countries"`
	Rule      string   `json:"rule"`
	Month     int      `json:"month,omitempty"`
	Day       int      `json:"day,omitempty"`
	Weekday   int      `json:"weekday,omitempty"` // 0 is Sunday
	Nth       int      `json:"nth,omitempty"`
	Offset    int      `json:"offset,omitempty"` // days
	Days      int      `json:"days,omitempty"`   // how long; 0 is one
}

//go:embed peakdays.json
var peakDays []byte

// PeakRules returns every peak day of every country.
func PeakRules() ([]PeakRule, error) {
	d := json.NewDecoder(bytes.NewReader(peakDays))
	d.DisallowUnknownFields()
	var out []PeakRule
	if err := d.Decode(&out); err != nil {
		return nil, fmt.Errorf("read peak days: %w", err)
	}
	return out, nil
}
