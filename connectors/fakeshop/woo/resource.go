package woo

import (
	"fmt"
	"strings"
)

// resource is how one kind is asked for.
type resource struct {
	path  string // "%d" stands for the parent
	below string // kind of the parent
	// wp is one of WordPress's own, for which WooCommerce's keys are no use.
	wp    bool
	dated bool // takes modified_after
	trash bool
	whole bool // in one answer
	bare  bool // without a count
	field string
	noun  string // in codes of errors
}

func resources() map[string]resource {
	return map[string]resource{
		"products":              {path: "wc/v3/products", dated: true, trash: true, noun: "product"},
		"variations":            {path: "wc/v3/products/%d/variations", below: "products", field: "parent_id", dated: true, trash: true, noun: "product_variation"},
		"orders":                {path: "wc/v3/orders", dated: true, trash: true, noun: "shop_order"},
		"customers":             {path: "wc/v3/customers", noun: "customer"},
		"coupons":               {path: "wc/v3/coupons", dated: true, trash: true, noun: "shop_coupon"},
		"categories":            {path: "wc/v3/products/categories", noun: "term"},
		"tags":                  {path: "wc/v3/products/tags", noun: "term"},
		"brands":                {path: "wc/v3/products/brands", noun: "term"},
		"attributes":            {path: "wc/v3/products/attributes", whole: true, noun: "taxonomy"},
		"attribute_terms":       {path: "wc/v3/products/attributes/%d/terms", below: "attributes", field: "_parent", noun: "term"},
		"shipping_classes":      {path: "wc/v3/products/shipping_classes", noun: "term"},
		"reviews":               {path: "wc/v3/products/reviews", noun: "review"},
		"taxes":                 {path: "wc/v3/taxes", noun: "tax"},
		"tax_classes":           {path: "wc/v3/taxes/classes", whole: true, noun: "tax_class"},
		"shipping_zones":        {path: "wc/v3/shipping/zones", whole: true, noun: "shipping_zone"},
		"shipping_zone_methods": {path: "wc/v3/shipping/zones/%d/methods", below: "shipping_zones", field: "_parent", whole: true, noun: "shipping_zone_method"},
		"refunds":               {path: "wc/v3/orders/%d/refunds", below: "orders", field: "parent_id", noun: "shop_order_refund"},
		"order_notes":           {path: "wc/v3/orders/%d/notes", below: "orders", field: "_parent", whole: true, bare: true, noun: "order_note"},
		"webhooks":              {path: "wc/v3/webhooks", noun: "shop_webhook"},
		"pages":                 {path: "wp/v2/pages", wp: true, dated: true, trash: true, noun: "post"},
		"posts":                 {path: "wp/v2/posts", wp: true, dated: true, trash: true, noun: "post"},
		"media":                 {path: "wp/v2/media", wp: true, dated: true, noun: "post"},
		"post_categories":       {path: "wp/v2/categories", wp: true, noun: "term"},
		"post_tags":             {path: "wp/v2/tags", wp: true, noun: "term"},
		"menus":                 {path: "wp/v2/menus", wp: true, noun: "term"},
		"menu_items":            {path: "wp/v2/menu-items", wp: true, noun: "post"},
		"users":                 {path: "wp/v2/users", wp: true, noun: "user"},
	}
}

// target is what a path means.
type target struct {
	kind   string
	res    resource
	parent int64
	id     string // of one record
	batch  bool
	all    bool // whatever the parent
}

// resolve finds what a path below /wp-json means.
func (s *Shop) resolve(path string) (t target, ok bool) {
	if !s.Old && path == "wc/v3/variations" {
		return target{kind: "variations", res: resources()["variations"], all: true}, true
	}
	if !s.Old && path == "wc/v3/refunds" {
		return target{kind: "refunds", res: resources()["refunds"], all: true}, true
	}
	best := -1
	for kind, res := range resources() {
		rest, parent, fits := match(res.path, path)
		if !fits || len(res.path) < best {
			continue
		}
		if strings.Contains(rest, "/") {
			continue
		}
		best = len(res.path)
		t, ok = target{kind: kind, res: res, parent: parent, id: rest, batch: rest == "batch"}, true
	}
	return t, ok
}

// match fits a path to a pattern and returns what follows.
func match(pattern, path string) (rest string, parent int64, ok bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(have) < len(want) {
		return "", 0, false
	}
	for i, w := range want {
		switch {
		case w == "%d":
			if _, err := fmt.Sscan(have[i], &parent); err != nil {
				return "", 0, false
			}
		case w != have[i]:
			return "", 0, false
		}
	}
	return strings.Join(have[len(want):], "/"), parent, true
}
