package shopify

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
)

const page = "<!DOCTYPE html><html><body>Something went wrong</body></html>"

// TestCapture_believesNothingBroken lets every kind of wrong answer come where
// customers are asked for, after a good capture: what was good stays.
func TestCapture_believesNothingBroken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault fake.Fault
		do    func(*fake.Shop)
		kind  app.Code // customers are not captured, with this code
		whole app.Code // or the capture fails with this one
	}{
		"a page of HTML":            {fault: fake.Fault{Status: 200, Body: page}, kind: app.CodeShopAnswer},
		"500":                       {fault: fake.Fault{Status: 500, Body: page}, kind: app.CodeShopAnswer},
		"a cut answer":              {fault: fake.Fault{Cut: true}, kind: app.CodeShopAnswer},
		"no data":                   {fault: fake.Fault{Status: 200, Body: `{"data":null}`}, kind: app.CodeShopAnswer},
		"an empty object":           {fault: fake.Fault{Status: 200, Body: `{}`}, kind: app.CodeShopAnswer},
		"data together with errors": {fault: fake.Fault{Code: "INTERNAL_SERVER_ERROR", Message: "Internal error"}, kind: app.CodeShopAnswer},
		"403 for a right":           {fault: fake.Fault{Status: 403, Body: `{"errors":"[API] This action requires merchant approval for read_customers scope."}`}, kind: app.CodeShopScope},
		"a denied field":            {fault: fake.Fault{Code: "ACCESS_DENIED", Message: "Access denied for customers field. Required access: `read_customers` access scope."}, kind: app.CodeShopScope},
		"a protected field denied":  {fault: fake.Fault{Code: "ACCESS_DENIED", Message: "This app is not approved to use the firstName field. See https://shopify.dev/docs/apps/launch/protected-customer-data for more details."}, kind: app.CodeShopRedacted},
		"no right any more":         {do: func(s *fake.Shop) { s.Revoke("read_customers", "read_companies") }, kind: app.CodeShopScope},
		"401":                       {fault: fake.Fault{Status: 401, Body: `{"errors":"[API] Invalid API key"}`}, whole: app.CodeSourceDenied},
		"402, the shop is frozen":   {fault: fake.Fault{Status: 402, Body: `{"errors":"Payment Required"}`}, whole: app.CodeShopFrozen},
		"423, the shop is locked":   {fault: fake.Fault{Status: 423, Body: page}, whole: app.CodeShopFrozen},
		"404":                       {fault: fake.Fault{Status: 404, Body: `{"errors":"Not Found"}`}, whole: app.CodeSourceGone},
		"403 for everything":        {fault: fake.Fault{Status: 403, Body: `{"errors":"Forbidden"}`}, whole: app.CodeSourceDenied},
		"throttled for ever":        {fault: fake.Fault{Code: "THROTTLED", Message: "Throttled"}, whole: app.CodeSourceBusy},
		"429 for ever":              {fault: fake.Fault{Status: 429, Header: map[string]string{"Retry-After": "30"}, Body: `{"errors":"Exceeded"}`}, whole: app.CodeSourceBusy},
		"another version":           {do: func(s *fake.Shop) { s.Serve("2027-01") }, whole: app.CodeShopVersion},
		"a redirect elsewhere":      {fault: fake.Fault{Status: 302, Header: map[string]string{"Location": "https://example.com/"}}, whole: app.CodeSourceGone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t)
			id := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
			at := g.path(t, g.point(t), kindCustomers, id)
			g.clock.add(20 * time.Minute)
			g.fake.Change(id, fake.Object{"lastName": "Al"})
			if tt.do != nil {
				tt.do(g.fake)
			} else {
				tt.fault.Operation = "CustomersByID"
				g.fake.Fail(tt.fault)
			}
			c, err := g.engine.Capture(t.Context(), g.access, "")
			if tt.whole != "" {
				if app.CodeOf(err) != tt.whole {
					t.Errorf("%v, want %s", err, tt.whole)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			point, problem := kept(t, c, kindCustomers)
			if app.CodeOf(problem) != tt.kind {
				t.Errorf("problem %v, want %s", problem, tt.kind)
			}
			if body, err := fs.ReadFile(point, at); err != nil || !strings.Contains(string(body), `"Ek"`) {
				t.Errorf("the last good state is gone: %s, %v", body, err)
			}
		})
	}
}

// kept reads a capture in which one kind could not be captured, and returns why.
func kept(t *testing.T, c *app.Capture, kind string) (fs.FS, error) {
	t.Helper()
	var problem error
	for item := range c.Items {
		if strings.HasPrefix(item.Path, kind) && item.Optional {
			_, problem = item.Open(t.Context())
		}
	}
	if problem == nil {
		t.Error("nothing is said to be missing")
	}
	return collectAll(t, c), problem
}

// TestCapture_redactedCustomers never takes null for a name that was blotted out.
func TestCapture_redactedCustomers(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	id := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	at := g.path(t, g.point(t), kindCustomers, id)
	g.clock.add(20 * time.Minute)
	g.fake.Change(id, fake.Object{"firstName": nil, "lastName": nil, "defaultEmailAddress": nil, "defaultPhoneNumber": nil})
	c, err := g.engine.Capture(t.Context(), g.access, "")
	if err != nil {
		t.Fatal(err)
	}
	point, problem := kept(t, c, kindCustomers)
	if app.CodeOf(problem) != app.CodeShopRedacted {
		t.Errorf("problem %v", problem)
	}
	if body, err := fs.ReadFile(point, at); err != nil || !strings.Contains(string(body), "kim@example.com") {
		t.Errorf("blotted out: %s, %v", body, err)
	}
}

// TestCapture_emptyList takes no whole kind for deleted that is gone at once.
func TestCapture_emptyList(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	for range 10 {
		g.fake.Add(fake.Object{"__typename": "UrlRedirect", "path": "/" + http.StatusText(200), "target": "/"})
	}
	g.point(t)
	g.clock.add(20 * time.Minute)
	g.fake.Fail(fake.Fault{Operation: "Pulse", Empty: true})
	c, err := g.engine.Capture(t.Context(), g.access, "")
	if err != nil {
		t.Fatal(err)
	}
	point, problem := kept(t, c, kindRedirects)
	if app.CodeOf(problem) != app.CodeShopShrunk {
		t.Errorf("problem %v", problem)
	}
	n := 0
	err = fs.WalkDir(point, kindRedirects, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil || n != 10 {
		t.Errorf("%d redirects left, %v", n, err)
	}
}

// TestCapture_deletion finds what was deleted by the shop's own events, and
// leaves orders alone that it no longer lists.
func TestCapture_deletion(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	product, variants := g.fake.AddProduct("sjal", 1)
	g.fake.AddProduct("vante", 1)
	customer := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	old := g.fake.AddOrder("#1", customer, product, variants[0], g.clock.now().Add(-59*24*time.Hour))
	first := g.point(t)
	at, orderAt := g.path(t, first, kindProducts, product), g.path(t, first, kindOrders, old)
	g.clock.add(20 * time.Minute)
	g.fake.Delete(product, "Robin")
	g.fake.Lose(old) // older than 60 days now
	second := g.point(t)
	if _, err := fs.Stat(second, at); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the deleted product: %v", err)
	}
	g.clock.add(30 * time.Hour)
	third := g.point(t)
	if _, err := fs.Stat(third, orderAt); err != nil {
		t.Errorf("the old order: %v", err)
	}
}

func read(t *testing.T, point fs.FS, at string) []byte {
	t.Helper()
	body, err := fs.ReadFile(point, at)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
