package ipc

import (
	"context"

	"kvart/app"
)

// AnswerUnusual implements [app.WatchService].
func (c *Client) AnswerUnusual(ctx context.Context, r app.AnswerRequest) (app.Unusual, error) {
	return ask[app.Unusual](ctx, c, "answer-unusual", r)
}

// Unusuals implements [app.WatchService].
func (c *Client) Unusuals(ctx context.Context) ([]app.Unusual, error) {
	return ask[[]app.Unusual](ctx, c, "unusuals", none{})
}

// WatchSettings implements [app.WatchService].
func (c *Client) WatchSettings(ctx context.Context) (app.WatchSettings, error) {
	return ask[app.WatchSettings](ctx, c, "watch-settings", none{})
}

// SetWatch implements [app.WatchService].
func (c *Client) SetWatch(ctx context.Context, r app.WatchRequest) (app.WatchSettings, error) {
	return ask[app.WatchSettings](ctx, c, "set-watch", &r)
}

// TestAlert implements [app.WatchService].
func (c *Client) TestAlert(ctx context.Context, channel string) error {
	return tell(ctx, c, "test-alert", channel)
}

// TestStorefront implements [app.WatchService].
func (c *Client) TestStorefront(ctx context.Context) (app.StorefrontProbe, error) {
	return ask[app.StorefrontProbe](ctx, c, "test-storefront", none{})
}

// Uptime implements [app.WatchService].
func (c *Client) Uptime(ctx context.Context) (app.Uptime, error) {
	return ask[app.Uptime](ctx, c, "uptime", none{})
}

// Drills implements [app.ProofService].
func (c *Client) Drills(ctx context.Context, source string) ([]app.DrillResult, error) {
	return ask[[]app.DrillResult](ctx, c, "drills", source)
}

// PeakDays implements [app.ProofService].
func (c *Client) PeakDays(ctx context.Context) ([]app.PeakDay, error) {
	return ask[[]app.PeakDay](ctx, c, "peak-days", none{})
}

// Readiness implements [app.ReadyService].
func (c *Client) Readiness(ctx context.Context) (app.Readiness, error) {
	return ask[app.Readiness](ctx, c, "readiness", none{})
}

// ProveShop implements [app.CapacityService].
func (c *Client) ProveShop(ctx context.Context) (app.ShopProof, error) {
	return ask[app.ShopProof](ctx, c, "prove-shop", none{})
}

// StartCapacity implements [app.CapacityService].
func (c *Client) StartCapacity(ctx context.Context, r app.CapacityRequest) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-capacity", r)
}

// Capacities implements [app.CapacityService].
func (c *Client) Capacities(ctx context.Context) ([]app.CapacityResult, error) {
	return ask[[]app.CapacityResult](ctx, c, "capacities", none{})
}

// CapacityReport implements [app.CapacityService].
func (c *Client) CapacityReport(ctx context.Context, r app.CapacityReportRequest) ([]byte, error) {
	return ask[[]byte](ctx, c, "capacity-report", r)
}
