package shopify

import (
	"fmt"
	"time"
)

// furnish puts in what every shop has.
func (s *Shop) furnish() {
	s.roots["counters"] = Object{"stock": 0, "mails": 0}
	s.roots["shop"] = Object{
		"__typename": "Shop", "id": "gid://shopify/Shop/1", "name": "Lillas Garn", "email": "hej@lillasgarn.example", "contactEmail": "hej@lillasgarn.example",
		"myshopifyDomain": "lillas-garn.myshopify.com", "currencyCode": "SEK", "ianaTimezone": "Europe/Stockholm",
		"plan":        Object{"__typename": "ShopPlan", "publicDisplayName": "Basic", "partnerDevelopment": false, "shopifyPlus": false},
		"shopAddress": Object{"__typename": "ShopAddress", "city": "Borås", "countryCodeV2": "SE"},
		"shopPolicies": []any{
			Object{"__typename": "ShopPolicy", "id": "gid://shopify/ShopPolicy/1", "type": "REFUND_POLICY", "title": "Returer", "body": "<p>Öppet köp i 30 dagar.</p>", "updatedAt": "2026-01-01T00:00:00Z"},
		},
	}
	s.locales = []any{Object{"__typename": "ShopLocale", "locale": "sv", "name": "Swedish", "primary": true, "published": true}}
	s.addLocked(Object{"__typename": "Location", "name": "Butiken", "isActive": true, "address": Object{"__typename": "LocationAddress", "city": "Borås"}})
	s.addLocked(Object{"__typename": "Location", "name": "Lagret", "isActive": true, "address": Object{"__typename": "LocationAddress", "city": "Viskafors"}})
	s.addLocked(Object{"__typename": "Publication", "autoPublish": false, "supportsFuturePublishing": true})
}

// AddProduct puts in a product with so many variants, of which each has stock at
// the first location, and returns the ids of both.
func (s *Shop) AddProduct(handle string, variants int) (product string, ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	image := s.addLocked(Object{
		"__typename": "MediaImage", "alt": handle, "mediaContentType": "IMAGE", "fileStatus": "READY", "status": "READY", "mimeType": "image/png",
		"image": Object{"__typename": "Image", "url": s.at + "/files/cdn/" + handle + ".png", "width": 1, "height": 1},
	})
	s.uploads["cdn/"+handle+".png"] = []byte("picture of " + handle)
	values := make([]any, variants)
	for i := range values {
		s.serial++
		values[i] = Object{"__typename": "ProductOptionValue", "id": fmt.Sprintf("gid://shopify/ProductOptionValue/%d", s.serial), "name": fmt.Sprintf("%d", i+1)}
	}
	s.serial++
	p := Object{
		"__typename": "Product", "handle": handle, "title": "Vara " + handle, "descriptionHtml": "<p>" + handle + "</p>", "vendor": "Lilla", "productType": "Garn",
		"tags": []any{"garn"}, "status": "ACTIVE", "seo": Object{"__typename": "SEO"},
		"options": []any{Object{"__typename": "ProductOption", "id": fmt.Sprintf("gid://shopify/ProductOption/%d", s.serial), "name": "Storlek", "position": 1, "optionValues": values}},
		"media":   []any{Ref(image)},
	}
	product = s.addLocked(p)
	s.setMetafield(p, map[string]any{"namespace": "custom", "key": "care", "type": "single_line_text_field", "value": "30 grader"})
	p["resourcePublicationsV2"] = []any{Object{
		"__typename": "ResourcePublicationV2", "isPublished": true, "publishDate": "2026-01-01T00:00:00Z", "publication": Ref(s.byType["Publication"][0]),
	}}
	for i := range variants {
		v := s.newVariant(product)
		s.setVariant(v, map[string]any{
			"price": fmt.Sprintf("%d.00", 100+i), "optionValues": []any{map[string]any{"optionName": "Storlek", "name": fmt.Sprintf("%d", i+1)}},
			"inventoryItem": map[string]any{"sku": fmt.Sprintf("%s-%d", handle, i+1), "tracked": true, "requiresShipping": true},
			"metafields":    []any{map[string]any{"namespace": "custom", "key": "colour", "type": "single_line_text_field", "value": "röd"}},
		})
		v["position"] = i + 1
		s.stockLocked(s.itemOf(text(v["id"])), s.byType["Location"][0], "available", 10+i)
		p["variants"] = append(list(p["variants"]), Ref(text(v["id"])))
		ids = append(ids, text(v["id"]))
	}
	return product, ids
}

// AddCustomer puts in a customer.
func (s *Shop) AddCustomer(mail, first, last string) string {
	return s.Add(Object{
		"__typename": "Customer", "firstName": first, "lastName": last, "state": "ENABLED", "tags": []any{}, "locale": "sv", "verifiedEmail": true,
		"defaultEmailAddress": Object{"__typename": "CustomerEmailAddress", "emailAddress": mail, "marketingState": "SUBSCRIBED", "marketingOptInLevel": "SINGLE_OPT_IN"},
		"addressesV2": []any{Object{
			"__typename": "MailingAddress", "id": "gid://shopify/MailingAddress/" + fmt.Sprint(len(mail)+len(first)*1000), "firstName": first, "lastName": last,
			"address1": "Storgatan 1", "zip": "50330", "city": "Borås", "countryCodeV2": "SE",
		}},
	})
}

// AddOrder puts in an order of one variant.
func (s *Shop) AddOrder(name, customer, product, variant string, at time.Time) string {
	bag := func(amount string) Object {
		m := Object{"__typename": "MoneyV2", "amount": amount, "currencyCode": "SEK"}
		return Object{"__typename": "MoneyBag", "shopMoney": m, "presentmentMoney": m}
	}
	return s.Add(Object{
		"__typename": "Order", "name": name, "email": "kund@example.com", "processedAt": at.UTC().Format(time.RFC3339), "createdAt": at.UTC().Format(time.RFC3339),
		"customer": Ref(customer), "displayFulfillmentStatus": "UNFULFILLED", "displayFinancialStatus": "PAID", "returnStatus": "NO_RETURN", "currencyCode": "SEK",
		"totalPriceSet": bag("100.0"), "transactions": []any{Object{"__typename": "OrderTransaction", "id": "gid://shopify/OrderTransaction/" + name[1:], "kind": "SALE", "status": "SUCCESS", "amountSet": bag("100.0")}},
		"billingAddress": Object{"__typename": "MailingAddress", "firstName": "Kim", "lastName": "Ek", "address1": "Vägen 2", "city": "Borås", "countryCodeV2": "SE"},
		"lineItems":      []any{Ref(s.Add(Object{"__typename": "LineItem", "title": "Garn", "quantity": 1, "product": Ref(product), "variant": Ref(variant), "originalUnitPriceSet": bag("100.0")}))},
	})
}
