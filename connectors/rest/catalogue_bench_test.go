package rest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// manyProducts writes a shop of so many products to a folder.
func manyProducts(tb testing.TB, n int) fs.FS {
	tb.Helper()
	dir := tb.TempDir()
	write := func(name, text string) {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, []byte(text), 0o600)); err != nil {
			tb.Fatal(err)
		}
	}
	for i := range n {
		write(fmt.Sprintf("products/%d/%d/%d.json", i/2000, i/50, i), fmt.Sprintf(
			`{"id":%d,"name":"Kopp nummer %d i blått","sku":"KOPP-%d","price":"%d.00","slug":"kopp-%d","description":"%s","images":[{"src":"https://kiosk.example/%d.jpg"}]}`,
			i, i, i, i%500, i, strings.Repeat("Handdrejad i stengods. ", 60), i))
	}
	write("kvart-shop.json", fmt.Sprintf(`{"kinds":{"products":{"records":%d}}}`, n))
	return os.DirFS(dir)
}

// A large shelf answers with what it has read, and tells how much is left.
func TestCatalogue_Records_bitByBit(t *testing.T) {
	t.Parallel()
	_, e := newKiosk(t)
	c := openCatalogue(t, e, manyProducts(t, 3000))
	for {
		p, err := c.Records(t.Context(), "products", "kopp-", 0, 10)
		if err != nil || p.Total+p.Left != 3000 || len(p.Records) != 10 {
			t.Fatalf("%d of them, %d left, %v", p.Total, p.Left, err)
		}
		if p.Left == 0 {
			break
		}
	}
}

// BenchmarkCatalogue_100000 prints how long a shelf of 100,000 records takes to
// open, until its first answer and to its end, the memory it then takes, and how
// long listing and searching it take.
func BenchmarkCatalogue_100000(b *testing.B) {
	const n = 100_000
	point := manyProducts(b, n)
	e := rest.New(&kiosk{}, rest.Options{Dir: b.TempDir()})
	var c app.Catalogue
	page := func(text string, offset int) app.RecordsPage {
		p, err := c.Records(b.Context(), "products", text, offset, 100)
		if err != nil {
			b.Fatal(err)
		}
		return p
	}
	b.Run("open", func(b *testing.B) {
		var before, after runtime.MemStats
		for range b.N {
			c = nil
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			var err error
			if c, err = e.Catalogue(b.Context(), point, ""); err != nil {
				b.Fatal(err)
			}
			page("", 0)
			b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/first-answer")
			for page("", 0).Left > 0 {
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
		}
		b.ReportMetric(float64((after.HeapAlloc-before.HeapAlloc)>>20), "MB")
	})
	b.Run("list", func(b *testing.B) {
		for i := range b.N {
			if p := page("", i*100%n); p.Total != n {
				b.Fatal(p.Total)
			}
		}
	})
	b.Run("search", func(b *testing.B) {
		for i := range b.N {
			if p := page(fmt.Sprintf("kopp-%d", i%n), 0); p.Total == 0 {
				b.Fatal("nothing")
			}
		}
	})
}
