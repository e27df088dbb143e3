package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// shop is the coffee roaster's: a till's database, pictures of what it sells,
// and a ledger of sales that lies elsewhere and that Kvart does not know of.
type shop struct {
	till, images, ledger string
	rnd                  *rand.Rand
}

func newShop(dir string, seed uint64) *shop {
	return &shop{
		till:   filepath.Join(dir, "Kafferosteriet Björnbär", "Kassa", "kassa.db"),
		images: filepath.Join(dir, "Kafferosteriet Björnbär", "Bilder"),
		ledger: filepath.Join(dir, "ledger.tsv"),
		rnd:    rand.New(rand.NewPCG(seed, 15)),
	}
}

const schema = `
CREATE TABLE artikel (id INTEGER PRIMARY KEY, namn TEXT NOT NULL, beskrivning TEXT NOT NULL, pris_ore INTEGER NOT NULL, lager INTEGER NOT NULL);
CREATE TABLE kund (id INTEGER PRIMARY KEY, namn TEXT NOT NULL, ort TEXT NOT NULL, e_post TEXT);
CREATE TABLE kvitto (id INTEGER PRIMARY KEY, tid TEXT NOT NULL, kund_id INTEGER REFERENCES kund, betalsatt TEXT NOT NULL, summa_ore INTEGER NOT NULL);
CREATE TABLE kvittorad (id INTEGER PRIMARY KEY, kvitto_id INTEGER NOT NULL REFERENCES kvitto, artikel_id INTEGER NOT NULL REFERENCES artikel, antal INTEGER NOT NULL, pris_ore INTEGER NOT NULL);
CREATE INDEX kvitto_tid ON kvitto (tid);
CREATE INDEX kvittorad_kvitto ON kvittorad (kvitto_id);
CREATE INDEX kvittorad_artikel ON kvittorad (artikel_id);
`

var (
	beans = [...]string{"Etiopien Yirgacheffe", "Kenya Nyeri", "Colombia Huila", "Guatemala Antigua", "Brasilien Cerrado", "Rwanda Huye", "Höstrost", "Björnbärsblandning", "Frukostkaffe", "Mörkrost Söder", "Koffeinfri Åre", "Espresso Östersund"}
	packs = [...]string{"250 g", "500 g", "1 kg", "250 g malet"}
	notes = [...]string{"blåbär", "mörk choklad", "apelsinskal", "rostad mandel", "svarta vinbär", "kåda", "rågbröd", "lönnsirap", "fläder", "hjortron"}
	first = [...]string{"Åsa", "Örjan", "Märta", "Göran", "Björn", "Sólveig", "Zoë", "Håkan", "Elin", "Noor", "Kerstin", "Łukasz"}
	last  = [...]string{"Sjöberg", "Ångström", "Öberg", "Lindqvist", "Hällgren", "Åkesson", "Nuñez", "Blomkvist", "Järvinen", "Ek"}
	towns = [...]string{"Umeå", "Örebro", "Malmö", "Växjö", "Göteborg", "Luleå", "Sölvesborg", "Åmål", "Östhammar", "Stockholm"}
	pays  = [...]string{"kort", "Swish", "kontant", "presentkort"}
)

func pick[T any](r *rand.Rand, l []T) T { return l[r.IntN(len(l))] }

// open opens the till's database as a till program would: WAL, and every sale
// on the disk before the receipt is printed.
func (s *shop) open() (*sql.DB, error) {
	db, err := sql.Open("sqlite3", "file:"+s.till+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=0&_foreign_keys=1&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open till: %w", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// make makes the shop: articles, customers, pictures and past sales.
func (s *shop) make(ctx context.Context, sales int) (err error) {
	for _, d := range []string{filepath.Dir(s.till), s.images} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("make shop: %w", err)
		}
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("make till: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("make till: %w", err)
	}
	if err := s.fill(ctx, tx, sales); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("make till: %w", err)
	}
	return s.draw()
}

func (s *shop) fill(ctx context.Context, tx *sql.Tx, sales int) error {
	id := 0
	for _, b := range beans {
		for _, p := range packs {
			id++
			if _, err := tx.ExecContext(ctx, `INSERT INTO artikel VALUES (?,?,?,?,?)`, id, b+" "+p,
				fmt.Sprintf("Smakar %s och %s. Rostas på tisdagar.", pick(s.rnd, notes[:]), pick(s.rnd, notes[:])), 4900+500*s.rnd.IntN(60), 500000); err != nil {
				return fmt.Errorf("add article: %w", err)
			}
		}
	}
	for i := range 800 {
		f, l := pick(s.rnd, first[:]), pick(s.rnd, last[:])
		if _, err := tx.ExecContext(ctx, `INSERT INTO kund VALUES (?,?,?,?)`, i+1, f+" "+l, pick(s.rnd, towns[:]), fmt.Sprintf("kund%d@example.com", i+1)); err != nil {
			return fmt.Errorf("add customer: %w", err)
		}
	}
	at := time.Now().Add(-90 * 24 * time.Hour)
	for range sales {
		at = at.Add(time.Duration(s.rnd.IntN(600)) * time.Second)
		if _, err := s.sale(ctx, tx, at); err != nil {
			return err
		}
	}
	return nil
}

// sale rings up one sale and returns its line for the ledger.
func (s *shop) sale(ctx context.Context, tx *sql.Tx, at time.Time) (string, error) {
	type row struct{ article, count, price int }
	var rows []row
	sum := 0
	for range 1 + s.rnd.IntN(4) {
		r := row{article: 1 + s.rnd.IntN(len(beans)*len(packs)), count: 1 + s.rnd.IntN(3)}
		if err := tx.QueryRowContext(ctx, `SELECT pris_ore FROM artikel WHERE id = ?`, r.article).Scan(&r.price); err != nil {
			return "", fmt.Errorf("price: %w", err)
		}
		sum += r.count * r.price
		rows = append(rows, r)
	}
	when, how := at.Format("2006-01-02 15:04:05.000"), pick(s.rnd, pays[:])
	res, err := tx.ExecContext(ctx, `INSERT INTO kvitto (tid, kund_id, betalsatt, summa_ore) VALUES (?,?,?,?)`, when, 1+s.rnd.IntN(800), how, sum)
	if err != nil {
		return "", fmt.Errorf("ring up: %w", err)
	}
	id, err := res.LastInsertId()
	if err != nil {
		return "", fmt.Errorf("ring up: %w", err)
	}
	line := fmt.Sprintf("%d\t%s\t%s\t%d", id, when, how, sum)
	for _, r := range rows {
		if _, err := tx.ExecContext(ctx, `INSERT INTO kvittorad (kvitto_id, artikel_id, antal, pris_ore) VALUES (?,?,?,?)`, id, r.article, r.count, r.price); err != nil {
			return "", fmt.Errorf("ring up: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE artikel SET lager = lager - ? WHERE id = ?`, r.count, r.article); err != nil {
			return "", fmt.Errorf("take from stock: %w", err)
		}
		line += fmt.Sprintf("\t%d×%d@%d", r.count, r.article, r.price)
	}
	return line, nil
}
