package ui

import (
	"testing"

	"kvart/app"
	"kvart/ui/uitest"
)

// TestStops: every page of a tour can be gone to, and what is pressed there is
// there.
func TestStops(t *testing.T) {
	tours := map[string]app.Status{
		"empty": uitest.Empty(), "begun": uitest.Safe(), "safe": uitest.Safe(), "paused": uitest.Safe(), "unusual": uitest.Suspicious(),
		"going": uitest.Safe(), "back": uitest.Safe(), "alone": uitest.Safe(),
	}
	demos := map[string]bool{"artikel": true} // a table of the demo's till
	names := map[string]bool{}
	for tour, status := range tours {
		stops := Stops(tour)
		if len(stops) == 0 {
			t.Errorf("%s has no pages", tour)
		}
		for _, s := range stops {
			if names[s.Name] {
				t.Errorf("two pictures are called %s", s.Name)
			}
			names[s.Name] = true
		}
		r := newRig(t, status)
		for _, s := range stops {
			r.Visit(s)
			if r.current != s.place.Screen {
				t.Errorf("%s leads to %s", s.Name, r.current)
			}
			for _, words := range s.Presses() {
				if !demos[words] && !r.Press(words) {
					t.Errorf("%s: %s can't be pressed", s.Name, words)
				}
			}
			if r.Busy() {
				t.Errorf("%s is never done", s.Name)
			}
		}
		r.Close()
	}
	if Stops("nowhere") != nil {
		t.Error("there is a tour to nowhere")
	}
}
