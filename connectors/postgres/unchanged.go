package postgres

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// A table whose rows are what they were in an earlier point is taken over from
// there, not read. That they are is proved, not guessed: a state is known by its
// horizon, the number below which every transaction had ended when it was
// taken. A row that a later state sees and whose transaction has a lower number
// was seen by the earlier one too. So when a later state sees no other rows,
// and as many as the earlier one, it sees the same: whatever is changed, deleted
// or added since then either has a higher number or is missing. It takes a look
// at every row, but at none of its values. The proof holds only
//   - for the same files of the same table, shaped the same: no TRUNCATE, no
//     rewriting, no column more or less;
//   - while the text of a value depends on the value alone: for the server's
//     own types, not for the owner's, nor for those whose text names tables,
//     roles or an amount of money; of enumerations the labels must be the same;
//   - on the same server since it was started, and with the same processes of
//     its own: one that crashed, even if it got up by itself, may have lost its
//     last commits and give their numbers out again. A standby is not taken over
//     from;
//   - less than half a round of the numbers later.
//
// Blind spot: a whole server set back to how it was between two quarters, with
// its memory, and used since. So a table is read again once a day in any case.
type proof struct {
	Server  string           `json:"v"`
	Horizon int64            `json:"x"`
	Next    int64            `json:"m"` // number that no transaction had yet
	At      string           `json:"l"` // of the log
	Tables  map[string]known `json:"t"`
}

// known is what a marker remembers of a table that its point holds, by the name
// of its file.
type known struct {
	Shape string `json:"s"`
	Rows  int64  `json:"r"`
	Size  int64  `json:"n"` // of its file
	Time  int64  `json:"t"` // of its file, in nanoseconds
	// Horizon of the state that was read: older than the point's for a table
	// that was taken over.
	Horizon int64 `json:"x"`
	// Moves are the rows the server counted as written. It counts late and
	// forgets in a crash, so that they prove nothing; but where they differ there
	// is nothing to be proved.
	Moves int64 `json:"w"`
}

const (
	proofPrefix = " t:"
	// halfRound of transactions is what numbers can be compared over; a part of
	// it is ample for a day.
	halfRound = 1 << 30
	// fullAfter is when a table is read again though it did not change.
	fullAfter = 24 * time.Hour
)

// headOf is the part of a marker that tells whether anything moved at all.
func headOf(m app.Marker) app.Marker {
	head, _, _ := strings.Cut(string(m), proofPrefix)
	return app.Marker(head)
}

func proofOf(m app.Marker) (p proof) {
	_, text, ok := strings.Cut(string(m), proofPrefix)
	if !ok {
		return proof{}
	}
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &p) != nil {
		return proof{}
	}
	return p
}

func (p proof) marker(head app.Marker) (app.Marker, error) {
	if p.Server == "" || len(p.Tables) == 0 {
		return head, nil
	}
	b, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("remember tables: %w", err)
	}
	return head + proofPrefix + app.Marker(base64.RawStdEncoding.EncodeToString(b)), nil
}

// readProof asks where the snapshot's transaction stands. It must be in the
// transaction. A standby has no proof.
func readProof(ctx context.Context, conn *pgx.Conn) (p proof, err error) {
	p.Tables = map[string]known{}
	if standby, err := one[bool](ctx, conn, "SELECT pg_catalog.pg_is_in_recovery()"); err != nil || standby {
		return p, err
	}
	err = conn.QueryRow(ctx, `
SELECT concat_ws(' ', EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time()), pg_catalog.version(),
    (SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_catalog.pg_stat_activity WHERE datid IS NULL AND usesysid IS NULL),
    (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())),
  pg_catalog.txid_snapshot_xmin(s), pg_catalog.txid_snapshot_xmax(s), pg_catalog.pg_current_wal_insert_lsn()::text
FROM pg_catalog.txid_current_snapshot() s`).Scan(&p.Server, &p.Horizon, &p.Next, &p.At)
	if err != nil {
		return p, fmt.Errorf("ask for the snapshot's horizon: %w", err)
	}
	return p, nil
}

// shapes describes the tables whose rows can be proved to be the same, by their
// number: what no change of the definition and no rewriting leaves as it was.
func shapes(ctx context.Context, conn *pgx.Conn) (map[uint32]string, error) {
	rows, err := conn.Query(ctx, `
SELECT c.oid, pg_catalog.pg_relation_filenode(c.oid)::text || ' ' || COALESCE(string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attisdropped, a.attgenerated, a.atthasmissing,
    (SELECT string_agg(e.oid || '=' || e.enumlabel, ',' ORDER BY e.oid) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)), '|' ORDER BY a.attnum), '')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'heap'
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relkind = 'r'
GROUP BY c.oid
HAVING bool_and(a.attnum IS NULL OR a.attisdropped OR t.typtype = 'e' OR t.oid < 16384 AND t.typtype IN ('b', 'r', 'm') AND t.typname !~ '^_?(reg|aclitem|money|pg_|record)')`)
	if err != nil {
		return nil, fmt.Errorf("describe tables: %w", err)
	}
	out := map[uint32]string{}
	for rows.Next() {
		var oid uint32
		var text string
		if err := rows.Scan(&oid, &text); err != nil {
			return nil, fmt.Errorf("describe tables: %w", err)
		}
		sum := sha256.Sum256([]byte(text))
		out[oid] = hex.EncodeToString(sum[:12])
	}
	return out, rows.Err()
}

// moves reads how many rows the server counted as written, by table.
func moves(ctx context.Context, conn *pgx.Conn) (map[uint32]int64, error) {
	rows, err := conn.Query(ctx, `
SELECT c.oid, pg_catalog.pg_stat_get_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_tuples_updated(c.oid) + pg_catalog.pg_stat_get_tuples_deleted(c.oid)
FROM pg_catalog.pg_class c WHERE c.relkind = 'r'`)
	if err != nil {
		return nil, fmt.Errorf("ask for written rows: %w", err)
	}
	out := map[uint32]int64{}
	for rows.Next() {
		var oid uint32
		var n *int64
		if err := rows.Scan(&oid, &n); err != nil {
			return nil, fmt.Errorf("ask for written rows: %w", err)
		}
		if n != nil {
			out[oid] = *n
		}
	}
	return out, rows.Err()
}

// unchanged finds the tables whose rows are those of the point that a marker is
// of, by the names of their files.
func (s *snapshot) unchanged(ctx context.Context, since app.Marker, now time.Time) (map[string]known, error) {
	old := proofOf(since)
	if s.proof.Server == "" || old.Server != s.proof.Server || old.Next > s.proof.Next || old.At == "" {
		return nil, nil
	}
	// A log that is shorter than it was is another one.
	forward, err := one[bool](ctx, s.conn, "SELECT "+literal(s.proof.At)+"::pg_lsn >= "+literal(old.At)+"::pg_lsn")
	if err != nil || !forward {
		return nil, err
	}
	var list []held
	for _, t := range s.tables {
		if k, ok := old.Tables[t.file]; ok && s.comparable(t, k, now) {
			list = append(list, held{t, k})
		}
	}
	return s.same(ctx, list)
}

// held is a table, and what is known of it.
type held struct {
	table
	known
}

// same finds the tables whose rows are what is known of them, the largest first:
// on the snapshot's connection, and beside it on one more.
func (s *snapshot) same(ctx context.Context, list []held) (map[string]known, error) {
	slices.SortStableFunc(list, func(a, b held) int { return cmp.Compare(b.Size, a.Size) })
	next := make(chan held, len(list))
	for _, h := range list {
		next <- h
	}
	close(next)
	var mu sync.Mutex
	kept := map[string]known{}
	keep := func(h held) {
		mu.Lock()
		defer mu.Unlock()
		kept[h.file] = h.known
	}
	ctx, stop := context.WithCancel(ctx)
	var second sync.WaitGroup
	defer second.Wait()
	defer stop()
	if len(list) > 1 {
		second.Go(func() { s.compareBeside(ctx, next, keep) })
	}
	for h := range next {
		same := false
		if err := s.spare(ctx, "compare rows", h.name, func() (err error) {
			same, err = sameRows(ctx, s.conn, h)
			return err
		}); err != nil {
			return nil, err
		}
		if same {
			keep(h)
		}
	}
	second.Wait()
	return kept, nil
}

// compareBeside compares tables on a connection of its own that sees the
// snapshot's state. What it can't compare is read like what changed. It waits for
// nobody who waits for a table that the snapshot holds.
func (s *snapshot) compareBeside(ctx context.Context, next <-chan held, keep func(held)) {
	conn, err := s.connect(ctx, s.database)
	if err != nil {
		return // a server that gives no more: the first does it all
	}
	defer s.let(ctx, conn)
	begin := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT " + literal(s.id) + "; SET LOCAL lock_timeout = 100"
	if err := perform(ctx, conn, begin); err != nil {
		s.c.log.Warn("Not answered", "connector", string(Kind), "step", "compare rows beside", "error", err)
		return
	}
	for h := range next {
		same, err := sameRows(ctx, conn, h)
		if err != nil {
			if ctx.Err() == nil {
				s.c.log.Warn("Not answered", "connector", string(Kind), "step", "compare rows beside", "table", h.name, "error", err)
			}
			return
		}
		if same {
			keep(h)
		}
	}
}

// comparable reports whether what is known of a table can be held against it.
func (s *snapshot) comparable(t table, k known, now time.Time) bool {
	age := now.Sub(time.Unix(0, k.Time))
	return k.Shape != "" && k.Shape == s.shapes[t.oid] && k.Moves == s.moves[t.oid] && t.condition == "" && !t.extension &&
		age >= 0 && age <= fullAfter && s.proof.Next-k.Horizon <= halfRound
}

// sameRows looks at every row's transaction.
func sameRows(ctx context.Context, conn *pgx.Conn, h held) (bool, error) {
	low := h.Horizon & (1<<32 - 1)
	if low < 3 {
		return false, nil // numbers below mean something else
	}
	var rows, newer int64
	horizon := strconv.FormatInt(low, 10)
	err := conn.QueryRow(ctx, "SELECT count(*), count(*) FILTER (WHERE pg_catalog.age(xmin) <= pg_catalog.age("+literal(horizon)+"::xid)) FROM ONLY "+h.sql()).Scan(&rows, &newer)
	if err != nil {
		return false, fmt.Errorf("look at the rows of %s: %w", h.sql(), err)
	}
	return newer == 0 && rows == h.Rows, nil
}

// remember makes the marker of a point from what was read of its tables. It is
// called after the last of them was.
func (cp *capture) remember(head app.Marker) (app.Marker, error) {
	p := cp.s.proof
	cp.mu.Lock()
	defer cp.mu.Unlock()
	p.Tables = map[string]known{}
	for _, t := range cp.s.tables {
		if k, ok := cp.kept[t.file]; ok {
			p.Tables[t.file] = k
			continue
		}
		size, read := cp.sizes[t.file]
		rows, counted := cp.stats[t.key()]
		if shape := cp.s.shapes[t.oid]; read && counted && shape != "" && t.condition == "" && !t.extension {
			p.Tables[t.file] = known{Shape: shape, Rows: rows, Size: size, Time: cp.now.UnixNano(), Horizon: p.Horizon, Moves: cp.s.moves[t.oid]}
		}
	}
	return p.marker(head)
}
