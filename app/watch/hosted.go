package watch

import (
	"net/http"
	"strings"

	"kvart/app"
)

// hostedAt is a platform that others run, and what its shops are known by.
type hostedAt struct {
	name string
	// hosts are domains of its own that shops lie below.
	hosts []string
	// headers are in every answer of its shops, on their own domains too: the
	// name alone, or with a part of the value after a colon.
	headers []string
}

// platforms are the platforms that are told apart. It is a list of those that
// Nordic shops use most; what is not on it has still to be proven the owner's.
func platforms() []hostedAt {
	return []hostedAt{
		{"Shopify", []string{"myshopify.com", "shopify.com"}, []string{"x-shopid", "x-shardid", "x-sorting-hat-shopid", "x-shopify-stage", "powered-by:shopify"}},
		{"Wix", []string{"wixsite.com", "wix.com", "editorx.io"}, []string{"x-wix-request-id", "server:pepyaka"}},
		{"Squarespace", []string{"squarespace.com", "sqsp.com"}, []string{"server:squarespace"}},
		{"BigCommerce", []string{"mybigcommerce.com", "bigcommerce.com"}, []string{"x-bc-store-version", "x-bc-storefront-request"}},
		{"Webflow", []string{"webflow.io"}, []string{"x-wf-region", "surrogate-key:webflow"}},
		{"Ecwid", []string{"ecwid.com", "company.site"}, nil},
		{"Etsy", []string{"etsy.com"}, nil},
		{"Amazon", []string{"amazon.com", "amazon.se", "amazon.de", "amazon.co.uk"}, nil},
		{"Tradera", []string{"tradera.com"}, nil},
		{"WordPress.com", []string{"wordpress.com"}, []string{"host-header:wordpress.com"}},
		{"Quickbutik", []string{"quickbutik.com"}, []string{"x-quickbutik"}},
		{"Abicart", []string{"abicart.se", "abicart.com", "textalk.se", "shop.textalk.se"}, []string{"x-abicart", "server:abicart"}},
		{"Starweb", []string{"starwebserver.se"}, []string{"x-starweb"}},
		{"Wikinggruppen", []string{"wikinggruppen.se"}, []string{"x-wgr"}},
		{"Shoporama", []string{"shoporama.dk"}, nil},
		{"DanDomain", []string{"dandomain.dk", "mywebshop.io", "smartweb.dk"}, nil},
		{"MyCashflow", []string{"mycashflow.fi"}, []string{"x-mycashflow", "server:mycashflow"}},
		{"Mystore", []string{"mystore.no"}, []string{"x-mystore"}},
		{"24Nettbutikk", []string{"24nettbutikk.no"}, nil},
		{"Norce", []string{"norce.tech"}, nil},
		{"Centra", []string{"centra.com", "centraqa.com"}, nil},
		{"Shopware Cloud", []string{"shopware.store"}, nil},
		{"GoDaddy", []string{"godaddysites.com"}, []string{"server:dps"}},
		{"One.com", []string{"websitebuilder.one.com"}, nil},
		{"Jimdo", []string{"jimdosite.com", "jimdofree.com"}, []string{"x-jimdo-instance"}},
		{"Weebly", []string{"weebly.com", "square.site"}, []string{"x-host:weebly"}},
		{"Big Cartel", []string{"bigcartel.com"}, []string{"x-bigcartel"}},
	}
}

// PlatformOf returns the platform that others run a shop on, by its address; ""
// where that shows none.
func (w *Watch) PlatformOf(s app.StorefrontSettings) string {
	u, err := pageURL(s.URL)
	if err != nil {
		return ""
	}
	return platformOf(u.Hostname(), nil)
}

// platformOf returns the platform that others run a shop on, by its address and
// by its answer; "" where nothing shows one.
func platformOf(host string, h http.Header) string {
	host = strings.ToLower(host)
	for _, p := range platforms() {
		for _, d := range p.hosts {
			if host == d || strings.HasSuffix(host, "."+d) {
				return p.name
			}
		}
		for _, want := range p.headers {
			name, part, valued := strings.Cut(want, ":")
			for _, v := range h.Values(name) {
				if !valued || strings.Contains(strings.ToLower(v), part) {
					return p.name
				}
			}
		}
	}
	return ""
}
