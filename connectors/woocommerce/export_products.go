package woocommerce

import (
	"fmt"
	"strings"

	"kvart/connectors/rest"
)

// goods is what a row of a product needs besides the product.
type goods struct {
	from               *rest.Reading
	categories, brands map[string]term
	classes            map[string]string // of shipping: name by slug
	weight, length     string            // units
	attributes         int               // columns
	downloads          int
	parent             map[string]any // of the variation before
	parentID           string
}

// productTable writes products, and then their variations: the importer takes a
// child before or after its parent.
func productTable(from *rest.Reading, to *rest.Rows) (err error) {
	c := &goods{from: from, classes: map[string]string{}, weight: "kg", length: "cm"}
	if c.categories, err = terms(from, "categories"); err != nil {
		return err
	}
	if c.brands, err = terms(from, "brands"); err != nil {
		return err
	}
	if err := c.survey(); err != nil {
		return err
	}
	if err := to.Add(c.columns()...); err != nil {
		return err
	}
	for _, kind := range []string{"products", "variations"} {
		err := from.Each(kind, func(p map[string]any) error {
			switch rest.At(p, "status") {
			case "importing", "auto-draft":
				return nil // begun, and never a product
			}
			row, err := c.row(kind, p)
			if err != nil {
				return err
			}
			return to.Add(row...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// survey reads the small lists, and counts how many columns of a sort the widest
// product needs.
func (c *goods) survey() error {
	err := c.from.Each("shipping_classes", func(m map[string]any) error {
		c.classes[rest.At(m, "slug")] = rest.At(m, "name")
		return nil
	})
	if err != nil {
		return err
	}
	err = c.from.Each("settings", func(m map[string]any) error {
		if v := rest.At(m, "value"); v != "" && rest.At(m, "id") == "woocommerce_weight_unit" {
			c.weight = v
		} else if v != "" && rest.At(m, "id") == "woocommerce_dimension_unit" {
			c.length = v
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, kind := range []string{"products", "variations"} {
		err := c.from.Each(kind, func(p map[string]any) error {
			c.attributes = max(c.attributes, len(rest.ListAt(p, "attributes")))
			c.downloads = max(c.downloads, len(rest.ListAt(p, "downloads")))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *goods) columns() []string {
	head := []string{
		"ID", "Type", "SKU", "GTIN, UPC, EAN, or ISBN", "Name", "Published", "Is featured?", "Visibility in catalog", "Short description", "Description",
		"Date sale price starts", "Date sale price ends", "Tax status", "Tax class", "In stock?", "Stock", "Low stock amount", "Backorders allowed?", "Sold individually?",
		"Weight (" + c.weight + ")", "Length (" + c.length + ")", "Width (" + c.length + ")", "Height (" + c.length + ")",
		"Allow customer reviews?", "Purchase note", "Sale price", "Regular price", "Categories", "Tags", "Shipping class", "Images", "Download limit", "Download expiry days",
		"Parent", "Grouped products", "Upsells", "Cross-sells", "External URL", "Button text", "Position", "Brands",
	}
	for i := range c.attributes {
		for _, f := range []string{"name", "value(s)", "visible", "global", "default"} {
			head = append(head, fmt.Sprintf("Attribute %d %s", i+1, f))
		}
	}
	for i := range c.downloads {
		for _, f := range []string{"ID", "name", "URL"} {
			head = append(head, fmt.Sprintf("Download %d %s", i+1, f))
		}
	}
	return head
}

// row is a product or a variation.
func (c *goods) row(kind string, p map[string]any) ([]string, error) {
	f := func(name string) string { return rest.At(p, name) }
	name, kindOf, status, parent := f("name"), f("type"), f("status"), ""
	if kind == "variations" {
		of, err := c.parentOf(p)
		if err != nil {
			return nil, err
		}
		name, kindOf, parent = rest.At(of, "name"), "variation", link(of, f("_parent"))
		if rest.At(of, "status") == "draft" {
			status = "draft"
		}
	}
	types := []string{kindOf}
	for _, t := range []string{"downloadable", "virtual"} {
		if f(t) == "1" {
			types = append(types, t)
		}
	}
	var linked [3]string
	for i, field := range []string{"grouped_products", "upsell_ids", "cross_sell_ids"} {
		var err error
		if linked[i], err = c.links(p, field); err != nil {
			return nil, err
		}
	}
	limit, expiry := "", ""
	if f("downloadable") == "1" {
		limit, expiry = f("download_limit"), f("download_expiry")
	}
	row := []string{
		f("id"), joined(types), f("sku"), f("global_unique_id"), name, published(status), f("featured"), f("catalog_visibility"), oneLine(f("short_description")), oneLine(f("description")),
		moment(f("date_on_sale_from")), moment(f("date_on_sale_to")), f("tax_status"), f("tax_class"), inStock(f("stock_status")), stockOf(p), f("low_stock_amount"), backorders(f("backorders")), f("sold_individually"),
		f("weight"), f("dimensions.length"), f("dimensions.width"), f("dimensions.height"),
		f("reviews_allowed"), f("purchase_note"), f("sale_price"), f("regular_price"), c.terms(p, "categories", c.categories), c.terms(p, "tags", nil), c.class(f("shipping_class")), images(p), limit, expiry,
		parent, linked[0], linked[1], linked[2], f("external_url"), f("button_text"), f("menu_order"), c.terms(p, "brands", c.brands),
	}
	return append(append(row, c.attributeCells(p)...), c.downloadCells(p)...), nil
}

func (c *goods) parentOf(variation map[string]any) (map[string]any, error) {
	id := rest.At(variation, "_parent")
	if id == c.parentID && c.parent != nil {
		return c.parent, nil
	}
	of, err := c.from.One("products", id)
	c.parent, c.parentID = of, id
	return of, err
}

// link names a product as the importer finds it again.
func link(p map[string]any, id string) string {
	if sku := rest.At(p, "sku"); sku != "" {
		return sku
	}
	return "id:" + id
}

// links names the products in a list of ids.
func (c *goods) links(p map[string]any, field string) (string, error) {
	var names []string
	list, _ := p[field].([]any)
	for _, v := range list {
		id := rest.Cell(v)
		of, err := c.from.One("products", id)
		if err == nil && of == nil {
			of, err = c.from.One("variations", id)
		}
		if err != nil {
			return "", err
		}
		if of != nil {
			names = append(names, link(of, id))
		}
	}
	return joined(names), nil
}

func (c *goods) terms(p map[string]any, field string, all map[string]term) string {
	var names []string
	for _, t := range rest.ListAt(p, field) {
		names = append(names, way(all, rest.At(t, "id"), rest.At(t, "name")))
	}
	return joined(names)
}

func (c *goods) class(slug string) string {
	if name := c.classes[slug]; name != "" {
		return joined([]string{name})
	}
	return slug
}

func images(p map[string]any) string {
	var urls []string
	for _, i := range append(rest.ListAt(p, "images"), object(p, "image")...) {
		if src := rest.At(i, "src"); src != "" {
			urls = append(urls, src)
		}
	}
	return joined(urls)
}

func object(p map[string]any, field string) []map[string]any {
	if m, ok := p[field].(map[string]any); ok {
		return []map[string]any{m}
	}
	return nil
}

func published(status string) string {
	switch status {
	case "publish":
		return "1"
	case "private":
		return "0"
	case "pending":
		return "2"
	}
	return "-1"
}

func inStock(status string) string {
	switch status {
	case "instock":
		return "1"
	case "onbackorder":
		return "backorder"
	}
	return "0"
}

func stockOf(p map[string]any) string {
	switch rest.At(p, "manage_stock") {
	case "1":
		return rest.At(p, "stock_quantity")
	case "parent":
		return "parent"
	}
	return ""
}

func backorders(v string) string {
	switch v {
	case "notify":
		return v
	case "yes":
		return "1"
	}
	return "0"
}

func (c *goods) attributeCells(p map[string]any) []string {
	cells := make([]string, 5*c.attributes)
	chosen := rest.ListAt(p, "default_attributes")
	for i, a := range rest.ListAt(p, "attributes") {
		at := cells[5*i:]
		at[0], at[2], at[3] = rest.At(a, "name"), rest.At(a, "visible"), "1"
		if id := rest.At(a, "id"); id == "" || id == "0" {
			at[3] = "0"
		}
		var options []string
		if list, ok := a["options"].([]any); ok {
			for _, o := range list {
				options = append(options, rest.Cell(o))
			}
		} else if o := rest.At(a, "option"); o != "" {
			options = []string{o} // of a variation
		}
		at[1] = joined(options)
		for _, d := range chosen {
			if strings.EqualFold(rest.At(d, "name"), at[0]) {
				at[4] = rest.At(d, "option")
			}
		}
	}
	return cells
}

func (c *goods) downloadCells(p map[string]any) []string {
	cells := make([]string, 3*c.downloads)
	for i, d := range rest.ListAt(p, "downloads") {
		at := cells[3*i:]
		at[0], at[1], at[2] = rest.At(d, "id"), rest.At(d, "name"), rest.At(d, "file")
	}
	return cells
}
