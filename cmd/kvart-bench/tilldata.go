//go:build unix

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// tillSales sales make a database of 1 GB.
const tillSales = 970_000

// The shop makes a sale every so many seconds, and so many in a quarter.
const (
	pace         = 41
	quarterSales = 15 * 60 / pace
)

const (
	tillArticles  = 20_000
	tillCustomers = 120_000
)

// tillData is a till's database.
type tillData struct {
	file  string
	sales int
	seed  uint64
}

const tillSchema = `
CREATE TABLE article (id INTEGER PRIMARY KEY, ean TEXT NOT NULL, name TEXT NOT NULL, price INTEGER NOT NULL, stock INTEGER NOT NULL);
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, phone TEXT, points INTEGER NOT NULL, note TEXT);
CREATE TABLE sale (id INTEGER PRIMARY KEY, at TEXT NOT NULL, till INTEGER NOT NULL, cashier TEXT NOT NULL, customer_id INTEGER, payment TEXT NOT NULL,
  total INTEGER NOT NULL, receipt TEXT NOT NULL, booked INTEGER NOT NULL);
CREATE TABLE sale_line (id INTEGER PRIMARY KEY, sale_id INTEGER NOT NULL, article_id INTEGER NOT NULL, text TEXT NOT NULL, quantity INTEGER NOT NULL,
  price INTEGER NOT NULL, vat INTEGER NOT NULL, booked INTEGER NOT NULL);
CREATE TABLE stock_movement (id INTEGER PRIMARY KEY, article_id INTEGER NOT NULL, at TEXT NOT NULL, quantity INTEGER NOT NULL, reason TEXT NOT NULL, ref TEXT NOT NULL, sale_id INTEGER);
`

const tillIndexes = `
CREATE INDEX sale_at ON sale (at);
CREATE INDEX sale_customer ON sale (customer_id);
CREATE UNIQUE INDEX sale_receipt ON sale (receipt, id);
CREATE INDEX customer_email ON customer (email);
CREATE INDEX customer_phone ON customer (phone);
CREATE UNIQUE INDEX article_ean ON article (ean, id);
CREATE INDEX line_text ON sale_line (text);
CREATE INDEX movement_at ON stock_movement (at);
CREATE INDEX movement_reason ON stock_movement (reason);
CREATE INDEX movement_sale ON stock_movement (sale_id);
CREATE INDEX line_sale ON sale_line (sale_id);
CREATE INDEX line_article ON sale_line (article_id);
CREATE INDEX movement_article ON stock_movement (article_id);
`

// mixed is SQL for a number that looks random and is always the same.
func (t *tillData) mixed(of string, salt int) string {
	return fmt.Sprintf("abs((((%s) + %d) * 2654435761 + %d) %% 1000003 * 7919 %% 999983)", of, salt, t.seed)
}

// series is SQL for the numbers from..to as n.
func series(from, to int) string {
	return fmt.Sprintf("WITH RECURSIVE s(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM s WHERE n < %d)", from, to)
}

// sold is SQL for the article of line n: few are sold often, most seldom.
func (t *tillData) sold() string {
	m := "(" + t.mixed("n", 14) + " % 20000)"
	return "(1 + " + m + " * " + m + " / 20000 * " + m + " / 20000)"
}

func (t *tillData) open(ctx context.Context, more string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", "file:"+t.file+"?_busy_timeout=10000"+more)
	if err != nil {
		return nil, fmt.Errorf("open till: %w", err)
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open till: %w", err), db.Close())
	}
	return db, nil
}

func (t *tillData) make(ctx context.Context) (err error) {
	db, err := t.open(ctx, "&_journal_mode=OFF&_synchronous=OFF")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := execAll(ctx, db, tillSchema,
		series(1, tillArticles)+` INSERT INTO article SELECT n, printf('73%011d', `+t.mixed("n", 1)+`), 'Artikel ' || `+t.mixed("n", 2)+` || ' ' || substr(hex(n * 7919), 1, 8), 500 + `+t.mixed("n", 3)+` % 50000, `+t.mixed("n", 4)+` % 200 FROM s`,
		series(1, tillCustomers)+` INSERT INTO customer SELECT n, 'Kund ' || `+t.mixed("n", 5)+` || ' Öberg', 'kund' || n || '@exempel.se', printf('070-%07d', `+t.mixed("n", 6)+`), `+t.mixed("n", 7)+` % 900, NULL FROM s`,
	); err != nil {
		return err
	}
	if err := t.sell(ctx, db, 1, t.sales); err != nil {
		return err
	}
	return execAll(ctx, db, tillIndexes)
}

// sell adds sales with three lines and three movements of stock each.
func (t *tillData) sell(ctx context.Context, db *sql.DB, from, to int) error {
	article := t.sold()
	at := func(n string) string { return fmt.Sprintf("datetime(1700000000 + (%s) * %d, 'unixepoch')", n, pace) }
	return execAll(ctx, db,
		series(from, to)+` INSERT INTO sale SELECT n, `+at("n")+`, n % 4, 'Kassör ' || n % 9, CASE WHEN n % 3 = 0 THEN 1 + `+t.mixed("n", 8)+` % 120000 END, CASE n % 5 WHEN 0 THEN 'kontant' WHEN 1 THEN 'Swish' ELSE 'kort' END,
  1000 + `+t.mixed("n", 9)+` % 90000, printf('%06d%06d%06d%06d', `+t.mixed("n", 10)+`, `+t.mixed("n", 11)+`, `+t.mixed("n", 12)+`, `+t.mixed("n", 13)+`), 0 FROM s`,
		series(3*from-2, 3*to)+` INSERT INTO sale_line SELECT n, (n + 2) / 3, `+article+`, 'Artikel ' || (`+article+` * 7919 % 99991) || ' ' || hex(`+article+` * 104729 % 65521) || ' blå, grön eller röd', 1 + n % 3, 500 + `+t.mixed("n", 17)+` % 50000, 25, 0 FROM s`,
		series(3*from-2, 3*to)+` INSERT INTO stock_movement SELECT n, `+article+`, `+at("n / 3")+`, -1 - n % 3, CASE n % 40 WHEN 0 THEN 'svinn' WHEN 1 THEN 'retur' ELSE 'försäljning' END, 'kvitto ' || `+t.mixed("n", 18)+`, (n + 2) / 3 FROM s`,
	)
}

// quarter is a quarter of an hour at the pace the shop always had: sales, whose lines and movements touch
// the indexes anywhere, stock and customers anywhere, and the book-keeping,
// which marks the newest one per cent of the rows as booked.
func (t *tillData) quarter(ctx context.Context) (what string, err error) {
	db, err := t.open(ctx, "&_journal_mode=DELETE&_synchronous=FULL")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	scale := float64(t.sales) / tillSales
	added := max(int(quarterSales*scale), 2)
	booked := t.sales / 100
	if err := execAll(ctx, db, "BEGIN"); err != nil {
		return "", err
	}
	if err := t.sell(ctx, db, t.sales+1, t.sales+added); err != nil {
		return "", err
	}
	if err := execAll(ctx, db,
		fmt.Sprintf(`UPDATE article SET stock = stock - 1 WHERE id IN (SELECT article_id FROM sale_line WHERE sale_id > %d)`, t.sales),
		series(1, max(int(quarterSales/3*scale), 1))+` UPDATE customer SET points = points + 10 WHERE id IN (SELECT 1 + `+t.mixed("n", 19)+` % 120000 FROM s)`,
		fmt.Sprintf(`UPDATE sale SET booked = 1 WHERE id > %d`, t.sales-booked),
		fmt.Sprintf(`UPDATE sale_line SET booked = 1 WHERE id > %d`, 3*(t.sales-booked)),
		fmt.Sprintf(`UPDATE stock_movement SET quantity = quantity * 10 WHERE id > %d`, 3*(t.sales-booked)),
		"COMMIT",
	); err != nil {
		return "", err
	}
	t.sales += added
	return fmt.Sprintf("%d sales (%d rows) added, %d rows changed of %d", added, 7*added, 7*booked, 7*t.sales+tillArticles+tillCustomers), nil
}

// journal sets the journal's mode.
func (t *tillData) journal(ctx context.Context, mode string) (err error) {
	db, err := t.open(ctx, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var now string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = "+mode).Scan(&now); err != nil {
		return fmt.Errorf("set journal: %w", err)
	}
	if now != mode {
		return fmt.Errorf("the journal is %q and was to be %q", now, mode)
	}
	return nil
}

func execAll(ctx context.Context, db *sql.DB, queries ...string) error {
	for _, q := range queries {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%.80s: %w", q, err)
		}
	}
	return nil
}

// sold is what a till tells of its commits, in milliseconds.
type sold struct {
	Commits       int
	Most, Longest float64
}

// sellUntil commits every 5 ms until it is asked to end, and prints how long
// that took at worst. Commits don't wait for the disk: how slow the disk is is
// not what is measured.
func sellUntil(ctx context.Context, file string, out io.Writer) (err error) {
	background := context.WithoutCancel(ctx)
	t := &tillData{file: file}
	db, err := t.open(background, "&_synchronous=OFF&_txlock=immediate")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var waits []float64
	next := time.Now()
	for i := 0; ctx.Err() == nil; i++ {
		start := time.Now()
		if err := execAll(background, db, fmt.Sprintf("UPDATE article SET stock = stock + 1 WHERE id = %d", 1+i*7%tillArticles)); err != nil {
			return err
		}
		waits = append(waits, float64(time.Since(start))/float64(time.Millisecond))
		next = next.Add(5 * time.Millisecond)
		if d := time.Until(next); d > 0 {
			time.Sleep(d)
		} else {
			next = time.Now()
		}
	}
	slices.Sort(waits)
	s := sold{Commits: len(waits)}
	if s.Commits > 0 {
		s.Most, s.Longest = waits[s.Commits*999/1000], waits[s.Commits-1]
	}
	return json.NewEncoder(out).Encode(s)
}
