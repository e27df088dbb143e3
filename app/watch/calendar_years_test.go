package watch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// movable are the days of a year that move, month and day, as almanacs have
// them: not reckoned as the program does.
type movable struct {
	easter, swedishMother, secondOfMay, norwegianMother, father, midsummerEve, blackFriday string
}

// almanac holds ten years.
func almanac() map[int]movable {
	return map[int]movable{
		2026: {"04-05", "05-31", "05-10", "02-08", "11-08", "06-19", "11-27"},
		2027: {"03-28", "05-30", "05-09", "02-14", "11-14", "06-25", "11-26"},
		2028: {"04-16", "05-28", "05-14", "02-13", "11-12", "06-23", "11-24"},
		2029: {"04-01", "05-27", "05-13", "02-11", "11-11", "06-22", "11-23"},
		2030: {"04-21", "05-26", "05-12", "02-10", "11-10", "06-21", "11-29"},
		2031: {"04-13", "05-25", "05-11", "02-09", "11-09", "06-20", "11-28"},
		2032: {"03-28", "05-30", "05-09", "02-08", "11-14", "06-25", "11-26"},
		2033: {"04-17", "05-29", "05-08", "02-13", "11-13", "06-24", "11-25"},
		2034: {"04-09", "05-28", "05-14", "02-12", "11-12", "06-23", "11-24"},
		2035: {"03-25", "05-27", "05-13", "02-11", "11-11", "06-22", "11-23"},
	}
}

// nordic returns the peak days of a country in a year, "easter 2026-03-30..2026-04-04".
func nordic(country string, year int, m movable) (out []string) {
	span := func(code, from string, before, after int) {
		d, err := time.Parse(time.DateOnly, fmt.Sprintf("%d-%s", year, from))
		if err != nil {
			panic(err)
		}
		out = append(out, code+" "+d.AddDate(0, 0, -before).Format(time.DateOnly)+".."+d.AddDate(0, 0, after).Format(time.DateOnly))
	}
	span("valentine", "02-12", 0, 2)
	span("easter", m.easter, 6, -1) // Monday to Saturday before
	span("singles_day", "11-11", 0, 0)
	span("black_week", m.blackFriday, 4, 3)
	span("christmas", "12-10", 0, 13)
	span("sales", "12-25", 0, 6)
	mother, father := m.secondOfMay, m.father
	switch country {
	case "se":
		mother = m.swedishMother
	case "no":
		mother = m.norwegianMother
	}
	span("mothers_day", mother, 3, 0)
	if country == "dk" {
		span("fathers_day", "06-05", 2, 0)
	} else {
		span("fathers_day", father, 3, 0)
	}
	if country == "se" || country == "fi" {
		span("midsummer", m.midsummerEve, 3, 0)
	}
	slices.Sort(out)
	return out
}

// TestPeakDays_tenYearsInEveryNordicCountry compares every peak day with an
// almanac: none is missing, none is there that should not be, and each begins and
// ends at midnight.
func TestPeakDays_tenYearsInEveryNordicCountry(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	loc := time.Local
	if stockholm, err := time.LoadLocation("Europe/Stockholm"); err == nil {
		loc = stockholm // with summer time
	}
	years := almanac()
	for _, country := range []string{"se", "no", "dk", "fi", "is"} {
		for _, year := range slices.Sorted(maps.Keys(years)) {
			from, to := time.Date(year, 1, 1, 0, 0, 0, 0, loc), time.Date(year+1, 1, 1, 0, 0, 0, 0, loc)
			days, err := w.PeakDays(country, nil, from, to)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range days {
				for _, at := range []time.Time{p.From, p.To} {
					if h, m, s := at.In(loc).Clock(); h+m+s != 0 {
						t.Errorf("%s %d: %s begins or ends at %s", country, year, p.Code, at)
					}
				}
				got = append(got, p.Code+" "+p.From.Format(time.DateOnly)+".."+p.To.AddDate(0, 0, -1).Format(time.DateOnly))
			}
			if !slices.IsSortedFunc(days, func(a, b app.PeakDay) int { return a.From.Compare(b.From) }) {
				t.Errorf("%s %d: not in order", country, year)
			}
			slices.Sort(got)
			if want := nordic(country, year, years[year]); !slices.Equal(got, want) {
				t.Errorf("%s %d:\ngot  %s\nwant %s", country, year, strings.Join(got, ", "), strings.Join(want, ", "))
			}
		}
	}
}
