package agent

import (
	"context"
	"testing"

	"kvart/app"
)

// approving is a connector with a page on which owners let Kvart in.
type approving struct{ app.Connector }

func (approving) Approval(_ context.Context, s app.Source) (app.Approval, error) {
	return app.Approval{URL: "https://" + s.Settings["host"] + ":" + s.Settings["port"]}, nil
}

func (approving) Spec() app.KindSpec {
	return app.KindSpec{Kind: "server", Fields: []app.Field{{Key: "host", Default: "localhost"}, {Key: "port", Default: "443"}}}
}

// onePage is the kinds of a test, of which "server" has such a page.
type onePage struct{ Connectors }

func (o onePage) Connector(k app.Kind) (app.Connector, error) {
	c, err := o.Connectors.Connector(k)
	return approving{c}, err
}

func TestApproval(t *testing.T) {
	t.Parallel()
	s, _ := newServerTest(t)
	r := app.ApprovalRequest{Kind: "server", Settings: map[string]string{"path": "a"}}
	if _, err := s.Approval(t.Context(), r); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("a kind without a page: %v", err)
	}
	s.Connectors = onePage{s.Connectors}
	if got, err := s.Approval(t.Context(), r); err != nil || got.URL != "https://localhost:443" {
		t.Errorf("%+v, %v", got, err)
	}
}
