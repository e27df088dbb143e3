package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/tool"
)

// loader pipes SQL into the vendor's client program.
type loader struct {
	c       *Connector
	s       *session
	program tool.Program
	as      *identity
}

func (c *Connector) loader(ctx context.Context, s *session) (*loader, error) {
	p, err := c.program(ctx, s, roleLoad())
	if err != nil {
		return nil, err
	}
	as, err := s.identity(ctx)
	if err != nil {
		return nil, err
	}
	return &loader{c: c, s: s, program: p, as: as}, nil
}

// run loads SQL into a database. It ends at the first statement that fails.
func (l *loader) run(ctx context.Context, db string, sql io.Reader) (err error) {
	cmd, remove, err := l.s.command(l.program, l.c.temp(), nil, "--binary-mode", "--comments", "--batch", "--database="+db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	source := &source{r: io.MultiReader(strings.NewReader(l.c.waitAtMost()+";\n"), sql)}
	cmd.Stdin, cmd.Stdout = source, io.Discard
	err = tool.Run(ctx, cmd)
	if source.err != nil {
		// The program takes what it got for all there is.
		return source.err
	}
	return err
}

// source remembers why a reading failed: the program only sees an end.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// header is what every loading begins with.
func (l *loader) header(j job) (string, error) {
	var b strings.Builder
	f, err := j.from.Open(fileDatabase)
	if err != nil {
		return "", fmt.Errorf("open %s in the point: %w", fileDatabase, err)
	}
	_, err = io.Copy(&b, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read %s in the point: %w", fileDatabase, err)
	}
	if !j.whole {
		// The database's character set is not the tables'.
		return regexp.MustCompile(`(?m)^ALTER DATABASE .*$`).ReplaceAllString(b.String(), ""), nil
	}
	return b.String(), nil
}

// filesInTurn reads files of a point one after the other, each opened when its turn
// comes.
type filesInTurn struct {
	ctx   context.Context
	j     job
	p     app.Progress
	paths []string
	edit  func(line []byte) []byte // of tables' definitions; nil leaves all as it is
	late  bool                     // indexes come after the rows
	now   io.Reader
	file  io.Closer
}

func (s *filesInTurn) Read(b []byte) (int, error) {
	for {
		if err := s.ctx.Err(); err != nil {
			return 0, &app.Error{Code: app.CodeCanceled, Op: s.j.op, Err: err}
		}
		if s.now == nil {
			if len(s.paths) == 0 {
				return 0, io.EOF
			}
			if err := s.open(); err != nil {
				return 0, err
			}
		}
		n, err := s.now.Read(b)
		s.p.Done(0, int64(n))
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		s.now = nil
		s.p.Done(1, 0)
		if err := s.Close(); err != nil || n > 0 {
			return n, err
		}
	}
}

func (s *filesInTurn) open() error {
	path := s.paths[0]
	s.paths = s.paths[1:]
	f, err := s.j.from.Open(path)
	if err != nil {
		return fmt.Errorf("open %s in the point: %w", path, err)
	}
	s.now, s.file = f, f
	if s.edit != nil && tableName(path) != "" {
		s.now = edited(f, s.edit)
	}
	if name := tableName(path); s.late && name != "" {
		s.now = indexesLast(s.now, name)
	}
	return nil
}

func (s *filesInTurn) Close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// definitions loads a file of definitions; keep says which of them, nil
// meaning all.
func (l *loader) definitions(ctx context.Context, db string, j job, path string, enable bool, keep func(block) bool) error {
	d, err := readDefined(j.from, path)
	if err != nil || len(d.blocks) == 0 {
		return err
	}
	var kept []block
	for _, b := range d.blocks {
		if keep != nil && !keep(b) {
			continue
		}
		if l.as.replaces(b.definer()) {
			l.c.log.Info("Definition made our own", "connector", string(Kind), "kind", b.kind, "name", b.name, "was", b.definer())
			b.disown()
		}
		if b.kind == kindView {
			b.sql = moved(b.sql, j.about.Database, db)
		}
		kept = append(kept, b)
	}
	if d.blocks = kept; len(kept) == 0 {
		return nil
	}
	return l.run(ctx, db, strings.NewReader(settled+d.text(enable)))
}

// identity says who we are to the server, and for whom we may speak.
type identity struct {
	account string
	any     bool            // may make things that belong to others
	known   map[string]bool // accounts; nil when we may not know
}

func (s *session) identity(ctx context.Context) (*identity, error) {
	as := &identity{}
	if err := s.one(ctx, `SELECT CURRENT_USER()`, &as.account); err != nil {
		return nil, err
	}
	g, err := s.grants(ctx)
	if err != nil {
		return nil, err
	}
	for _, right := range []string{"SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER"} {
		as.any = as.any || g.has(right, "")
	}
	accounts, err := s.column(ctx, `SELECT CONCAT(User, '@', Host) FROM mysql.user`)
	switch numberOf(err) {
	case errTableDenied, errDBDenied, errColumnDenied:
		return as, nil
	}
	if err != nil {
		return nil, err
	}
	as.known = map[string]bool{}
	for _, a := range accounts {
		as.known[a] = true
	}
	return as, nil
}

// replaces reports whether what belongs to an account is to be ours instead:
// because we may not give it away, or because there is no such account here,
// and whatever calls it would fail.
func (as *identity) replaces(definer string) bool {
	if definer == "" || definer == as.account {
		return false
	}
	return !as.any || as.known != nil && strings.Contains(definer, "@") && !as.known[definer]
}
