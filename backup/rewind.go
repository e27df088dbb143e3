package backup

import (
	"context"
	"errors"

	"kvart/app"
	"kvart/backup/storage"
)

var _ app.Rewinder = (*Provider)(nil)

// Rewind implements [app.Rewinder].
func (p *Provider) Rewind(ctx context.Context, s app.StorageSpec) (objects int, err error) {
	ctx = withLog(ctx, p.log)
	if s.AsOf.IsZero() {
		return 0, app.Errorf(app.CodeUsage, "rewind storage", "to no time").With("field", "asOf")
	}
	loc, err := storage.Open(ctx, s, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, loc.Close(context.WithoutCancel(ctx))) }()
	if loc.Rewind == nil {
		return 0, app.Errorf(app.CodeUsage, "rewind storage", "%s can't", s.Kind).With("field", "asOf")
	}
	objects, err = loc.Rewind(ctx, s.AsOf)
	return objects, storage.Translate("rewind storage", err)
}
