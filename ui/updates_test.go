package ui

import (
	"testing"

	"kvart/app"
	"kvart/ui/uitest"
)

// TestUpdates_fetchAndOpen: nothing is fetched or opened unasked, and what is
// opened was proven just before.
func TestUpdates_fetchAndOpen(t *testing.T) {
	r := newRig(t, uitest.Safe())
	newer := &app.Release{Version: "9.0.0", File: app.ReleaseFile{Name: "kvart.deb", Kind: "deb"}}
	r.svc.Update = app.UpdateStatus{Settings: app.UpdateSettings{Feed: "https://kvart.example/feed.json"}, Version: "test"}
	r.svc.LookFunc = func() (app.UpdateStatus, error) {
		r.svc.Update.Newer = newer
		return r.svc.Update, nil
	}
	fetched := 0
	r.svc.FetchFunc = func() (app.JobID, error) {
		fetched++
		r.svc.Update.Path = "/home/asa/kvart.deb"
		return "update-1", nil
	}
	opened := ""
	r.openFile = func(path string) error { opened = path; return nil }
	r.press("Settings")
	r.sees("Once a day Kvart asks kvart.example")
	r.press("Look now")
	r.sees("Version 9.0.0 is there.")
	r.press("Fetch it")
	r.sees("signed by its maker")
	if fetched != 1 || opened != "" {
		t.Fatalf("fetched %d times, opened %q", fetched, opened)
	}
	r.press("Open it to install")
	if fetched != 2 || opened != "/home/asa/kvart.deb" {
		t.Errorf("fetched %d times, opened %q", fetched, opened)
	}
	r.svc.LookFunc = func() (app.UpdateStatus, error) {
		return app.UpdateStatus{}, app.Errorf(app.CodeUpdateForged, "look", "forged")
	}
	r.press("Look now")
	r.sees("can't be trusted")
}
