package shopify

import (
	"math/big"
	"strconv"
	"strings"

	"kvart/connectors/rest"
)

// productColumns are those of the admin's own product files.
func productColumns() []string {
	return []string{
		"Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published",
		"Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name", "Option3 Value",
		"Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy", "Variant Fulfillment Service",
		"Variant Price", "Variant Compare At Price", "Variant Requires Shipping", "Variant Taxable", "Variant Barcode",
		"Image Src", "Image Position", "Image Alt Text", "Gift Card", "SEO Title", "SEO Description", "Variant Image", "Variant Weight Unit", "Cost per item", "Status",
	}
}

// Where the parts of a row begin.
const (
	colOptions = 8
	colVariant = 14
	colImage   = 25
	colAfter   = 28
	colRest    = 31
	colStatus  = 34
)

// productTable writes products: a row a variant, and more rows where there are
// more pictures. What belongs to the product itself stands in its first row.
func productTable(from *rest.Reading, to *rest.Rows) error {
	if err := to.Add(productColumns()...); err != nil {
		return err
	}
	stores := map[string]bool{} // publications that are the shop on the web
	err := from.Each(kindPublications, func(p map[string]any) error {
		for _, c := range rest.ListAt(p, "channels") {
			if rest.At(c, "handle") == "online_store" {
				stores[rest.At(p, "id")] = true
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return from.Each(kindProducts, func(p map[string]any) error {
		rows, err := productRows(from, p, stores)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := to.Add(row...); err != nil {
				return err
			}
		}
		return nil
	})
}

func productRows(from *rest.Reading, p map[string]any, stores map[string]bool) ([][]string, error) {
	variants := rest.ListAt(p, "variants")
	var images []map[string]any
	files := map[string]string{}
	for _, m := range rest.ListAt(p, "media") {
		if rest.At(m, "mediaContentType") == "IMAGE" && rest.At(m, "file") != "" {
			images = append(images, m)
			files[rest.At(m, "id")] = rest.At(m, "file")
		}
	}
	rows := make([][]string, max(1, len(variants), len(images)))
	for i := range rows {
		rows[i] = make([]string, len(productColumns()))
		rows[i][0] = rest.At(p, "handle")
		if i < len(images) {
			copy(rows[i][colImage:], []string{rest.At(images[i], "file"), strconv.Itoa(i + 1), rest.At(images[i], "alt")})
		}
		if i >= len(variants) {
			continue
		}
		if err := variantCells(from, p, variants[i], rows[i]); err != nil {
			return nil, err
		}
		for _, m := range rest.ListAt(variants[i], "media") {
			rows[i][colRest] = files[rest.At(m, "id")]
			break
		}
	}
	first := rows[0]
	copy(first[1:], []string{
		rest.At(p, "title"), rest.At(p, "descriptionHtml"), rest.At(p, "vendor"), rest.At(p, "category.fullName"), rest.At(p, "productType"), listed(p, "tags"), onWeb(p, stores),
	})
	for i, o := range threeOptions(p) {
		first[colOptions+2*i] = rest.At(o, "name")
	}
	copy(first[colAfter:], []string{truth(rest.At(p, "isGiftCard") == "1"), rest.At(p, "seo.title"), rest.At(p, "seo.description")})
	first[colStatus] = strings.ToLower(rest.At(p, "status"))
	return rows, nil
}

// threeOptions are a product's options, of which there are three at most.
func threeOptions(p map[string]any) []map[string]any {
	all := rest.ListAt(p, "options")
	return all[:min(len(all), 3)]
}

func truth(b bool) string { return strings.ToUpper(strconv.FormatBool(b)) }

// onWeb reports whether a product is in the shop on the web; where the
// channels' names are not known, whether it is anywhere.
func onWeb(p map[string]any, stores map[string]bool) string {
	for _, r := range rest.ListAt(p, "resourcePublicationsV2") {
		if rest.At(r, "isPublished") == "1" && (len(stores) == 0 || stores[rest.At(r, "publication.id")]) {
			return "TRUE"
		}
	}
	return "FALSE"
}

// variantCells fills in what belongs to a variant.
func variantCells(from *rest.Reading, p, v map[string]any, row []string) error {
	f := func(path string) string { return rest.At(v, path) }
	for i, o := range threeOptions(p) {
		for _, s := range rest.ListAt(v, "selectedOptions") {
			if rest.At(s, "name") == rest.At(o, "name") {
				row[colOptions+2*i+1] = rest.At(s, "value")
			}
		}
	}
	tracker, quantity := "", ""
	if f("inventoryItem.tracked") == "1" {
		tracker = "shopify"
		stock, err := from.One(kindInventory, f("id"))
		if err != nil {
			return err
		}
		quantity = available(stock)
	}
	unit, value := f("inventoryItem.measurement.weight.unit"), f("inventoryItem.measurement.weight.value")
	copy(row[colVariant:], []string{
		f("sku"), grams(unit, value), tracker, quantity, strings.ToLower(f("inventoryPolicy")), "manual",
		f("price"), f("compareAtPrice"), truth(f("inventoryItem.requiresShipping") == "1"), truth(f("taxable") == "1"), f("barcode"),
	})
	copy(row[colRest+1:], []string{units[unit].short, f("inventoryItem.unitCost.amount")})
	return nil
}

// available adds up what all places have; "" when nothing is known. A shop with
// several places takes its stock in from a file of its own.
func available(stock map[string]any) string {
	levels := rest.ListAt(stock, "inventoryItem.inventoryLevels")
	if len(levels) == 0 {
		return ""
	}
	var all []string
	for _, l := range levels {
		all = append(all, rest.At(l, "available"))
	}
	return rest.Sum(all...)
}

// units are Shopify's units of weight, in the short form of its files and in
// grams.
var units = map[string]struct{ short, grams string }{
	"GRAMS": {"g", "1"}, "KILOGRAMS": {"kg", "1000"}, "OUNCES": {"oz", "28.349523125"}, "POUNDS": {"lb", "453.59237"},
}

func grams(unit, value string) string {
	of, known := new(big.Rat).SetString(units[unit].grams)
	n, ok := new(big.Rat).SetString(value)
	if !ok || !known {
		return ""
	}
	text := n.Mul(n, of).FloatString(2)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
