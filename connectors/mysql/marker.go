package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"kvart/app"
)

const markerVersion = "v2"

// marker returns the database's place in time, "" when the server offers
// nothing that can be trusted. The package's comment says what it is made of
// and where it is blind. It must be read before the transaction that is
// captured begins.
func (s *session) marker(ctx context.Context, v survey) (app.Marker, error) {
	sum := sha256.New()
	moved, err := s.moved(ctx)
	if err != nil || moved == "" {
		return "", err
	}
	started, err := s.started(ctx)
	if err != nil || started == "" {
		return "", err
	}
	var id string
	if err := s.one(ctx, `SELECT CONCAT(@@server_id, ' ', @@hostname, ' ', @@datadir)`, &id); err != nil {
		return "", err
	}
	fmt.Fprintf(sum, "%s\n%s\n%s\n%s\n%q %q %q\n", s.banner, id, started, moved, s.cfg.database, v.charset, v.collation)
	ok, err := s.engines(ctx, sum, v)
	if err != nil || !ok {
		return "", err
	}
	for _, d := range v.defs {
		fmt.Fprintf(sum, "%#v\n", d)
	}
	return app.Marker(fmt.Sprintf("%s %d %s", markerVersion, len(v.stored(false)), hex.EncodeToString(sum.Sum(nil)))), nil
}

// heldTables reports whether a marker is of a database with tables in it.
func heldTables(m app.Marker) bool {
	f := strings.Fields(string(m))
	if len(f) < 3 || f[0] != markerVersion {
		return false
	}
	n, err := strconv.Atoi(f[1])
	return err == nil && n > 0
}

// moved returns a number that no committed change leaves as it was, with what
// it is; "" when there is none.
func (s *session) moved(ctx context.Context) (string, error) {
	name := "Innodb_redo_log_current_lsn"
	if s.maria {
		name = "Innodb_lsn_current"
	}
	rows, err := s.rows(ctx, `SHOW GLOBAL STATUS LIKE '`+name+`'`)
	if err != nil {
		return "", err
	}
	if len(rows) == 1 && rows[0].int("value") > 0 {
		return "lsn " + rows[0].str("value"), nil
	}
	return s.logged(ctx)
}

// started returns when the server was started, "" when that is not to be known.
// A server that went down may have lost the last changes, and the number then
// counts on from a lower one. Both times are those of the one statement, so
// that the difference is always the same.
func (s *session) started(ctx context.Context) (string, error) {
	from := "performance_schema.global_status"
	if s.maria {
		from = "information_schema.GLOBAL_STATUS"
	}
	rows, err := s.rows(ctx, `SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE AS s FROM `+from+` WHERE VARIABLE_NAME = 'Uptime'`)
	if number := numberOf(err); number == errTableDenied || number == errNoTable {
		return "", nil
	}
	if err != nil || len(rows) != 1 {
		return "", err
	}
	return rows[0].first, nil
}

// logged returns the binary log's position, "" where it does not hold
// everything.
func (s *session) logged(ctx context.Context) (string, error) {
	vars := map[string]string{}
	rows, err := s.rows(ctx, `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'gtid_binlog_pos', 'gtid_executed', 'gtid_mode')`)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		vars[strings.ToLower(r.first)] = r.str("value")
	}
	position := vars["gtid_binlog_pos"]
	if !s.maria && vars["gtid_mode"] == "ON" {
		position = vars["gtid_executed"]
	}
	if vars["log_bin"] != "ON" || position == "" {
		return "", nil
	}
	query := `SHOW MASTER STATUS`
	if !s.maria && s.atLeast("8.2") {
		query = `SHOW BINARY LOG STATUS`
	}
	rows, err = s.rows(ctx, query)
	if number := numberOf(err); number == errNeedRight {
		return "", nil // whether the log has filters is not for this user to know
	}
	if err != nil {
		return "", err
	}
	if len(rows) != 1 || rows[0].str("binlog_do_db") != "" || rows[0].str("binlog_ignore_db") != "" {
		return "", nil
	}
	return "log " + rows[0].str("file") + " " + rows[0].str("position") + " " + position, nil
}

// engines adds the tables and what is known of those that are not InnoDB's; ok
// is false when one of them could change unseen.
func (s *session) engines(ctx context.Context, sum io.Writer, v survey) (ok bool, err error) {
	var now string
	if err := s.one(ctx, `SELECT NOW()`, &now); err != nil {
		return false, err
	}
	for _, t := range v.tables {
		fmt.Fprintf(sum, "%q %q %q %q %q\n", t.name, t.kind, t.engine, t.created, t.comment)
		switch {
		case t.view() || strings.EqualFold(t.engine, "InnoDB"):
		case strings.EqualFold(t.engine, "MyISAM"):
			if fresh(t.updated, now) {
				return false, nil
			}
			fmt.Fprintf(sum, "%s %d %d\n", t.updated, t.rows, t.bytes)
		default:
			return false, nil
		}
	}
	return true, nil
}

// fresh reports whether a time is so new, or so unclear, that a later change
// could have the same.
func fresh(at, now string) bool {
	a, err1 := time.Parse(time.DateTime, at)
	n, err2 := time.Parse(time.DateTime, now)
	return err1 != nil || err2 != nil || n.Sub(a) < 2*time.Second
}
