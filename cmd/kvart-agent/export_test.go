package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"kvart/connectors/fakeshop/woo"
)

// A shop's products are exported as its own import takes them in, from the
// newest backup and from an older one, to a file that only the owner can read.
func TestExport(t *testing.T) {
	t.Parallel()
	web := woo.New(t)
	mug := web.Add("products", woo.Record{"name": "Mugg, blå", "slug": "mugg", "sku": "M-1", "regular_price": "129.00"})
	s := newShop(t)
	s.write("key", []byte(woo.Password))
	s.createVault()
	s.must([]string{"source", "add", "woocommerce", "--name", "Webben", "--set", "url=" + web.URL, "--set", "user=" + woo.User, "--secret", "password=key"})
	old := s.dig(s.must([]string{"backup"}), "runs.0.point")
	web.Change("products", mug, woo.Record{"name": "=Mugg"})
	s.must([]string{"backup"})
	for _, c := range []struct{ file, name string }{{"ny.csv", "'=Mugg"}, {"gammal.csv", "Mugg, blå"}} {
		args := []string{"export", "--source", "Webben", "products", "--out", c.file}
		if c.file == "gammal.csv" {
			args = append(args, "--point", old)
		}
		s.must(args, "file", c.file)
		file := filepath.Join(s.root, c.file)
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][2] != "M-1" || rows[1][4] != c.name {
			t.Errorf("%s: %v, %q", c.file, err, rows)
		}
		if fi, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
			t.Errorf("%s is open to %v, %v", c.file, fi.Mode(), err)
		}
	}
	s.fails("target_exists", []string{"export", "--source", "Webben", "orders", "--out", "ny.csv"})
	s.must([]string{"export", "--source", "Webben", "orders", "--out", "ny.csv", "--overwrite"})
	s.expect(exitUsage, []string{"export", "--source", "Webben", "shoes", "--out", "x.csv"}, "error.code", "usage", "error.hint", "Choose one of these: products, orders, customers.")
	left, err := filepath.Glob(filepath.Join(s.root, "*.csv"))
	if hidden, _ := filepath.Glob(filepath.Join(s.root, ".kvart-*")); err != nil || len(left) != 2 || len(hidden) != 0 {
		t.Errorf("files %v %v, %v", left, hidden, err)
	}
}
