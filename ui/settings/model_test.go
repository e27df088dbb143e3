package settings

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

func english(t *testing.T) *assets.Words {
	t.Helper()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestModelChannel(t *testing.T) {
	t.Parallel()
	w, now := english(t), time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	c := app.Channel{Name: "Posten", Kind: app.ChannelMail, To: []string{"a@b.se", "c@d.se"}}
	for name, tt := range map[string]struct {
		status []app.ChannelStatus
		tone   widgets.Tone
		wrong  bool
	}{
		"never told":        {nil, widgets.ToneWarn, false},
		"another's":         {[]app.ChannelStatus{{Name: "Mobilen", Sent: now}}, widgets.ToneWarn, false},
		"took one":          {[]app.ChannelStatus{{Name: "Posten", Sent: now}}, widgets.ToneGood, false},
		"failed":            {[]app.ChannelStatus{{Name: "Posten", Error: &app.Error{Code: app.CodeAlertOffline}}}, widgets.ToneDanger, true},
		"failed after that": {[]app.ChannelStatus{{Name: "Posten", Sent: now, Error: &app.Error{Code: app.CodeAlertRefused}}}, widgets.ToneDanger, true},
	} {
		if r := modelChannel(w, c, tt.status, now); r.Tone != tt.tone || (r.Wrong != "") != tt.wrong || r.Where != "a@b.se, c@d.se" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestModelFront(t *testing.T) {
	t.Parallel()
	w, now := english(t), time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	set := app.WatchSettings{Storefront: &app.StorefrontSettings{URL: "https://kopp.se"}}
	status := func(url string, p app.StorefrontProbe) app.Status {
		p.At = now
		return app.Status{Watch: app.WatchStatus{Storefront: &app.StorefrontStatus{URL: url, Last: p}}}
	}
	for name, tt := range map[string]struct {
		f     facts
		tone  widgets.Tone
		wrong int
	}{
		"none":             {facts{now: now}, widgets.ToneNeutral, 0},
		"not looked yet":   {facts{watch: set, now: now}, widgets.ToneNeutral, 0},
		"of the old place": {facts{watch: set, now: now, status: status("https://gamla.se", app.StorefrontProbe{State: app.StorefrontUp})}, widgets.ToneNeutral, 0},
		"up":               {facts{watch: set, now: now, status: status("https://kopp.se", app.StorefrontProbe{State: app.StorefrontUp})}, widgets.ToneGood, 0},
		"down":             {facts{watch: set, now: now, status: status("https://kopp.se", app.StorefrontProbe{State: app.StorefrontDown, Error: &app.Error{Code: app.CodeStorefrontOffline}})}, widgets.ToneDanger, 1},
		"not known":        {facts{watch: set, now: now, status: status("https://kopp.se", app.StorefrontProbe{State: app.StorefrontUnknown})}, widgets.ToneWarn, 0},
	} {
		if v := modelFront(w, tt.f); v.Tone != tt.tone || len(v.Wrong) != tt.wrong || v.Pill == "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestPercent: a shop that was away once is never told to have answered always.
func TestPercent(t *testing.T) {
	t.Parallel()
	w := english(t)
	for share, want := range map[float64]string{1: "100.00 %", 0.999999: "99.99 %", 0.5: "50.00 %", 0.9001: "90.01 %", 0: "0.00 %"} {
		if got := strings.ReplaceAll(percent(w, share), "\u00a0", " "); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}

func TestModelPower(t *testing.T) {
	t.Parallel()
	w := english(t)
	v := modelPower(w, app.Status{Power: app.Power{Battery: app.KnownNo}}, app.Settings{OnMetered: app.PowerWait})
	if v.OnBattery != 0 || v.OnMetered != 2 || !strings.Contains(v.Battery, "plugged in") || !strings.Contains(v.Metered, "not known") || v.Waiting != "" {
		t.Errorf("%+v", v)
	}
	for _, r := range app.PowerRules() {
		key := string(r)
		if r == app.PowerGoOn {
			key = "goon"
		}
		if !w.Has("settings.power.rule." + key) {
			t.Errorf("rule %q has no words", r)
		}
	}
}

// TestWords_ofKinds: every kind there is has its words.
func TestWords_ofKinds(t *testing.T) {
	t.Parallel()
	w := english(t)
	for _, k := range app.NoticeKinds() {
		if k.Mutable() != w.Has("settings.notices."+string(k)) {
			t.Errorf("notice %s", k)
		}
	}
	for _, k := range app.ChannelKinds() {
		for _, end := range []string{"", ".hint"} {
			if !w.Has("settings.channel.kind." + string(k) + end) {
				t.Errorf("channel %s%s", k, end)
			}
		}
	}
	for _, s := range []app.StorefrontState{app.StorefrontUp, app.StorefrontDown, app.StorefrontUnknown} {
		if !w.Has("settings.front."+string(s)) || !w.Has("settings.front."+string(s)+".text") {
			t.Errorf("storefront %s", s)
		}
	}
}

func TestParseLicences(t *testing.T) {
	t.Parallel()
	text, err := assets.Licences()
	if err != nil {
		t.Fatal(err)
	}
	l := parseLicences(text)
	if len(l.Parts) < 100 || !strings.Contains(l.Intro, "many others") {
		t.Fatalf("%d parts, %q", len(l.Parts), l.Intro)
	}
	for _, p := range l.Parts {
		if len(l.Text(p)) < 100 {
			t.Errorf("%s has no text", p.Name)
		}
	}
	if got := l.Find(" KOPIA "); len(got) == 0 || !strings.Contains(got[0].Name, "kopia") {
		t.Errorf("found %v", got)
	}
	if got := l.Find("no such thing"); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}
