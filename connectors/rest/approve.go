package rest

import (
	"context"

	"kvart/app"
)

// An Approver is a [Platform] whose shops have a page on which their owner lets a
// program in.
type Approver interface {
	// Approval is as [app.Approver] has it.
	Approval(ctx context.Context, s app.Source) (app.Approval, error)
}

var _ app.Approver = (*Engine)(nil)

// Approval implements [app.Approver].
func (e *Engine) Approval(ctx context.Context, s app.Source) (app.Approval, error) {
	p, ok := e.platform.(Approver)
	if !ok {
		return app.Approval{}, app.Errorf(app.CodeUsage, "shop: approve", "%s has no page for it", e.Spec().Kind).With("field", "kind")
	}
	a, err := p.Approval(ctx, s)
	return a, canceled(ctx, err)
}
