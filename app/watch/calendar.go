package watch

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

// CheckDays refuses days of the owner's own that are none.
func (w *Watch) CheckDays(country string, own []app.OwnDay) error {
	const op = "check days"
	days, err := assets.PeakRules()
	if err != nil {
		return err
	}
	countries := countriesOf(days)
	if country != "" && !slices.Contains(countries, country) {
		return app.Errorf(app.CodeUsage, op, "no calendar of %q", country).With("field", "country").With("choices", strings.Join(countries, ", "))
	}
	for _, d := range own {
		if strings.TrimSpace(d.Name) == "" {
			return app.Errorf(app.CodeUsage, op, "a day needs a name").With("field", "day")
		}
		if _, ok := ownSpan(d, 2026, time.UTC); !ok {
			return app.Errorf(app.CodeUsage, op, "%q to %q are no days", d.From, d.To).With("field", "day")
		}
	}
	return nil
}

func countriesOf(days []assets.PeakRule) (out []string) {
	for _, d := range days {
		for _, c := range d.Countries {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	slices.Sort(out)
	return out
}

// PeakDays returns the peak days that end after one time and begin before
// another, the earliest first.
func (w *Watch) PeakDays(country string, own []app.OwnDay, from, to time.Time) ([]app.PeakDay, error) {
	rules, err := assets.PeakRules()
	if err != nil {
		return nil, err
	}
	var out []app.PeakDay
	add := func(p app.PeakDay) {
		if p.To.After(from) && p.From.Before(to) {
			out = append(out, p)
		}
	}
	loc := from.Location()
	for year := from.Year() - 1; year <= to.Year()+1; year++ {
		for _, r := range rules {
			if !slices.Contains(r.Countries, country) {
				continue
			}
			begin := day(r, year, loc)
			add(app.PeakDay{Code: r.Code, From: begin, To: begin.AddDate(0, 0, max(r.Days, 1))})
		}
		for _, d := range own {
			if p, ok := ownSpan(d, year, loc); ok {
				add(p)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b app.PeakDay) int { return a.From.Compare(b.From) })
	return slices.Compact(out), nil // a day with a year of its own comes once a year looked at
}

// day returns the midnight a rule's first day begins at.
func day(r assets.PeakRule, year int, loc *time.Location) time.Time {
	month := time.Month(r.Month)
	first := time.Date(year, month, max(r.Day, 1), 0, 0, 0, 0, loc)
	switch r.Rule {
	case assets.RuleNth: // of the month, the last with -1
		if r.Nth < 0 {
			end := time.Date(year, month+1, 0, 0, 0, 0, 0, loc)
			first = end.AddDate(0, 0, -((int(end.Weekday()) - r.Weekday + 7) % 7))
		} else {
			first = first.AddDate(0, 0, (r.Weekday-int(first.Weekday())+7)%7+7*(r.Nth-1))
		}
	case assets.RuleOnOrAfter:
		first = first.AddDate(0, 0, (r.Weekday-int(first.Weekday())+7)%7)
	case assets.RuleEaster:
		first = easter(year, loc)
	}
	return first.AddDate(0, 0, r.Offset)
}

// easter returns Easter Sunday, by the way of Butcher.
func easter(year int, loc *time.Location) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, loc)
}

// ownSpan reads a day of the owner's own in a year.
func ownSpan(d app.OwnDay, year int, loc *time.Location) (app.PeakDay, bool) {
	to := d.To
	if to == "" {
		to = d.From
	}
	from, ok := date(d.From, year, loc)
	last, ok2 := date(to, year, loc)
	if !ok || !ok2 {
		return app.PeakDay{}, false
	}
	if last.Before(from) && len(to) == len("01-02") {
		last = last.AddDate(1, 0, 0) // over the turn of the year
	}
	if last.Before(from) || last.Sub(from) > 62*24*time.Hour {
		return app.PeakDay{}, false
	}
	return app.PeakDay{Name: d.Name, From: from, To: last.AddDate(0, 0, 1)}, true
}

func date(s string, year int, loc *time.Location) (time.Time, bool) {
	if len(s) == len("01-02") {
		s = strconv.Itoa(year) + "-" + s
	}
	t, err := time.ParseInLocation(time.DateOnly, s, loc)
	return t, err == nil
}
