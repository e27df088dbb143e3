package agent

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

func TestPage_writtenAndStored(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	f, err := s.WritePage(t.Context(), app.PageRequest{Settings: &app.PageSettings{Shop: "Björnbär <script>", Color: "#aa3300", Language: "sv", Phone: "070-123 45"}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(f.Path)
	if err != nil || string(b) != f.HTML {
		t.Fatalf("on disk: %v", err)
	}
	for text, want := range map[string]bool{
		"#AA3300": true, "Björnbär &lt;script&gt;": true, "<script": false, `href="tel:07012345"`: true, "snart tillbaka": true, `lang="sv"`: true,
		"src=": false, "url(": false,
	} {
		if strings.Contains(f.HTML, text) != want {
			t.Errorf("%q in the page: %v", text, !want)
		}
	}
	for _, bad := range []app.PageSettings{{Color: "red;}"}, {Language: "xx"}, {Text: strings.Repeat("x", 3000)}} {
		if _, err := s.WritePage(t.Context(), app.PageRequest{Settings: &bad}); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := s.WritePage(t.Context(), app.PageRequest{Publish: []string{"Kassan"}}); app.CodeOf(err) != app.CodeSourceKind {
		t.Errorf("published on a till: %v", err)
	}
	if err := s.SetContacts(t.Context(), []app.Contact{{Role: "host", Name: " Webbhotellet ", Phone: "08-1"}, {}}); err != nil {
		t.Fatal(err)
	}
	s.backup()
	// another computer gets page and contacts from the vault
	st, err := s.states(t.Context(), s.vault)
	if err != nil {
		t.Fatal(err)
	}
	ready := st[s.self()].Ready
	if ready.Page.Color != "#aa3300" || len(ready.Contacts) != 1 || ready.Contacts[0].Name != "Webbhotellet" {
		t.Errorf("in the vault: %+v", ready)
	}
	points, err := s.vault.Points(t.Context(), app.PointFilter{Kinds: []app.PointKind{app.PointState}})
	if err != nil || points[0].Files != 2 {
		t.Errorf("state %+v, %v", points, err)
	}
}

// siteShop is a fake that can show a page.
type siteShop struct {
	*fakeShop
	shown map[string]string
}

func (c siteShop) Publish(_ context.Context, a app.Access, name string, page []byte) error {
	c.shown[a.Source.Name+"/"+name] = string(page)
	return nil
}

func (c siteShop) Withdraw(_ context.Context, a app.Access, name string) error {
	delete(c.shown, a.Source.Name+"/"+name)
	return nil
}

type siteKinds struct{ siteShop }

func (k siteKinds) Connector(app.Kind) (app.Connector, error)     { return k.siteShop, nil }
func (k siteKinds) Specs() []app.KindSpec                         { return []app.KindSpec{k.Spec()} }
func (k siteKinds) Discover(context.Context) ([]app.Found, error) { return nil, nil }

func TestPage_putUpAndTakenDownByThePlaybook(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	site := siteShop{s.shop, map[string]string{}}
	s.Agent.Connectors = siteKinds{site}
	s.Storefront = slowFront{func(context.Context) (bool, error) {
		if len(site.shown) > 0 {
			return true, errors.New("status 503")
		}
		return true, nil
	}}
	i := s.trouble(app.IncidentRequest{Playbook: app.PlaybookShopDown})
	if len(site.shown) != 0 {
		t.Fatal("put up without being asked")
	}
	i = s.tick("put-page")
	s.wantStep(i, "publish", app.StepDone)
	if len(site.shown) != 2 {
		t.Errorf("shown %v", site.shown)
	}
	for _, code := range []app.StepCode{"call-host", "new-host", "confirm"} {
		if _, err := s.TickStep(t.Context(), app.TickRequest{Step: code, Tick: app.TickSkip, Reason: "Back by itself"}); err != nil {
			t.Fatal(err)
		}
	}
	s.wait()
	i = s.tick("open-again")
	s.wantStep(i, "restore", app.StepSkipped)
	s.wantStep(i, "withdraw", app.StepDone)
	s.wantStep(i, "storefront", app.StepDone)
	if len(site.shown) != 0 || i.Back.IsZero() {
		t.Errorf("shown %v, back %v", site.shown, i.Back)
	}
}

// besideShop shows the page nowhere but at its own address.
type besideShop struct{ siteShop }

func (c besideShop) Publish(ctx context.Context, a app.Access, name string, page []byte) error {
	if err := c.siteShop.Publish(ctx, a, name, page); err != nil {
		return err
	}
	return app.Errorf(app.CodePageBeside, "publish", "no rules").With("page", name)
}

type besideKinds struct{ siteKinds }

func (k besideKinds) Connector(app.Kind) (app.Connector, error) { return besideShop{k.siteShop}, nil }

// A page that is not in the shop's place is not said to be: neither where the
// server doesn't allow it, nor where the shop answers all the same.
func TestPage_notShown(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"page_beside", "page_unseen"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s := newShopTest(t)
			s.backup()
			site := siteKinds{siteShop{s.shop, map[string]string{}}}
			s.Agent.Connectors = site
			if code == "page_beside" {
				s.Agent.Connectors = besideKinds{site}
			}
			s.Storefront = slowFront{func(context.Context) (bool, error) { return true, nil }}
			s.trouble(app.IncidentRequest{Playbook: app.PlaybookShopDown})
			i := s.tick("put-page")
			step := i.Step("publish")
			if step.State != app.StepOpen || !step.Look || !slices.ContainsFunc(step.Facts, func(f app.Fact) bool { return f.Code == code }) {
				t.Errorf("publish: %+v", step)
			}
			_, err := s.WritePage(t.Context(), app.PageRequest{Publish: []string{"Kassan"}})
			if (app.CodeOf(err) == app.CodePageBeside) != (code == "page_beside") || err != nil && code == "page_unseen" {
				t.Errorf("put up by hand: %v", err)
			}
		})
	}
}

func TestMessages_filledIn(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	if _, err := s.WritePage(t.Context(), app.PageRequest{Settings: &app.PageSettings{Phone: "070-1"}}); err != nil {
		t.Fatal(err)
	}
	for _, open := range []bool{false, true} {
		if open {
			s.backup()
			s.trouble(app.IncidentRequest{Playbook: app.PlaybookHacked, Choice: app.Choice{Sources: []string{"Lager"}}})
		}
		list, err := s.Messages(t.Context(), "sv")
		if err != nil || len(list) != len(app.Messages()) {
			t.Fatal(list, err)
		}
		for _, m := range list {
			if !strings.Contains(m.Text, "Björnbär") || strings.Contains(m.Text, "<no value>") || strings.Contains(m.Text, "⟦") {
				t.Errorf("%s: %s", m.Code, m.Text)
			}
			if m.Code == "imy" && strings.Contains(m.Text, "Lager") != open {
				t.Errorf("imy, open %v: %s", open, m.Text)
			}
		}
	}
}

// slowFront is a shop that does not answer, or says what it is told.
type slowFront struct {
	ask func(context.Context) (bool, error)
}

func (f slowFront) Ask(ctx context.Context) (bool, error) { return f.ask(ctx) }

func TestStorefront(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	if got := s.askStorefront(t.Context()); got.State != app.StepOpen || got.Facts[0].Code != "no_storefront" {
		t.Errorf("nobody to ask: %+v", got)
	}
	for _, tt := range []struct {
		known bool
		err   error
		want  app.StepState
	}{
		{true, nil, app.StepDone},
		{true, errors.New("503"), app.StepFailed},
		{false, nil, app.StepOpen},
	} {
		s.Storefront = slowFront{func(context.Context) (bool, error) { return tt.known, tt.err }}
		if got := s.askStorefront(t.Context()); got.State != tt.want {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
	hang := make(chan struct{})
	s.Storefront = slowFront{func(context.Context) (bool, error) { <-hang; return true, nil }} // heeds nothing
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got := s.askStorefront(ctx); got.State != app.StepOpen {
		t.Errorf("hanging: %+v", got)
	}
	close(hang)
}
