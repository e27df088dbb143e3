package mysql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"kvart/connectors/internal/tool"
)

// about is what a point says of itself, in the first line of its first file.
type about struct {
	Version  int    `json:"version"`
	Database string `json:"database"`
	Server   string `json:"server"`
	MariaDB  bool   `json:"mariadb"`
	// Longest is the longest statement in bytes: a server must take it.
	Longest int64 `json:"longest"`
	Rows    int64 `json:"rows"`
}

const aboutMark = "-- kvart "

// dumped is a whole dump.
type dumped struct {
	spool   *spool
	rows    map[string]int64
	newest  int64 // order's number; 0 when none is known
	longest int64
	damaged map[string]error // tables that could not be read, with why
	kept    map[string]known // tables that did not change since an earlier point
	server  string           // that the tables kept are known of
	cfg     config
	at      time.Time
}

// drop gives a dump up, if there is one.
func (d *dumped) drop() error {
	if d == nil {
		return nil
	}
	return d.spool.Close()
}

// bytes counts what the point holds.
func (d *dumped) bytes() int64 {
	n := d.spool.bytes()
	for _, k := range d.kept {
		n += k.Size
	}
	return n
}

// maxLine is how long the lines of a dump get, at most: longer ones load
// faster.
const maxLine = 16 << 20

// dumpArgs are the arguments every dump is made with. What only one of the
// vendors' programs knows is "loose". Without locks: under LOCK TABLES a table
// whose default is a sequence's next number can't be loaded.
func (s *session) dumpArgs(line int64) []string {
	return []string{
		"--single-transaction", "--quick", "--skip-lock-tables", "--skip-dump-date", "--hex-blob", "--tz-utc",
		"--skip-triggers", "--no-tablespaces", "--comments", "--quote-names", "--create-options", "--extended-insert",
		"--add-drop-table", "--skip-add-locks", "--disable-keys", "--set-charset", "--default-character-set=utf8mb4",
		fmt.Sprintf("--net-buffer-length=%d", line), "--loose-set-gtid-purged=OFF", "--loose-column-statistics=0", s.cfg.database,
	}
}

// line returns how long lines may get so that this server also takes them
// back.
func (s *session) line(ctx context.Context) (int64, error) {
	var packet int64
	if err := s.one(ctx, `SELECT @@max_allowed_packet`, &packet); err != nil {
		return 0, err
	}
	return max(min(maxLine, packet-packet/16), 16<<10), nil
}

// dump dumps the tables, but those kept, into a spool. A table that turns out to be damaged is
// left out, and the rest dumped again without it: one transaction is all or
// nothing.
func (c *Connector) dump(ctx context.Context, s *session, v survey, kept map[string]known) (*dumped, error) {
	p, err := c.program(ctx, s, roleDump())
	if err != nil {
		return nil, err
	}
	d := &dumped{damaged: map[string]error{}, kept: kept, cfg: s.cfg, at: time.Now()}
	for _, t := range v.tables {
		if t.broken {
			d.damaged[t.name] = errors.New(t.comment)
		}
	}
	for {
		err := c.dumpOnce(ctx, s, v, p, d)
		if err == nil {
			return d, nil
		}
		name := damagedTable(err, v)
		if name == "" || d.damaged[name] != nil || ctx.Err() != nil {
			return nil, err
		}
		c.log.Warn("Table can't be read", "connector", string(Kind), "database", s.cfg.database, "table", name, "error", err)
		d.damaged[name] = err
	}
}

func (c *Connector) dumpOnce(ctx context.Context, s *session, v survey, p tool.Program, d *dumped) (err error) {
	ignore := slices.Collect(maps.Keys(d.damaged))
	for _, t := range v.tables {
		if t.view() {
			ignore = append(ignore, t.name)
		}
	}
	ignore = slices.AppendSeq(ignore, maps.Keys(d.kept))
	slices.Sort(ignore)
	line, err := s.line(ctx)
	if err != nil {
		return err
	}
	if d.spool, err = newSpool(c.temp()); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.spool.Close())
		}
	}()
	cmd, remove, err := s.command(p, d.spool.dir, ignore, s.dumpArgs(line)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	ctx, end := context.WithCancel(ctx)
	defer end()
	out, err := tool.Stream(ctx, cmd, tool.EndsWith("-- Dump completed", nil))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := &watched{r: out}
	stop := c.watch(ctx, s, w, end)
	header := &memory{}
	d.rows, d.longest, err = split(w, func(p part) (io.WriteCloser, error) {
		switch {
		case p == part{}:
			return header, nil
		case p.table:
			return d.spool.create(tableFile(p.name))
		case p.name == partSequences:
			return d.spool.create(fileSequences)
		}
		return d.spool.create(fileEnd)
	})
	if held := stop(); held != nil {
		return held
	}
	if err != nil {
		// A program that failed left its dump without an end: that it failed
		// is what is to be told.
		if _, rest := io.Copy(io.Discard, out); rest != nil {
			err = rest
		}
		return err
	}
	for name, k := range d.kept {
		d.rows[name] = k.Rows
		d.longest = max(d.longest, k.Longest)
	}
	if err := d.complete(v); err != nil {
		return err
	}
	return d.describe(s, v, header.b)
}

// memory is a part small enough to be kept.
type memory struct{ b []byte }

func (m *memory) Write(b []byte) (int, error) { m.b = append(m.b, b...); return len(b), nil }
func (m *memory) Close() error                { return nil }

// complete makes sure that the dump holds every table there is, and no other.
func (d *dumped) complete(v survey) error {
	want := v.stored(false)
	for _, name := range want {
		if _, ok := d.rows[name]; !ok && d.damaged[name] == nil {
			return fmt.Errorf("the dump lacks table %q: %w", name, errDefinitions)
		}
	}
	for name := range d.rows {
		if !slices.Contains(want, name) {
			return fmt.Errorf("the dump holds %q, which is no table: %w", name, errDefinitions)
		}
	}
	return nil
}

// errDefinitions is a dump during which the tables changed.
var errDefinitions = errors.New("definitions changed during the dump")

// describe adds what is not in the program's own dump.
func (d *dumped) describe(s *session, v survey, header []byte) error {
	a := about{Version: 1, Database: s.cfg.database, Server: s.banner, MariaDB: s.maria, Longest: d.longest}
	for _, n := range d.rows {
		a.Rows += n
	}
	mark, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("describe the dump: %w", err)
	}
	first := fmt.Sprintf("%s%s\n%s\nALTER DATABASE CHARACTER SET %s COLLATE %s;\n", aboutMark, mark, header, v.charset, v.collation)
	if err := d.spool.put(fileDatabase, []byte(first)); err != nil {
		return err
	}
	written := v.written()
	for _, path := range slices.Sorted(maps.Keys(written)) {
		if err := d.spool.put(path, written[path]); err != nil {
			return err
		}
	}
	slices.SortFunc(d.spool.files, func(a, b spooled) int { return strings.Compare(a.path, b.path) })
	return nil
}

// damagedTable returns the table a dump failed at for damage that was there
// before, "" when it failed for something else.
func damagedTable(err error, v survey) string {
	var exit *tool.ExitError
	if !errors.As(err, &exit) || !damaging(numberIn(exit.Stderr)) {
		return ""
	}
	for _, p := range []string{
		"when dumping table `(.+?)` at row", "when using LOCK TABLES on `(.+?)`", "'(?i:show create table) `(.+?)`'", "FROM `(.+?)`'", "[Tt]able '(?:[^']*[./])?([^'./]+)'",
	} {
		for _, m := range regexp.MustCompile(p).FindAllStringSubmatch(exit.Stderr, -1) {
			if name := strings.ReplaceAll(m[1], "``", "`"); slices.ContainsFunc(v.tables, func(t table) bool { return t.name == name && !t.view() }) {
				return name
			}
		}
	}
	return ""
}
