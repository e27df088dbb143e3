package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sold returns the ledger's lines so far.
func (s *shop) sold() ([]string, error) {
	b, err := os.ReadFile(s.ledger)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	whole := b[:strings.LastIndexByte(string(b), '\n')+1] // the till may be writing the last one
	return strings.Split(strings.TrimSpace(string(whole)), "\n"), nil
}

// checkTill compares every receipt that the ledger held when the last backup
// began, row by row, and looks that the till holds nothing the ledger does not.
func (s *shop) checkTill(ctx context.Context, before, all []string) (rows int, err error) {
	db, err := sql.Open("sqlite3", "file:"+s.till+"?mode=ro")
	if err != nil {
		return 0, fmt.Errorf("open till: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	there, err := receipts(ctx, db)
	if err != nil {
		return 0, err
	}
	for _, line := range before {
		if !there[line] {
			return 0, fmt.Errorf("missing or changed: %s", line)
		}
	}
	known := map[string]bool{}
	for _, line := range all {
		known[line] = true
	}
	firstSold := strings.SplitN(all[0], "\t", 2)[0]
	var live int
	for line := range there {
		rows += 1 + strings.Count(line, "@")
		id := strings.SplitN(line, "\t", 2)[0]
		if len(id) > len(firstSold) || len(id) == len(firstSold) && id >= firstSold {
			live++
			if !known[line] {
				return 0, fmt.Errorf("never sold: %s", line)
			}
		}
	}
	if live < len(before) {
		return 0, fmt.Errorf("%d receipts, sold were %d", live, len(before))
	}
	return rows, nil
}

// receipts returns every receipt as the ledger would have written it.
func receipts(ctx context.Context, db *sql.DB) (set map[string]bool, err error) {
	rows, err := db.QueryContext(ctx, `SELECT k.id, k.tid, k.betalsatt, k.summa_ore, r.antal, r.artikel_id, r.pris_ore
		FROM kvitto k JOIN kvittorad r ON r.kvitto_id = k.id ORDER BY k.id, r.id`)
	if err != nil {
		return nil, fmt.Errorf("read till: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	set = map[string]bool{}
	var last int64
	var line string
	for rows.Next() {
		var id, sum, count, article, price int64
		var when, how string
		if err := rows.Scan(&id, &when, &how, &sum, &count, &article, &price); err != nil {
			return nil, fmt.Errorf("read till: %w", err)
		}
		if id != last {
			if line != "" {
				set[line] = true
			}
			last, line = id, fmt.Sprintf("%d\t%s\t%s\t%d", id, when, how, sum)
		}
		line += fmt.Sprintf("\t%d×%d@%d", count, article, price)
	}
	if line != "" {
		set[line] = true
	}
	return set, rows.Err()
}

// pictures returns the hash of every picture by its path.
func (s *shop) pictures() (map[string][32]byte, error) {
	sums := map[string][32]byte{}
	err := filepath.WalkDir(s.images, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.images, p)
		sums[rel] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at pictures: %w", err)
	}
	return sums, nil
}

func (s *shop) checkPictures(want map[string][32]byte) error {
	got, err := s.pictures()
	if err != nil {
		return err
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("pictures differ: %d there, %d wanted: %v", len(got), len(want), slices.Sorted(maps.Keys(got)))
	}
	return nil
}

// wreck does to the shop what ransomware, or a falling cup of coffee, would:
// the middle of the till's database is overwritten and the pictures are gone.
func (s *shop) wreck() error {
	f, err := os.OpenFile(s.till, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("wreck till: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("wreck till: %w", err), f.Close())
	}
	junk := make([]byte, info.Size()/2)
	for i := range junk {
		junk[i] = byte(s.rnd.Uint32())
	}
	_, err = f.WriteAt(junk, info.Size()/4)
	return errors.Join(err, f.Close(), os.RemoveAll(s.images))
}
