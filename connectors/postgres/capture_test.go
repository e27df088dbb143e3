//go:build unix

package postgres

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// TestConnector_idle is not run beside others: the log it looks at is the
// whole server's.
func TestConnector_idle(t *testing.T) {
	w := newWorld(t)
	shop(w)
	w.do("CREATE UNLOGGED TABLE cart (x integer); CREATE SEQUENCE s; SELECT nextval('s')")
	l, err := w.c.open(t.Context(), w.access())
	if err != nil {
		t.Fatal(err)
	}
	// settle waits for what the server itself writes after work was done.
	settle := func() app.Marker {
		for range 40 {
			before, err1 := l.place(t.Context())
			time.Sleep(50 * time.Millisecond)
			after, err2 := l.place(t.Context())
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if before == after {
				return after
			}
		}
		t.Fatal("a database nobody uses is never idle")
		return ""
	}
	w.point() // reading it the first time may tidy pages up
	place := settle()
	w.one("SELECT count(*)::text FROM goods") // reading is no change
	if c := w.capture(place); !c.Idle {
		t.Error("reading made it move")
	}
	for _, sql := range []string{
		"UPDATE goods SET name = 'x' WHERE id = 1", "INSERT INTO cart VALUES (1)", "SELECT nextval('s')", "CREATE TABLE a ()",
		"TRUNCATE cart", "GRANT SELECT ON goods TO PUBLIC", "COMMENT ON TABLE goods IS 'x'", "SELECT lo_create(0)",
		"ALTER DATABASE " + w.name + " SET work_mem = '9MB'", "SET synchronous_commit = off; DELETE FROM sale WHERE id = 1",
	} {
		w.do(sql)
		now, err := l.place(t.Context())
		if err != nil || now == place {
			t.Errorf("%s went unnoticed: %v", sql, err)
		}
		place = settle()
	}
	c := w.capture(place)
	if !c.Idle {
		t.Error("a database nobody used is not idle")
	}
	w.do("DELETE FROM sale WHERE id = 2")
	c = w.capture(place)
	if c.Idle || c.Next == place {
		t.Error("a deleted row went unnoticed")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	w.do("DROP SCHEMA public CASCADE")
	_, err = w.c.Capture(t.Context(), w.access(), place)
	wantCode(t, err, app.CodeSourceEmpty, "")
}

func TestConnector_oneStateWhileOthersWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(`CREATE TABLE a (id serial PRIMARY KEY, n bigint); CREATE TABLE z (id integer PRIMARY KEY, n bigint); INSERT INTO a (n) SELECT 1000 FROM generate_series(1, 50); INSERT INTO z SELECT i, 1000 FROM generate_series(1, 50) i`)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	for k := range 2 {
		work.Go(func() {
			conn := w.connect(w.name)
			defer func() { _ = conn.Close(context.Background()) }()
			for i := 0; ctx.Err() == nil; i++ {
				// Money moves between tables, and every move is written down in both.
				sql := fmt.Sprintf(`BEGIN; UPDATE a SET n = n - 7 WHERE id = %d; INSERT INTO a (n) VALUES (0); UPDATE z SET n = n + 7 WHERE id = %d; INSERT INTO z SELECT max(id), 0 FROM a; COMMIT`, 1+i%50, 1+(i*7)%50)
				if err := perform(context.Background(), conn, sql); err != nil {
					_ = perform(context.Background(), conn, "ROLLBACK")
				}
				_ = k
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	point, stats, _ := w.point()
	cancel()
	work.Wait()
	r := w.restore(point, stats)
	r.Target.Database = w.name + "_copy"
	w.apply(r)
	got := strings.Join(w.column(r.Target.Database, "SELECT ((SELECT sum(n) FROM a) + (SELECT sum(n) FROM z)) || ' ' || (SELECT count(*) FROM a) - (SELECT count(*) FROM z) || ' ' || (SELECT last_value >= (SELECT max(id) FROM a) FROM a_id_seq)"), "")
	if got != "100000 0 true" {
		t.Errorf("got %s", got)
	}
	if stats["table.a"] <= 50 {
		t.Errorf("nobody wrote: %v", stats)
	}
}

// TestConnector_truncatedWhileLocking: a table that is emptied between the
// snapshot and its lock would be captured as empty without any error.
func TestConnector_truncatedWhileLocking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE a (x integer); INSERT INTO a SELECT generate_series(1, 100)")
	other := w.connect(w.name)
	defer func() { _ = other.Close(context.Background()) }()
	if err := perform(t.Context(), other, "BEGIN; TRUNCATE a; INSERT INTO a SELECT generate_series(1, 40)"); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		time.Sleep(500 * time.Millisecond)
		_ = perform(context.Background(), other, "COMMIT")
	})
	_, stats, _ := w.point()
	work.Wait()
	if stats["table.a"] != 40 {
		t.Errorf("got %d rows, want 40", stats["table.a"])
	}
}

func TestConnector_lockedTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.c.lockWait = 300 * time.Millisecond
	w.do("CREATE TABLE goods (x integer); CREATE TABLE sale (x integer)")
	other := w.connect(w.name)
	defer func() { _ = other.Close(context.Background()) }()
	if err := perform(t.Context(), other, "BEGIN; ALTER TABLE sale ADD y integer"); err != nil {
		t.Fatal(err)
	}
	_, err := w.c.Capture(t.Context(), w.access(), "")
	wantCode(t, err, app.CodeSourceLocked, "")
	if got := app.AsError(err).Args["table"]; got != "public.sale" {
		t.Errorf("table %q", got)
	}
}

// TestConnector_alteredMeanwhile: who alters a table waits until it was read.
func TestConnector_alteredMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	c := w.capture("")
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn := w.connect(w.name)
		defer func() { _ = conn.Close(context.Background()) }()
		_ = perform(context.Background(), conn, "ALTER TABLE goods DROP COLUMN name; TRUNCATE sale")
	}()
	time.Sleep(300 * time.Millisecond)
	if dir, _ := connectortest.Collect(t, c); c.Stats()["table.goods"] != 300 || c.Stats()["table.sale"] != 300 {
		t.Errorf("%s: %v", dir, c.Stats())
	}
	<-done
}

func TestConnector_closesEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE big AS SELECT i, repeat('x', 1000) AS x FROM generate_series(1, 20000) i")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, err := w.c.Capture(ctx, w.access(), "")
	if err != nil {
		t.Fatal(err)
	}
	var late app.Item
	for item, err := range c.Items {
		if err != nil {
			t.Fatal(err)
		}
		if item.Path == "20-data/big.sql" {
			late = item
			r, err := item.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			break // neither read nor closed
		}
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := late.Open(t.Context()); err == nil {
		t.Error("a closed capture can be read")
	}
	for range 50 {
		if w.one("SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'kvart' AND datname = '"+w.name+"'") == "0" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("a connection is still open")
}

func TestConnector_canceled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := w.c.Capture(ctx, w.access(), "")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for _, err := range c.Items {
		wantCode(t, err, app.CodeCanceled, "")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	_, err = w.c.Capture(ctx, w.access(), "")
	wantCode(t, err, app.CodeCanceled, "")
}
