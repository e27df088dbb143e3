package uitest

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"

	"kvart/app"
)

// Browsing is the part of [Service] that shows points as people think of them.
// A source of kind "woocommerce" or "shopify", or one that is not in the
// status, is a shop; any other is a database with tables.
type Browsing struct {
	ShelvesFunc func(app.PathRequest) ([]app.Shelf, error)
	RecordsFunc func(app.RecordsRequest) (app.RecordsPage, error)
	RecordFunc  func(app.RecordRequest) (app.RecordView, error)
}

// Shelves implements [app.CatalogueService].
func (s *Service) Shelves(_ context.Context, r app.PathRequest) ([]app.Shelf, error) {
	s.call("Shelves")
	if s.ShelvesFunc != nil {
		return s.ShelvesFunc(r)
	}
	for _, src := range s.Current().Sources {
		if src.Source.Name != r.Source {
			continue
		}
		switch src.Source.Kind {
		case "folder":
			return nil, nil
		case "sqlite", "mysql", "postgres":
			return TableShelves(), nil
		}
	}
	return ShopShelves(), nil
}

// Records implements [app.CatalogueService].
func (s *Service) Records(_ context.Context, r app.RecordsRequest) (app.RecordsPage, error) {
	s.call("Records")
	if s.RecordsFunc != nil {
		return s.RecordsFunc(r)
	}
	return Page(ShelfRecords(r.Shelf), r), nil
}

// Record implements [app.CatalogueService].
func (s *Service) Record(_ context.Context, r app.RecordRequest) (app.RecordView, error) {
	s.call("Record")
	if s.RecordFunc != nil {
		return s.RecordFunc(r)
	}
	for _, shelf := range ShopShelves() {
		for _, rec := range ShelfRecords(shelf.Code) {
			if rec.Path == r.Path {
				return View(rec, r.With), nil
			}
		}
	}
	return app.RecordView{}, app.Errorf(app.CodePathUnknown, "read record", "no %q", r.Path).With("path", r.Path)
}

// Page cuts what is asked for out of a shelf's records.
func Page(all []app.Record, r app.RecordsRequest) app.RecordsPage {
	text := strings.ToLower(r.Text)
	found := slices.DeleteFunc(slices.Clone(all), func(rec app.Record) bool {
		return !strings.Contains(strings.ToLower(rec.Title+"\n"+rec.Under+"\n"+strings.Join(rec.Cells, "\n")), text)
	})
	total := int64(len(found))
	if r.Limit == 0 {
		r.Limit = 100
	}
	from := min(max(r.Offset, 0), len(found))
	return app.RecordsPage{Records: found[from:min(from+r.Limit, len(found))], Total: total}
}

// ShopShelves returns what a coffee roaster's shop holds.
func ShopShelves() []app.Shelf {
	return []app.Shelf{
		{Code: "products", Known: true, Count: 418, Export: "products", Path: "products"},
		{Code: "orders", Known: true, Count: 12_940, Export: "orders", Path: "orders"},
		{Code: "customers", Known: true, Count: 8122, Export: "customers", Path: "customers"},
		{Code: "pages", Known: true, Count: 46, Path: "pages"},
		{Code: "settings", Known: true, Count: 212, Path: "settings"},
	}
}

// TableShelves returns what a till's database holds.
func TableShelves() []app.Shelf {
	return []app.Shelf{
		{Code: "sale", Count: 12_940, Columns: []string{"id", "sold_at", "total", "note"}, Path: "tables/sale.sql"},
		{Code: "product", Count: 61, Columns: []string{"id", "name", "price", "note"}, Path: "tables/product.sql"},
	}
}

// ShelfRecords returns every record of one of the sample shelves.
func ShelfRecords(shelf string) []app.Record {
	at, n := -1, int64(0)
	for i, s := range append(ShopShelves(), TableShelves()...) {
		if s.Code == shelf {
			at, n = i, s.Count
		}
	}
	out := make([]app.Record, 0, n)
	for i := range int(n) {
		out = append(out, sampleRecord(shelf, i, at >= len(ShopShelves())))
	}
	return out
}

func sampleRecord(shelf string, i int, row bool) app.Record {
	if row {
		cells := []string{fmt.Sprint(i + 1), "2026-11-19 13:04:11", fmt.Sprintf("%d.50", 20+i%400), "Stamkund"}
		return app.Record{Title: cells[0], Under: cells[1], Cells: cells}
	}
	r := app.Record{Path: fmt.Sprintf("%s/0/%d/%d.json", shelf, i/50, i+1)}
	goods := []string{"Blå kopp 25 cl", "Kanna", "Etiopien Yirgacheffe 250 g", "Kaffefilter 100 st"}
	people := []string{"Åsa Berg", "Björn Öst", "Clara Lind"}
	switch shelf {
	case "products":
		r.Title, r.Under = goods[i%len(goods)], fmt.Sprintf("129.00 SEK · KOPP-%d", i+1)
		if i >= len(goods) {
			r.Title = fmt.Sprintf("%s %d", r.Title, i+1)
		}
		if i%3 != 2 {
			r.Picture = "media/4f/kopp.jpg"
		}
	case "orders":
		r.Title, r.Under = fmt.Sprintf("#%d", 14_000-i), people[i%len(people)]+" · 349.00 SEK"
	case "customers":
		r.Title, r.Under = people[i%len(people)], fmt.Sprintf("kund%d@example.se", i+1)
	default:
		r.Title = fmt.Sprintf("%s %d", shelf, i+1)
	}
	return r
}

// Picture returns a small picture of a blue cup, more or less, as a PNG.
func Picture() (string, error) {
	img := image.NewNRGBA(image.Rect(0, 0, 48, 48))
	for i := range 48 * 48 {
		x, y := i%48, i/48
		c := color.NRGBA{0xF6, 0xF5, 0xF1, 0xFF}
		if x > 10 && x < 34 && y > 12 && y < 40 || x >= 34 && x < 40 && y > 18 && y < 30 {
			c = color.NRGBA{0x2E, 0x6D, 0xA4, 0xFF}
		}
		img.SetNRGBA(x, y, c)
	}
	var b strings.Builder
	err := png.Encode(&b, img)
	return b.String(), err
}

// View returns the fields of a sample record and, held against another state,
// three that differ.
func View(r app.Record, with app.PointID) app.RecordView {
	v := app.RecordView{Record: r, Fields: []app.RecordField{
		{Name: "name", Value: r.Title},
		{Name: "price", Value: "129.00 SEK", With: "1.00 SEK", Differs: true},
		{Name: "stock_quantity", Value: "7", With: "0", Differs: true},
		{Name: "description", Value: "Handdrejad kopp i stengods, bränd i Höganäs.", Differs: true},
		{Name: "images", Value: "3", With: "3"},
		{Name: "date_modified_gmt", Value: "2026-11-19T12:04:11Z", With: "2026-11-19T12:04:11Z"},
		{Name: "yoast_score", Value: "61", With: "61"},
	}}
	v.Fields[0].With = r.Title
	if with == "" {
		for i := range v.Fields {
			v.Fields[i].With, v.Fields[i].Differs = "", false
		}
	}
	return v
}
