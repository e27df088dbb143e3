package sqlserver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// pulse is what moves when a database changes, as read at one moment.
type pulse struct {
	place  string // this run of the server, this database as it was created
	end    string // of the log
	writes string // transactions that wrote and committed, since the server's start
	busy   bool   // transactions that wrote are under way
}

// pulse reads it; "" in end when nothing dependable is to be had.
func (s *session) pulse(ctx context.Context, d database) (pulse, error) {
	if d.autoClose || d.delayed {
		return pulse{}, nil
	}
	rows, err := s.rows(ctx, "read log's end", `SELECT CONVERT(nvarchar(33), (SELECT t.create_date FROM sys.databases AS t WHERE t.name = N'tempdb'), 126) AS started,
 l.log_end_lsn AS log_end, (SELECT COUNT(*) FROM sys.master_files AS f WHERE f.database_id = d.database_id AND f.type NOT IN (0, 1)) AS others,
 (SELECT SUM(p.cntr_value) FROM sys.dm_os_performance_counters AS p WHERE p.counter_name = N'Write Transactions/sec'
 AND p.object_name LIKE N'%:Databases%' AND RTRIM(p.instance_name) = d.name) AS writes, CONVERT(nvarchar(36), r.recovery_fork_guid) AS fork,
 (SELECT COUNT(*) FROM sys.dm_tran_database_transactions AS x WHERE x.database_id = d.database_id AND x.database_transaction_begin_lsn IS NOT NULL) AS busy
 FROM sys.databases AS d CROSS APPLY sys.dm_db_log_stats(d.database_id) AS l LEFT JOIN sys.database_recovery_status AS r ON r.database_id = d.database_id
 WHERE d.name = @p1`, d.name)
	if refusal(err) != nil {
		return pulse{}, nil // an older server, or not allowed to look
	}
	if err != nil || len(rows) != 1 {
		return pulse{}, err
	}
	r := rows[0]
	if r.null("started") || r.str("log_end") == "" || r.null("writes") || r.null("fork") || r.null("others") || r.int("others") > 0 {
		return pulse{}, nil
	}
	return pulse{place: fmt.Sprintf("%q %q %d %q", r.str("started"), d.created, d.id, r.str("fork")), end: r.str("log_end"), writes: r.str("writes"), busy: r.int("busy") > 0}, nil
}

// pulseAfter reads it when a backup is done. A transaction's commit is in the log
// a moment before the server counts it, so the end of the log is taken first, then
// nothing may be under way, and only then the count is: whatever is in the log
// before that end is in the count.
func (c *Connector) pulseAfter(ctx context.Context, s *session, d database) (pulse, error) {
	end, err := s.pulse(ctx, d)
	for range 2 {
		if err != nil || end.end == "" {
			return pulse{}, err
		}
		select {
		case <-ctx.Done():
			return pulse{}, ctx.Err()
		case <-time.After(c.settle):
		}
		var later pulse
		if later, err = s.pulse(ctx, d); later.place != end.place || end.busy {
			end.end = ""
		}
		end.writes, end.busy = later.writes, later.busy
	}
	return end, err
}

// mark makes a marker of a pulse and the number of tables. One without a hash
// never means idle; it remembers that there were tables.
func (p pulse) mark(tables int) app.Marker {
	if p.end == "" {
		return app.Marker(fmt.Sprintf("%d -", tables))
	}
	sum := sha256.Sum256([]byte(p.place + "\n" + p.end))
	return app.Marker(fmt.Sprintf("%d %s", tables, hex.EncodeToString(sum[:16])))
}

// next is the marker of a state that was backed up between two readings: only
// when nothing but the backup itself wrote to the log between them.
func next(before, after pulse, was, is []table) app.Marker {
	if before.end == "" || before.place != after.place || before.writes != after.writes || !slices.Equal(was, is) {
		after.end = ""
	}
	return after.mark(len(is))
}

// exact reports whether a marker says that nothing was written meanwhile.
func exact(m app.Marker) bool { return !strings.HasSuffix(string(m), " -") }

// idle reports whether nothing moved since a marker was made.
func (p pulse) idle(since app.Marker) bool {
	_, hash, ok := strings.Cut(string(since), " ")
	_, own, _ := strings.Cut(string(p.mark(0)), " ")
	return ok && hash != "-" && hash == own
}

// heldTables reports whether there were tables when a marker was made.
func heldTables(since app.Marker) bool {
	n, _, ok := strings.Cut(string(since), " ")
	return ok && n != "0"
}
