package settings

import (
	"testing"

	"kvart/app"
	"kvart/assets"
)

func TestKeepOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		r    app.Retention
		want keepName
	}{
		{app.Retention{}, keepUsual},
		{app.DefaultRetention(), keepUsual},
		{keepShort.retention(), keepShort},
		{keepLong.retention(), keepLong},
		{app.Retention{Latest: 1}, keepOwn},
	} {
		if got, r := keepOf(tt.r); got != tt.want || r == (app.Retention{}) {
			t.Errorf("%+v: %s, %+v", tt.r, got, r)
		}
	}
}

// TestKeeps_grow: a longer way lets nothing go that a shorter one keeps, and a
// shorter one does.
func TestKeeps_grow(t *testing.T) {
	t.Parallel()
	for i, k := range keeps()[1:] {
		shorter := keeps()[i]
		if lets(k.retention(), shorter.retention()) || !lets(shorter.retention(), k.retention()) {
			t.Errorf("%s and %s", shorter, k)
		}
	}
	if years := keepLong.retention().Monthly / 12; years < 8 {
		t.Errorf("books are covered for %d years", years)
	}
}

func TestParseKeep(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in [5]string
		ok bool
	}{
		{[5]string{"4", "2", "3", "4", "5"}, true},
		{[5]string{" 4 ", "0", "7", "0", "0"}, true},
		{[5]string{"0", "0", "0", "0", "0"}, false},
		{[5]string{"4", "0", "6", "1", "0"}, false},
		{[5]string{"3", "9", "9", "9", "9"}, false},
		{[5]string{"4", "0", "0", "0", "1"}, true},
		{[5]string{"1", "", "3", "4", "5"}, false},
		{[5]string{"1", "-2", "3", "4", "5"}, false},
		{[5]string{"1", "2.5", "3", "4", "5"}, false},
		{[5]string{"1", "2", "3", "4", "99999"}, false},
	} {
		r, ok := parseKeep(tt.in)
		if ok != tt.ok || ok && r == (app.Retention{}) {
			t.Errorf("%v: %+v, %v", tt.in, r, ok)
		}
	}
	if r, ok := parseKeep(numbers(app.DefaultRetention())); !ok || r != app.DefaultRetention() {
		t.Errorf("%+v, %v", r, ok)
	}
}

func TestKeepWords(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	want := "Every quarter of an hour for 2 days, every hour for 7 days, every day for 60 days, every week for 26 weeks, every month for 24 months."
	if got := keepWords(w, app.DefaultRetention()); got != want {
		t.Errorf("%q", got)
	}
}

func TestQuietHours(t *testing.T) {
	t.Parallel()
	for _, tt := range [][4]int{{0, 0, 20, 7}, {5, 5, 20, 7}, {22, 6, 22, 6}, {0, 4, 0, 4}} {
		if from, to := quietHours(app.Settings{QuietFrom: tt[0], QuietTo: tt[1]}); from != tt[2] || to != tt[3] {
			t.Errorf("%v: %d to %d", tt, from, to)
		}
	}
}
