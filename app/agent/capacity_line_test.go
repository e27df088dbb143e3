package agent

import (
	"context"
	"testing"

	"kvart/app"
)

// blind is a lookout that reaches no shop.
type blind struct{ *lamp }

func (blind) FindProof(context.Context, app.StorefrontSettings, string) (string, error) {
	return "", &app.Error{Code: app.CodeStorefrontOffline, Op: "look"}
}

// TestCapacity_ownLine: a shop that does not answer is not called down where
// nothing else answers either, and a rehearsal can ask whether anything does.
func TestCapacity_ownLine(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	seeing := w.Lookout
	w.Lookout = blind{w.lamp}
	for alive, want := range map[bool]app.Code{false: app.CodeStorefrontUnsure, true: app.CodeStorefrontOffline} {
		w.lamp.reach = alive
		if _, err := w.ProveShop(t.Context()); app.CodeOf(err) != want {
			t.Errorf("alive %t: %v", alive, err)
		}
	}
	w.Lookout = seeing
	w.lamp.way = "file"
	if _, err := w.ProveShop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, alive := range []bool{false, true} {
		w.lamp.reach = alive
		w.lamp.rehearse = func(ctx context.Context, r app.CapacityRun) app.CapacityResult {
			if r.Alive == nil || r.Alive(ctx) != alive {
				t.Errorf("alive %t is not told", alive)
			}
			return app.CapacityResult{URL: r.Storefront.URL, Ceiling: r.Ceiling, End: app.CapacityEndLine}
		}
		j := w.job(w.StartCapacity(t.Context(), app.CapacityRequest{Agreed: true}))
		if j.Error != nil || j.Capacity.End != app.CapacityEndLine || j.Capacity.Told() {
			t.Errorf("%+v", j)
		}
	}
	// it neither makes the shop ready nor unready
	w.wantReady(map[app.ReadyCode]string{app.ReadyCapacity: "not_needed capacity_never capacity"})
}
