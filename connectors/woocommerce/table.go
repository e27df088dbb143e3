package woocommerce

import (
	"net/url"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// paging is how a list is read.
type paging int

const (
	byID    paging = iota // in pages, by rising id
	inOne                 // in one answer, without a count
	counted               // in one answer, with a count
)

// sort is a kind together with where it lies in the shop.
type sort struct {
	rest.Kind
	path   string // below /wp-json
	paging paging
	query  url.Values // of every list
	// modified and created name the parameter that asks for changes.
	modified bool
	created  bool
	trash    bool // deleting one without force keeps it in the trash
	batch    bool // several can be written at once
	login    bool // needs WordPress's own log-in
	meta     bool // carries meta data
}

const hourly = time.Hour

// Rights, by WordPress's own names.
const (
	manage      = "manage_woocommerce"
	readOrders  = "read_private_shop_orders"
	readPosts   = "edit_others_posts"
	readPages   = "edit_others_pages"
	listUsers   = "list_users"
	editTheme   = "edit_theme_options"
	moderate    = "moderate_comments"
	readProds   = "read_private_products"
	readCoupons = "read_private_shop_coupons"
	editTerms   = "manage_product_terms"
	uploadFiles = "upload_files"
)

// plugins are what common plug-ins add to records, and work out by themselves.
func plugins(more ...string) []string {
	return append(more, "yoast_head", "yoast_head_json", "jetpack_featured_media_url", "jetpack_sharing_enabled", "jetpack_publicize_connections")
}

// dated adds the dates that a shop sets itself.
func dated(more ...string) []string {
	return append(more, "date_modified", "date_modified_gmt", "date_created")
}

func anyStatus() url.Values { return url.Values{"status": {"any"}} }
func forEdit() url.Values   { return url.Values{"context": {"edit"}} }
func editAny() url.Values   { return url.Values{"context": {"edit"}, "status": {"any"}} }

// small is a kind of which there are few, listed whole.
func small(name string, order int, every time.Duration, right string) rest.Kind {
	return rest.Kind{
		Name: name, Order: order, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: every, Layout: rest.Flat,
		Restore: rest.Create, Volatile: []string{"_links", "count"}, ReadOnly: []string{"id"}, Read: []string{right},
	}
}

// table is every sort of record a shop has, parents before what is below them.
func table() []sort {
	all := append(configuration(), catalogue()...)
	all = append(all, trade()...)
	return append(all, content()...)
}

func configuration() []sort {
	settings := small("settings", 10, hourly, manage)
	settings.Restore = rest.UpdateOnly
	settings.Volatile = append(settings.Volatile, "tip", "description", "label", "options", "type", "default", "placeholder")
	settings.ReadOnly = append(settings.ReadOnly, "group_id")

	classes := small("tax_classes", 11, hourly, manage)
	classes.Keys, classes.ReadOnly = []string{"slug"}, []string{"slug"}

	taxes := small("taxes", 12, hourly, manage)
	taxes.ReadOnly = append(taxes.ReadOnly, "postcode", "city") // postcodes and cities say it
	shipping := small("shipping_classes", 13, hourly, editTerms)
	shipping.Keys = []string{"slug"}

	zones := small("shipping_zones", 14, hourly, manage)
	zones.Keys = []string{"name"}
	places := small("shipping_zone_locations", 15, hourly, manage)
	places.Parent, places.Restore = "shipping_zones", rest.Upsert
	methods := small("shipping_zone_methods", 16, hourly, manage)
	methods.Parent = "shipping_zones"
	methods.Volatile = append(methods.Volatile, "method_title", "method_description")
	methods.ReadOnly = append(methods.ReadOnly, "instance_id", "title")

	gateways := small("payment_gateways", 17, hourly, manage)
	gateways.Restore = rest.UpdateOnly
	gateways.Volatile = append(gateways.Volatile, "settings_url", "connection_url", "setup_help_text", "method_title", "method_description", "post_install_scripts")
	gateways.ReadOnly = append(gateways.ReadOnly, "method_supports", "needs_setup", "required_settings_keys")

	hooks := small("webhooks", 97, hourly, manage)
	hooks.Restore = rest.Manual
	status := small("system_status", 98, rest.Night, manage)
	status.Restore = rest.Manual
	status.Volatile = []string{"_links", "database", "environment.server_info", "environment.remote_post_successful", "environment.remote_get_successful", "environment.remote_post_response", "environment.remote_get_response", "post_type_counts", "logging", "pages", "security"}

	return []sort{
		{Kind: settings, path: "wc/v3/settings", paging: inOne},
		{Kind: classes, path: "wc/v3/taxes/classes", paging: counted},
		{Kind: taxes, path: "wc/v3/taxes", batch: true},
		{Kind: shipping, path: "wc/v3/products/shipping_classes", batch: true},
		{Kind: zones, path: "wc/v3/shipping/zones", paging: counted},
		{Kind: places, path: "wc/v3/shipping/zones/%s/locations", paging: inOne},
		{Kind: methods, path: "wc/v3/shipping/zones/%s/methods", paging: counted},
		{Kind: gateways, path: "wc/v3/payment_gateways", paging: counted},
		{Kind: hooks, path: "wc/v3/webhooks"},
		{Kind: status, path: "wc/v3/system_status", paging: inOne},
	}
}

func catalogue() []sort {
	attributes := small("attributes", 20, hourly, editTerms)
	attributes.Keys = []string{"slug"}
	terms := small("attribute_terms", 21, hourly, editTerms)
	terms.Layout, terms.Parent, terms.Keys = rest.Dense, "attributes", []string{"slug"}
	categories := small("categories", 22, 0, editTerms)
	categories.Layout, categories.Keys = rest.Dense, []string{"slug"}
	categories.Refs = []rest.Ref{{Field: "parent", Kind: "categories"}, {Field: "image.id", Kind: "library"}}
	categories.Media = []string{"image.src"}
	categories.ReadOnly = append(categories.ReadOnly, imageFields("image")...)
	tags := small("tags", 23, 0, editTerms)
	tags.Layout, tags.Keys = rest.Dense, []string{"slug"}
	brands := small("brands", 24, hourly, editTerms)
	brands.Keys, brands.Media = []string{"slug"}, []string{"image.src"}
	brands.Refs = []rest.Ref{{Field: "parent", Kind: "brands"}, {Field: "image.id", Kind: "library"}}
	brands.ReadOnly = append(brands.ReadOnly, imageFields("image")...)

	reviews := small("reviews", 50, hourly, moderate)
	reviews.Layout, reviews.Personal = rest.Dense, true
	reviews.Volatile = append(reviews.Volatile, "product_name", "product_permalink", "reviewer_avatar_urls")
	reviews.ReadOnly = append(reviews.ReadOnly, "date_created", "date_created_gmt", "verified")
	reviews.Refs = []rest.Ref{{Field: "product_id", Kind: "products"}}
	return []sort{
		{Kind: attributes, path: "wc/v3/products/attributes", paging: counted, batch: true},
		{Kind: terms, path: "wc/v3/products/attributes/%s/terms", batch: true},
		{Kind: categories, path: "wc/v3/products/categories", batch: true},
		{Kind: tags, path: "wc/v3/products/tags", batch: true},
		{Kind: brands, path: "wc/v3/products/brands", batch: true},
		{Kind: products(), path: "wc/v3/products", query: anyStatus(), modified: true, trash: true, batch: true, meta: true},
		{Kind: variations(), path: "wc/v3/products/%s/variations", query: anyStatus(), modified: true, trash: true, batch: true, meta: true},
		{Kind: reviews, path: "wc/v3/products/reviews", query: url.Values{"status": {"all"}}, batch: true},
	}
}

// imageFields are what the shop itself says of a picture.
func imageFields(at string) []string {
	var out []string
	for _, f := range []string{"src", "thumbnail", "srcset", "sizes", "date_created", "date_created_gmt", "date_modified", "date_modified_gmt"} {
		out = append(out, at+"."+f)
	}
	return out
}

func products() rest.Kind {
	k := rest.Kind{
		Name: "products", Order: 40, Many: 1, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Publish,
		Keys:  []string{"sku", "slug"},
		Media: []string{"images[].src"},
		Refs: []rest.Ref{
			{Field: "categories[].id", Kind: "categories"},
			{Field: "tags[].id", Kind: "tags"},
			{Field: "brands[].id", Kind: "brands"},
			{Field: "images[].id", Kind: "library"},
			{Field: "attributes[].id", Kind: "attributes"},
			{Field: "default_attributes[].id", Kind: "attributes"},
			{Field: "upsell_ids[]", Kind: "products"},
			{Field: "cross_sell_ids[]", Kind: "products"},
			{Field: "grouped_products[]", Kind: "products"},
			{Field: "parent_id", Kind: "products"},
		},
		// what a shop draws at random, or works out from other fields
		Volatile: plugins("_links", "related_ids", "price_html"),
		ReadOnly: []string{
			"id", "permalink", "price", "on_sale", "purchasable", "total_sales", "backorders_allowed", "backordered",
			"shipping_required", "shipping_taxable", "shipping_class_id", "average_rating", "rating_count", "variations", "has_options",
			"date_on_sale_from", "date_on_sale_to", "permalink_template", "generated_slug",
			"categories[].name", "categories[].slug", "tags[].name", "tags[].slug", "brands[].name", "brands[].slug", "meta_data[].id",
		},
		Loose:    []string{"meta_data"},
		Warnings: []app.Code{app.CodeEffectNumbers},
		Read:     []string{readProds},
	}
	k.ReadOnly = append(dated(k.ReadOnly...), imageFields("images[]")...)
	return k
}

func variations() rest.Kind {
	k := rest.Kind{
		Name: "variations", Order: 41, Parent: "products", Changes: rest.ByCursor, Deletions: rest.BySweep, Restore: rest.Publish,
		Keys:  []string{"sku"},
		Media: []string{"image.src"},
		Refs:  []rest.Ref{{Field: "image.id", Kind: "library"}, {Field: "attributes[].id", Kind: "attributes"}},
		Volatile: []string{
			"_links", "name", // made from the product's
		},
		ReadOnly: []string{
			"id", "permalink", "price", "on_sale", "purchasable", "backorders_allowed", "backordered", "shipping_class_id", "parent_id", "type",
			"date_on_sale_from", "date_on_sale_to", "date_created_gmt", "meta_data[].id",
		},
		Loose:    []string{"meta_data"},
		Warnings: []app.Code{app.CodeEffectNumbers},
		Read:     []string{readProds},
	}
	k.ReadOnly = append(dated(k.ReadOnly...), imageFields("image")...)
	return k
}

func trade() []sort {
	coupons := rest.Kind{
		Name: "coupons", Order: 60, Changes: rest.ByCursor, Deletions: rest.BySweep, Restore: rest.Publish, Keys: []string{"code"},
		Refs: []rest.Ref{
			{Field: "product_ids[]", Kind: "products"},
			{Field: "excluded_product_ids[]", Kind: "products"},
			{Field: "product_categories[]", Kind: "categories"},
			{Field: "excluded_product_categories[]", Kind: "categories"},
		},
		Volatile: []string{"_links"}, ReadOnly: dated("id", "date_created_gmt", "date_expires", "usage_count", "used_by", "meta_data[].id"),
		Loose: []string{"meta_data"}, Warnings: []app.Code{app.CodeEffectNumbers}, Read: []string{readCoupons},
	}
	customers := rest.Kind{
		Name: "customers", Order: 70, Many: 2, Changes: rest.ByMention, Deletions: rest.BySweep, Restore: rest.Create, Keys: []string{"email", "username"}, Personal: true,
		Volatile: []string{"_links", "avatar_url"},
		ReadOnly: dated("id", "date_created_gmt", "role", "is_paying_customer", "meta_data"), // who was there when says nothing about the customer
		Warnings: []app.Code{app.CodeEffectNumbers, app.CodeEffectPasswords, app.CodeEffectMails}, Read: []string{listUsers},
	}
	orders := rest.Kind{
		Name: "orders", Order: 80, Many: 3, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.OptIn, Personal: true,
		Fixed: true, // a line that is sent again is a second line
		Refs: []rest.Ref{
			{Field: "customer_id", Kind: "customers"},
			{Field: "line_items[].product_id", Kind: "products"},
			{Field: "line_items[].variation_id", Kind: "variations"},
		},
		Volatile: []string{"_links"},
		ReadOnly: dated("id", "parent_id", "number", "order_key", "version", "date_created_gmt", "date_completed", "date_completed_gmt", "date_paid", "date_paid_gmt",
			"discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total", "total_tax", "created_via", "cart_hash", "prices_include_tax",
			"customer_ip_address", "customer_user_agent", "refunds", "payment_url", "is_editable", "needs_payment", "needs_processing", "currency_symbol",
			"tax_lines", "line_items[].id", "line_items[].taxes", "line_items[].price", "line_items[].image", "line_items[].parent_name",
			"shipping_lines[].id", "fee_lines[].id", "coupon_lines[].id", "meta_data[].id"),
		Loose:    []string{"meta_data"},
		Warnings: []app.Code{app.CodeEffectNumbers, app.CodeEffectMails, app.CodeEffectStock}, Read: []string{readOrders},
	}
	refunds := rest.Kind{
		Name: "refunds", Order: 81, Parent: "orders", Changes: rest.ByCursor, Deletions: rest.BySweep, Restore: rest.Manual,
		Volatile: []string{"_links"}, Read: []string{readOrders},
	}
	notes := rest.Kind{
		Name: "order_notes", Order: 82, Parent: "orders", Changes: rest.ByCursor, Every: rest.Night, Restore: rest.Manual, Personal: true,
		Author: "author", Dated: "date_created_gmt",
		Volatile: []string{"_links"}, Read: []string{readOrders},
	}
	return []sort{
		{Kind: coupons, path: "wc/v3/coupons", modified: true, batch: true, meta: true, trash: true},
		{Kind: customers, path: "wc/v3/customers", query: url.Values{"role": {"all"}}, batch: true},
		{Kind: orders, path: "wc/v3/orders", query: anyStatus(), modified: true, trash: true, batch: true, meta: true},
		{Kind: refunds, path: "wc/v3/refunds", created: true},
		{Kind: notes, path: "wc/v3/orders/%s/notes", paging: inOne},
	}
}

// post is a kind of WordPress's own that has a history and a trash.
func post(name string, order int, right string) rest.Kind {
	return rest.Kind{
		Name: name, Order: order, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Publish, Keys: []string{"slug"},
		Volatile: plugins("_links", "class_list", "guid", "title.rendered", "content.rendered", "excerpt.rendered", "content.block_version", "content.protected", "excerpt.protected"),
		ReadOnly: []string{"id", "link", "modified", "modified_gmt", "date", "type", "permalink_template", "generated_slug", "author"},
		Refs:     []rest.Ref{{Field: "featured_media", Kind: "library"}},
		Warnings: []app.Code{app.CodeEffectNumbers}, Read: []string{right},
	}
}

func content() []sort {
	media := rest.Kind{
		Name: "library", Order: 18, Changes: rest.ByCursor, Deletions: rest.BySweep, Restore: rest.Create, File: true, Keys: []string{"slug"},
		Media:    []string{"source_url"},
		Volatile: plugins("_links", "class_list", "guid", "description.rendered", "caption.rendered", "title.rendered"),
		ReadOnly: []string{
			"id", "link", "modified", "modified_gmt", "date", "date_gmt", "type", "status", "author", "post", "source_url", "media_type", "mime_type", "media_details",
			"permalink_template", "generated_slug", "missing_image_sizes", "featured_media", "filename", "filesize",
		},
		Read: []string{uploadFiles}, Write: []string{uploadFiles},
	}
	pages, posts := post("pages", 90, readPages), post("posts", 91, readPosts)
	pages.Refs = append(pages.Refs, rest.Ref{Field: "parent", Kind: "pages"})
	posts.Refs = append(posts.Refs, rest.Ref{Field: "categories[]", Kind: "post_categories"}, rest.Ref{Field: "tags[]", Kind: "post_tags"})
	sections, labels := small("post_categories", 88, hourly, readPosts), small("post_tags", 89, hourly, readPosts)
	for _, k := range []*rest.Kind{&sections, &labels} {
		k.Keys, k.ReadOnly = []string{"slug"}, append(k.ReadOnly, "link", "taxonomy")
	}
	sections.Refs = []rest.Ref{{Field: "parent", Kind: "post_categories"}}
	menus, items := small("menus", 92, hourly, editTheme), small("menu_items", 93, hourly, editTheme)
	menus.Keys = []string{"slug"}
	items.Refs = []rest.Ref{{Field: "menus", Kind: "menus"}, {Field: "parent", Kind: "menu_items"}}
	items.Volatile = append(items.Volatile, "title.rendered")
	items.ReadOnly = append(items.ReadOnly, "type_label", "invalid")
	users := small("users", 95, hourly, listUsers)
	users.Restore, users.Personal = rest.Manual, true
	users.Volatile = append(users.Volatile, "avatar_urls", "capabilities", "extra_capabilities", "meta")
	return []sort{
		{Kind: media, path: "wp/v2/media", query: forEdit(), modified: true, login: true},
		{Kind: sections, path: "wp/v2/categories", query: forEdit(), login: true},
		{Kind: labels, path: "wp/v2/tags", query: forEdit(), login: true},
		{Kind: pages, path: "wp/v2/pages", query: editAny(), modified: true, trash: true, login: true},
		{Kind: posts, path: "wp/v2/posts", query: editAny(), modified: true, trash: true, login: true},
		{Kind: menus, path: "wp/v2/menus", query: forEdit(), login: true},
		{Kind: items, path: "wp/v2/menu-items", query: editAny(), login: true},
		{Kind: users, path: "wp/v2/users", query: forEdit(), login: true},
	}
}

func byName() map[string]sort {
	out := map[string]sort{}
	for _, s := range table() {
		out[s.Name] = s
	}
	return out
}
