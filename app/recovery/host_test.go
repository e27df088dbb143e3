package recovery

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

// host is a guard whose answers a test chooses. What it stores goes through
// JSON, as on a disk.
type host struct {
	t     *testing.T
	mu    sync.Mutex
	docs  [][]byte // newest last
	acted []app.Action
	clock time.Time

	act   func(context.Context, app.Incident, app.Action) app.StepResult
	probe func(context.Context, app.Probe) app.StepResult
}

func (h *host) Now() time.Time { return h.clock }

func (h *host) Incidents(context.Context) (out []app.Incident, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range slices.Backward(h.docs) {
		var i app.Incident
		if err := json.Unmarshal(d, &i); err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

func (h *host) OpenIncident(ctx context.Context) (*app.Incident, error) {
	all, err := h.Incidents(ctx)
	for _, i := range all {
		if i.Closed.IsZero() {
			return &i, err
		}
	}
	return nil, err
}

func (h *host) PutIncident(_ context.Context, i app.Incident) error {
	b, err := json.Marshal(i)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for n, d := range h.docs {
		var o app.Incident
		if err := json.Unmarshal(d, &o); err != nil {
			return err
		}
		if o.ID == i.ID {
			h.docs[n] = b
			return nil
		}
	}
	h.docs = append(h.docs, b)
	return nil
}

func (h *host) Act(ctx context.Context, i app.Incident, a app.Action) app.StepResult {
	h.mu.Lock()
	h.acted = append(h.acted, a)
	h.mu.Unlock()
	if h.act != nil {
		return h.act(ctx, i, a)
	}
	return app.StepResult{State: app.StepDone}
}

func (h *host) Probe(ctx context.Context, _ app.Incident, p app.Probe) app.StepResult {
	if h.probe != nil {
		return h.probe(ctx, p)
	}
	return app.StepResult{State: app.StepOpen}
}

func (h *host) ShopFacts(context.Context) (app.ShopFacts, error) {
	return app.ShopFacts{
		Shop: "Björnbär & Co", Computer: "c1", Language: "en",
		Sources:  []app.Source{{ID: "kassan", Name: "Kassan"}},
		Contacts: []app.Contact{{Role: "host", Name: "Webbhotellet", Phone: "08-123"}},
		Page:     app.PageSettings{Phone: "070-1", Mail: "hej@example.org"},
		Restores: []app.RestoreRecord{{
			ID: "r1", State: app.RestoreDone, Started: h.clock.Add(-4 * time.Minute), Saved: h.clock.Add(-3 * time.Minute), Applied: h.clock.Add(-5 * time.Second), Ended: h.clock,
			Sources: []app.RestoredPart{{ID: "kassan", Source: "Kassan", Time: h.clock.Add(-time.Hour), Where: "/shop/kassa.db", Done: true, Seconds: 61, CheckSeconds: 5}},
			Checks:  []app.Check{{Source: "Kassan", Code: "opens", OK: true}},
		}},
	}, nil
}

func (h *host) did(a app.Action) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, d := range h.acted {
		if d == a {
			n++
		}
	}
	return n
}

func newTest(t *testing.T) (*Engine, *host) {
	t.Helper()
	h := &host{t: t, clock: time.Date(2026, 11, 27, 9, 0, 0, 0, time.Local)}
	return h.engine(), h
}

// engine is a guard started on what the one before left.
func (h *host) engine() *Engine {
	h.t.Helper()
	b, err := Load()
	if err != nil {
		h.t.Fatal(err)
	}
	return b.Engine(h)
}

func (h *host) open(e *Engine, p app.PlaybookCode) app.Incident {
	h.t.Helper()
	if _, err := e.Open(h.t.Context(), app.IncidentRequest{Playbook: p, Note: "Något är fel"}); err != nil {
		h.t.Fatal(err)
	}
	return h.advance(e)
}

func (h *host) advance(e *Engine) app.Incident {
	h.t.Helper()
	if err := e.Advance(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	i, err := e.Current(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	if !i.Waiting() {
		h.t.Errorf("Kvart stopped although it could go on: %s", states(i))
	}
	return i
}

func (h *host) tick(e *Engine, code app.StepCode) app.Incident {
	h.t.Helper()
	if _, err := e.Tick(h.t.Context(), app.TickRequest{Step: code}); err != nil {
		h.t.Fatalf("tick %s: %v", code, err)
	}
	return h.advance(e)
}

func states(i app.Incident) string {
	var out []string
	for _, s := range i.Steps {
		out = append(out, string(s.Code)+"="+string(s.State))
	}
	return strings.Join(out, " ")
}

func want(t *testing.T, i app.Incident, code app.StepCode, state app.StepState) {
	t.Helper()
	if s := i.Step(code); s == nil || s.State != state {
		t.Errorf("%s is not %s: %s", code, state, states(i))
	}
}
