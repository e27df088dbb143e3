package vendure_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// stocked is what a seeded shop has in it.
type stocked struct {
	products  []string
	singles   []string // their variants
	variants  []string // of the shirt: S, M
	shirt     string
	roots     []string // collections
	leaf      string
	customers []string
	group     string
	pictures  []string
	promotion string
	channel   string
	order     string
}

func texts(name, slug string) []any {
	out := []any{}
	for _, lang := range []string{"en", "sv"} {
		t := record{"languageCode": lang, "name": name + " " + lang}
		if slug != "" {
			t["slug"], t["description"] = slug+"-"+lang, "<p>Om "+name+" "+lang+"</p>"
		}
		out = append(out, t)
	}
	return out
}

func picture(t *testing.T, shade uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 4, 4))
	img.SetGray(1, 1, color.Gray{shade})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stock fills a shop through its own API.
func stock(t *testing.T, p *peer, products int) *stocked {
	t.Helper()
	s := &stocked{}
	p.ask(t, `mutation { updateGlobalSettings(input: { availableLanguages: [en, sv], outOfStockThreshold: 2 }) { __typename } }`, nil)
	sweden := p.do(t, "createCountry", "CreateCountryInput!", record{"code": "SE", "enabled": true, "translations": texts("Sweden", "")})
	zone := p.do(t, "createZone", "CreateZoneInput!", record{"name": "Norden", "memberIds": []any{sweden}})
	tax := p.do(t, "createTaxCategory", "CreateTaxCategoryInput!", record{"name": "Standard", "isDefault": true})
	p.do(t, "createTaxRate", "CreateTaxRateInput!", record{"name": "Moms", "enabled": true, "value": 25, "categoryId": tax, "zoneId": zone})
	p.do(t, "updateChannel", "UpdateChannelInput!", record{"id": "1", "defaultTaxZoneId": zone, "defaultShippingZoneId": zone, "availableLanguageCodes": []any{"en", "sv"}, "availableCurrencyCodes": []any{"USD", "SEK"}})
	s.channel = p.do(t, "createChannel", "CreateChannelInput!", record{"code": "marknad", "token": "marknad-token", "defaultLanguageCode": "en", "pricesIncludeTax": true, "defaultCurrencyCode": "SEK", "defaultTaxZoneId": zone, "defaultShippingZoneId": zone})
	place := p.do(t, "createStockLocation", "CreateStockLocationInput!", record{"name": "Lagret", "description": "bakom butiken"})
	p.do(t, "createShippingMethod", "CreateShippingMethodInput!", record{
		"code": "post", "fulfillmentHandler": "manual-fulfillment", "translations": []any{record{"languageCode": "en", "name": "Post", "description": ""}},
		"checker":    record{"code": "default-shipping-eligibility-checker", "arguments": []any{record{"name": "orderMinimum", "value": "0"}}},
		"calculator": record{"code": "default-shipping-calculator", "arguments": []any{record{"name": "rate", "value": "490"}, record{"name": "includesTax", "value": "auto"}, record{"name": "taxRate", "value": "25"}}},
	})
	p.do(t, "createPaymentMethod", "CreatePaymentMethodInput!", record{
		"code": "faktura", "enabled": true, "translations": []any{record{"languageCode": "en", "name": "Invoice", "description": ""}},
		"handler": record{"code": "dummy-payment-handler", "arguments": []any{record{"name": "automaticSettle", "value": "true"}}},
	})
	for i := range 3 {
		s.pictures = append(s.pictures, p.upload(t, fmt.Sprintf("böna-%d.png", i), picture(t, uint8(10*i))))
	}
	facet := p.do(t, "createFacet", "CreateFacetInput!", record{"code": "rost", "isPrivate": false, "translations": texts("Rost", "")})
	var values []string
	for _, code := range []string{"ljus", "mork"} {
		values = append(values, p.do(t, "createFacetValues", "[CreateFacetValueInput!]!", []any{record{"facetId": facet, "code": code, "translations": texts(code, "")}}))
	}
	for i := range products {
		id := p.do(t, "createProduct", "CreateProductInput!", record{
			"enabled": true, "facetValueIds": []any{values[i%2]}, "assetIds": []any{s.pictures[i%2]}, "featuredAssetId": s.pictures[i%2],
			"translations": texts(fmt.Sprintf("Kaffe %d", i), fmt.Sprintf("kaffe-%d", i)), "customFields": record{"origin": "Etiopien"},
		})
		variant := p.do(t, "createProductVariants", "[CreateProductVariantInput!]!", []any{record{
			"productId": id, "sku": fmt.Sprintf("K-%d", i),
			"translations": texts(fmt.Sprintf("Kaffe %d", i), ""), "taxCategoryId": tax, "stockLevels": []any{record{"stockLocationId": place, "stockOnHand": 40 + i}},
		}})
		p.do(t, "updateProductVariants", "[UpdateProductVariantInput!]!", []any{record{"id": variant, "prices": []any{record{"currencyCode": "USD", "price": 1290 + i}, record{"currencyCode": "SEK", "price": 12900 + i}}}})
		s.products, s.singles = append(s.products, id), append(s.singles, variant)
	}
	s.clothes(t, p, tax, place)
	s.trade(t, p, values)
	p.quiet(t)
	return s
}

// clothes adds a product with options, in two channels.
func (s *stocked) clothes(t *testing.T, p *peer, tax, place string) {
	t.Helper()
	group := p.do(t, "createProductOptionGroup", "CreateProductOptionGroupInput!", record{"code": "storlek", "translations": texts("Storlek", "")})
	s.shirt = p.do(t, "createProduct", "CreateProductInput!", record{
		"enabled": true, "assetIds": []any{s.pictures[2], s.pictures[0]}, "featuredAssetId": s.pictures[2],
		"translations": []any{record{"languageCode": "en", "name": "Shirt", "slug": "shirt", "description": "", "customFields": record{"taste": "none"}}},
		"customFields": record{"goesWithIds": []any{s.products[0]}},
	})
	p.ask(t, `mutation($p: ID!, $g: ID!) { addOptionGroupToProduct(productId: $p, optionGroupId: $g) { id } }`, record{"p": s.shirt, "g": group})
	for _, size := range []string{"s", "m"} {
		option := p.do(t, "createProductOption", "CreateProductOptionInput!", record{"productOptionGroupId": group, "code": size, "translations": texts(size, "")})
		s.variants = append(s.variants, p.do(t, "createProductVariants", "[CreateProductVariantInput!]!", []any{record{
			"productId": s.shirt, "sku": "T-" + size, "price": 29900, "translations": texts("Shirt "+size, ""), "optionIds": []any{option}, "taxCategoryId": tax,
			"stockLevels": []any{record{"stockLocationId": "1", "stockOnHand": 5}, record{"stockLocationId": place, "stockOnHand": 7}}, "trackInventory": "TRUE",
		}}))
	}
	p.ask(t, `mutation($p: ID!, $c: ID!) { assignProductsToChannel(input: { productIds: [$p], channelId: $c }) { id } }`, record{"p": s.shirt, "c": s.channel})
}

// trade adds collections, customers, a discount and an order.
func (s *stocked) trade(t *testing.T, p *peer, values []string) {
	t.Helper()
	for i, name := range []string{"Te", "Kaffe", "Koppar"} {
		s.roots = append(s.roots, p.do(t, "createCollection", "CreateCollectionInput!", record{
			"translations": texts(name, fmt.Sprintf("samling-%d", i)), "assetIds": []any{s.pictures[1]}, "featuredAssetId": s.pictures[1],
			"filters": []any{record{"code": "variant-name-filter", "arguments": []any{record{"name": "operator", "value": "contains"}, record{"name": "term", "value": name}, record{"name": "combineWithAnd", "value": "true"}}}},
		}))
	}
	s.leaf = p.do(t, "createCollection", "CreateCollectionInput!", record{
		"translations": texts("Mörk", "mork"), "parentId": s.roots[1],
		"filters": []any{record{"code": "facet-value-filter", "arguments": []any{record{"name": "facetValueIds", "value": `["` + values[1] + `"]`}, record{"name": "containsAny", "value": "true"}, record{"name": "combineWithAnd", "value": "true"}}}},
	})
	s.group = p.do(t, "createCustomerGroup", "CreateCustomerGroupInput!", record{"name": "Stamkunder"})
	for i := range 6 {
		c := p.do(t, "createCustomer", "CreateCustomerInput!", record{"firstName": "Åsa", "lastName": fmt.Sprintf("Öst %d", i), "emailAddress": fmt.Sprintf("kund%d@example.com", i), "customFields": record{"points": 10 + i}})
		for j := range 2 {
			p.ask(t, `mutation($id: ID!, $in: CreateAddressInput!) { createCustomerAddress(customerId: $id, input: $in) { id } }`,
				record{"id": c, "in": record{"fullName": "Åsa Öst", "streetLine1": fmt.Sprintf("Gatan %d", 2-j), "city": "Umeå", "postalCode": "90000", "countryCode": "SE", "defaultShippingAddress": j == 0}})
		}
		s.customers = append(s.customers, c)
	}
	p.ask(t, `mutation($g: ID!, $c: [ID!]!) { addCustomersToGroup(customerGroupId: $g, customerIds: $c) { id } }`, record{"g": s.group, "c": []any{s.customers[0], s.customers[1]}})
	s.promotion = p.do(t, "createPromotion", "CreatePromotionInput!", record{
		"enabled": true, "couponCode": "TVÅ", "translations": []any{record{"languageCode": "en", "name": "Two shirts", "description": ""}},
		"conditions": []any{record{"code": "contains_products", "arguments": []any{record{"name": "minimum", "value": "2"}, record{"name": "productVariantIds", "value": `["` + s.variants[0] + `","` + s.variants[1] + `"]`}}}},
		"actions":    []any{record{"code": "order_percentage_discount", "arguments": []any{record{"name": "discount", "value": "10"}}}},
	})
	s.order = s.sell(t, p, s.customers[0], s.variants[0])
}

// sell makes an order, paid.
func (s *stocked) sell(t *testing.T, p *peer, customer, variant string) string {
	t.Helper()
	draft := p.ask(t, `mutation { createDraftOrder { id } }`, nil)["createDraftOrder"].(record)["id"].(string)
	p.ask(t, `mutation($o: ID!, $v: ID!, $c: ID!) {
 addItemToDraftOrder(orderId: $o, input: { productVariantId: $v, quantity: 1 }) { __typename }
 setCustomerForDraftOrder(orderId: $o, customerId: $c) { __typename }
 setDraftOrderShippingAddress(orderId: $o, input: { streetLine1: "Gatan 1", city: "Umeå", countryCode: "SE" }) { id }
 setDraftOrderShippingMethod(orderId: $o, shippingMethodId: "1") { __typename }
 transitionOrderToState(id: $o, state: "ArrangingPayment") { __typename }
}`, record{"o": draft, "v": variant, "c": customer})
	got := p.ask(t, `mutation($o: ID!) { addManualPaymentToOrder(input: { orderId: $o, method: "faktura", transactionId: "t1", metadata: {} }) { __typename ... on Order { state } ... on ErrorResult { message } } }`, record{"o": draft})
	if got["addManualPaymentToOrder"].(record)["__typename"] != "Order" {
		t.Fatalf("payment: %v", got)
	}
	return draft
}
