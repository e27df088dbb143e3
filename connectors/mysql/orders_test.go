package mysql

import (
	"testing"

	"kvart/app"
)

func TestConnector_Capture_newestOrder(t *testing.T) {
	t.Parallel()
	s := shared(t)
	for name, tt := range map[string]struct {
		queries []string
		want    int64
	}{
		"woo": {[]string{
			"CREATE TABLE wp_wc_orders (id BIGINT UNSIGNED PRIMARY KEY, type VARCHAR(20))", "CREATE TABLE wp_wc_orders_meta (id INT PRIMARY KEY)",
			"INSERT INTO wp_wc_orders VALUES (1042, 'shop_order'), (1043, 'shop_order_refund')",
		}, 1042},
		"woo_posts": {[]string{
			"CREATE TABLE wp_posts (ID BIGINT UNSIGNED PRIMARY KEY, post_type VARCHAR(20))", "CREATE TABLE wp_woocommerce_order_items (id INT PRIMARY KEY)",
			"CREATE TABLE wp_wc_orders (id BIGINT UNSIGNED PRIMARY KEY, type VARCHAR(20))", "CREATE TABLE wp_wc_orders_meta (id INT PRIMARY KEY)", // there, and not in use
			"INSERT INTO wp_posts VALUES (41, 'shop_order'), (99, 'page')",
		}, 41},
		"presta":   {[]string{"CREATE TABLE ps_orders (id_order INT PRIMARY KEY)", "CREATE TABLE ps_order_detail (id INT PRIMARY KEY)", "INSERT INTO ps_orders VALUES (5), (6)"}, 6},
		"receipts": {[]string{"CREATE TABLE kvitto (nr INT PRIMARY KEY)", "INSERT INTO kvitto VALUES (77)"}, 77},
		"strange":  {[]string{"CREATE TABLE orders (a INT, b INT, PRIMARY KEY (a, b))", "INSERT INTO orders VALUES (1, 2)", "CREATE TABLE receipts (id CHAR(8) PRIMARY KEY)"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := s.fresh(t, "newest_"+name)
			s.in(t, db, tt.queries...)
			_, stats, _ := point(t, connector(t), s.access(db))
			if got, ok := stats[app.StatNewestOrder]; got != tt.want || ok != (tt.want > 0) {
				t.Errorf("newest %d, %v, want %d", got, ok, tt.want)
			}
		})
	}
}
