package settings

import (
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
)

func TestUpdateModel(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("sv")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 9, 15, 0, 0, time.UTC)
	on := app.UpdateSettings{Feed: "https://kvart.example/feed.json", Key: "k"}
	newer := &app.Release{Version: "0.2.0", File: app.ReleaseFile{Name: "kvart.deb"}}
	for name, c := range map[string]struct {
		st       app.UpdateStatus
		fetching bool
		want     updateView
	}{
		"off":      {app.UpdateStatus{}, false, updateView{}},
		"unasked":  {app.UpdateStatus{Settings: on}, false, updateView{Look: true, Line: w.T("update.unasked")}},
		"newest":   {app.UpdateStatus{Settings: on, Version: "0.1.0", Checked: at}, false, updateView{Look: true, Line: w.T("update.none", assets.Args{"Version": "0.1.0", "When": w.When(at, at.Add(26*time.Hour))})}},
		"newer":    {app.UpdateStatus{Settings: on, Checked: at, Newer: newer}, false, updateView{Look: true, Fetch: true, Line: "Version 0.2.0 finns."}},
		"fetching": {app.UpdateStatus{Settings: on, Checked: at, Newer: newer}, true, updateView{Line: "Hämtar den… Säkerhetskopior går före."}},
		"foreign":  {app.UpdateStatus{Settings: on, Checked: at, Newer: &app.Release{Version: "0.2.0"}}, false, updateView{Look: true, Line: "Version 0.2.0 finns, men inte för den här sortens dator."}},
		"ready":    {app.UpdateStatus{Settings: on, Checked: at, Newer: newer, Path: "/x"}, false, updateView{Look: true, Ready: true, Line: w.T("update.ready")}},
	} {
		got := updateModel(w, c.st, c.fetching, at.Add(26*time.Hour))
		if got.Hint == "" {
			t.Errorf("%s says nothing", name)
		}
		if got.Hint = ""; got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
