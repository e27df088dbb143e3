package shopify

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"kvart/app"
)

// napping is a client that notes for how long it would have slept.
func napping(pauses *[]time.Duration) *client {
	return &client{meter: &meter{nap: func(ctx context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return ctx.Err()
	}}}
}

// TestPlaced looks for a free place soon, then ever more rarely, and not for ever.
func TestPlaced(t *testing.T) {
	t.Parallel()
	var pauses []time.Duration
	c := napping(&pauses)
	var frees, tries int
	try := func() (*bulkState, []userError, error) {
		if tries++; tries == frees {
			return &bulkState{ID: "ours"}, nil, nil
		}
		return nil, []userError{{Code: "LIMIT_REACHED"}}, nil
	}
	frees = 20
	if id, err := c.placed(t.Context(), try); id != "ours" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if len(pauses) != frees-1 || pauses[0] != soonestStart || pauses[frees-2] != slowestPoll || !slices.IsSorted(pauses) {
		t.Errorf("pauses %v", pauses)
	}
	pauses, tries, frees = nil, 0, -1
	var all time.Duration
	if _, err := c.placed(t.Context(), try); app.CodeOf(err) != app.CodeShopAnswer {
		t.Errorf("never free: %v", err)
	}
	for _, d := range pauses {
		all += d
	}
	if all < bulkWait || all > bulkWait+slowestPoll {
		t.Errorf("gave up after %v", all)
	}
}

// TestPlaced_refused does not wait for what a place does not help.
func TestPlaced_refused(t *testing.T) {
	t.Parallel()
	var pauses []time.Duration
	c := napping(&pauses)
	for name, try := range map[string]func() (*bulkState, []userError, error){
		"bad query":    func() (*bulkState, []userError, error) { return nil, []userError{{Code: "INVALID"}}, nil },
		"says nothing": func() (*bulkState, []userError, error) { return nil, nil, nil },
		"unreachable":  func() (*bulkState, []userError, error) { return nil, nil, errors.New("no answer") },
	} {
		if id, err := c.placed(t.Context(), try); err == nil || id != "" {
			t.Errorf("%s: %q and no error", name, id)
		}
	}
	if len(pauses) > 0 {
		t.Errorf("waited %v", pauses)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.placed(ctx, func() (*bulkState, []userError, error) { return nil, []userError{{Code: "LIMIT_REACHED"}}, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
	if len(pauses) != 1 {
		t.Errorf("called off, and waited %v", pauses)
	}
}
