package vendure

import (
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// sort is a kind together with how it is asked for and written.
type sort struct {
	rest.Kind
	entity string // its type in GraphQL, by which its options and mutations are called
	list   string // the question that lists it
	// fields are what is asked for of each record beside its id and dates.
	// "@Product" stands for the custom fields of that entity, "@Product.texts"
	// for those of its translations.
	fields string
	filter map[string]any // of every list
	page   int            // records of one answer; 0 means usualPage
	// sets are lists whose order means nothing.
	sets []string
	// dated kinds tell of every change by their date: a sweep need not read
	// older records again.
	dated bool
	// union kinds answer what is written with the record or an error.
	union bool
}

// Names of kinds that code speaks of.
const (
	kindSettings     = "settings"
	kindCountries    = "countries"
	kindZones        = "zones"
	kindTaxCats      = "tax_categories"
	kindTaxes        = "taxes"
	kindSellers      = "sellers"
	kindChannels     = "channels"
	kindLocations    = "locations"
	kindGroups       = "customer_groups"
	kindFiles        = "files"
	kindFacets       = "facets"
	kindFacetValues  = "facet_values"
	kindOptionGroups = "option_groups"
	kindOptions      = "options"
	kindProducts     = "products"
	kindVariants     = "variants"
	kindStock        = "inventory"
	kindCollections  = "collections"
	kindPromotions   = "promotions"
	kindShipping     = "shipping_methods"
	kindPayment      = "payment_methods"
	kindCustomers    = "customers"
	kindOrders       = "orders"
	kindDrafts       = "draft_orders"
	kindRoles        = "roles"
	kindStaff        = "administrators"
)

const (
	usualPage = 100
	largePage = 500 // of records of a few fields
	hourly    = time.Hour
)

// operation is the selection of what is set up with a code and arguments.
const operation = "{ code args { name value } }"

// own are the fields every record has for itself, and those that only the shop
// writes.
func own(more ...string) []string {
	return append([]string{"id", "createdAt", "updatedAt", "customRelations"}, more...)
}

// small is a kind of which there are few, listed whole.
func small(name string, order int, right string) rest.Kind {
	return rest.Kind{
		Name: name, Order: order, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Layout: rest.Flat,
		Restore: rest.Create, ReadOnly: own(), Warnings: []app.Code{app.CodeEffectNumbers}, Read: []string{right},
	}
}

// large is a kind of which there may be many, asked for by what changed. As that
// tells neither of deletions nor of every change, the engine is not to rely on
// it before a restore, as it would on a cursor.
func large(name string, order int, right string) rest.Kind {
	return rest.Kind{
		Name: name, Order: order, Changes: rest.ByMention, Deletions: rest.BySweep,
		Restore: rest.Create, ReadOnly: own(), Warnings: []app.Code{app.CodeEffectNumbers}, Read: []string{right},
	}
}

// table is every sort of record a shop has, parents before what is below them.
func table() []sort {
	all := append(places(), conditions()...)
	all = append(all, catalogue()...)
	return append(all, trade()...)
}

func byName() map[string]sort {
	out := map[string]sort{}
	for _, s := range table() {
		out[s.Name] = s
	}
	return out
}

// places is where and in what way the shop sells.
func places() []sort {
	settings := small(kindSettings, 10, "ReadSettings")
	settings.Restore, settings.Warnings = rest.UpdateOnly, nil
	countries := small(kindCountries, 11, "ReadCountry")
	countries.Layout, countries.Keys, countries.Loose = rest.Dense, []string{"code"}, []string{"translations"}
	zones := small(kindZones, 13, "ReadZone")
	zones.Keys = []string{"name"}
	zones.Refs = []rest.Ref{{Field: "countries[]", Kind: kindCountries}}
	zones.ReadOnly = own("provinces") // only zones tell of them: Vendure's own list of them doesn't answer
	categories := small(kindTaxCats, 14, "ReadTaxCategory")
	categories.Keys = []string{"name"}
	groups := small(kindGroups, 15, "ReadCustomerGroup")
	groups.Keys = []string{"name"}
	taxes := small(kindTaxes, 16, "ReadTaxRate")
	taxes.Keys = []string{"name"}
	taxes.Refs = []rest.Ref{{Field: "category.id", Kind: kindTaxCats}, {Field: "zone.id", Kind: kindZones}, {Field: "customerGroup.id", Kind: kindGroups}}
	sellers := small(kindSellers, 17, "ReadSeller")
	sellers.Keys = []string{"name"}
	channels := small(kindChannels, 18, "ReadChannel")
	channels.Keys = []string{"code"}
	channels.Refs = []rest.Ref{{Field: "defaultTaxZone.id", Kind: kindZones}, {Field: "defaultShippingZone.id", Kind: kindZones}, {Field: "seller.id", Kind: kindSellers}}
	locations := small(kindLocations, 19, "ReadStockLocation")
	locations.Keys = []string{"name"}
	return []sort{
		{Kind: settings, entity: "GlobalSettings", fields: "availableLanguages trackInventory outOfStockThreshold @GlobalSettings", sets: []string{"availableLanguages"}, union: true},
		{Kind: countries, entity: "Country", list: "countries", fields: "code enabled @Region translations { languageCode name @Region.texts }"},
		{Kind: zones, entity: "Zone", list: "zones", fields: "name members { id type code } @Zone", sets: []string{"countries", "provinces"}},
		{Kind: categories, entity: "TaxCategory", list: "taxCategories", fields: "name isDefault @TaxCategory"},
		{Kind: groups, entity: "CustomerGroup", list: "customerGroups", fields: "name @CustomerGroup"},
		{Kind: taxes, entity: "TaxRate", list: "taxRates", fields: "name enabled value category { id } zone { id } customerGroup { id } @TaxRate"},
		{Kind: sellers, entity: "Seller", list: "sellers", fields: "name @Seller"},
		{
			Kind: channels, entity: "Channel", list: "channels", union: true, sets: []string{"availableLanguageCodes", "availableCurrencyCodes"},
			fields: "code token defaultLanguageCode availableLanguageCodes defaultCurrencyCode availableCurrencyCodes trackInventory outOfStockThreshold pricesIncludeTax defaultTaxZone { id } defaultShippingZone { id } seller { id } @Channel",
		},
		{Kind: locations, entity: "StockLocation", list: "stockLocations", fields: "name description @StockLocation"},
	}
}

// conditions are ways of sending, paying and giving discounts, and who works
// in the shop.
func conditions() []sort {
	shipping := small(kindShipping, 70, "ReadShippingMethod")
	shipping.Keys, shipping.Loose = []string{"code"}, []string{"translations"}
	payment := small(kindPayment, 71, "ReadPaymentMethod")
	payment.Keys, payment.Loose = []string{"code"}, []string{"translations"}
	promotions := small(kindPromotions, 72, "ReadPromotion")
	promotions.Layout, promotions.Loose = rest.Dense, []string{"translations"}
	promotions.Keys = []string{"couponCode", "name"}
	promotions.ReadOnly = own("name")
	roles, staff := small(kindRoles, 95, "ReadAdministrator"), small(kindStaff, 96, "ReadAdministrator")
	roles.Restore, roles.Warnings = rest.Manual, nil
	staff.Restore, staff.Warnings, staff.Personal = rest.Manual, nil, true
	return []sort{
		{Kind: shipping, entity: "ShippingMethod", list: "shippingMethods", fields: "code fulfillmentHandlerCode checker " + operation + " calculator " + operation + " @ShippingMethod translations { languageCode name description @ShippingMethod.texts }"},
		{Kind: payment, entity: "PaymentMethod", list: "paymentMethods", fields: "code enabled checker " + operation + " handler " + operation + " @PaymentMethod translations { languageCode name description @PaymentMethod.texts }"},
		{
			Kind: promotions, entity: "Promotion", list: "promotions", union: true,
			fields: "name enabled startsAt endsAt couponCode perCustomerUsageLimit usageLimit conditions " + operation + " actions " + operation + " @Promotion translations { languageCode name description @Promotion.texts }",
		},
		{Kind: roles, entity: "Role", list: "roles", fields: "code description permissions channels { id }", sets: []string{"permissions", "channels"}},
		{Kind: staff, entity: "Administrator", list: "administrators", fields: "firstName lastName emailAddress user { identifier verified roles { id code } } @Administrator"},
	}
}

// pictures are the references of what shows some.
func pictures(more ...rest.Ref) []rest.Ref {
	return append([]rest.Ref{{Field: "featuredAsset.id", Kind: kindFiles}, {Field: "assets[].id", Kind: kindFiles}}, more...)
}

func catalogue() []sort {
	files := large(kindFiles, 30, "ReadAsset")
	files.File, files.Media = true, []string{"source"}
	files.ReadOnly = own("source", "preview", "width", "height", "type")
	facets := small(kindFacets, 40, "ReadFacet")
	facets.Every, facets.Layout, facets.Keys, facets.Loose = 0, rest.Dense, []string{"code"}, []string{"translations"}
	values := large(kindFacetValues, 41, "ReadFacet")
	values.Refs, values.Loose = []rest.Ref{{Field: "facetId", Kind: kindFacets}}, []string{"translations"}
	groups := large(kindOptionGroups, 42, "ReadProduct")
	groups.Loose, groups.Volatile = []string{"translations"}, []string{"productCount"}
	options := large(kindOptions, 43, "ReadProduct")
	options.Refs, options.Loose = []rest.Ref{{Field: "groupId", Kind: kindOptionGroups}}, []string{"translations"}

	products := large(kindProducts, 50, "ReadProduct")
	products.Keys, products.Loose = []string{"slug"}, []string{"translations", "optionGroups", "channels"}
	products.ReadOnly = own("slug")
	products.Refs = pictures(rest.Ref{Field: "facetValues[].id", Kind: kindFacetValues}, rest.Ref{Field: "optionGroups[].id", Kind: kindOptionGroups}, rest.Ref{Field: "channels[].id", Kind: kindChannels})
	variants := large(kindVariants, 51, "ReadProduct")
	variants.Parent, variants.Loose = kindProducts, []string{"translations"}
	variants.Refs = pictures(rest.Ref{Field: "facetValues[].id", Kind: kindFacetValues}, rest.Ref{Field: "options[].id", Kind: kindOptions}, rest.Ref{Field: "taxCategory.id", Kind: kindTaxCats})
	stock := small(kindStock, 52, "ReadProduct")
	stock.Every, stock.Layout, stock.Parent, stock.Restore, stock.Warnings = 0, rest.Sparse, kindVariants, rest.Upsert, nil
	stock.ReadOnly = []string{"stockAllocated"}
	stock.Refs = []rest.Ref{{Field: "variantId", Kind: kindVariants}, {Field: "stockLocationId", Kind: kindLocations}}
	collections := small(kindCollections, 60, "ReadCollection")
	collections.Every, collections.Layout, collections.Keys, collections.Loose = 0, rest.Dense, []string{"slug"}, []string{"translations"}
	collections.ReadOnly = own("slug")
	collections.Refs = pictures(rest.Ref{Field: "parentId", Kind: kindCollections})

	const shown = " featuredAsset { id } assets { id } "
	return []sort{
		{Kind: files, entity: "Asset", list: "assets", fields: "name type fileSize mimeType width height source preview focalPoint { x y } tags { value } @Asset", sets: []string{"tags"}},
		{Kind: facets, entity: "Facet", list: "facets", fields: "code isPrivate @Facet translations { languageCode name @Facet.texts }"},
		{Kind: values, entity: "FacetValue", list: "facetValues", fields: "code facetId @FacetValue translations { languageCode name @FacetValue.texts }"},
		{Kind: groups, entity: "ProductOptionGroup", list: "productOptionGroups", fields: "code productCount @ProductOptionGroup translations { languageCode name @ProductOptionGroup.texts }"},
		{Kind: options, entity: "ProductOption", list: "productOptions", fields: "code groupId @ProductOption translations { languageCode name @ProductOption.texts }"},
		{
			Kind: products, entity: "Product", list: "products", sets: []string{"facetValues", "optionGroups", "channels"},
			fields: "slug enabled" + shown + "facetValues { id } optionGroups { id } channels { id } @Product translations { languageCode name slug description @Product.texts }",
		},
		{
			Kind: variants, entity: "ProductVariant", list: "productVariants", sets: []string{"facetValues", "options", "prices"},
			fields: "productId sku enabled trackInventory outOfStockThreshold useGlobalOutOfStockThreshold" + shown +
				"facetValues { id } options { id } taxCategory { id } prices { currencyCode price } @ProductVariant translations { languageCode name @ProductVariant.texts }",
		},
		{Kind: stock, entity: "ProductVariant", list: "productVariants", page: largePage, fields: "stockLevels { stockLocationId stockOnHand stockAllocated }"},
		{
			Kind: collections, entity: "Collection", list: "collections",
			fields: "slug isPrivate inheritFilters position parentId breadcrumbs { id } filters " + operation + shown + "@Collection translations { languageCode name slug description @Collection.texts }",
		},
	}
}

// orderAddress is the selection of an address in an order.
const orderAddress = "{ fullName company streetLine1 streetLine2 city province postalCode country countryCode phoneNumber }"

// orderFields are what an order says of itself.
var orderFields = strings.Join([]string{
	"code state type active orderPlacedAt currencyCode couponCodes customer { id emailAddress firstName lastName phoneNumber }",
	"shippingAddress " + orderAddress + " billingAddress " + orderAddress,
	"lines { id productVariant { id sku name } quantity orderPlacedQuantity unitPrice unitPriceWithTax proratedUnitPriceWithTax linePrice linePriceWithTax taxRate discounts { description amount amountWithTax } taxLines { description taxRate } @OrderLine }",
	"surcharges { description sku price priceWithTax taxRate } discounts { description type amount amountWithTax } promotions { id name }",
	"shippingLines { shippingMethod { id code } price priceWithTax discountedPriceWithTax }",
	"payments { id method amount state transactionId metadata createdAt refunds { id total items shipping adjustment state method transactionId reason createdAt } }",
	"fulfillments { id state method trackingCode createdAt lines { orderLineId quantity } }",
	"subTotal subTotalWithTax shipping shippingWithTax total totalWithTax taxSummary { description taxRate taxBase taxTotal }",
	"history { items { id createdAt type isPublic data } } @Order",
}, " ")

func trade() []sort {
	customers := large(kindCustomers, 80, "ReadCustomer")
	customers.Personal, customers.Keys = true, []string{"emailAddress"}
	customers.Loose = []string{"addresses"}
	customers.ReadOnly = own("user", "addresses[].id")
	customers.Refs = []rest.Ref{{Field: "groups[].id", Kind: kindGroups}}
	customers.Warnings = []app.Code{app.CodeEffectNumbers, app.CodeEffectPasswords, app.CodeEffectMails}
	orders := large(kindOrders, 90, "ReadOrder")
	orders.Changes, orders.Restore, orders.Archive, orders.Personal, orders.Warnings = rest.ByCursor, rest.Manual, true, true, nil
	drafts := small(kindDrafts, 91, "ReadOrder")
	drafts.Restore, drafts.Layout, drafts.Personal, drafts.Warnings = rest.Manual, rest.Dense, true, nil
	return []sort{
		{
			Kind: customers, entity: "Customer", list: "customers", sets: []string{"groups"}, union: true,
			fields: "title firstName lastName phoneNumber emailAddress user { verified } groups { id } @Customer " +
				"addresses { id fullName company streetLine1 streetLine2 city province postalCode country { code } phoneNumber defaultShippingAddress defaultBillingAddress @Address }",
		},
		{Kind: orders, entity: "Order", list: "orders", page: 50, fields: orderFields, filter: map[string]any{"orderPlacedAt": map[string]any{"isNull": false}}, dated: true},
		{Kind: drafts, entity: "Order", list: "orders", page: 50, fields: orderFields, filter: map[string]any{"state": map[string]any{"eq": "Draft"}}},
	}
}
