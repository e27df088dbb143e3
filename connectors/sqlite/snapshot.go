package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"kvart/app"
	"kvart/connectors/internal/rawfile"
	"kvart/connectors/internal/volume"
)

// snapshot is one consistent state of a database as a file that can be read
// raw, for as long as it is not closed.
//
// How it stays consistent. The raw descriptor is opened before the SQLite
// transaction and closed after it, and [rawfile.Keeper] keeps everybody else
// in the process from closing one meanwhile; so the locks below hold.
//
// In rollback mode (DELETE, TRUNCATE, PERSIST, MEMORY) the transaction holds
// SQLite's SHARED lock. A writer needs EXCLUSIVE to touch the main file, so the
// file stands still, complete and without a hot journal: SQLite rolled one
// back before it gave the lock.
//
// In WAL mode nobody is locked out, and the main file holds our state only
// when every frame of it has been copied there and no later frame can be.
// A passive checkpoint comes first; then our connection begins to read and
// thereby puts up a read mark at frame N; then a second connection makes
// another passive checkpoint and must answer busy=0 and log = checkpointed.
//   - busy=0: it held the checkpoint lock, so no other checkpointer that began
//     before our mark is still writing to the main file.
//   - checkpointed never passes a mark that is held. With our mark at N > 0,
//     "all of the log is checkpointed" can be answered only when the log ends
//     at N: a commit after our begin makes log > N >= checkpointed. From then
//     on a checkpointer finds nothing to do up to N and may not go beyond it;
//     and the log can't be restarted, since that needs our mark's lock.
//   - When the log was fully checkpointed as we began, SQLite gives us mark 0:
//     "reads the main file alone". A writer may then restart the log and write
//     frames from the beginning, but to copy any frame a checkpointer needs
//     mark 0's lock for itself, which we hold. If a restart slips in before
//     the second checkpoint, that answers log = k, checkpointed = 0, and we
//     try again; an empty log answers 0 = 0 and the main file is everything.
//   - The main file is never shorter than our state: a checkpoint that
//     completes the log sets its length, and the next needs a later frame.
//
// What the transaction saw of page 1 is compared with the file after the last
// byte was read, so that a lock lost for a reason nobody thought of fails the
// capture instead of saving torn pages.
type snapshot struct {
	file     *rawfile.File
	conn     *conn // of the file, or of a copy of it
	size     int64
	pageSize int
	wal      bool
	head     header
	mtime    time.Time
	anew     func() (*rawfile.File, error) // opens a file on a share again; else nil
	cleanup  []func() error                // in the order they are to run
}

// Close gives up the transaction at once. It may be called twice.
func (s *snapshot) Close() error {
	cleanup := s.cleanup
	s.cleanup = nil
	return closing(nil, cleanup...)
}

// snapshot begins to read. The till is locked out from here on, in rollback
// mode, until the snapshot is closed.
func (c *Connector) snapshot(ctx context.Context, file string) (s *snapshot, err error) {
	s = &snapshot{}
	defer func() {
		if err != nil {
			err = closing(err, s.Close)
			s = nil
		}
	}()
	if c.remote(file) {
		st, err := c.state(file)
		if err != nil {
			return s, err
		}
		if st.head.wal() {
			return s, c.byHand(ctx, file, s)
		}
		s.anew = s.reopen(c, file)
	}
	release, err := c.files.Hold(file)
	if err != nil {
		return s, err
	}
	s.cleanup = []func() error{release}
	if s.file, err = c.files.Open(file); err != nil {
		return s, err
	}
	s.cleanup = []func() error{s.file.Close, release}
	err = c.patiently(ctx, func() error {
		if s.conn, err = open(ctx, file, readWrite); err != nil {
			return err
		}
		if err := c.begin(ctx, file, s); err != nil {
			return closing(err, s.conn.Close)
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	s.cleanup = append([]func() error{s.conn.Close}, s.cleanup...)
	if err := s.sameFile(file); err != nil {
		return s, err
	}
	if s.head, err = readHeader(s.file, s.size); err != nil {
		return s, err
	}
	if fi, e := s.file.Stat(); e == nil {
		s.mtime = fi.ModTime()
	}
	err = c.settle(ctx, file, s)
	return s, err
}

// byHand makes a snapshot of a database in WAL mode that must not be opened
// where it lies: its files are copied, and the log is moved into the copy.
func (c *Connector) byHand(ctx context.Context, file string, s *snapshot) error {
	copied, err := c.copyStill(ctx, file)
	if err != nil {
		return err
	}
	s.wal = true
	s.cleanup = []func() error{copied.Close}
	name := copied.parts[0].copy
	if s.conn, err = open(ctx, name, readWrite); err != nil {
		return err
	}
	err = s.measure(ctx)
	if err == nil {
		var done bool
		if done, err = checkpoint(ctx, s.conn); err == nil && !done {
			err = app.Errorf(app.CodeSourceDamaged, "sqlite: read by hand", "the log of %s can't be moved into its copy", file)
		}
	}
	if err = closing(err, s.conn.Close); err != nil {
		return err
	}
	return s.use(ctx, c, name, copied.Close)
}

// begin starts the transaction and reads what size the database has in it.
func (c *Connector) begin(ctx context.Context, file string, s *snapshot) error {
	var mode string
	if err := s.conn.one(ctx, `PRAGMA journal_mode`, &mode); err != nil {
		return err
	}
	s.wal = mode == "wal"
	if s.wal {
		if _, err := checkpoint(ctx, s.conn); err != nil && !unwritable(err) {
			return err
		}
	}
	if err := s.conn.exec(ctx, `BEGIN`); err != nil {
		return err
	}
	return s.measure(ctx)
}

// measure reads the schema, which fixes the transaction's view, and the size.
func (s *snapshot) measure(ctx context.Context) error {
	var objects, pages int64
	if err := s.conn.one(ctx, `SELECT count(*) FROM sqlite_schema`, &objects); err != nil {
		return err
	}
	if err := s.conn.one(ctx, `PRAGMA page_count`, &pages); err != nil {
		return err
	}
	if err := s.conn.one(ctx, `PRAGMA page_size`, &s.pageSize); err != nil {
		return err
	}
	s.size = pages * int64(s.pageSize)
	return nil
}

// sameFile makes sure that the raw descriptor and SQLite look at one file, and
// not one each of before and after it was replaced.
func (s *snapshot) sameFile(file string) error {
	byName, err := os.Stat(file)
	if err != nil {
		return err
	}
	raw, err := s.file.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(byName, raw) {
		return app.Errorf(app.CodeItemChanged, "sqlite: capture", "%s was replaced while it was opened", file)
	}
	return nil
}

// settle makes the main file hold the whole of the transaction's state, or
// copies the state to a file that does.
func (c *Connector) settle(ctx context.Context, file string, s *snapshot) error {
	if !s.wal {
		return nil
	}
	var second *conn
	err := c.patiently(ctx, func() (err error) {
		second, err = open(ctx, file, readWrite)
		return err
	})
	if err != nil {
		return err
	}
	for range c.tries {
		done, err := checkpoint(ctx, second)
		if unwritable(err) {
			break // only reading is allowed here
		}
		if err != nil && !locked(err) {
			return closing(err, second.Close)
		}
		if done {
			if err := second.Close(); err != nil {
				return err
			}
			s.head, err = readHeader(s.file, s.size)
			return err
		}
		if err := nap(ctx, 5*time.Millisecond); err != nil {
			return closing(err, second.Close)
		}
		if err := s.again(ctx); err != nil {
			return closing(err, second.Close)
		}
	}
	if err := second.Close(); err != nil {
		return err
	}
	c.log.Info("Database too busy to be read in place", "connector", string(Kind), "path", file)
	return c.copyOut(ctx, s)
}

// again begins a new transaction right after a checkpoint.
func (s *snapshot) again(ctx context.Context) error {
	if err := s.conn.exec(ctx, `ROLLBACK`); err != nil {
		return err
	}
	if _, err := checkpoint(ctx, s.conn); err != nil {
		return err
	}
	if err := s.conn.exec(ctx, `BEGIN`); err != nil {
		return err
	}
	return s.measure(ctx)
}

// checkpoint runs a passive checkpoint, which waits for nobody, and reports
// whether all of the log is in the main file and nobody else is copying.
func checkpoint(ctx context.Context, db *conn) (bool, error) {
	var busy, log, done int64
	if err := db.one(ctx, `PRAGMA wal_checkpoint(PASSIVE)`, &busy, &log, &done); err != nil {
		return false, fmt.Errorf("checkpoint: %w", err)
	}
	return busy == 0 && log >= 0 && log == done, nil
}

// read is the reader over a snapshot.
type read struct {
	snap *snapshot
	ctx  context.Context // of the Open it belongs to
	off  int64
	done func() error
	err  error // what Close is to say
}

// lockByte is where SQLite places its locks. The page it lies in holds no data,
// and on Windows reading it while the till holds a lock fails.
const lockByte = 1 << 30

// Read implements [io.Reader].
func (r *read) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	left := r.snap.size - r.off
	if left <= 0 {
		return 0, r.finish()
	}
	if int64(len(b)) > left {
		b = b[:left]
	}
	if n := r.lockPage(b); n != 0 {
		if n > 0 {
			clear(b[:n])
			r.off += int64(n)
			return n, nil
		}
		b = b[:-n]
	}
	n, err := r.snap.file.ReadAt(b, r.off)
	r.off += int64(n)
	if n > 0 {
		err = nil
	}
	if err != nil {
		return n, codeOf(r.ctx, "sqlite: read", r.snap.file.Name(), shorter(err))
	}
	return n, nil
}

// lockPage tells how the next read meets the page of the lock byte: n > 0 when
// the next n bytes lie in it, n < 0 when it begins after -n bytes of b, 0 when
// it is not met.
func (r *read) lockPage(b []byte) int {
	page := int64(r.snap.pageSize)
	from := int64(lockByte) / page * page
	switch end := r.off + int64(len(b)); {
	case end <= from || r.off >= from+page:
		return 0
	case r.off < from:
		return -int(from - r.off)
	default:
		return int(min(end, from+page) - r.off)
	}
}

// Close implements [io.Closer]: the till goes on at once.
func (r *read) Close() error {
	if r.done == nil {
		return nil
	}
	done := r.done
	r.done = nil
	return closing(r.err, done)
}

// finish compares page 1 with what it was when the transaction began, once
// every byte was read, and answers [io.EOF] when all is well.
func (r *read) finish() error {
	if r.err == nil && r.snap.size > 0 {
		now, err := readHeader(r.snap.file, r.snap.size)
		switch {
		case err != nil:
			r.err = codeOf(r.ctx, "sqlite: read", r.snap.file.Name(), err)
		case now != r.snap.head:
			r.err = app.Errorf(app.CodeItemChanged, "sqlite: read", "the database was written under the lock")
		default:
			r.err = r.snap.unmoved()
		}
	}
	if r.err != nil {
		return r.err
	}
	return io.EOF
}

func (s *snapshot) reopen(c *Connector, file string) func() (*rawfile.File, error) {
	return func() (*rawfile.File, error) { return c.files.Open(file) }
}

// unmoved looks anew at a file on a share, since a share's locks may lie: every
// commit moves the first page and the file's time.
func (s *snapshot) unmoved() (err error) {
	const op = "sqlite: read"
	if s.anew == nil {
		return nil
	}
	name := s.file.Name()
	anew, err := s.anew() // opened anew it is what the server has
	if err != nil {
		return volume.Error(op, name, err)
	}
	defer func() { err = closing(err, anew.Close) }()
	fi, err := anew.Stat()
	if err != nil {
		return volume.Error(op, name, err)
	}
	now, err := readHeader(anew, fi.Size())
	if err != nil {
		return volume.Error(op, name, err)
	}
	if now != s.head || fi.Size() < s.size || !fi.ModTime().Equal(s.mtime) {
		return app.Errorf(app.CodeItemChanged, op, "%s was written though it was locked: its share doesn't keep locks", name)
	}
	return nil
}

// shorter names a database file that ends before its last page.
func shorter(err error) error {
	if errors.Is(err, io.EOF) {
		return app.Errorf(app.CodeSourceDamaged, "sqlite: read", "the file ends before its last page")
	}
	return err
}
