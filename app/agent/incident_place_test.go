package agent

import (
	"context"
	"slices"
	"strings"
	"testing"

	"kvart/app"
)

// flakySite fails in one place.
type flakySite struct {
	siteShop
	broken string
}

func (c flakySite) fails(name string) error {
	if name == c.broken {
		return app.Errorf(app.CodeSourceOffline, "reach", "no answer").With("where", "ftp.example")
	}
	return nil
}

func (c flakySite) Publish(ctx context.Context, a app.Access, name string, page []byte) error {
	if err := c.fails(a.Source.Name); err != nil {
		return err
	}
	return c.siteShop.Publish(ctx, a, name, page)
}

func (c flakySite) Withdraw(ctx context.Context, a app.Access, name string) error {
	if err := c.fails(a.Source.Name); err != nil {
		return err
	}
	return c.siteShop.Withdraw(ctx, a, name)
}

type flakyKinds struct{ site *flakySite }

func (k flakyKinds) Connector(app.Kind) (app.Connector, error)     { return *k.site, nil }
func (k flakyKinds) Specs() []app.KindSpec                         { return []app.KindSpec{k.site.Spec()} }
func (k flakyKinds) Discover(context.Context) ([]app.Found, error) { return nil, nil }

// One place that can't be reached used to keep the page up in all that come
// after it, and nobody was told where.
func TestPage_onePlaceFailsAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	site := &flakySite{siteShop: siteShop{s.shop, map[string]string{}}}
	s.Agent.Connectors = flakyKinds{site}
	both := []string{"Kassan", "Lager"}
	if f, err := s.WritePage(t.Context(), app.PageRequest{Publish: both}); err != nil || len(f.Published) != 2 {
		t.Fatal(f.Published, err)
	}
	site.broken = "Kassan"
	_, err := s.WritePage(t.Context(), app.PageRequest{Withdraw: both})
	if app.CodeOf(err) != app.CodeSourceOffline || app.AsError(err).Args["source"] != "Kassan" || len(site.shown) != 1 {
		t.Errorf("taken down by hand: %v, shown %v", err, site.shown)
	}
	if f, err := s.WritePage(t.Context(), app.PageRequest{Publish: both}); err == nil || !slices.Equal(f.Published, []string{"Lager"}) {
		t.Errorf("put up by hand: %v, %v", f.Published, err)
	}
	if _, err := s.WritePage(t.Context(), app.PageRequest{Publish: []string{"Kassan", "Nix", "Lager"}}); !strings.Contains(app.AsError(err).Args["source"], "Kassan") || !strings.Contains(err.Error(), "Nix") {
		t.Errorf("two fail: %v", err)
	}
	// and the playbook's step fails, says where, and is done again
	res := s.actPublish(t.Context(), app.Incident{}, false)
	if res.State != app.StepFailed || len(site.shown) != 1 {
		t.Errorf("%+v, shown %v", res, site.shown)
	}
	for code, name := range map[string]string{"page_failed": "Kassan", "withdrawn": "Lager"} {
		if !slices.ContainsFunc(res.Facts, func(f app.Fact) bool { return f.Code == code && f.Source == name }) {
			t.Errorf("facts %+v lack %s", res.Facts, code)
		}
	}
	site.broken = ""
	if res := s.actPublish(t.Context(), app.Incident{}, false); res.State != app.StepDone || len(site.shown) != 0 {
		t.Errorf("again: %+v, shown %v", res, site.shown)
	}
}
