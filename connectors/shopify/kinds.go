package shopify

import (
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// spec is a kind together with how it is asked for.
type spec struct {
	rest.Kind
	list string // name of the operation
	typ  string // of its records, for asking by id; "" where that can't be done
	page int    // records of one answer

	// sorted kinds can be sorted by the time of their last change; of filtered
	// ones those that changed can be asked for.
	sorted, filtered bool
	// subjects are the types by which the shop's events speak of the kind.
	subjects []string

	// bulk kinds are read whole by bulk operations. children are the fields
	// that hold elements of a type; lift are those too deep for an operation.
	bulk     bool
	children map[string]string
	lift     []lift
	// apart are connections whose elements are asked for by their ids, many
	// records' together: inside the records they would cost as if every record
	// had as many as the largest.
	apart map[string]string // type of the elements by field
}

// lift is a connection that gets a bulk operation of its own.
type lift struct {
	field  string // of the record
	root   string // the list that holds the same elements
	parent string // field of the element that names the record
}

// Names of kinds that code speaks of.
const (
	kindShop          = "shop"
	kindPolicies      = "policies"
	kindLocales       = "locales"
	kindLocations     = "locations"
	kindPublications  = "publications"
	kindMetafieldDefs = "metafield_definitions"
	kindMetaobjDefs   = "metaobject_definitions"
	kindMetaobjects   = "metaobjects"
	kindFiles         = "files"
	kindProducts      = "products"
	kindCollections   = "collections"
	kindInventory     = "inventory"
	kindCustomers     = "customers"
	kindCompanies     = "companies"
	kindOrders        = "orders"
	kindFulfillment   = "fulfillment_orders"
	kindDraftOrders   = "draft_orders"
	kindDiscounts     = "discounts"
	kindGiftCards     = "gift_cards"
	kindPages         = "pages"
	kindBlogs         = "blogs"
	kindArticles      = "articles"
	kindMenus         = "menus"
	kindRedirects     = "redirects"
	kindThemes        = "themes"
	kindThemeFiles    = "theme_files"
	kindTranslations  = "translations"
	kindMarkets       = "markets"
	kindCatalogs      = "catalogs"
	kindPriceLists    = "price_lists"
	kindDelivery      = "delivery_profiles"
)

// hourly is how old small lists without a cursor may become that are dear to
// read.
const hourly = time.Hour

// specs is the table of everything in a shop, parents before children.
func specs() []spec {
	all := [][]spec{settingSpecs(), catalogueSpecs(), contentSpecs(), peopleSpecs(), saleSpecs(), themeSpecs()}
	var out []spec
	for _, s := range all {
		out = append(out, s...)
	}
	for i := range out {
		out[i].Layout = layoutOf(out[i])
		if t := out[i].typ; t != "" && t != "File" && t != "Catalog" {
			out[i].Prefix = "gid://shopify/" + t + "/"
		}
		// What a record is called in the shop is no part of what it is.
		out[i].ReadOnly = append([]string{"id", "identifier"}, out[i].ReadOnly...)
		if out[i].page == 0 {
			out[i].page = 100
		}
	}
	return out
}

// layoutOf keeps the few in one folder and spreads the many: Shopify's numbers
// are counted over all shops and leave large gaps.
func layoutOf(s spec) rest.Layout {
	switch s.Name {
	case kindShop, kindPolicies, kindLocales, kindLocations, kindPublications, kindMetafieldDefs, kindMetaobjDefs,
		kindBlogs, kindMenus, kindThemes, kindMarkets, kindCatalogs, kindPriceLists, kindDelivery:
		return rest.Flat
	}
	return rest.Sparse
}

// Scopes by which all content of the online store can be read and written.
const (
	readContent  = "read_content"
	writeContent = "write_content"
)

func settingSpecs() []spec {
	return []spec{
		{list: "shop", Kind: rest.Kind{
			Name: kindShop, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Manual, Order: 1,
		}},
		{list: "locales", Kind: rest.Kind{
			Name: kindLocales, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Create, Order: 2,
			Keys: []string{"locale"}, Read: []string{"read_locales"}, Write: []string{"write_locales"},
		}},
		{list: "locations", typ: "Location", Kind: rest.Kind{
			Name: kindLocations, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Manual, Order: 3,
			Keys: []string{"name"}, Read: []string{"read_locations"},
		}},
		{list: "publications", typ: "Publication", Kind: rest.Kind{
			Name: kindPublications, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Manual, Order: 4,
			Read: []string{"read_publications"},
		}},
		{list: "metafield_definitions", typ: "MetafieldDefinition", Kind: rest.Kind{
			Name: kindMetafieldDefs, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Create, Order: 10,
			Keys: []string{"identifier"}, Read: []string{"read_products"}, Write: []string{"write_products"},
		}},
		{list: "metaobject_definitions", typ: "MetaobjectDefinition", Kind: rest.Kind{
			Name: kindMetaobjDefs, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Create, Order: 11,
			Keys: []string{"type"}, Read: []string{"read_metaobject_definitions"}, Write: []string{"write_metaobject_definitions"},
		}},
		{list: "markets", typ: "Market", Kind: rest.Kind{
			Name: kindMarkets, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Manual, Order: 90,
			Keys: []string{"handle"}, Read: []string{"read_markets", "read_products", "read_locales"},
		}},
		{list: "delivery_profiles", typ: "DeliveryProfile", page: 5, Kind: rest.Kind{
			Name: kindDelivery, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Manual, Order: 91,
			Keys: []string{"name"}, Read: []string{"read_shipping", "read_products", "read_locations", "read_markets"},
		}},
		{list: "policies", typ: "ShopPolicy", Kind: rest.Kind{
			Name: kindPolicies, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.UpdateOnly, Order: 52,
			Keys: []string{"type"}, Volatile: []string{"updatedAt"}, Read: []string{"read_legal_policies"}, Write: []string{"write_legal_policies"},
		}},
	}
}

func catalogueSpecs() []spec {
	return []spec{
		{list: "files", typ: "File", sorted: true, filtered: true, page: 100, Kind: rest.Kind{
			Name: kindFiles, Changes: rest.ByCursor, Deletions: rest.BySweep, Restore: rest.Create, Order: 20, Keys: []string{"identifier"},
			Volatile: []string{"updatedAt"}, ReadOnly: []string{"createdAt", "file", "image", "mimeType", "originalFileSize"}, Media: []string{"file"},
			Read: []string{"read_files"}, Write: []string{"write_files"},
		}},
		{
			list: "products", typ: "Product", sorted: true, filtered: true, page: 100, bulk: true, apart: map[string]string{"variants": "ProductVariant"}, subjects: []string{"PRODUCT"},
			children: map[string]string{
				"ProductVariant": "variants", "MediaImage": "media", "Video": "media", "ExternalVideo": "media", "Model3d": "media",
				"Metafield": "metafields", "ResourcePublicationV2": "resourcePublicationsV2",
			},
			lift: []lift{{field: "variants", root: "productVariants", parent: "product"}},
			Kind: rest.Kind{
				Name: kindProducts, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Upsert, Order: 30, Keys: []string{"handle"},
				// A product's time moves with every piece sold.
				Volatile: []string{"updatedAt"}, Media: []string{"media[].file"},
				ReadOnly: []string{
					"createdAt", "category.fullName", "resourcePublicationsV2[].publishDate", "options[].id", "options[].optionValues[].id", "metafields[].id", "variants[].id", "variants[].title",
					"variants[].inventoryItem.id", "variants[].metafields[].id", "media[].file", "media[].image", "media[].mimeType", "media[].filename",
				},
				Refs:  []rest.Ref{{Field: "media[].id", Kind: kindFiles}, {Field: "variants[].media[].id", Kind: kindFiles}},
				Loose: []string{"metafields"},
				Read:  []string{"read_products", "read_publications"}, Write: []string{"write_products", "write_publications", "write_files"},
			},
		},
		{
			list: "collections", typ: "Collection", sorted: true, filtered: true, page: 5, bulk: true, subjects: []string{"COLLECTION"},
			children: map[string]string{"Product": "products", "Metafield": "metafields", "ResourcePublicationV2": "resourcePublicationsV2"},
			Kind: rest.Kind{
				Name: kindCollections, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Create, Order: 40, Keys: []string{"handle"},
				Refs:     []rest.Ref{{Field: "products[].id", Kind: kindProducts}},
				Volatile: []string{"updatedAt"}, Media: []string{"image.url"}, ReadOnly: []string{"image.url", "metafields[].id", "members", "sources", "resourcePublicationsV2[].publishDate"},
				Loose: []string{"metafields"},
				Read:  []string{"read_products", "read_publications"}, Write: []string{"write_products", "write_publications"},
			},
		},
		{
			list: "inventory", typ: "ProductVariant", filtered: true, page: 200, bulk: true, subjects: []string{"PRODUCT_VARIANT"},
			children: map[string]string{"InventoryLevel": "inventoryLevels"},
			Kind: rest.Kind{
				Name: kindInventory, Changes: rest.ByMention, Deletions: rest.BySweep, Restore: rest.Create, Order: 45,
				ReadOnly: []string{"inventoryItem.id", "inventoryItem.inventoryLevels[].id", "inventoryItem.inventoryLevels[].isActive", "inventoryItem.inventoryLevels[].other"},
				Refs:     []rest.Ref{{Field: "product.id", Kind: kindProducts}, {Field: "inventoryItem.inventoryLevels[].location.id", Kind: kindLocations}},
				Volatile: []string{"updatedAt"},
				Read:     []string{"read_inventory", "read_locations", "read_products"}, Write: []string{"write_inventory"},
			},
		},
		{list: "price_lists", typ: "PriceList", page: 10, Kind: rest.Kind{
			Name: kindPriceLists, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.UpdateOnly, Order: 92,
			Keys: []string{"name"}, Refs: []rest.Ref{{Field: "prices[].variant.id", Kind: kindInventory}}, ReadOnly: []string{"fixedPricesCount", "catalog"},
			Read: []string{"read_products"}, Write: []string{"write_products"},
		}},
		{list: "catalogs", typ: "Catalog", page: 50, Kind: rest.Kind{
			Name: kindCatalogs, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Manual, Order: 91,
			Keys: []string{"title"}, Read: []string{"read_products", "read_markets", "read_companies"},
		}},
	}
}

func contentSpecs() []spec {
	return []spec{
		{list: "metaobjects", typ: "Metaobject", filtered: true, Kind: rest.Kind{
			Name: kindMetaobjects, Changes: rest.ByCursor, Deletions: rest.BySweep, Restore: rest.Upsert, Order: 55, Keys: []string{"identifier"},
			Volatile: []string{"updatedAt"}, ReadOnly: []string{"displayName"},
			Read: []string{"read_metaobjects", "read_metaobject_definitions"}, Write: []string{"write_metaobjects"},
		}},
		{list: "pages", typ: "Page", sorted: true, filtered: true, page: 50, subjects: []string{"PAGE"}, Kind: rest.Kind{
			Name: kindPages, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Create, Order: 50, Keys: []string{"handle"},
			Volatile: []string{"updatedAt"}, ReadOnly: []string{"createdAt", "metafields[].id"}, Loose: []string{"metafields"}, Read: []string{readContent}, Write: []string{writeContent},
		}},
		{list: "blogs", typ: "Blog", filtered: true, page: 50, subjects: []string{"BLOG"}, Kind: rest.Kind{
			Name: kindBlogs, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Create, Order: 50, Keys: []string{"handle"},
			Volatile: []string{"updatedAt"}, ReadOnly: []string{"createdAt", "metafields[].id"}, Loose: []string{"metafields"}, Read: []string{readContent}, Write: []string{writeContent},
		}},
		{list: "articles", typ: "Article", sorted: true, filtered: true, page: 50, subjects: []string{"ARTICLE"}, Kind: rest.Kind{
			Name: kindArticles, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Create, Order: 51, Keys: []string{"handle"},
			Refs:     []rest.Ref{{Field: "blog.id", Kind: kindBlogs}},
			Volatile: []string{"updatedAt"}, ReadOnly: []string{"createdAt", "image", "metafields[].id"}, Loose: []string{"metafields"}, Media: []string{"image.url"}, Read: []string{readContent}, Write: []string{writeContent},
		}},
		{list: "menus", typ: "Menu", page: 50, Kind: rest.Kind{
			Name: kindMenus, Changes: rest.ByList, Deletions: rest.ByAbsence, Restore: rest.Create, Order: 60, Keys: []string{"handle"},
			ReadOnly: []string{"isDefault", "items[].id", "items[].items[].id", "items[].items[].items[].id"},
			Read:     []string{"read_online_store_navigation"}, Write: []string{"write_online_store_navigation"},
		}},
		{list: "redirects", typ: "UrlRedirect", page: 250, Kind: rest.Kind{
			Name: kindRedirects, Changes: rest.ByList, Deletions: rest.ByAbsence, Restore: rest.Create, Order: 61, Keys: []string{"path"},
			Read: []string{"read_online_store_navigation"}, Write: []string{"write_online_store_navigation"},
		}},
		{list: "translations", Kind: rest.Kind{
			Name: kindTranslations, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: rest.Night, Restore: rest.Create, Order: 80,
			ReadOnly: []string{"translations[].outdated", "id"},
			Read:     []string{"read_translations", "read_locales", "read_markets"}, Write: []string{"write_translations"},
		}},
	}
}

func peopleSpecs() []spec {
	return []spec{
		{
			list: "customers", typ: "Customer", sorted: true, filtered: true, page: 100, bulk: true, subjects: []string{"CUSTOMER"},
			children: map[string]string{"MailingAddress": "addressesV2", "Metafield": "metafields"},
			Kind: rest.Kind{
				Name: kindCustomers, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Upsert, Order: 70, Personal: true,
				Keys:     []string{"defaultEmailAddress.emailAddress", "defaultPhoneNumber.phoneNumber"},
				Volatile: []string{"updatedAt"},
				Loose:    []string{"metafields"},
				ReadOnly: []string{"metafields[].id", "addressesV2[].id", "defaultAddress", "defaultEmailAddress.marketingUpdatedAt", "defaultPhoneNumber.marketingUpdatedAt", "createdAt", "state", "verifiedEmail", "numberOfOrders", "amountSpent", "dataSaleOptOut", "multipassIdentifier"},
				Warnings: []app.Code{app.CodeEffectPasswords}, Read: []string{"read_customers"}, Write: []string{"write_customers"},
			},
		},
		{list: "companies", typ: "Company", sorted: true, filtered: true, page: 10, subjects: []string{"COMPANY"}, Kind: rest.Kind{
			Name: kindCompanies, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Manual, Order: 71, Personal: true,
			Keys: []string{"externalId", "name"}, Volatile: []string{"updatedAt"}, Read: []string{"read_companies", "read_customers"},
		}},
	}
}

func saleSpecs() []spec {
	return []spec{
		{
			list: "orders", typ: "Order", sorted: true, filtered: true, page: 50, bulk: true, apart: map[string]string{"lineItems": "LineItem"}, subjects: []string{"ORDER"},
			children: map[string]string{
				"ShippingLine": "shippingLines", "LineItem": "lineItems", "Metafield": "metafields",
				"DiscountCodeApplication": "discountApplications", "ManualDiscountApplication": "discountApplications",
				"AutomaticDiscountApplication": "discountApplications", "ScriptDiscountApplication": "discountApplications",
			},
			Kind: rest.Kind{
				Name: kindOrders, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.OptIn, Order: 100, Personal: true, Archive: true, Fixed: true,
				Keys: []string{"name"}, Warnings: []app.Code{app.CodeEffectNumbers},
				Refs: []rest.Ref{
					{Field: "customer.id", Kind: kindCustomers},
					{Field: "lineItems[].product.id", Kind: kindProducts},
					{Field: "lineItems[].variant.id", Kind: kindInventory},
				},
				Read: []string{"read_orders", "read_returns", "read_customers", "read_products", "read_locations"}, Write: []string{"write_orders"},
			},
		},
		{
			list: "fulfillment_orders", typ: "FulfillmentOrder", sorted: true, filtered: true, page: 25, bulk: true,
			children: map[string]string{"FulfillmentOrderLineItem": "lineItems", "Fulfillment": "fulfillments"},
			Kind: rest.Kind{
				Name: kindFulfillment, Changes: rest.ByCursor, Deletions: rest.BySweep, Restore: rest.Manual, Order: 101, Personal: true, Archive: true,
				Read: []string{"read_merchant_managed_fulfillment_orders", "read_orders", "read_locations"},
			},
		},
		{list: "draft_orders", typ: "DraftOrder", sorted: true, filtered: true, page: 10, subjects: []string{"DRAFT_ORDER"}, Kind: rest.Kind{
			Name: kindDraftOrders, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Create, Order: 95, Personal: true, Keys: []string{"identifier"},
			Volatile: []string{"updatedAt"},
			ReadOnly: []string{"createdAt", "completedAt", "invoiceSentAt", "status", "order", "totalPriceSet", "totalTaxSet", "name", "currencyCode", "lineItems[].id", "lineItems[].uuid", "lineItems[].name", "metafields[].id"},
			Refs:     []rest.Ref{{Field: "customer.id", Kind: kindCustomers}, {Field: "lineItems[].product.id", Kind: kindProducts}, {Field: "lineItems[].variant.id", Kind: kindInventory}},
			Read:     []string{"read_draft_orders", "read_orders", "read_customers", "read_products"}, Write: []string{"write_draft_orders"},
		}},
		{list: "discounts", typ: "DiscountNode", sorted: true, filtered: true, page: 10, subjects: []string{
			"DISCOUNT_AUTOMATIC_BASIC", "DISCOUNT_AUTOMATIC_BXGY", "DISCOUNT_AUTOMATIC_NODE", "DISCOUNT_CODE_BASIC", "DISCOUNT_CODE_BXGY",
			"DISCOUNT_CODE_FREE_SHIPPING", "DISCOUNT_CODE_NODE", "DISCOUNT_NODE", "PRICE_RULE",
		}, Kind: rest.Kind{
			Name: kindDiscounts, Changes: rest.ByCursor, Deletions: rest.ByFeed, Restore: rest.Create, Order: 75, Keys: []string{"identifier"},
			Refs: []rest.Ref{
				{Field: "discount.customerGets.items.products[].id", Kind: kindProducts},
				{Field: "discount.customerGets.items.productVariants[].id", Kind: kindInventory},
				{Field: "discount.customerGets.items.collections[].id", Kind: kindCollections},
				{Field: "discount.customerBuys.items.products[].id", Kind: kindProducts},
				{Field: "discount.customerBuys.items.productVariants[].id", Kind: kindInventory},
				{Field: "discount.customerBuys.items.collections[].id", Kind: kindCollections},
				{Field: "discount.context.customers[].id", Kind: kindCustomers},
			},
			Volatile: []string{"discount.updatedAt"}, ReadOnly: []string{"discount.createdAt", "discount.status", "discount.codes[].id", "metafields[].id"},
			Read: []string{"read_discounts", "read_products", "read_customers"}, Write: []string{"write_discounts"},
		}},
		{list: "gift_cards", typ: "GiftCard", sorted: true, page: 50, Kind: rest.Kind{
			Name: kindGiftCards, Changes: rest.ByList, Deletions: rest.ByAbsence, Every: hourly, Restore: rest.Manual, Order: 96, Personal: true,
			Volatile: []string{"updatedAt"}, Read: []string{"read_gift_cards", "read_customers", "read_orders"},
		}},
	}
}

func themeSpecs() []spec {
	return []spec{
		{list: "themes", typ: "OnlineStoreTheme", page: 25, Kind: rest.Kind{
			Name: kindThemes, Changes: rest.ByList, Deletions: rest.ByAbsence, Restore: rest.Manual, Order: 120, Volatile: []string{"updatedAt"},
			Read: []string{"read_themes"},
		}},
		{list: "theme_files", page: 250, Kind: rest.Kind{
			Name: kindThemeFiles, Changes: rest.ByCursor, Deletions: rest.BySweep, Restore: rest.Manual, Order: 121, Parent: kindThemes,
			Volatile: []string{"updatedAt"},
			Read:     []string{"read_themes"},
		}},
	}
}

// typeOf is the type that a global id names: "gid://shopify/Product/8053?x=1".
func typeOf(gid string) string {
	rest, ok := strings.CutPrefix(gid, "gid://shopify/")
	if !ok {
		return ""
	}
	typ, _, _ := strings.Cut(rest, "/")
	return typ
}
