package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestChinook_wholeLoop takes a real store's database through all of it: backed
// up while a till writes, changed, wrecked and restored, every table compared.
func TestChinook_wholeLoop(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("../../../shared/data/chinook.sqlite")
	if err != nil {
		t.Skip("KVART-SKIP shared: no sample database:", err)
	}
	for _, journal := range []string{"wal", "delete"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.write("shop/kassa.db", sample)
			s.sql(s.db, "PRAGMA journal_mode="+journal)
			s.protect()
			stop := writing(s)
			for range 4 {
				s.must([]string{"backup", "--source", "Kassan"}, "runs.0.state", "done")
			}
			if sales := stop(); sales == 0 {
				t.Error("the till sold nothing while it was backed up")
			}
			s.must([]string{"drill", "--source", "Kassan"}, "drills.0.ok", "true")

			s.must([]string{"backup"})
			want := tables(s, s.db)
			if len(want) < 11 {
				t.Fatalf("tables: %v", want)
			}
			for _, q := range []string{"DELETE FROM InvoiceLine WHERE InvoiceLineId % 2 = 0", "UPDATE Track SET UnitPrice = 1", "DROP TABLE Playlist", "CREATE TABLE ransom (note)"} {
				s.sql(s.db, "PRAGMA foreign_keys = OFF; "+q)
			}
			wrecked := tables(s, s.db)
			if maps.Equal(want, wrecked) {
				t.Fatal("nothing was changed")
			}
			s.must([]string{"restore", "--source", "Kassan", "--yes"}, "state", "done")
			if got := tables(s, s.db); !maps.Equal(got, want) {
				t.Errorf("restored:\n%v\nwant:\n%v", got, want)
			}
			s.must([]string{"undo"}, "state", "done")
			if got := tables(s, s.db); !maps.Equal(got, wrecked) {
				t.Errorf("undone:\n%v\nwant:\n%v", got, wrecked)
			}
		})
	}
}

// writing sells until it is stopped, and returns how often. The till waits for
// nobody longer than five seconds.
func writing(s *shop) (stop func() (sales int)) {
	s.Helper()
	db, err := sql.Open("sqlite3", "file:"+s.db+"?_busy_timeout=5000&_txlock=immediate")
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.Context())
	sold := make(chan int, 1)
	go func() {
		n := 0
		for ctx.Err() == nil {
			_, err := db.ExecContext(context.WithoutCancel(ctx), "INSERT INTO Invoice (CustomerId, InvoiceDate, Total) VALUES (1, datetime('now'), ?)", n)
			if err != nil {
				s.Errorf("the till could not sell: %v", err)
				break
			}
			n++
		}
		sold <- n
	}()
	return func() int {
		cancel()
		n := <-sold
		if err := db.Close(); err != nil {
			s.Error(err)
		}
		return n
	}
}

// tables returns a digest of every table, row by row and value by value.
func tables(s *shop, file string) map[string]string {
	s.Helper()
	if got := s.sql(file, "PRAGMA integrity_check"); got != "ok" {
		s.Fatalf("integrity of %s: %s", file, got)
	}
	sums := map[string]string{}
	names := s.sql(file, "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	for _, name := range strings.Split(names, ",") {
		sum, err := digestTable(s.Context(), file, name)
		if err != nil {
			s.Fatalf("read %s: %v", name, err)
		}
		sums[name] = sum
	}
	return sums
}

func digestTable(ctx context.Context, file, table string) (sum string, err error) {
	db, err := sql.Open("sqlite3", "file:"+file+"?_busy_timeout=5000")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, `SELECT * FROM "`+table+`" ORDER BY rowid`)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	cols, err := rows.Columns()
	if err != nil {
		return "", err
	}
	h, n := sha256.New(), 0
	values, into := make([]any, len(cols)), make([]any, len(cols))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%q\n", values)
		n++
	}
	return fmt.Sprintf("%d rows %s", n, hex.EncodeToString(h.Sum(nil)[:8])), rows.Err()
}

// A byte that flipped in the vault used to end in a drill that failed beside a
// status that said "safe", for as long as anybody looked.
func TestFlippedByte_endsSafety(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.protect()
	s.must([]string{"backup"})
	s.must([]string{"status"}, "verdict", "safe")
	flipped := 0
	err := filepath.WalkDir(filepath.Join(s.vault, "p"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for i := 100; i < len(b); i += 50 {
			b[i] ^= 1
		}
		flipped++
		return os.WriteFile(p, b, 0o600)
	})
	if err != nil || flipped == 0 {
		t.Fatalf("flipped %d packs, %v", flipped, err)
	}
	before := s.contents(s.db)
	s.expect(exitFailed, []string{"drill"}, "drills.0.ok", "false")
	s.must([]string{"status"}, "verdict", "failed")
	s.expect(exitFailed, []string{"vault", "verify"})
	s.must([]string{"status"}, "verdict", "failed")
	if r := s.run("restore", "--yes", "--json"); r.code != exitFailed {
		t.Errorf("a restore of damaged data succeeds: %+v", r)
	}
	if got := s.contents(s.db); got != before {
		t.Errorf("the database is %s, was %s", got, before)
	}
}
