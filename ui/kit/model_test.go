package kit

import (
	"maps"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func TestModel(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	at := uitest.Now().Add(-time.Hour)
	for name, tt := range map[string]struct {
		k     app.KitState
		stand Stand
		tone  widgets.Tone
		dates int
	}{
		"none":        {app.KitState{}, None, widgets.ToneWarn, 0},
		"unconfirmed": {app.KitState{Number: 1, Made: at}, Unconfirmed, widgets.ToneWarn, 1},
		"void":        {app.KitState{Number: 1, Made: at, Confirmed: at, Void: true}, Void, widgets.ToneDanger, 2},
		"void, never": {app.KitState{Number: 1, Made: at, Void: true}, Void, widgets.ToneDanger, 1},
		"good":        {app.KitState{Number: 3, Made: at, Confirmed: at}, Good, widgets.ToneGood, 2},
	} {
		v := Model(w, tt.k, uitest.Now())
		if v.Stand != tt.stand || v.Tone != tt.tone || len(v.Dates) != tt.dates || v.Text == "" || v.Pill == "" {
			t.Errorf("%s: %+v", name, v)
		}
		if (v.Stand == Good) != tt.k.Good() {
			t.Errorf("%s: the page and the guard differ on whether it is good", name)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path string
		text bool
		want map[app.KitFormat]string
	}{
		{"/a/kit.pdf", false, map[app.KitFormat]string{app.KitPDF: "/a/kit.pdf"}},
		{"/a/kit", false, map[app.KitFormat]string{app.KitPDF: "/a/kit.pdf"}},
		{"/a/Kit.PDF", true, map[app.KitFormat]string{app.KitPDF: "/a/Kit.PDF", app.KitText: "/a/Kit.txt"}},
	} {
		if got := files(tt.path, tt.text); !maps.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.path, got, tt.want)
		}
	}
}
