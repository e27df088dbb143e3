//go:build unix

package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// linked opens a way to a world's server, and a connection to its database.
func linked(t *testing.T, w *world) (*link, *pgx.Conn) {
	t.Helper()
	l, err := w.c.open(t.Context(), w.access())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	conn, err := l.connect(t.Context(), w.name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.let(t.Context(), conn) })
	return l, conn
}

// Constraints come before other indexes, and each of them the largest table's
// first, whatever their tables are called and in whatever order they came.
func TestLargestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(`CREATE TABLE small (id int, n int); INSERT INTO small VALUES (1, 1);
		CREATE SCHEMA "Åsas"; CREATE TABLE "Åsas"."Lager ON x" (id int, n int); INSERT INTO "Åsas"."Lager ON x" SELECT i, i FROM generate_series(1, 60000) i;
		CREATE TABLE middle (id int, n int); INSERT INTO middle SELECT i, i FROM generate_series(1, 6000) i`)
	want := []string{
		"ALTER TABLE ONLY \"Åsas\".\"Lager ON x\"\n    ADD CONSTRAINT p3 PRIMARY KEY (id)",
		"ALTER TABLE ONLY public.middle\n    ADD CONSTRAINT p2 PRIMARY KEY (id)",
		"ALTER TABLE ONLY public.middle\n    ADD CONSTRAINT p2b UNIQUE (id)",
		"ALTER TABLE ONLY public.small\n    ADD CONSTRAINT p1 PRIMARY KEY (id)",
		"CREATE INDEX i3 ON \"Åsas\".\"Lager ON x\" USING btree (n)",
		"CREATE UNIQUE INDEX i2 ON public.middle USING btree (n)",
		"CREATE INDEX i1 ON public.small USING btree (n)",
	}
	_, conn := linked(t, w)
	for _, order := range [][]int{{6, 5, 4, 3, 1, 2, 0}, {3, 6, 1, 2, 4, 0, 5}} {
		var in []string
		for _, i := range order {
			if !buildsIndex(want[i]) {
				t.Errorf("taken for no index: %s", want[i])
			}
			in = append(in, want[i])
		}
		got, err := largestFirst(t.Context(), conn, in)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v\n%s", err, strings.Join(got, "\n"))
		}
	}
}

// Where there is work for all hands an index is built by one process each, in
// memory that is soon sorted; where there is not, by as many as the server likes,
// with memory for all of them.
func TestHands_share(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l, one := linked(t, w)
	_, two := linked(t, w)
	setting := func(conn *pgx.Conn, name string) (s string) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	const processes = "max_parallel_maintenance_workers"
	usual := setting(one, processes)
	h := &hands{job: &job{link: l}, all: []*loader{{conn: one}, {conn: two}}}
	for _, tt := range []struct {
		hands, work  int
		want, memory string
	}{{2, 5, "0", "8MB"}, {2, 1, usual, "256MB"}, {2, 2, "0", "8MB"}, {1, 5, usual, "256MB"}} {
		hired := &hands{job: h.job, all: h.all[:tt.hands]}
		if err := hired.share(t.Context(), tt.work); err != nil {
			t.Fatal(err)
		}
		for _, l := range hired.all {
			got, memory := setting(l.conn, processes), setting(l.conn, "maintenance_work_mem")
			if got != tt.want || memory != tt.memory || usual == "0" {
				t.Errorf("%d hands, %d indexes: %s processes more in %s, want %s in %s", tt.hands, tt.work, got, memory, tt.want, tt.memory)
			}
		}
	}
}
