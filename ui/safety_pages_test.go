package ui

import (
	"os"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// busyShop is a shop in which there is something to show in every card of Safety
// and Settings.
func busyShop(lang string) (app.Status, func(*uitest.Service)) {
	s := uitest.Sheltered()
	s.Language = lang
	for i, p := range []app.Proof{app.ProofProven, app.ProofOld, app.ProofFailed} {
		s.Sources[i].Proof = p
	}
	s.Use.Peak = &app.PeakForecast{Basis: app.BasisLastYear, Until: uitest.Now().AddDate(0, 0, 13), Bytes: 1804e6, Free: 12e9}
	s.Power = app.Power{Battery: app.KnownYes, Metered: app.KnownNo}
	s.Waiting = &app.Waiting{Cause: app.CauseBattery, Rule: app.PowerWait, Sources: []string{"Kassan", "Lager", "Bilder"}}
	s.Watch = app.WatchStatus{
		Storefront: &app.StorefrontStatus{URL: "https://www.bjornbar.se", Last: app.StorefrontProbe{At: uitest.Now().Add(-2 * time.Minute), State: app.StorefrontUp, Millis: 412}},
		Channels: []app.ChannelStatus{
			{Name: "Mobilen", Kind: app.ChannelNtfy, Sent: uitest.Now().Add(-time.Hour)},
			{Name: "Posten", Kind: app.ChannelMail, Waiting: 2, Error: (&app.Error{Code: app.CodeAlertOffline}).With("where", "smtp.loopia.se")},
		},
		Heartbeat: uitest.Now().Add(-4 * time.Minute),
	}
	return s, func(svc *uitest.Service) {
		svc.PeakDaysFunc = calendar
		svc.Watching = app.WatchSettings{
			Storefront: &app.StorefrontSettings{URL: "https://www.bjornbar.se", Word: "kaffe"}, Heartbeat: "hc-ping.com",
			Channels: []app.Channel{
				{Name: "Mobilen", Kind: app.ChannelNtfy, Where: "ntfy.sh"},
				{Name: "Posten", Kind: app.ChannelMail, Host: "smtp.loopia.se", From: "kvart@bjornbar.se", To: []string{"asa@bjornbar.se", "kim@bjornbar.se"}, User: "kvart@bjornbar.se"},
			},
		}
		svc.UptimeFunc = func() (app.Uptime, error) {
			return app.Uptime{
				Months:  []app.MonthUptime{{Month: "2026-11", Up: 8123, Down: 2, Millis: 412}, {Month: "2026-10", Up: 8928, Millis: 391}},
				Outages: []app.Outage{{Begin: uitest.Now().Add(-26 * time.Hour), End: uitest.Now().Add(-25 * time.Hour)}},
			}, nil
		}
		svc.DrillsFunc = func(string) ([]app.DrillResult, error) {
			return []app.DrillResult{
				{Source: "Kassan", At: uitest.Now().AddDate(0, 0, -2), OK: true, Seconds: 27},
				{Source: "Bilder", At: uitest.Now().AddDate(0, 0, -3), Seconds: 4, Error: &app.Error{Code: app.CodeStorageOffline}},
			}, nil
		}
		svc.Proof = app.ShopProof{URL: "https://www.bjornbar.se", Token: "abc123def456", File: "https://www.bjornbar.se/.well-known/kvart-abc123def456.txt", Meta: `<meta name="kvart-proof" content="abc123def456">`}
		svc.Rehearsed = []app.CapacityResult{{
			URL: "https://www.bjornbar.se", Started: uitest.Now().AddDate(0, 0, -1), Ended: uitest.Now().AddDate(0, 0, -1), Slow: 90, Stood: 68, End: app.CapacityEndSlow,
			Steps: []app.CapacityStep{{Visitors: 20, Asked: 20, Median: 310, P95: 540}, {Visitors: 68, Asked: 34, Median: 380, P95: 1900}, {Visitors: 90, Asked: 41, Errors: 1, Median: 900, P95: 3400}},
		}}
	}
}

// TestSafetyAndSettings_pagesFit shows every page of both screens, in both
// languages and at the smallest size there may be, and
// at a width that is half of it.
func TestSafetyAndSettings_pagesFit(t *testing.T) {
	pages := map[string]func(r *rig){
		"safety":   func(r *rig) { r.show(screen.Place{Screen: screen.Safety}) },
		"peak":     func(r *rig) { r.show(screen.Place{Screen: screen.Safety, Part: screen.PartPeak}) },
		"capacity": func(r *rig) { r.show(screen.Place{Screen: screen.Safety, Part: screen.PartCapacity}) },
		"consent": func(r *rig) {
			r.svc.Proof.Proven = uitest.Now()
			r.show(screen.Place{Screen: screen.Safety, Part: screen.PartCapacity})
		},
		"settings": func(r *rig) { r.show(screen.Place{Screen: screen.Settings}) },
		"channel": func(r *rig) {
			r.show(screen.Place{Screen: screen.Settings})
			r.press(r.words.T("settings.channel.edit", map[string]any{"Name": "Posten"}))
		},
		"channel-new": func(r *rig) {
			r.show(screen.Place{Screen: screen.Settings})
			r.press(r.words.T("settings.channel.add"))
			r.press("ntfy")
		},
		"storefront": func(r *rig) {
			r.show(screen.Place{Screen: screen.Settings})
			r.press(r.words.T("settings.front.change"))
		},
		"heartbeat": func(r *rig) {
			r.show(screen.Place{Screen: screen.Settings})
			r.press(r.words.T("settings.beat.change"))
		},
		"support": func(r *rig) {
			r.show(screen.Place{Screen: screen.Settings})
			r.press(r.words.T("settings.support.open"))
		},
		"licences": func(r *rig) {
			r.show(screen.Place{Screen: screen.Settings})
			r.press(r.words.T("settings.licences.open"))
		},
	}
	for _, lang := range []string{"en", "sv"} {
		s, fill := busyShop(lang)
		r := newRig(t, s)
		fill(r.svc)
		for name, open := range pages {
			open(r)
			for _, size := range []fyne.Size{fyne.NewSize(1120, 740), fyne.NewSize(1024, 700), fyne.NewSize(683, 384)} {
				r.win.Resize(size)
				if min := r.win.Content().MinSize(); min.Width > size.Width || size.Width > 700 && min.Height > size.Height {
					t.Errorf("%s in %s at %v needs %v", name, lang, size, min)
				}
				if os.Getenv("KVART_SHOTS") != "" && size.Width > 700 {
					high := map[string]float32{"safety": 2600, "peak": 2000, "settings": 2800}[name] // all of it at once
					r.win.Resize(fyne.NewSize(size.Width, max(high, 1000)))
					r.shoot(name + "-" + lang + "-" + map[bool]string{true: "wide", false: "narrow"}[size.Width > 1100])
				}
			}
			r.lacks("⟦", "<no value>", "{{")
		}
		r.Close()
	}
}
