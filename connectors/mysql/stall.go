package mysql

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"kvart/app"
)

// watched is a dump's output that knows since when it has been waited for.
type watched struct {
	r     io.Reader
	since atomic.Int64 // Unix nanoseconds; 0 while nobody waits
}

func (w *watched) Read(b []byte) (int, error) {
	w.since.Store(time.Now().UnixNano())
	defer w.since.Store(0)
	return w.r.Read(b)
}

func (w *watched) waiting() time.Duration {
	if at := w.since.Load(); at > 0 {
		return time.Since(time.Unix(0, at))
	}
	return 0
}

// watch ends a dump that waits for a table somebody has locked: most of the
// vendors' programs can't be told for how long to wait, and the server's own
// limit is a day. Whether it is a lock that keeps the dump, the server is
// asked: a large table may just be slow. The function returned ends the watch
// and tells what it found.
func (c *Connector) watch(ctx context.Context, s *session, out *watched, end context.CancelFunc) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	long := max(c.lockWait, time.Second)
	var g errgroup.Group
	g.Go(func() error {
		tick := time.NewTicker(long / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			if out.waiting() < long {
				continue
			}
			if held, err := s.held(ctx, long); err == nil && held != "" {
				end()
				return app.Errorf(app.CodeSourceLocked, "mysql: dump", "%s for %s", held, long).With("path", s.cfg.database)
			}
		}
	})
	return func() error {
		cancel()
		return g.Wait()
	}
}

// held returns what a session of the own user in the database waits for so
// long, "" for no lock.
func (s *session) held(ctx context.Context, long time.Duration) (string, error) {
	rows, err := s.rows(ctx, `SELECT STATE AS st FROM information_schema.PROCESSLIST
		WHERE DB = ? AND USER = SUBSTRING_INDEX(USER(), '@', 1) AND ID <> CONNECTION_ID() AND STATE LIKE 'Waiting for %lock' AND TIME >= ?`, s.cfg.database, int(long.Seconds()))
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0].str("st"), nil
}
