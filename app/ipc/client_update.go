package ipc

import (
	"context"

	"kvart/app"
)

// Updates implements [app.UpdateService].
func (c *Client) Updates(ctx context.Context) (app.UpdateStatus, error) {
	return ask[app.UpdateStatus](ctx, c, "updates", none{})
}

// SetUpdates implements [app.UpdateService].
func (c *Client) SetUpdates(ctx context.Context, s app.UpdateSettings) (app.UpdateStatus, error) {
	return ask[app.UpdateStatus](ctx, c, "set-updates", s)
}

// CheckUpdate implements [app.UpdateService].
func (c *Client) CheckUpdate(ctx context.Context) (app.UpdateStatus, error) {
	return ask[app.UpdateStatus](ctx, c, "check-update", none{})
}

// StartUpdate implements [app.UpdateService].
func (c *Client) StartUpdate(ctx context.Context) (app.JobID, error) {
	return ask[app.JobID](ctx, c, "start-update", none{})
}
