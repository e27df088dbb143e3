//go:build unix

package postgres

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// collected captures with a marker, as a vault would that holds the point, and
// returns which tables it was told are the same as there.
func (w *world) collected(since app.Marker) (same []string, read map[string]string, next app.Marker) {
	w.t.Helper()
	c := w.capture(since)
	defer c.Close()
	old := proofOf(since)
	read = map[string]string{}
	if c.Idle { // nobody wrote anything anywhere on the server
		return nil, read, since
	}
	for item, err := range c.Items {
		if err != nil {
			w.t.Fatal(err)
		}
		if item.Open == nil {
			continue
		}
		r, err := item.Open(w.t.Context())
		if err != nil {
			w.t.Fatalf("%s: %v", item.Path, err)
		}
		b, err := io.ReadAll(r)
		if err := r.Close(); err != nil {
			w.t.Fatal(err)
		}
		if err != nil {
			w.t.Fatalf("%s: %v", item.Path, err)
		}
		read[item.Path] = string(b)
		if k, ok := old.Tables[item.Path]; ok && item.Size == k.Size && item.ModTime.Equal(time.Unix(0, k.Time)) {
			same = append(same, strings.TrimSuffix(strings.TrimPrefix(item.Path, dirData+"/"), ".sql"))
		}
	}
	slices.Sort(same)
	return same, read, c.Next
}

// A table is taken over exactly when nothing happened to its rows; whatever is
// done to one, it is read again, and what is taken over is what would be read.
func TestConnector_takesOverOnlyWhatIsTheSame(t *testing.T) {
	// Not parallel: what others have under way makes tables be read once more.
	w := newWorld(t)
	w.do(`CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE a (id int PRIMARY KEY, n int, s text); CREATE TABLE b (id int PRIMARY KEY, m mood); CREATE TABLE c (id int, r regclass);
		CREATE TABLE e (id int); CREATE TABLE quiet (id int); INSERT INTO a SELECT i, i, repeat('x', i) FROM generate_series(1, 300) i; INSERT INTO b VALUES (1, 'ok'), (2, 'sad'); INSERT INTO c VALUES (1, 'a'); INSERT INTO quiet SELECT generate_series(1, 500)`)
	_, before, marker := w.collected("")
	all := []string{"public.a", "public.b", "public.e", "public.quiet"} // c names a table
	for i := range all {
		all[i] = strings.TrimPrefix(all[i], "public.")
	}
	for _, tt := range []struct{ sql, changed string }{
		{"SELECT 1; CREATE TABLE z (id int); DROP TABLE z", ""}, // moves the log alone
		{"VACUUM a", ""},
		{"UPDATE a SET n = n WHERE id = 7", "a"},
		{"DELETE FROM a WHERE id = 8", "a"},
		{"INSERT INTO e VALUES (1)", "e"},
		{"BEGIN; DELETE FROM a WHERE id = 9; INSERT INTO a VALUES (9, 9, repeat('x', 9)); COMMIT", "a"},
		{"BEGIN; SAVEPOINT s; UPDATE a SET s = 'y' WHERE id = 10; RELEASE s; COMMIT", "a"},
		{"BEGIN; UPDATE a SET s = 'z' WHERE id = 10; ROLLBACK", "a"}, // needlessly: the server counts it as written
		{"TRUNCATE e; INSERT INTO e VALUES (1)", "e"},
		{"BEGIN; TRUNCATE e; COPY e FROM PROGRAM 'echo 1' WITH (FREEZE); COMMIT", "e"},
		{"ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", "b"},
		{"ALTER TABLE a ADD COLUMN extra int DEFAULT 5", "a"},
		{"ALTER TABLE a DROP COLUMN extra", "a"},
		{"ALTER TABLE quiet RENAME TO silent; ALTER TABLE silent RENAME TO quiet", ""},
		{"VACUUM FULL quiet", "quiet"},
		{"ALTER TABLE a ALTER COLUMN n TYPE bigint", "a"},
		{"SET synchronous_commit = off; UPDATE b SET m = 'sad' WHERE id = 1", "b"},
	} {
		w.do(tt.sql)
		same, now, next := w.collected(marker)
		want := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == tt.changed })
		if !slices.Equal(same, want) {
			t.Errorf("%s: the same are %v, want %v", tt.sql, same, want)
		}
		for _, name := range same {
			file := dirData + "/" + name + ".sql"
			if now[file] != before[file] {
				t.Errorf("%s: %s was to be taken over and differs", tt.sql, name)
			}
		}
		before, marker = now, next
	}
}

// A transaction that was open when a point was made and commits after it is no
// part of that point.
func TestConnector_takesOverNothingOfOpenTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE a (id int PRIMARY KEY, n int); INSERT INTO a SELECT i, 0 FROM generate_series(1, 100) i; CREATE TABLE b (id int)")
	conn := w.connect(w.name)
	defer func() { _ = conn.Close(context.Background()) }()
	for i, sql := range []string{"UPDATE a SET n = 1 WHERE id = 1", "DELETE FROM a WHERE id = 2", "INSERT INTO a VALUES (2, 0)", "PREPARE"} {
		if sql == "PREPARE" {
			sql = "UPDATE a SET n = 2 WHERE id = 3; PREPARE TRANSACTION 'kvart_" + w.name + "'"
		}
		if err := perform(t.Context(), conn, "BEGIN; "+sql); err != nil {
			t.Fatal(err)
		}
		_, before, marker := w.collected("")
		end := "COMMIT"
		if strings.Contains(sql, "PREPARE") {
			end = "COMMIT PREPARED 'kvart_" + w.name + "'"
		}
		if err := perform(t.Context(), conn, end); err != nil {
			t.Fatal(err)
		}
		same, now, _ := w.collected(marker)
		if slices.Contains(same, "a") || now[dirData+"/a.sql"] == before[dirData+"/a.sql"] {
			t.Errorf("%d: a change that was under way went unnoticed", i)
		}
	}
}

// What is remembered is worth nothing on another server, for a day gone by, or
// when it can't be read.
func TestSnapshot_unchanged_doubts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE a (id int); INSERT INTO a VALUES (1)")
	_, _, marker := w.collected("")
	if same, _, _ := w.collected(marker); len(same) != 0 && !slices.Equal(same, []string{"a"}) {
		t.Fatalf("the same: %v", same)
	}
	good := proofOf(marker)
	if len(good.Tables) != 1 {
		t.Fatalf("remembered: %+v", good)
	}
	for name, spoil := range map[string]func(p *proof, k *known){
		"server":     func(p *proof, _ *known) { p.Server += "x" },
		"set back":   func(p *proof, _ *known) { p.Next += 1 << 20 },
		"log":        func(p *proof, _ *known) { p.At = "FFFF/0" },
		"shape":      func(_ *proof, k *known) { k.Shape = "x" },
		"rows":       func(_ *proof, k *known) { k.Rows++ },
		"a day":      func(_ *proof, k *known) { k.Time -= int64(fullAfter) },
		"the future": func(_ *proof, k *known) { k.Time += int64(time.Hour) },
		"round":      func(_ *proof, k *known) { k.Horizon -= halfRound + 1 },
		"older":      func(_ *proof, k *known) { k.Horizon = 3 },
	} {
		p := good
		p.Tables = map[string]known{}
		for file, k := range good.Tables {
			spoil(&p, &k)
			p.Tables[file] = k
		}
		m, err := p.marker(headOf(marker) + "x")
		if err != nil {
			t.Fatal(err)
		}
		if same, _, _ := w.collected(m); len(same) > 0 {
			t.Errorf("%s: taken over", name)
		}
	}
	if p := proofOf(headOf(marker) + proofPrefix + "%%%"); len(p.Tables) > 0 {
		t.Error("nonsense was read")
	}
}

// A point made of tables taken over restores like any other: by many hands,
// with indexes of all kinds.
func TestConnector_restoresByManyHands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var b strings.Builder
	for i := range 12 {
		fmt.Fprintf(&b, `CREATE TABLE t%d (id int PRIMARY KEY, n int UNIQUE, s text, p point, CHECK (n >= 0)); INSERT INTO t%d SELECT i, i, 'x' || i, point(i, i) FROM generate_series(1, %d) i;
			CREATE INDEX ON t%d (s) WHERE n > 3; CREATE INDEX ON t%d USING gist (p); CREATE UNIQUE INDEX ON t%d (lower(s)); COMMENT ON TABLE t%d IS 'x';`, i, i, 50*i, i, i, i, i)
	}
	b.WriteString(`CREATE TABLE part (id int, k int) PARTITION BY LIST (k); CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1); CREATE TABLE part2 PARTITION OF part FOR VALUES IN (2);
		CREATE INDEX part_k ON part (k, id); ALTER TABLE part ADD PRIMARY KEY (id, k); INSERT INTO part SELECT i, 1 + i % 2 FROM generate_series(1, 100) i;
		ALTER TABLE t3 ADD FOREIGN KEY (n) REFERENCES t4 (id); ALTER TABLE t5 CLUSTER ON t5_pkey; ALTER TABLE t6 REPLICA IDENTITY USING INDEX t6_pkey; COMMENT ON INDEX t7_pkey IS 'seven'`)
	w.do(b.String())
	point, stats, _ := w.point()
	r := w.restore(point, stats)
	r.Target.Database = w.name + "_copy"
	w.apply(r)
	const shape = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1"
	if have, want := w.column(r.Target.Database, shape), w.column(w.name, shape); !slices.Equal(have, want) {
		t.Errorf("indexes and constraints:\n%v\nwant\n%v", have, want)
	}
	if have := strings.Join(w.column(r.Target.Database, "SELECT obj_description('t7_pkey'::regclass) || ' ' || (SELECT count(*) FROM part) || ' ' || (SELECT count(*) FROM pg_index WHERE indisclustered OR indisreplident)"), ""); have != "seven 100 2" {
		t.Errorf("got %q", have)
	}
}

func TestBuildsIndex(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"CREATE INDEX a ON public.b USING btree (c)":                                              true,
		"CREATE UNIQUE INDEX \"a ON x\" ON public.b USING btree (c) WHERE (d > 1)":                true,
		"CREATE INDEX a ON ONLY public.b USING btree (c)":                                         false,
		"ALTER TABLE ONLY public.b\n    ADD CONSTRAINT b_pkey PRIMARY KEY (id)":                   true,
		"ALTER TABLE ONLY public.b\n    ADD CONSTRAINT b_u UNIQUE (id)":                           true,
		"ALTER TABLE ONLY public.b\n    ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES public.c(id)": false,
		"ALTER INDEX public.a ATTACH PARTITION public.b":                                          false,
		"ALTER TABLE public.b CLUSTER ON b_pkey":                                                  false,
		"COMMENT ON INDEX public.a IS 'CREATE INDEX a ON b'":                                      false,
		"CREATE TRIGGER t AFTER INSERT ON public.b FOR EACH ROW EXECUTE FUNCTION public.f()":      false,
	} {
		if buildsIndex(text) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

// The second connection finds what the first would, sees the same state, and does
// not queue behind somebody who waits for a table.
func TestSnapshot_compareBeside(t *testing.T) {
	// Not parallel: what others have under way makes tables be read once more.
	w := newWorld(t)
	w.do("CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
	_, _, marker := w.collected("")
	old := proofOf(marker)
	w.do("INSERT INTO b VALUES (2)")
	l, conn := linked(t, w)
	s, err := l.snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close(context.Background()) }()
	w.do("INSERT INTO a VALUES (3)") // after the state that is captured

	compare := func() (kept []string) {
		next := make(chan held, len(s.tables))
		for _, tab := range s.tables {
			next <- held{tab, old.Tables[tab.file]}
		}
		close(next)
		s.compareBeside(t.Context(), next, func(h held) { kept = append(kept, h.name) })
		return kept
	}
	if got := compare(); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("the same are %v", got)
	}
	waits := make(chan error, 1)
	go func() {
		waits <- perform(t.Context(), conn, "BEGIN; LOCK TABLE public.c IN ACCESS EXCLUSIVE MODE; ROLLBACK")
	}()
	other := w.connect(w.name)
	defer func() { _ = other.Close(context.Background()) }()
	for queued := false; !queued; {
		if queued, err = one[bool](t.Context(), other, "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE NOT granted AND relation = 'public.c'::regclass)"); err != nil {
			t.Fatal(err)
		}
	}
	if got := compare(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("while somebody waits for c, the same are %v", got)
	}
	if err := s.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-waits; err != nil {
		t.Error(err)
	}
}
