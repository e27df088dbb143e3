package ipc

import (
	"context"
	"testing"

	"kvart/app"
)

// watcher is a guard that is watched over.
type watcher struct {
	app.Service
	set func(app.WatchRequest) app.WatchSettings
}

func (w watcher) SetWatch(_ context.Context, r app.WatchRequest) (app.WatchSettings, error) {
	return w.set(r), nil
}

func (watcher) AnswerUnusual(_ context.Context, r app.AnswerRequest) (app.Unusual, error) {
	return app.Unusual{Source: r.Source, Yes: r.Yes, Reasons: []app.UnusualReason{{Code: app.UnusualPrices, Count: 3, Of: 4}}}, nil
}

func (watcher) TestAlert(_ context.Context, channel string) error {
	return app.Errorf(app.CodeAlertRefused, "send", "no").With("where", channel)
}

func (watcher) Drills(_ context.Context, source string) ([]app.DrillResult, error) {
	return []app.DrillResult{{Source: source, OK: true}}, nil
}

func (watcher) Readiness(context.Context) (app.Readiness, error) {
	return app.Readiness{State: app.ReadyNo, Items: []app.ReadyItem{{Code: app.ReadyRoom, State: app.ReadyNo, Fact: app.ReadyFact{Code: "room_little", Room: 5}, Do: app.DoRoom}}}, nil
}

func (watcher) ProveShop(context.Context) (app.ShopProof, error) {
	return app.ShopProof{Token: "abc"}, nil
}

func (watcher) StartCapacity(_ context.Context, r app.CapacityRequest) (app.JobID, error) {
	if !r.Agreed {
		return "", app.Errorf(app.CodeCapacityUnproven, "start", "no")
	}
	return "j", nil
}

func (watcher) Capacities(context.Context) ([]app.CapacityResult, error) {
	return []app.CapacityResult{{Slow: 345, Steps: []app.CapacityStep{{Visitors: 20}}}}, nil
}

func (watcher) CapacityReport(_ context.Context, r app.CapacityReportRequest) ([]byte, error) {
	return []byte(r.Format), nil
}

func TestReady_overTheSocket(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, watcher{}, "1")
	c := dial(t, socket, "1")
	if r, err := c.Readiness(t.Context()); err != nil || r.Item(app.ReadyRoom).Fact.Room != 5 || r.Item(app.ReadyRoom).Do != app.DoRoom {
		t.Errorf("readiness %+v, %v", r, err)
	}
	if p, err := c.ProveShop(t.Context()); err != nil || p.Token != "abc" {
		t.Errorf("proof %+v, %v", p, err)
	}
	if id, err := c.StartCapacity(t.Context(), app.CapacityRequest{Agreed: true}); err != nil || id != "j" {
		t.Errorf("job %q, %v", id, err)
	}
	if _, err := c.StartCapacity(t.Context(), app.CapacityRequest{}); app.CodeOf(err) != app.CodeCapacityUnproven {
		t.Errorf("got %v", err)
	}
	if all, err := c.Capacities(t.Context()); err != nil || all[0].Slow != 345 || all[0].Steps[0].Visitors != 20 {
		t.Errorf("results %+v, %v", all, err)
	}
	if b, err := c.CapacityReport(t.Context(), app.CapacityReportRequest{Format: app.ReportPDF}); err != nil || string(b) != "pdf" {
		t.Errorf("report %q, %v", b, err)
	}
}

func TestWatch_overTheSocket(t *testing.T) {
	t.Parallel()
	var seen app.WatchRequest
	socket, _ := serve(t, watcher{set: func(r app.WatchRequest) app.WatchSettings { seen = r; return r.Settings }}, "1")
	c := dial(t, socket, "1")
	got, err := c.SetWatch(t.Context(), app.WatchRequest{
		Settings: app.WatchSettings{Storefront: &app.StorefrontSettings{URL: "https://kopp.se"}, Channels: []app.Channel{{Name: "post", To: []string{"a@b.se"}}}},
		Secrets:  app.Secrets{"post.password": app.NewSecret("hemligt"), app.HeartbeatKey: app.NewSecret("")},
	})
	if err != nil || got.Storefront.URL != "https://kopp.se" || got.Channels[0].To[0] != "a@b.se" {
		t.Errorf("got %+v, %v", got, err)
	}
	if s, given := seen.Secrets[app.HeartbeatKey]; seen.Secrets["post.password"].Reveal() != "hemligt" || !given || !s.IsZero() {
		t.Errorf("secrets %v", seen.Secrets)
	}
	if u, err := c.AnswerUnusual(t.Context(), app.AnswerRequest{Source: "Bilder", Yes: true}); err != nil || !u.Yes || u.Reasons[0].Of != 4 {
		t.Errorf("answer %+v, %v", u, err)
	}
	if err := c.TestAlert(t.Context(), "post"); app.AsError(err).Args["where"] != "post" {
		t.Errorf("test %v", err)
	}
	if d, err := c.Drills(t.Context(), "Kassan"); err != nil || d[0].Source != "Kassan" {
		t.Errorf("drills %+v, %v", d, err)
	}
}
