package mysql

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"kvart/app"
)

// What the package's comment promises of tables that are taken over lies here.

// fullAfter is when a table is dumped again though it did not change.
const fullAfter = 24 * time.Hour

// known is what a marker remembers of a table that its point holds.
type known struct {
	Seen    string `json:"s"`           // its state then; a change moves it
	Size    int64  `json:"n"`           // of its file
	Time    int64  `json:"t"`           // of its file, in nanoseconds
	Rows    int64  `json:"r"`           //
	Longest int64  `json:"l,omitempty"` // statement
}

// memory of a point's tables, as its marker ends with.
type tableMemory struct {
	Server string           `json:"v"` // what all states depend on
	Tables map[string]known `json:"t"`
}

// remembers adds the tables of a point to its marker. What is not remembered
// is dumped again the next time.
func remembers(m app.Marker, mem tableMemory) (app.Marker, error) {
	if m == "" || mem.Server == "" || len(mem.Tables) == 0 {
		return m, nil
	}
	b, err := json.Marshal(mem)
	if err != nil {
		return "", fmt.Errorf("remember tables: %w", err)
	}
	return m + app.Marker(" "+base64.RawStdEncoding.EncodeToString(b)), nil
}

// remembered is the reverse; a marker that holds nothing, or nothing that can
// be read, remembers no table.
func remembered(m app.Marker) (mem tableMemory) {
	f := strings.Fields(string(m))
	if len(f) != 4 {
		return tableMemory{}
	}
	b, err := base64.RawStdEncoding.DecodeString(f[3])
	if err != nil || json.Unmarshal(b, &mem) != nil {
		return tableMemory{}
	}
	return mem
}

// headOf is the part of a marker that tells whether anything moved at all.
func headOf(m app.Marker) app.Marker {
	f := strings.Fields(string(m))
	return app.Marker(strings.Join(f[:min(len(f), 3)], " "))
}

// states tell of every table what a change of its rows moves.
type states struct {
	server string
	seen   map[string]string
	// settled are the tables of which no transaction that is under way can come
	// to leave the same state behind.
	settled map[string]bool
}

// unchanged returns the tables whose rows are what a marker remembers.
func (st states) unchanged(since app.Marker, now time.Time) map[string]known {
	mem := remembered(since)
	kept := map[string]known{}
	if st.server == "" || mem.Server != st.server {
		return kept
	}
	for name, k := range mem.Tables {
		age := now.Sub(time.Unix(0, k.Time))
		if k.Seen != "" && st.seen[name] == k.Seen && age >= 0 && age < fullAfter {
			kept[name] = k
		}
	}
	return kept
}

// hold reports whether tables are still what they were known as.
func (st states) hold(server string, kept map[string]known) bool {
	for name, k := range kept {
		if st.server != server || st.seen[name] != k.Seen {
			return false
		}
	}
	return true
}

// plainName is a name that InnoDB's own lists write as it is.
var plainName = regexp.MustCompile(`^[0-9A-Za-z_]+$`)

// states reads the state of every table; none where the user may not see what
// transactions are under way (right PROCESS).
func (s *session) states(ctx context.Context, v survey) (st states, err error) {
	st = states{seen: map[string]string{}, settled: map[string]bool{}}
	g, err := s.grants(ctx)
	if err != nil || !g.has("PROCESS", "") || !plainName.MatchString(s.cfg.database) {
		return st, err
	}
	// Times without summer's: no two moments of the server look the same.
	if err := s.exec(ctx, `SET SESSION time_zone = '+00:00'`); err != nil {
		return st, err
	}
	st, err = s.readStates(ctx, v, st)
	if zerr := s.exec(ctx, `SET SESSION time_zone = DEFAULT`); zerr != nil {
		err = errors.Join(err, zerr)
	}
	switch numberOf(err) {
	case errNeedRight, errTableDenied, errNoTable:
		return states{}, nil // a server that tells less than others
	}
	return st, err
}

func (s *session) readStates(ctx context.Context, v survey, st states) (states, error) {
	started, err := s.started(ctx)
	if err != nil || started == "" {
		return st, err
	}
	defined, structure, err := s.definedSince(ctx)
	if err != nil {
		return st, err
	}
	ids, all, cached, err := s.tableIDs(ctx)
	if err != nil {
		return st, err
	}
	rows, err := s.rows(ctx, `SELECT TABLE_NAME AS n, UNIX_TIMESTAMP(UPDATE_TIME) AS u, UNIX_TIMESTAMP() AS w, AUTO_INCREMENT AS a, CREATE_OPTIONS AS o
		FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND ENGINE = 'InnoDB'`, s.cfg.database)
	if err != nil {
		return st, err
	}
	// After the times: one that commits in between is either seen here or newer.
	oldest, err := s.oldestTransaction(ctx)
	if err != nil {
		return st, err
	}
	st.server = strings.Join([]string{s.banner, started, structure}, " ")
	created := map[string]string{}
	for _, t := range v.tables {
		created[t.name] = t.created
	}
	for _, r := range rows {
		name := r.str("n")
		id := ids[name]
		if id == "" || strings.Contains(r.str("o"), "partitioned") {
			continue
		}
		state := fmt.Sprintf("%s %s %s ", id, strings.ReplaceAll(created[name], " ", "T"), r.str("a"))
		switch {
		case !r.nulls["u"]:
			st.seen[name] = state + r.str("u")
			st.settled[name] = r.int("w")-r.int("u") > 2 && (oldest == 0 || oldest > r.int("u"))
		case s.maria && all < cached:
			// Nobody wrote to it since the server knows it. It may forget a table,
			// and what it knew of it, when there are many, or when one is defined.
			st.seen[name], st.settled[name] = state+"untouched "+defined, true
		}
	}
	return st, nil
}

// definedSince counts the statements since the server started that define
// tables or make it forget what it knows of them: all, and those that change a
// table in its place.
func (s *session) definedSince(ctx context.Context) (all, structure string, err error) {
	rows, err := s.rows(ctx, `SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_alter_table', 'Com_create_index', 'Com_drop_index', 'Com_create_table', 'Com_drop_table',
		'Com_drop_db', 'Com_rename_table', 'Com_truncate', 'Com_optimize', 'Com_repair', 'Com_flush', 'Uptime', 'Uptime_since_flush_status')`)
	if err != nil {
		return "", "", err
	}
	var up, counted int64
	for _, r := range rows {
		word := r.first + "=" + r.str("value") + ","
		switch strings.ToLower(r.first) {
		case "uptime":
			up = r.int("value")
		case "uptime_since_flush_status":
			counted = r.int("value")
		case "com_alter_table", "com_create_index", "com_drop_index":
			structure += word
			all += word
		default:
			all += word
		}
	}
	// FLUSH STATUS begins to count anew.
	since := strconv.FormatInt(up-counted, 10)
	return all + since, structure + since, nil
}

// tableIDs returns the numbers of the database's tables, which are new ones
// after TRUNCATE and whatever else makes a table anew, how many tables the server
// has in all, and how many it keeps known.
func (s *session) tableIDs(ctx context.Context) (ids map[string]string, all, cached int64, err error) {
	from := "INNODB_SYS_TABLES"
	if !s.maria && s.atLeast("8.0") {
		from = "INNODB_TABLES"
	}
	rows, err := s.rows(ctx, `SELECT TABLE_ID AS i, NAME AS n FROM information_schema.`+from)
	if err != nil {
		return nil, 0, 0, err
	}
	ids = map[string]string{}
	for _, r := range rows {
		if name, ok := strings.CutPrefix(r.str("n"), s.cfg.database+"/"); ok && plainName.MatchString(name) {
			ids[name] = r.str("i")
		}
	}
	err = s.one(ctx, `SELECT @@table_definition_cache`, &cached)
	return ids, int64(len(rows)), cached, err
}

// oldestTransaction returns when the oldest transaction under way began, 0 when
// there is none.
func (s *session) oldestTransaction(ctx context.Context) (int64, error) {
	rows, err := s.rows(ctx, `SELECT FLOOR(UNIX_TIMESTAMP(MIN(trx_started))) AS t FROM information_schema.INNODB_TRX`)
	if err != nil || len(rows) != 1 || rows[0].nulls["t"] {
		return 0, err
	}
	return max(rows[0].int("t"), 1), nil
}

// remember makes the memory of a dump: of the tables dumped those that were
// settled before it began, and of those taken over what was known of them.
func (d *dumped) remember(before states) tableMemory {
	mem := tableMemory{Server: before.server, Tables: map[string]known{}}
	for _, f := range d.spool.files {
		name := tableName(f.path)
		if name == "" || d.damaged[name] != nil || !before.settled[name] {
			continue
		}
		mem.Tables[name] = known{Seen: before.seen[name], Size: f.size, Time: d.at.UnixNano(), Rows: d.rows[name], Longest: d.longest}
	}
	for name, k := range d.kept {
		mem.Tables[name] = k
	}
	return mem
}

// openKept dumps a table that was to be taken over, for a vault that has it no
// more. It must still be what it was: the rest of the point is older.
func (c *Connector) openKept(ctx context.Context, cfg config, server, name string, k known) (_ io.ReadCloser, err error) {
	const op = "mysql: open"
	s, err := c.dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = cfg.codeOf(ctx, op, err) }()
	one := map[string]known{name: k}
	v, err := s.survey(ctx, op)
	if err != nil {
		return nil, err
	}
	others := map[string]known{}
	for _, t := range v.stored(false) {
		if t != name {
			others[t] = known{}
		}
	}
	d, err := c.dump(ctx, s, v, others)
	if err != nil {
		return nil, err
	}
	st, err := s.states(ctx, v)
	if err == nil && !st.hold(server, one) {
		err = app.Errorf(app.CodeItemChanged, op, "table %q changed while the backup was stored", name).With("path", tableFile(name))
	}
	for _, f := range d.spool.files {
		if err == nil && tableName(f.path) == name {
			r, oerr := d.spool.open(f)
			if oerr == nil {
				return &keptReader{r, d.spool}, nil
			}
			err = oerr
		}
	}
	if err == nil {
		err = errDefinitions
	}
	return nil, errors.Join(err, d.spool.Close())
}

// keptReader takes the spool away that it reads from.
type keptReader struct {
	io.ReadCloser
	spool *spool
}

func (r *keptReader) Close() error { return errors.Join(r.ReadCloser.Close(), r.spool.Close()) }

// keptItem is a table that did not change since the point it was dumped for.
func (c *Connector) keptItem(cfg config, server, name string, k known) app.Item {
	return app.Item{
		Path: tableFile(name), Size: k.Size, ModTime: time.Unix(0, k.Time), Mode: 0o600, Rolling: true,
		Open: func(ctx context.Context) (io.ReadCloser, error) { return c.openKept(ctx, cfg, server, name, k) },
	}
}
