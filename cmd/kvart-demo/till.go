package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// sellEvery is the time between two sales: far busier than any shop.
const sellEvery = 15 * time.Millisecond

// sell rings up sales until ctx ends. A sale goes into the ledger once it is
// committed, so the ledger never holds one that the till does not; it fails
// when the till would have had to wait for a backup, since a till does not.
func (s *shop) sell(ctx context.Context) (err error) {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ledger, err := os.OpenFile(s.ledger, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	tick := time.NewTicker(sellEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		line, err := s.ringUp(context.WithoutCancel(ctx), db)
		if err != nil {
			return fmt.Errorf("till stopped: %w", err)
		}
		if _, err := fmt.Fprintln(ledger, line); err != nil {
			return fmt.Errorf("write ledger: %w", err)
		}
	}
}

func (s *shop) ringUp(ctx context.Context, db *sql.DB) (string, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	line, err := s.sale(ctx, tx, time.Now())
	if err != nil {
		return "", errors.Join(err, tx.Rollback())
	}
	return line, tx.Commit()
}
