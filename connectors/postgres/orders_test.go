//go:build unix

package postgres

import (
	"testing"

	"kvart/app"
)

func TestConnector_Capture_newestOrder(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]int64{
		`CREATE TABLE "Sales" (id bigint PRIMARY KEY); INSERT INTO "Sales" VALUES (1042); CREATE TABLE product (id int PRIMARY KEY); INSERT INTO product VALUES (90000);`: 1042,
		`CREATE TABLE orders (id uuid PRIMARY KEY);`:                                                                                        0,
		`CREATE TABLE orders (a int, b int, PRIMARY KEY (a, b)); INSERT INTO orders VALUES (1, 9);`:                                         0,
		`CREATE SCHEMA other; CREATE TABLE other.orders (id int PRIMARY KEY); INSERT INTO other.orders VALUES (9); CREATE TABLE t (i int);`: 0,
		`CREATE TABLE orders (no int PRIMARY KEY); INSERT INTO orders VALUES (8); CREATE TABLE order_detail (id int PRIMARY KEY);`:          8,
		`CREATE TABLE orders (id int PRIMARY KEY);`:                                                                                         0,
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.do(schema)
			_, stats, _ := w.point()
			if got, ok := stats[app.StatNewestOrder]; got != want || ok != (want > 0) {
				t.Errorf("newest %d, %v, want %d of %s", got, ok, want, schema)
			}
		})
	}
}
