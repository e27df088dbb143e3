package mysql

import (
	"errors"
	"testing"

	"kvart/app"
	"kvart/connectors/internal/orders"
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
		"woo_both": {[]string{
			"CREATE TABLE wp_posts (ID BIGINT UNSIGNED PRIMARY KEY, post_type VARCHAR(20))", "CREATE TABLE wp_woocommerce_order_items (id INT PRIMARY KEY)",
			"CREATE TABLE wp_wc_orders (id BIGINT UNSIGNED PRIMARY KEY, type VARCHAR(20))", "CREATE TABLE wp_wc_orders_meta (id INT PRIMARY KEY)",
			"INSERT INTO wp_posts VALUES (41, 'shop_order')", "INSERT INTO wp_wc_orders VALUES (7, 'shop_order')", // half moved
		}, 41},
		"lines":    {[]string{"CREATE TABLE orders (nr INT PRIMARY KEY)", "CREATE TABLE order_detail (id INT PRIMARY KEY)", "INSERT INTO orders VALUES (8)"}, 8},
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

// What may wait for a lock waits for a second, and everything after it for as long
// as it did before, also when it failed.
func TestSession_atOnce(t *testing.T) {
	t.Parallel()
	srv := shared(t)
	db := srv.fresh(t, "at_once")
	srv.in(t, db, "CREATE TABLE sale (id INT PRIMARY KEY)")
	s, err := connector(t).connect(t.Context(), srv.access(db))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	patience := func() (n int64) {
		t.Helper()
		if err := s.one(t.Context(), "SELECT @@SESSION.lock_wait_timeout", &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	usual := patience()
	broken := errors.New("broken")
	for _, want := range []error{nil, broken} {
		during := int64(0)
		n, err := s.atOnce(t.Context(), func() (int64, error) {
			during = patience()
			return 7, want
		})
		if n != 7 || !errors.Is(err, want) || during != 1 || patience() != usual || usual <= 1 {
			t.Errorf("%d, %v; waits for %d s meanwhile, for %d afterwards, for %d before", n, err, during, patience(), usual)
		}
	}
	// Somebody has the table: no number, and no failure.
	other, err := connector(t).connect(t.Context(), srv.access(db))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, in := range []*session{s, other} {
		if err := in.exec(t.Context(), "USE "+quote(db)); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.exec(t.Context(), "LOCK TABLES sale WRITE"); err != nil {
		t.Fatal(err)
	}
	n, err := s.atOnce(t.Context(), func() (int64, error) { return s.highest(t.Context(), orders.Place{Table: "sale"}) })
	if n != 0 || numberOf(err) != errLockTimeout {
		t.Errorf("locked: %d, %v", n, err)
	}
}
