package agent

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/app/watch"
)

// newAlertTest is a shop with a channel and nothing that stands.
func newAlertTest(t *testing.T) *watchTest {
	t.Helper()
	s := newShopTest(t)
	w := &watchTest{shopTest: s, lamp: &lamp{Watch: watch.New(watch.Options{})}}
	s.lookout = w.lamp
	s.crash()
	w.backup()
	if _, err := s.SetWatch(t.Context(), app.WatchRequest{
		Settings: app.WatchSettings{Channels: []app.Channel{{Name: "slack", Kind: app.ChannelSlack}}},
		Secrets:  app.Secrets{"slack.url": app.NewSecret("https://hooks.example.com/hemlig")},
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

// minute is what the guard does once a minute about alerts.
func (w *watchTest) minute(causes map[string]*app.Error) {
	w.t.Helper()
	w.alert(w.t.Context(), causes)
	if err := w.deliver(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.later(time.Minute)
}

func stood() map[string]*app.Error {
	return map[string]*app.Error{causeFailed: {Code: app.CodeStorageGone}}
}

func noCause() map[string]*app.Error { return map[string]*app.Error{causeFailed: nil} }

func (w *watchTest) wantTold(want string) {
	w.t.Helper()
	if got := w.lamp.told(); got != want {
		w.t.Errorf("told %q, want %q", got, want)
	}
}

func TestAlert_oncePerCauseAndOnceWhenSolved(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	for range 30 {
		w.minute(stood())
	}
	w.wantTold("raised failed")
	w.minute(noCause())
	w.minute(stood()) // it came and went: nothing is solved yet
	w.wantTold("raised failed")
	for range 7 {
		w.minute(noCause())
	}
	w.wantTold("raised failed, solved failed")
	for range 3 {
		w.minute(noCause())
	}
	w.wantTold("raised failed, solved failed")
}

func TestAlert_survivesACrash(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	down := errors.New("no network")
	w.lamp.send = func(app.Alert) error { return down }
	w.minute(stood())
	if st := w.status().Watch.Channels; len(st) != 1 || st[0].Waiting != 1 || st[0].Error == nil {
		t.Errorf("channels %+v", st)
	}
	w.crash()
	w.lamp.send = nil
	for range 5 {
		w.minute(stood())
	}
	w.wantTold("raised failed")
	w.crash() // a new guard knows nothing of what stands, and tells nothing twice
	for range 5 {
		w.minute(stood())
	}
	w.wantTold("raised failed")
	if st := w.status().Watch.Channels; st[0].Waiting != 0 {
		t.Errorf("channels %+v", st)
	}
}

func TestAlert_backsOffAndGivesUp(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	tries := 0
	w.lamp.send = func(app.Alert) error { tries++; return errors.New("no") }
	w.alert(t.Context(), stood())
	for range 4 * 24 * 60 / 5 {
		if err := w.deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.later(5 * time.Minute)
	}
	if tries < 60 || tries > 90 {
		t.Errorf("tried %d times in three days", tries)
	}
	if l, err := w.Journal.Letters(t.Context()); err != nil || len(l) != 0 {
		t.Errorf("left %+v, %v", l, err)
	}
}

func TestAlert_solvedBeforeItWasToldIsNotTold(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	w.lamp.send = func(app.Alert) error { return errors.New("no network") }
	w.minute(stood())
	for range 8 {
		w.minute(noCause())
	}
	w.lamp.send = nil
	for range 5 {
		w.minute(noCause())
	}
	w.wantTold("")
}

func TestAlert_flappingIsToldOnceAnHour(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	for range 6 { // two hours of ten minutes gone, ten back
		for range 10 {
			w.minute(stood())
		}
		for range 10 {
			w.minute(noCause())
		}
	}
	if n := strings.Count(w.lamp.told(), "raised"); n > 3 {
		t.Errorf("told %d times in two hours: %s", n, w.lamp.told())
	}
}

func TestAlert_remindsOfWhatStays(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	for range 6 * 24 {
		w.minute(stood())
		w.later(59 * time.Minute)
	}
	w.wantTold("raised failed, again failed, again failed")
}

func TestAlert_oneChannelDownDoesNotHoldUpTheOther(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{
		Settings: app.WatchSettings{Channels: []app.Channel{{Name: "slack", Kind: app.ChannelSlack}, {Name: "egen", Kind: app.ChannelHook}}},
		Secrets:  app.Secrets{"egen.url": app.NewSecret("https://example.com/x")},
	}); err != nil {
		t.Fatal(err)
	}
	n := 0
	w.lamp.send = func(app.Alert) error {
		if n++; n == 1 {
			return errors.New("down")
		}
		return nil
	}
	w.minute(stood())
	w.wantTold("raised failed")
}

func TestSetWatch_changesAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	for name, r := range map[string]app.WatchRequest{
		"an address":        {Settings: app.WatchSettings{Storefront: &app.StorefrontSettings{URL: "kopp"}}},
		"two of a name":     {Settings: app.WatchSettings{Channels: []app.Channel{{Name: "slack", Kind: app.ChannelSlack}, {Name: "slack", Kind: app.ChannelSlack}}}},
		"a secret of none":  {Secrets: app.Secrets{"annan.url": app.NewSecret("https://x.example/1")}},
		"a heartbeat":       {Secrets: app.Secrets{app.HeartbeatKey: app.NewSecret("not an address")}},
		"an unknown source": {Settings: app.WatchSettings{Canaries: []string{"Nix"}}},
		"a country":         {Settings: app.WatchSettings{Country: "xx"}},
	} {
		r.Settings.Channels = append(r.Settings.Channels, app.Channel{Name: "ny", Kind: app.ChannelHook})
		if r.Secrets == nil {
			r.Secrets = app.Secrets{}
		}
		r.Secrets["ny.url"] = app.NewSecret("https://ny.example/1")
		if _, err := w.SetWatch(t.Context(), r); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if s, err := w.WatchSettings(t.Context()); err != nil || len(s.Channels) != 1 || s.Channels[0].Where != "hooks.example.com" {
		t.Errorf("settings %+v, %v", s, err)
	}
	if _, err := w.Secrets.Secret(t.Context(), channelKey("ny", "url")); app.CodeOf(err) != app.CodeSecretMissing {
		t.Errorf("a refused channel's secret is kept: %v", err)
	}
	if doc := fmt.Sprintf("%+v", w.Store.Document()); strings.Contains(doc, "hemlig/") || strings.Contains(doc, "/hemlig") {
		t.Error("the settings hold a secret")
	}
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Secrets.Secret(t.Context(), channelKey("slack", "url")); app.CodeOf(err) != app.CodeSecretMissing {
		t.Errorf("a removed channel's secret is kept: %v", err)
	}
}

func TestTestAlert(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	if err := w.TestAlert(t.Context(), "slack"); err != nil {
		t.Fatal(err)
	}
	w.wantTold("test test")
	if err := w.TestAlert(t.Context(), "duva"); app.CodeOf(err) != app.CodeUsage || app.AsError(err).Args["choices"] != "slack" {
		t.Errorf("got %v", err)
	}
}

func TestHeartbeat_onlyAfterGoodRunsOfEverything(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{Secrets: app.Secrets{app.HeartbeatKey: app.NewSecret("https://hc.example.com/hemlig")}}); err != nil {
		t.Fatal(err)
	}
	w.backup()
	w.backup("Kassan")
	if w.lamp.beats != 1 {
		t.Errorf("%d heartbeats", w.lamp.beats)
	}
	w.shop.failCapture = app.Errorf(app.CodeSourceLocked, "capture", "locked")
	w.backup()
	if w.lamp.beats != 1 {
		t.Error("a failed run beats")
	}
	w.shop.failCapture, w.lamp.beat = nil, app.Errorf(app.CodeAlertOffline, "beat", "gone")
	w.backup()
	st := w.status()
	if st.Watch.Heartbeat.IsZero() || st.Watch.HeartbeatError == nil || st.Verdict != app.VerdictSafe {
		t.Errorf("heartbeat %v, %v, verdict %s", st.Watch.Heartbeat, st.Watch.HeartbeatError, st.Verdict)
	}
	if s, err := w.WatchSettings(t.Context()); err != nil || s.Heartbeat != "hc.example.com" {
		t.Errorf("settings %+v, %v", s, err)
	}
}
