package sqlite

import (
	"database/sql"
	"path/filepath"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// The newest order's number comes with a capture where it is certain, also of a
// database whose rows are not counted, and never otherwise.
func TestConnector_Capture_newestOrder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		schema string
		want   int64 // 0: nothing is said
	}{
		"sales":                      {"CREATE TABLE sale (id INTEGER PRIMARY KEY, sum INT); INSERT INTO sale VALUES (7, 1), (1042, 2); CREATE TABLE article (id INTEGER PRIMARY KEY); INSERT INTO article VALUES (90000)", 1042},
		"none yet":                   {"CREATE TABLE orders (id INTEGER PRIMARY KEY)", 0},
		"a text for a key":           {"CREATE TABLE orders (id TEXT PRIMARY KEY); INSERT INTO orders VALUES ('9')", 0},
		"a key of two":               {"CREATE TABLE receipts (day INT, no INT, PRIMARY KEY (day, no)); INSERT INTO receipts VALUES (1, 9)", 0},
		"no key":                     {"CREATE TABLE receipts (no INT); INSERT INTO receipts VALUES (9)", 0},
		"a view of that name":        {"CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (3); CREATE VIEW orders AS SELECT * FROM t", 0},
		"WooCommerce":                {"CREATE TABLE wp_posts (ID INTEGER PRIMARY KEY, post_type TEXT); CREATE TABLE wp_woocommerce_order_items (order_item_id INTEGER PRIMARY KEY); INSERT INTO wp_posts VALUES (41, 'shop_order'), (99, 'page')", 41},
		"WooCommerce in both places": {"CREATE TABLE wp_posts (ID INTEGER PRIMARY KEY, post_type TEXT); CREATE TABLE wp_woocommerce_order_items (order_item_id INTEGER PRIMARY KEY); INSERT INTO wp_posts VALUES (41, 'shop_order'); CREATE TABLE wp_wc_orders (id INTEGER PRIMARY KEY, type TEXT); CREATE TABLE wp_wc_orders_meta (id INTEGER PRIMARY KEY); INSERT INTO wp_wc_orders VALUES (7, 'shop_order'), (99, 'shop_order_refund')", 41},
		"posts of no kind":           {"CREATE TABLE wp_posts (ID INTEGER PRIMARY KEY, kind TEXT); CREATE TABLE wp_woocommerce_order_items (order_item_id INTEGER PRIMARY KEY); INSERT INTO wp_posts VALUES (41, 'shop_order')", 0},
		"PrestaShop":                 {"CREATE TABLE ps_orders (id_order INTEGER PRIMARY KEY); CREATE TABLE ps_order_detail (id INTEGER PRIMARY KEY); INSERT INTO ps_orders VALUES (5), (6)", 6},
		"lines of another program":   {"CREATE TABLE orders (no INTEGER PRIMARY KEY); CREATE TABLE order_detail (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (8)", 8},
		"a key called by no number":  {"CREATE TABLE sale (\"a|INT|b\" TEXT PRIMARY KEY); INSERT INTO sale VALUES ('x')", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "kassa.db")
			db, err := sql.Open("sqlite3", "file:"+file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), tt.schema); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			c := newConnector()
			c.countBytes = 0 // a till in rollback mode is not kept waiting for counts
			capture, err := c.Capture(t.Context(), app.Access{Source: app.Source{ID: "kassan", Name: "Kassan", Kind: Kind, Settings: map[string]string{fieldPath: file}}}, "")
			if err != nil {
				t.Fatal(err)
			}
			connectortest.Collect(t, capture)
			if got, ok := capture.Stats()[app.StatNewestOrder]; got != tt.want || ok != (tt.want > 0) {
				t.Errorf("newest %d, %v, want %d", got, ok, tt.want)
			}
		})
	}
}
