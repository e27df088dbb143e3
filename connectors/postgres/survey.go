package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// look is one thing a server is asked about a database, which takes as long as
// reading a table or an index does.
type look struct {
	relation uint32 // the table or index; 0 for all of them
	do       func(context.Context, *pgx.Conn) error
}

// survey has the server count the rows and look into the indexes, over several
// connections where it gives them.
func (j *job) survey(ctx context.Context, conn *pgx.Conn, want expected) (rows, integrity app.Check, err error) {
	in, err := askIndexes(ctx, conn, want)
	if err != nil {
		return rows, integrity, err
	}
	work := in.work
	counts := counts{of: map[uint32]tally{}}
	list, err := tables(ctx, conn)
	if err != nil {
		return rows, integrity, errors.Join(err, in.end(ctx, conn))
	}
	if !want.since {
		for _, t := range list {
			work = append(work, look{t.oid, func(ctx context.Context, conn *pgx.Conn) error { return counts.take(ctx, conn, t) }})
		}
	}
	if err = j.lookInto(ctx, conn, want, work); err == nil {
		if want.since {
			rows = countedBefore(list, want)
		} else {
			rows = compareRows(list, counts.of, want)
		}
	}
	err = errors.Join(err, in.end(ctx, conn))
	return rows, in.found(want), err
}

// lookInto asks everything, of the largest tables and indexes first, so that no
// long answer is waited for alone.
func (j *job) lookInto(ctx context.Context, conn *pgx.Conn, want expected, work []look) error {
	conns := []*pgx.Conn{conn}
	for !want.brief && len(conns) < min(mostHands, runtime.GOMAXPROCS(0), len(work)) {
		more, err := j.connect(ctx, conn.Config().Database)
		if err != nil {
			break // a server that gives no more is asked over those it gave
		}
		defer j.let(ctx, more)
		conns = append(conns, more)
	}
	if len(conns) > 1 {
		order, err := column[uint32](ctx, conn, `SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'i') AND `+ownSchemas+` ORDER BY pg_catalog.pg_relation_size(c.oid)`)
		if err != nil {
			return fmt.Errorf("compare sizes: %w", err)
		}
		rank := map[uint32]int{0: len(order)}
		for i, oid := range order {
			rank[oid] = i
		}
		slices.SortStableFunc(work, func(a, b look) int { return cmp.Compare(rank[b.relation], rank[a.relation]) })
	}
	return each(ctx, conns, work, func(ctx context.Context, conn *pgx.Conn, l look) error { return l.do(ctx, conn) })
}

// tally is how many rows a table has, or why that can't be told.
type tally struct {
	rows int64
	err  error
}

// counts are taken side by side.
type counts struct {
	mu sync.Mutex
	of map[uint32]tally
}

func (c *counts) take(ctx context.Context, conn *pgx.Conn, t table) error {
	n, err := one[int64](ctx, conn, "SELECT count(*) FROM ONLY "+t.sql())
	if err != nil && (ctx.Err() != nil || conn.IsClosed()) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[t.oid] = tally{n, err}
	return nil
}
