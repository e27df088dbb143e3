package orders

import (
	"errors"
	"reflect"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		tables []string
		want   [][]Place
	}{
		{"WooCommerce", []string{"wp_posts", "wp_wc_orders", "wp_wc_orders_meta", "wp_woocommerce_order_items"}, [][]Place{{
			{"wp_wc_orders", "type", "shop_order"}, {"wp_posts", "post_type", "shop_order"},
		}}},
		{"WordPress without a shop", []string{"wp_posts", "wp_options"}, nil},
		{"PrestaShop", []string{"ps_orders", "ps_order_detail", "ps_order_history"}, [][]Place{{{Table: "ps_orders"}}}},
		{"both", []string{"wp_posts", "ps_orders", "ps_order_detail", "wp_woocommerce_order_items"}, [][]Place{{{"wp_posts", "post_type", "shop_order"}}, {{Table: "ps_orders"}}}},
		{"a till", []string{"article", "Sale", "sale_line"}, [][]Place{{{Table: "Sale"}}}},
		{"orders before receipts", []string{"receipts", "Orders"}, [][]Place{{{Table: "Orders"}}}},
		{"somebody's orders_old", []string{"orders_old", "my_orders", "customers"}, nil},
	} {
		if got := find(tt.tables); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestNewest(t *testing.T) {
	t.Parallel()
	broken := errors.New("damaged")
	tables := []string{"wp_posts", "wp_wc_orders", "wp_wc_orders_meta", "wp_woocommerce_order_items", "ps_orders", "ps_order_detail"}
	for _, tt := range []struct {
		name   string
		places map[string]int64 // -1 can't be asked
		want   int64
		asked  int
	}{
		{"the older place has the newer order", map[string]int64{"wp_wc_orders": 7, "wp_posts": 41, "ps_orders": 99}, 41, 2},
		{"the newer place has", map[string]int64{"wp_wc_orders": 42, "wp_posts": 41}, 42, 2},
		{"the next program", map[string]int64{"ps_orders": 99}, 99, 3},
		{"one can't be asked", map[string]int64{"wp_wc_orders": -1, "wp_posts": 41}, 41, 2},
		{"none", nil, 0, 3},
	} {
		asked, fails := 0, false
		got, err := Newest(tables, func(p Place) (int64, error) {
			asked++
			n := tt.places[p.Table]
			if n < 0 {
				fails = true
				return 0, broken
			}
			return n, nil
		})
		if got != tt.want || asked != tt.asked || errors.Is(err, broken) != fails {
			t.Errorf("%s: %d, asked %d, %v", tt.name, got, asked, err)
		}
	}
}

func TestPlace_Query(t *testing.T) {
	t.Parallel()
	quote := func(s string) string { return "`" + s + "`" }
	for want, p := range map[string]Place{
		"SELECT max(`id`) FROM `sale`":                                      {Table: "sale"},
		"SELECT max(`id`) FROM `wp_posts` WHERE `post_type` = 'shop_order'": {"wp_posts", "post_type", "shop_order"},
	} {
		if got := p.Query(quote, "id"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
