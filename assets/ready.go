package assets

import (
	"fmt"
	"time"

	"kvart/app"
)

// ReadyWords returns what the owner reads about an item of the readiness list:
// its title, what its state rests on as a sentence without its stop, and what
// the button says that does something about it, "" for none.
func ReadyWords(w *Words, it app.ReadyItem, now time.Time) (title, fact, do string) {
	title = w.T("ready.item." + string(it.Code))
	if !w.Has("ready.item." + string(it.Code)) {
		title = string(it.Code) // of a newer guard
	}
	if it.Do != app.DoNothing && w.Has("ready.do."+string(it.Do)) {
		do = w.T("ready.do." + string(it.Do))
	}
	return title, readyFact(w, it.Fact, now), do
}

func readyFact(w *Words, f app.ReadyFact, now time.Time) string {
	key := "ready.fact." + f.Code
	if !w.Has(key) {
		return f.Code // of a newer guard
	}
	args := Args{
		"Name": f.Name, "Bytes": w.Bytes(f.Bytes), "Room": w.Bytes(f.Room), "Ms": w.Number(f.Millis), "When": "",
		"From": hour(f.From), "To": hour(f.To),
	}
	if f.UsualMillis > 0 {
		args["OfMs"] = w.Number(f.UsualMillis)
	}
	if !f.Time.IsZero() {
		args["When"] = w.When(f.Time, now)
	}
	return w.N(key, f.Count, args)
}

func hour(h int) string { return fmt.Sprintf("%02d:00", h) }

// PeakName returns what a peak day is called.
func PeakName(w *Words, p app.PeakDay) string {
	if p.Code == "" {
		return p.Name
	}
	return w.T("peak." + p.Code)
}
