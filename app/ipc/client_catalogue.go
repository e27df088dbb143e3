package ipc

import (
	"context"

	"kvart/app"
)

// Shelves implements [app.CatalogueService].
func (c *Client) Shelves(ctx context.Context, r app.PathRequest) ([]app.Shelf, error) {
	return ask[[]app.Shelf](ctx, c, "shelves", r)
}

// Records implements [app.CatalogueService].
func (c *Client) Records(ctx context.Context, r app.RecordsRequest) (app.RecordsPage, error) {
	return ask[app.RecordsPage](ctx, c, "records", r)
}

// Record implements [app.CatalogueService].
func (c *Client) Record(ctx context.Context, r app.RecordRequest) (app.RecordView, error) {
	return ask[app.RecordView](ctx, c, "record", r)
}
