package agent

import (
	"context"

	"kvart/app"
)

// Approval implements [app.SourceService].
func (a *Agent) Approval(ctx context.Context, r app.ApprovalRequest) (app.Approval, error) {
	c, err := a.Connectors.Connector(r.Kind)
	if err != nil {
		return app.Approval{}, err
	}
	p, ok := c.(app.Approver)
	if !ok {
		return app.Approval{}, app.Errorf(app.CodeUsage, "approve", "%s has no page for it", r.Kind).With("field", "kind")
	}
	return p.Approval(ctx, app.Source{Kind: r.Kind, Settings: filled(c.Spec(), r.Settings)})
}
