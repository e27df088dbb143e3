package connectors_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kvart/app"
	"kvart/connectors"
)

// fake is a connector that finds what it is told to, after a while.
type fake struct {
	kind  app.Kind
	after time.Duration
	found []app.Found
	err   error
}

func (f *fake) Spec() app.KindSpec { return app.KindSpec{Kind: f.kind} }

func (f *fake) Check(context.Context, app.Access) (app.SourceInfo, error) {
	return app.SourceInfo{}, errors.ErrUnsupported
}

func (f *fake) Capture(context.Context, app.Access, app.Marker) (*app.Capture, error) {
	return nil, errors.ErrUnsupported
}

func (f *fake) Discover(ctx context.Context) ([]app.Found, error) {
	select {
	case <-time.After(f.after):
	case <-ctx.Done():
	}
	return f.found, f.err
}

func TestRegistry_Connector(t *testing.T) {
	t.Parallel()
	a, b := &fake{kind: "a"}, &fake{kind: "b"}
	r := connectors.NewRegistry(a, b)
	if got, err := r.Connector("b"); got != app.Connector(b) || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := r.Connector("c")
	if e := app.AsError(err); e == nil || e.Code != app.CodeSourceKind || e.Args["choices"] != "a, b" {
		t.Errorf("unknown kind: %+v", e)
	}
	if specs := r.Specs(); len(specs) != 2 || specs[0].Kind != "a" || specs[1].Kind != "b" {
		t.Errorf("specs %v", specs)
	}
}

func TestRegistry_Discover(t *testing.T) {
	t.Parallel()
	found := func(kind app.Kind, path string, likely bool, age time.Duration) app.Found {
		return app.Found{Kind: kind, Name: path, Settings: map[string]string{"path": path}, Likely: likely, Changed: time.Unix(1e9, 0).Add(-age)}
	}
	synctest.Test(t, func(t *testing.T) {
		r := connectors.NewRegistry(
			&fake{kind: "a", after: 2 * time.Second, found: []app.Found{found("a", "/old", false, 9), found("a", "/x", false, 1), found("a", "/x", false, 1)}},
			&fake{kind: "b", after: 2 * time.Second, found: []app.Found{found("b", "/x", true, 5)}},
			&fake{kind: "c", after: time.Hour, err: errors.New("broken")},
		)
		start := time.Now()
		got, err := r.Discover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		var order string
		for _, f := range got {
			order += string(f.Kind) + f.Name + " "
		}
		if order != "b/x a/x a/old " {
			t.Errorf("found %s", order)
		}
		broken := errors.New("broken")
		if _, err := connectors.NewRegistry(&fake{kind: "c", err: broken}).Discover(t.Context()); !errors.Is(err, broken) {
			t.Errorf("nothing found, and yet %v", err)
		}
	})
}
