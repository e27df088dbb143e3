package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// place reads where the database stands. The marker ends with the number of
// tables there are, for telling an emptied database from an idle one.
//
// The log's insert position is asked for, not what was written or flushed of
// it: a commit that does not wait for the disk is past the first alone. On a
// standby it is what was replayed. Drawing a number from a sequence may move
// no log, so sequences are looked at themselves.
func place(ctx context.Context, conn *pgx.Conn) (app.Marker, error) {
	var at string
	var count int64
	err := conn.QueryRow(ctx, `
SELECT concat_ws(' ',
  CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() END,
  EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time()),
  (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())),
  (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND `+ownSchemas+`)`).Scan(&at, &count)
	if err != nil {
		return "", fmt.Errorf("ask for the log's position: %w", err)
	}
	list, err := sequences(ctx, conn)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, s := range list {
		fmt.Fprintln(h, s.setval())
	}
	return app.Marker(fmt.Sprintf("%s %s %d", at, hex.EncodeToString(h.Sum(nil)[:8]), count)), nil
}

// heldTables reports whether the state of a marker had tables.
func heldTables(m app.Marker) bool {
	m = headOf(m)
	i := strings.LastIndexByte(string(m), ' ')
	return i >= 0 && m[i+1:] != "0"
}
