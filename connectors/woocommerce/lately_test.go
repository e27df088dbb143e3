package woocommerce_test

import (
	"testing"

	"kvart/connectors/fakeshop/woo"
)

// What was deleted right after a backup comes back from it: the shop tells no
// changes of what is gone, so that the comparison with all there is must be made
// anew.
func TestEngine_Apply_deletedSinceTheBackup(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	prods, _ := stock(b.shop, 4, 0, 0)
	coupon := b.shop.Add("coupons", woo.Record{"code": "VÅR", "amount": "10.00"})
	point, _ := b.point()
	b.shop.Purge("products", prods[0])
	b.shop.Trash("products", prods[1])
	b.shop.Trash("coupons", coupon)
	b.safety()
	b.restore(point)
	skus := map[any]int{}
	for _, id := range b.shop.IDs("products") {
		if r := b.shop.Get("products", id); r["status"] == "publish" {
			skus[r["sku"]]++
		}
	}
	if len(skus) != 4 || b.shop.Get("coupons", coupon)["status"] != "publish" {
		t.Errorf("products %v, coupon %v", skus, b.shop.Get("coupons", coupon)["status"])
	}
}
