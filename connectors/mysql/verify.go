package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kvart/app"
)

// Codes of checks.
const (
	checkOpens       = "opens"
	checkIntegrity   = "integrity"
	checkRows        = "rows"
	checkFiles       = "files"
	checkDefinitions = "definitions"
)

// Verify implements [app.Restorer].
func (c *Connector) Verify(ctx context.Context, r app.Restore) (checks []app.Check, err error) {
	const op = "mysql: verify"
	j, err := c.job(r)
	if err != nil {
		return nil, err
	}
	defer func() {
		for i := range checks {
			checks[i].Source = r.Access.Source.Name
		}
	}()
	if j.dir != "" {
		return c.verifyDir(ctx, j)
	}
	s, err := c.dial(ctx, j.cfg)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	checks, err = c.verifyDatabase(ctx, s, j)
	return checks, j.cfg.codeOf(ctx, op, err)
}

func (c *Connector) verifyDatabase(ctx context.Context, s *session, j job) ([]app.Check, error) {
	_, _, ok, err := s.exists(ctx, j.cfg.database)
	if err != nil {
		return nil, err
	}
	if j.drop {
		check := app.Check{Code: checkOpens, OK: !ok, Detail: "no database", Seen: []app.Seen{{Code: app.SeenDatabaseGone}}}
		if ok {
			check.Detail, check.Seen = "the database is still there", []app.Seen{app.Named(app.SeenDatabaseLeft, j.cfg.database)}
		}
		return []app.Check{check}, nil
	}
	if !ok {
		return []app.Check{{Code: checkOpens, Detail: "no database " + j.cfg.database, Seen: []app.Seen{app.Named(app.SeenDatabaseMissing, j.cfg.database)}}}, nil
	}
	rows, err := s.compareRows(ctx, j.cfg.database, j)
	if err != nil {
		return nil, err
	}
	whole, err := s.checkTables(ctx, j)
	if err != nil {
		return nil, err
	}
	checks := []app.Check{{Code: checkOpens, OK: true, Detail: s.banner, Seen: []app.Seen{app.Named(app.SeenOpened, s.banner)}}, whole, rows}
	if !j.whole {
		return checks, nil
	}
	defs, err := s.compareDefinitions(ctx, j, fileRoutines, fileTriggers, fileViews, fileEvents)
	return append(checks, defs), err
}

// compareRows counts the tables of the job and compares with what was counted
// when the point was made: table by table, or where only the sum is known with
// that.
func (s *session) compareRows(ctx context.Context, db string, j job) (app.Check, error) {
	check := app.Check{Code: checkRows}
	var total int64
	var wrong []string
	counts, errs := make([]int64, len(j.tables)), make([]error, len(j.tables))
	if err := s.spread(ctx, j.tables, func(ctx context.Context, s *session, i int, name string) error {
		err := s.one(ctx, `SELECT COUNT(*) FROM `+quote(db)+`.`+quote(name), &counts[i])
		if err != nil && (ctx.Err() != nil || numberOf(err) == 0) {
			return err
		}
		errs[i] = err
		return nil
	}); err != nil {
		return app.Check{}, err
	}
	for i, name := range j.tables {
		want, counted := j.stats[statTable+name]
		switch {
		case errs[i] != nil:
			wrong = append(wrong, fmt.Sprintf("%s: %v", name, errs[i]))
			check.See(app.Named(app.SeenTablesUnread, name))
		case counted && counts[i] != want:
			wrong = append(wrong, fmt.Sprintf("%s: %s rows, %s expected", name, spaced(counts[i]), spaced(want)))
			check.See(app.RowsOff(name, counts[i], want))
		}
		total += counts[i]
	}
	if j.whole {
		for _, key := range slices.Sorted(maps.Keys(j.stats)) {
			if name, ok := strings.CutPrefix(key, statTable); ok && !slices.Contains(j.tables, name) {
				wrong = append(wrong, fmt.Sprintf("%s: missing, %s rows expected", name, spaced(j.stats[key])))
				check.See(app.Named(app.SeenTablesMissing, name))
			}
		}
		if total != j.about.Rows && len(wrong) == 0 {
			wrong = append(wrong, spaced(j.about.Rows)+" rows expected")
			check.See(app.RowsOff("", total, j.about.Rows))
		}
	}
	slices.Sort(wrong)
	detail := fmt.Sprintf("%d tables, %s rows", len(j.tables), spaced(total))
	check.OK, check.Detail = len(wrong) == 0, strings.Join(append([]string{detail}, wrong...), "; ")
	check.Counted = app.Counted{Tables: int64(len(j.tables)), Rows: total}
	return check, nil
}

// checkTables has the server look at every table and index.
func (s *session) checkTables(ctx context.Context, j job) (app.Check, error) {
	check := app.Check{Code: checkIntegrity, OK: true}
	found := make([][]string, len(j.tables))
	err := s.spread(ctx, j.tables, func(ctx context.Context, s *session, i int, name string) error {
		rows, err := s.rows(ctx, `CHECK TABLE `+quote(j.cfg.database)+`.`+quote(name))
		for _, r := range rows {
			switch kind := strings.ToLower(r.str("msg_type")); {
			case kind == "error", kind == "status" && r.str("msg_text") != "OK" && r.str("msg_text") != "Table is already up to date":
				found[i] = append(found[i], name+": "+r.str("msg_text"))
			}
		}
		return err
	})
	if err != nil {
		return check, err
	}
	for i, name := range j.tables {
		if len(found[i]) > 0 {
			check.See(app.Named(app.SeenTablesDamaged, name))
		}
	}
	wrong := slices.Concat(found...)
	check.OK = len(wrong) == 0
	check.Detail = strings.Join(append([]string{fmt.Sprintf("%d tables", len(j.tables))}, wrong...), "; ")
	check.Counted.Tables = int64(len(j.tables))
	return check, nil
}

// compareDefinitions looks whether everything that the point's files define is
// there, and tells what belongs to another account than before.
func (s *session) compareDefinitions(ctx context.Context, j job, files ...string) (app.Check, error) {
	check := app.Check{Code: checkDefinitions}
	v, err := s.survey(ctx, "mysql: verify")
	if err != nil {
		return check, err
	}
	owners := map[string]string{}
	for _, d := range v.defs {
		owners[d.kind+" "+d.name] = block{sql: d.sql}.definer()
	}
	var wrong []string
	var total, other int
	for _, path := range files {
		d, err := readDefined(j.from, path)
		if err != nil {
			return check, err
		}
		for _, b := range d.blocks {
			if b.broken {
				continue
			}
			total++
			now, ok := owners[b.kind+" "+b.name]
			switch {
			case !ok && !(b.kind == kindEvent && passed(b.sql)):
				wrong = append(wrong, b.kind+" "+b.name+" is missing")
				check.See(app.Named(app.SeenPartsMissing, b.name))
			case ok && now != b.definer():
				other++
			}
		}
	}
	if check.OK = len(wrong) == 0; check.OK {
		check.See(app.Seen{Code: app.SeenPartsRight, Count: int64(total)})
	}
	detail := fmt.Sprintf("%d views, routines, triggers and events", total)
	if other > 0 {
		check.See(app.Seen{Code: app.SeenPartsOwner, Count: int64(other)})
		detail += fmt.Sprintf("; %d belong to another account than before, since that one is missing here or can't be given to", other)
	}
	check.Detail = strings.Join(append([]string{detail}, wrong...), "; ")
	return check, nil
}

// passed reports whether an event is for one moment: such a one is not made
// when its moment has passed.
func passed(sql string) bool { return strings.Contains(sql, " ON SCHEDULE AT ") }

// spaced writes a number with its digits in groups of three.
func spaced(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// sameAsPoint dumps a database and compares the tables with the point's, byte
// by byte, and the rest by name.
func (c *Connector) sameAsPoint(ctx context.Context, s *session, j job) (same bool, err error) {
	v, err := s.survey(ctx, j.op)
	if err != nil {
		return false, err
	}
	if have := v.stored(false); j.whole && len(have) != len(j.tables) {
		return false, nil
	}
	if j.whole {
		defs, err := s.compareDefinitions(ctx, j, fileRoutines, fileTriggers, fileViews, fileEvents)
		if err != nil || !defs.OK {
			return false, err
		}
	}
	d, err := c.dump(ctx, s, v, nil)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, d.spool.Close()) }()
	for _, f := range j.files {
		if tableName(f.path) == "" {
			continue
		}
		at := slices.IndexFunc(d.spool.files, func(o spooled) bool { return o.path == f.path && o.size == f.size })
		if at < 0 {
			return false, nil
		}
		if same, err := sameBytes(j.from, f.path, func() (io.ReadCloser, error) { return d.spool.open(d.spool.files[at]) }); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

// sameBytes compares a file of the point with another.
func sameBytes(from fs.FS, path string, open func() (io.ReadCloser, error)) (same bool, err error) {
	a, err := from.Open(path)
	if err != nil {
		return false, fmt.Errorf("open %s in the point: %w", path, err)
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	b, err := open()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		if string(x[:n]) != string(y[:m]) {
			return false, nil
		}
		endA, endB := ended(errA), ended(errB)
		switch {
		case errA != nil && !endA:
			return false, fmt.Errorf("read %s in the point: %w", path, errA)
		case errB != nil && !endB:
			return false, fmt.Errorf("read %s: %w", path, errB)
		case endA || endB:
			return endA == endB, nil
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
