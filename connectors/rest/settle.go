package rest

import (
	"context"
	"time"

	"kvart/app"
)

// writable opens the shop with a key that was found to be able to write, and
// tells its name.
func (e *Engine) writable(ctx context.Context, a app.Access) (shop Shop, name string, err error) {
	if shop, err = e.platform.Open(ctx, a, true); err != nil {
		return nil, "", err
	}
	p, err := shop.Probe(ctx)
	return shop, p.Name, err
}

const (
	// savedLasts is for how long a restore relies on what its safety point has
	// read.
	savedLasts = 15 * time.Minute
	// settleLasts is how long a restore waits for what an earlier one began. Some
	// thousands of records are written in a few minutes.
	settleLasts = 15 * time.Minute
)

// justSaved tells when the whole shop was read for the safety point of the
// restore that is under way; ok is false when that was not a moment ago.
func (e *Engine) justSaved(id app.SourceID) (at time.Time, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, ok = e.saved[id]
	age := e.o.Now().Sub(at)
	return at, ok && age >= 0 && age < savedLasts
}

// settled opens the shop for writing when nothing of an earlier restore goes on
// in it any more. It answers [app.CodeShopWorking] when that takes too long.
func (e *Engine) settled(ctx context.Context, a app.Access) (Shop, error) {
	shop, _, err := e.writable(ctx, a)
	if err != nil {
		return nil, err
	}
	x, ok := shop.(Settler)
	if !ok {
		return shop, nil
	}
	wait, stop := context.WithTimeout(ctx, e.settles)
	defer stop()
	err = x.Settle(wait)
	if err != nil && wait.Err() != nil && ctx.Err() == nil {
		err = app.Errorf(app.CodeShopWorking, "shop: restore", "what an earlier restore began goes on after %s: %w", e.settles, err)
	}
	return shop, err
}
