package shopify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/connectors/connectortest"
	fake "kvart/connectors/fakeshop/shopify"
	"kvart/connectors/rest"
)

// TestHosted runs the suite of hosted shops.
func TestHosted(t *testing.T) {
	t.Parallel()
	connectortest.RunHosted(t, func(t *testing.T) connectortest.Hosted {
		g := newGuarded(t)
		var net cable
		o := g.platform.o
		o.transport = &net
		g.platform = NewPlatform(o)
		g.engine = rest.New(g.platform, rest.Options{Dir: t.TempDir(), Now: g.clock.now})
		product, variants := g.fake.AddProduct("sjal", 2)
		customer := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
		page := g.fake.Add(fake.Object{"__typename": "Page", "handle": "om", "title": "Om oss", "body": "<p>Hej</p>", "isPublished": false})
		g.clock.add(time.Hour)
		return connectortest.Hosted{
			Connector: g.engine, Access: g.access,
			Change: func(*testing.T) {
				g.clock.add(20 * time.Minute)
				g.fake.Change(variants[0], fake.Object{"price": "1.00"})
				g.fake.Change(product, fake.Object{"title": "Fel"})
				g.fake.Change(customer, fake.Object{"lastName": "Fel"})
				g.fake.Change(page, fake.Object{"title": "Fel"})
				g.clock.add(time.Minute)
			},
			Content: func(*testing.T) string { return contentOf(g.fake) },
			Cut:     func() { net.out.Store(true) },
		}
	})
}

// contentOf describes what the shop holds of what the suite changes.
func contentOf(s *fake.Shop) string {
	var lines []string
	for typ, fields := range map[string][]string{
		"Product": {"handle", "title", "status", "tags"}, "ProductVariant": {"price", "title"}, "Customer": {"firstName", "lastName", "addressesV2"}, "Page": {"handle", "title", "body"},
	} {
		for _, o := range s.All(typ) {
			line := fmt.Sprint(o["id"])
			for _, f := range fields {
				line += fmt.Sprint(" ", f, "=", o[f])
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
