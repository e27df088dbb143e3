package orders

import (
	"reflect"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		tables []string
		want   []Place
	}{
		{"WooCommerce", []string{"wp_posts", "wp_wc_orders", "wp_wc_orders_meta", "wp_woocommerce_order_items"}, []Place{
			{"wp_wc_orders", "id", "type", "shop_order"}, {"wp_posts", "ID", "post_type", "shop_order"},
		}},
		{"WordPress without a shop", []string{"wp_posts", "wp_options"}, nil},
		{"PrestaShop", []string{"ps_orders", "ps_order_detail", "ps_order_history"}, []Place{{Table: "ps_orders", Column: "id_order"}}},
		{"a till", []string{"article", "Sale", "sale_line"}, []Place{{Table: "Sale"}}},
		{"orders before receipts", []string{"receipts", "Orders"}, []Place{{Table: "Orders"}}},
		{"somebody's orders_old", []string{"orders_old", "my_orders", "customers"}, nil},
	} {
		if got := Find(tt.tables); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestPlace_Query(t *testing.T) {
	t.Parallel()
	quote := func(s string) string { return "`" + s + "`" }
	for want, p := range map[string]Place{
		"SELECT max(`id`) FROM `sale`":                                      {Table: "sale"},
		"SELECT max(`id`) FROM `wp_posts` WHERE `post_type` = 'shop_order'": {"wp_posts", "", "post_type", "shop_order"},
	} {
		if got := p.Query(quote, "id"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
