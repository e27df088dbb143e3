package ipc

import (
	"context"
	"testing"
	"time"

	"kvart/app"
)

type draftGuard struct {
	fake
	kept *app.SetupDraft
}

func (g draftGuard) SetupDraft(context.Context) (app.SetupDraft, error) { return *g.kept, nil }
func (g draftGuard) SetSetupDraft(_ context.Context, d app.SetupDraft) error {
	*g.kept = d
	return nil
}

func TestSetupDraft_goesBothWays(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, draftGuard{kept: &app.SetupDraft{}}, "1")
	c := dial(t, socket, "1")
	want := app.SetupDraft{Page: "where", Storage: app.DraftStorage{Kind: "s3", Settings: map[string]string{"bucket": "b"}}, Picks: []app.DraftPick{{Kind: "folder", Name: "Bilder", On: true}}}
	if err := c.SetSetupDraft(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := c.SetupDraft(t.Context())
	if err != nil || got.Page != "where" || got.Storage.Settings["bucket"] != "b" || len(got.Picks) != 1 || !got.Picks[0].On {
		t.Errorf("%+v, %v", got, err)
	}
}

type arrangeGuard struct{ fake }

func (arrangeGuard) ArrangeSource(_ context.Context, r app.ArrangeRequest) (app.Source, error) {
	return app.Source{ID: "lager", Name: r.Name, Schedule: *r.Schedule}, nil
}

func TestArrangeSource_goesBothWays(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, arrangeGuard{}, "1")
	want := app.Schedule{Every: 30 * time.Minute, QuietFrom: 22, QuietTo: 6, PausedUntil: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)}
	got, err := dial(t, socket, "1").ArrangeSource(t.Context(), app.ArrangeRequest{Source: "Lager", Name: "Lagret", Schedule: &want})
	if err != nil || got.Name != "Lagret" || got.Schedule != want {
		t.Errorf("%+v, %v", got, err)
	}
}
