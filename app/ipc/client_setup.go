package ipc

import (
	"context"

	"kvart/app"
)

// SetupDraft implements [app.SetupService].
func (c *Client) SetupDraft(ctx context.Context) (app.SetupDraft, error) {
	return ask[app.SetupDraft](ctx, c, "setup-draft", none{})
}

// SetSetupDraft implements [app.SetupService].
func (c *Client) SetSetupDraft(ctx context.Context, d app.SetupDraft) error {
	return tell(ctx, c, "set-setup-draft", d)
}

// ArrangeSource implements [app.ArrangeService].
func (c *Client) ArrangeSource(ctx context.Context, r app.ArrangeRequest) (app.Source, error) {
	return ask[app.Source](ctx, c, "arrange-source", r)
}

// Support implements [app.SupportService].
func (c *Client) Support(ctx context.Context) (app.SupportBundle, error) {
	return ask[app.SupportBundle](ctx, c, "support", none{})
}
