package woo

import (
	"encoding/json"
	"strings"
)

// templates are records as the recorded shop has them, less what a test sets.
var templates = map[string]string{
	"products": `{"name":"","slug":"","permalink":"","date_created":"NOW","date_created_gmt":"NOW","date_modified":"NOW","date_modified_gmt":"NOW",
"type":"simple","status":"publish","featured":false,"catalog_visibility":"visible","description":"","short_description":"","sku":"","price":"","regular_price":"","sale_price":"",
"date_on_sale_from":null,"date_on_sale_from_gmt":null,"date_on_sale_to":null,"date_on_sale_to_gmt":null,"on_sale":false,"purchasable":true,"total_sales":0,"virtual":false,
"downloadable":false,"downloads":[],"download_limit":-1,"download_expiry":-1,"external_url":"","button_text":"","tax_status":"taxable","tax_class":"","manage_stock":false,
"stock_quantity":null,"backorders":"no","backorders_allowed":false,"backordered":false,"low_stock_amount":null,"sold_individually":false,"weight":"",
"dimensions":{"length":"","width":"","height":""},"shipping_required":true,"shipping_taxable":true,"shipping_class":"","shipping_class_id":0,"reviews_allowed":true,
"average_rating":"0.00","rating_count":0,"upsell_ids":[],"cross_sell_ids":[],"parent_id":0,"purchase_note":"","categories":[],"brands":[],"tags":[],"images":[],"attributes":[],
"default_attributes":[],"variations":[],"grouped_products":[],"menu_order":0,"price_html":"","related_ids":[],"meta_data":[],"stock_status":"instock","has_options":false,
"post_password":"","global_unique_id":""}`,
	"variations": `{"parent_id":0,"type":"variation","name":"","date_created":"NOW","date_created_gmt":"NOW","date_modified":"NOW","date_modified_gmt":"NOW","description":"","permalink":"","sku":"",
"price":"","regular_price":"","sale_price":"","date_on_sale_from":null,"date_on_sale_from_gmt":null,"date_on_sale_to":null,"date_on_sale_to_gmt":null,"on_sale":false,
"status":"publish","purchasable":true,"virtual":false,"downloadable":false,"downloads":[],"download_limit":-1,"download_expiry":-1,"tax_status":"taxable","tax_class":"",
"manage_stock":false,"stock_quantity":null,"stock_status":"instock","backorders":"no","backorders_allowed":false,"backordered":false,"weight":"",
"dimensions":{"length":"","width":"","height":""},"shipping_class":"","shipping_class_id":0,"image":null,"attributes":[],"menu_order":0,"meta_data":[]}`,
	"orders": `{"parent_id":0,"status":"processing","currency":"SEK","version":"11.0.1","prices_include_tax":false,"date_created":"NOW","date_modified":"NOW","discount_total":"0.00",
"discount_tax":"0.00","shipping_total":"49.00","shipping_tax":"0.00","cart_tax":"0.00","total":"49.00","total_tax":"0.00","customer_id":0,"order_key":"wc_order_x",
"billing":{"first_name":"Åsa","last_name":"Sjöström","company":"","address_1":"Storgatan 1","address_2":"","city":"Örebro","state":"","postcode":"702 10","country":"SE","email":"kund@example.com","phone":""},
"shipping":{"first_name":"","last_name":"","company":"","address_1":"","address_2":"","city":"","state":"","postcode":"","country":"","phone":""},"payment_method":"bacs",
"payment_method_title":"Bankgiro","transaction_id":"","customer_ip_address":"","customer_user_agent":"","created_via":"checkout","customer_note":"","date_completed":null,
"date_paid":null,"cart_hash":"","number":"","meta_data":[],"line_items":[],"tax_lines":[],"shipping_lines":[],"fee_lines":[],"coupon_lines":[],"refunds":[],"payment_url":"",
"is_editable":false,"needs_payment":false,"needs_processing":true,"date_created_gmt":"NOW","date_modified_gmt":"NOW","date_completed_gmt":null,"date_paid_gmt":null,"currency_symbol":"kr"}`,
	"customers": `{"date_created":"NOW","date_created_gmt":"NOW","date_modified":"NOW","date_modified_gmt":"NOW","email":"","first_name":"","last_name":"","role":"customer","username":"",
"billing":{"first_name":"","last_name":"","company":"","address_1":"","address_2":"","city":"","postcode":"","country":"","state":"","email":"","phone":""},
"shipping":{"first_name":"","last_name":"","company":"","address_1":"","address_2":"","city":"","postcode":"","country":"","state":"","phone":""},"is_paying_customer":false,"avatar_url":"","meta_data":[]}`,
	"coupons": `{"code":"","amount":"0.00","status":"publish","date_created":"NOW","date_created_gmt":"NOW","date_modified":"NOW","date_modified_gmt":"NOW","discount_type":"percent",
"description":"","date_expires":null,"date_expires_gmt":null,"usage_count":0,"individual_use":false,"product_ids":[],"excluded_product_ids":[],"usage_limit":null,
"usage_limit_per_user":null,"limit_usage_to_x_items":null,"free_shipping":false,"product_categories":[],"excluded_product_categories":[],"exclude_sale_items":false,
"minimum_amount":"0.00","maximum_amount":"0.00","email_restrictions":[],"used_by":[],"meta_data":[]}`,
	"categories":       `{"name":"","slug":"","parent":0,"description":"","display":"default","image":null,"menu_order":0,"count":0}`,
	"tags":             `{"name":"","slug":"","description":"","count":0}`,
	"brands":           `{"name":"","slug":"","parent":0,"description":"","display":"default","image":null,"menu_order":0,"count":0}`,
	"attributes":       `{"name":"","slug":"","type":"select","order_by":"menu_order","has_archives":false}`,
	"attribute_terms":  `{"name":"","slug":"","description":"","menu_order":0,"count":0}`,
	"shipping_classes": `{"name":"","slug":"","description":"","count":0}`,
	"reviews":          `{"date_created":"NOW","date_created_gmt":"NOW","product_id":0,"product_name":"","product_permalink":"","status":"approved","reviewer":"","reviewer_email":"","review":"","rating":5,"verified":false,"reviewer_avatar_urls":{}}`,
	"taxes":            `{"country":"SE","state":"","postcode":"","city":"","rate":"25.0000","name":"Moms","priority":1,"compound":false,"shipping":true,"order":0,"class":"standard","postcodes":[],"cities":[]}`,
	"tax_classes":      `{"slug":"","name":""}`,
	"shipping_zones":   `{"name":"","order":0}`,
	"shipping_zone_methods": `{"instance_id":0,"title":"","order":1,"enabled":true,"method_id":"flat_rate","method_title":"","method_description":"",
"settings":{"cost":{"id":"cost","label":"Cost","type":"text","value":"","default":""}}}`,
	"refunds":     `{"parent_id":0,"date_created":"NOW","date_created_gmt":"NOW","amount":"0.00","reason":"","refunded_by":1,"refunded_payment":false,"meta_data":[],"line_items":[],"shipping_lines":[],"tax_lines":[],"fee_lines":[]}`,
	"order_notes": `{"author":"WooCommerce","date_created":"NOW","date_created_gmt":"NOW","note":"","customer_note":false}`,
	"webhooks":    `{"name":"","status":"active","topic":"order.created","resource":"order","event":"created","hooks":[],"delivery_url":"","date_created":"NOW","date_created_gmt":"NOW","date_modified":"NOW","date_modified_gmt":"NOW"}`,
	"pages":       wpPost,
	"posts":       strings.Replace(wpPost, `"parent":0,"menu_order":0,`, `"categories":[],"tags":[],`, 1),
	"media": `{"date":"NOW","date_gmt":"NOW","guid":{"rendered":""},"modified":"NOW","modified_gmt":"NOW","slug":"","status":"inherit","type":"attachment","link":"","title":{"raw":"","rendered":""},
"author":1,"alt_text":"","caption":{"raw":"","rendered":""},"description":{"raw":"","rendered":""},"media_type":"image","mime_type":"image/jpeg","media_details":{},"post":null,"source_url":""}`,
	"post_categories": `{"name":"","slug":"","parent":0,"description":"","count":0,"link":"","taxonomy":"category","meta":[]}`,
	"post_tags":       `{"name":"","slug":"","description":"","count":0,"link":"","taxonomy":"post_tag","meta":[]}`,
	"menus":           `{"name":"","slug":"","description":"","meta":[],"locations":[],"auto_add":false}`,
	"menu_items":      `{"title":{"raw":"","rendered":""},"status":"publish","url":"","attr_title":"","description":"","type":"custom","type_label":"","object":"custom","object_id":0,"parent":0,"menu_order":1,"target":"","classes":[],"xfn":[],"invalid":false,"meta":[],"menus":0}`,
	"users":           `{"username":"","name":"","email":"","roles":["administrator"],"registered_date":"NOW","capabilities":{},"extra_capabilities":{},"avatar_urls":{},"meta":{}}`,
}

const wpPost = `{"date":"NOW","date_gmt":"NOW","guid":{"rendered":""},"modified":"NOW","modified_gmt":"NOW","slug":"","status":"publish","type":"page","link":"",
"title":{"raw":"","rendered":""},"content":{"raw":"","rendered":"","protected":false,"block_version":1},"excerpt":{"raw":"","rendered":"","protected":false},"author":1,
"featured_media":0,"parent":0,"menu_order":0,"comment_status":"closed","ping_status":"closed","template":"","meta":[],"class_list":[],"password":""}`

// template returns a new record of a kind.
func (s *Shop) template(kind string) Record {
	var r Record
	if err := json.Unmarshal([]byte(templates[kind]), &r); err != nil {
		panic(kind + ": " + err.Error()) // only a mistake in the lines above
	}
	now := s.Now().UTC().Format("2006-01-02T15:04:05")
	for f, v := range r {
		if v == "NOW" {
			r[f] = now
		}
	}
	return r
}

// furnish gives the shop what every shop has from the start.
func (s *Shop) furnish() {
	for _, slug := range []string{"standard", "reduced-rate", "zero-rate"} {
		s.add("tax_classes", Record{"slug": slug, "name": slug})
	}
	zone := s.add("shipping_zones", Record{"name": "Sverige"})
	method := s.add("shipping_zone_methods", Record{"_parent": zone})
	s.kinds["shipping_zone_methods"].rows[method]["instance_id"] = float64(method)
	s.kinds["shipping_zones"].rows[zone]["_places"] = []any{Record{"code": "SE", "type": "country"}}
	s.add("categories", Record{"name": "Övrigt", "slug": "ovrigt"})
	s.add("users", Record{"username": User, "name": "Ägaren", "email": "agaren@example.com"})
}
