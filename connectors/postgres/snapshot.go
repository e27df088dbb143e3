package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"kvart/app"
	"kvart/connectors/internal/tool"
	"kvart/connectors/internal/volume"
)

// snapshot is one state of a database, held by a transaction.
type snapshot struct {
	*link
	conn     *pgx.Conn // everything but the schema is read through it
	encoding string
	server   int
	version  string
	id       string // for other sessions
	tables   []table
	seqs     []sequence
	objects  []uint32
	proof    proof             // of which tables are what they were
	shapes   map[uint32]string // of tables that can be proved so
	moves    map[uint32]int64
	dumper   tool.Program // for the schema
	dir      string       // of the schema's files
	spared   bool         // a savepoint for questions is set

	turn chan struct{} // one reading at a time: it is one connection

	mu      sync.Mutex
	reading *pump
	closed  bool
}

// lockChunk tables are locked by one statement.
const lockChunk = 200

// errMoved reports that the tables changed while they were being locked.
var errMoved = errors.New("the tables changed meanwhile")

// snapshot takes one state of the database, whose schema is yet to be described.
// The link is the snapshot's from then on, also when it fails.
func (l *link) snapshot(ctx context.Context) (*snapshot, error) {
	s := &snapshot{link: l, turn: make(chan struct{}, 1)}
	err := s.take(ctx)
	if err != nil {
		return nil, closing(err, func() error { return s.close(ctx) })
	}
	return s, nil
}

func (s *snapshot) take(ctx context.Context) (err error) {
	if s.conn, err = s.connect(ctx, s.database); err != nil {
		return err
	}
	s.encoding = s.conn.PgConn().ParameterStatus("server_encoding")
	s.server, s.version = major(s.conn)
	if s.dumper, err = s.program(ctx, s.version); err != nil {
		return err
	}
	for try := 0; ; try++ {
		err := s.freeze(ctx)
		if err == nil {
			return nil
		}
		if state := sqlState(err); try == 4 || !errors.Is(err, errMoved) && state != "42P01" && state != "3F000" {
			return s.explain(ctx, err)
		}
		if err := perform(ctx, s.conn, "ROLLBACK"); err != nil {
			return err
		}
	}
}

// freeze locks the tables and then takes the snapshot: in the other order one
// that is emptied or rewritten in between would be captured as empty, without
// any error.
func (s *snapshot) freeze(ctx context.Context) error {
	before, err := tables(ctx, s.conn)
	if err != nil {
		return err
	}
	if err := s.mayRead(ctx, s.conn, before); err != nil {
		return err
	}
	begin := fmt.Sprintf("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TimeZone = 'UTC'; SET LOCAL lock_timeout = %d", s.c.lockWait.Milliseconds())
	if err := perform(ctx, s.conn, begin); err != nil {
		return err
	}
	for from := 0; from < len(before); from += lockChunk {
		var names []string
		for _, t := range before[from:min(from+lockChunk, len(before))] {
			names = append(names, t.sql())
		}
		if err := perform(ctx, s.conn, "LOCK TABLE ONLY "+strings.Join(names, ", ONLY ")+" IN ACCESS SHARE MODE"); err != nil {
			return fmt.Errorf("lock tables: %w", err)
		}
	}
	if s.id, err = one[string](ctx, s.conn, "SELECT pg_catalog.pg_export_snapshot()"); err != nil {
		return fmt.Errorf("export snapshot: %w", err)
	}
	if s.tables, err = tables(ctx, s.conn); err != nil {
		return err
	}
	if !sameTables(before, s.tables) {
		return errMoved
	}
	if s.objects, err = column[uint32](ctx, s.conn, "SELECT oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid"); err != nil {
		return fmt.Errorf("list large objects: %w", err)
	}
	if s.seqs, err = sequences(ctx, s.conn); err != nil {
		return err
	}
	if s.proof, err = readProof(ctx, s.conn); err != nil {
		return err
	}
	if s.moves, err = moves(ctx, s.conn); err != nil {
		return err
	}
	s.shapes, err = shapes(ctx, s.conn)
	return err
}

// spare asks something in the snapshot's transaction that a point can do without,
// such as what an index says that may be damaged. What fails is logged and undone:
// the transaction, and with it the state, goes on. The error is that of ctx, or
// of the connection.
func (s *snapshot) spare(ctx context.Context, what, table string, ask func() error) error {
	if !s.spared { // one is enough: nothing that is read is lost by going back to it
		if err := perform(ctx, s.conn, "SAVEPOINT kvart"); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		s.spared = true
	}
	err := ask()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || s.conn.IsClosed() {
		return err
	}
	s.c.log.Warn("Not answered", "connector", string(Kind), "step", what, "table", table, "error", err)
	if err := perform(ctx, s.conn, "ROLLBACK TO SAVEPOINT kvart"); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// explain names the table that somebody has locked.
func (s *snapshot) explain(ctx context.Context, err error) error {
	coded := s.codeOf(ctx, "postgres: capture", err)
	known := app.AsError(coded)
	if errors.Is(err, errMoved) {
		return s.fail(app.CodeSourceAltered, "postgres: capture", err)
	}
	if known.Code != app.CodeSourceLocked {
		return coded
	}
	brief, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := s.connect(brief, s.database)
	if err != nil {
		return coded
	}
	defer s.let(ctx, conn)
	name, err := one[string](brief, conn, `
SELECT l.relation::regclass::text FROM pg_catalog.pg_locks l
WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.relation >= 16384 ORDER BY l.granted DESC LIMIT 1`)
	if err == nil && name != "" {
		_ = known.With("table", display(name))
	}
	return coded
}

// describe lets pg_dump write the schema down. It happens at once: somebody
// who waits for a table we hold would make pg_dump wait behind him later.
func (s *snapshot) describe(ctx context.Context) (err error) {
	if s.dir, err = s.c.tempDir(); err != nil {
		return err
	}
	pass, remove, err := s.passfile(s.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	g, ctx := errgroup.WithContext(ctx)
	for file, section := range map[string]string{fileSchema: "pre-data", fileAfter: "post-data"} {
		g.Go(func() error { return s.describePart(ctx, pass, file, section) })
	}
	return g.Wait()
}

// describePart writes one of the schema's files.
func (s *snapshot) describePart(ctx context.Context, pass, file, section string) error {
	err := s.dump(ctx, s.dumper, s.database, pass, filepath.Join(s.dir, file), s.server,
		"--snapshot="+s.id, "--section="+section, fmt.Sprintf("--lock-wait-timeout=%d", s.c.lockWait.Milliseconds()))
	var local *fs.PathError
	if errors.As(err, &local) && ctx.Err() == nil {
		return tempError(s.dir, err)
	}
	return s.codeOf(ctx, "postgres: dump schema", err)
}

// tempError is a failure to write a temporary file on this computer.
func tempError(dir string, err error) error {
	const op = "postgres: dump schema"
	coded := volume.TargetError(op, dir, err)
	if app.CodeOf(coded) == app.CodeTargetFull {
		return (&app.Error{Code: app.CodeTempFull, Op: op, Err: err}).With("path", dir)
	}
	return coded
}

// enter waits until nobody reads and makes p the one who does.
func (s *snapshot) enter(ctx context.Context, p *pump) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.free = func() { <-s.turn }
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		p.free()
		return app.Errorf(app.CodeUsage, "postgres: read", "the capture is closed")
	}
	s.reading = p
	return nil
}

// close lets the state go and ends a reading that is still under way. It may
// be called twice.
func (s *snapshot) close(ctx context.Context) error {
	s.mu.Lock()
	closed, reading := s.closed, s.reading
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	if reading != nil {
		if err := reading.Close(); err != nil {
			return err
		}
	}
	if s.conn != nil {
		s.let(ctx, s.conn)
	}
	s.link.close()
	if s.dir == "" {
		return nil
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("remove the schema's files: %w", err)
	}
	return nil
}
