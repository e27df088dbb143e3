package postgres

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// Codes of checks.
const (
	checkOpens     = "opens"
	checkRows      = "rows"
	checkSequences = "sequences"
	checkIntegrity = "integrity"
	checkFiles     = "files"
	checkRights    = "rights"
)

// expected is what a database is compared with.
type expected struct {
	stats app.Stats        // as captured
	rows  map[string]int64 // by file, as loaded; where there are no stats
	since bool             // every count was right when it took its place, and it has been used since
	brief bool             // no look into the indexes: it is in the middle of a transaction
	alone bool             // nobody else uses it: it is being made
	// looked reports that the indexes were looked into before the database took
	// its place.
	looked bool
}

func (e expected) of(t table) (int64, bool) {
	if n, ok := e.stats[t.key()]; ok {
		return n, true
	}
	if t.extension {
		return 0, false // the extension may have put rows of its own there
	}
	n, ok := e.rows[t.file]
	return n, ok
}

// missing yields the tables that were not seen, in order, and how many rows each
// is to have.
func (e expected) missing(seen map[string]bool) iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for _, key := range slices.Sorted(maps.Keys(e.stats)) {
			if name, ok := strings.CutPrefix(key, statTable); ok && !seen[key] && !yield(name, e.stats[key]) {
				return
			}
		}
		for _, name := range slices.Sorted(maps.Keys(e.rows)) {
			if !seen[name] && !yield(name, e.rows[name]) {
				return
			}
		}
	}
}

// Verify implements [app.Restorer]. When all is well the database that was
// there before, and was kept until now, is dropped.
func (c *Connector) Verify(ctx context.Context, r app.Restore) ([]app.Check, error) {
	var checks []app.Check
	var err error
	if r.Target.Dir != "" {
		checks, err = verifyFolder(ctx, r)
	} else {
		checks, err = c.verify(ctx, r)
	}
	for i := range checks {
		checks[i].Source = r.Access.Source.Name
	}
	return checks, err
}

func (c *Connector) verify(ctx context.Context, r app.Restore) (checks []app.Check, err error) {
	j, admin, err := c.job(ctx, r)
	if err != nil {
		return nil, err
	}
	defer j.link.close()
	defer j.let(ctx, admin)
	defer func() { err = j.codeOf(ctx, "postgres: verify", err) }()
	if j.way == wayRemove {
		check := app.Check{Code: checkFiles, OK: !j.rights.exists, Detail: j.name, Seen: []app.Seen{{Code: app.SeenDatabaseGone}}}
		if !check.OK {
			check.Seen = []app.Seen{app.Named(app.SeenDatabaseLeft, j.name)}
		}
		return []app.Check{check}, nil
	}
	have, _, err := marked(ctx, admin, j.name)
	if err != nil {
		return nil, err
	}
	conn, err := j.connect(ctx, j.name)
	if known := app.AsError(err); err != nil && ctx.Err() == nil {
		return []app.Check{{Code: checkOpens, Detail: known.Error(), Seen: []app.Seen{{Code: app.SeenDatabaseShut}}}}, nil
	} else if err != nil {
		return nil, err
	}
	defer j.let(ctx, conn)
	if j.way == wayTables {
		return j.verifyTables(ctx, conn)
	}
	want, err := j.expect(ctx, have)
	if err != nil {
		return nil, err
	}
	if checks, err = j.inspect(ctx, conn, want); err != nil {
		return nil, err
	}
	if !r.Target.Original() || have != j.mark || slices.ContainsFunc(checks, func(c app.Check) bool { return !c.OK }) {
		return checks, nil
	}
	if j.way == wayBeside {
		if err := drop(ctx, admin, beside(j.name, suffixOld)); err != nil {
			return checks, err
		}
	}
	return checks, mark(ctx, admin, j.name, "")
}

// expect is what a database that bears a mark is to be. One restored under
// another name bears it for good, and is counted each time.
func (j *job) expect(ctx context.Context, mark string) (want expected, err error) {
	ours := mark == j.mark
	want = expected{stats: j.r.Stats, since: ours && j.r.Target.Original()}
	if _, looked := j.c.looked.Load(mark); looked && ours && j.way == wayBeside {
		want.looked = true
	}
	if j.r.Stats == nil && !want.since {
		want.rows, err = j.countFiles(ctx)
	}
	return want, err
}

// countFiles counts the rows in the point itself.
func (j *job) countFiles(ctx context.Context) (map[string]int64, error) {
	rows := map[string]int64{}
	for _, f := range j.files {
		if !strings.HasPrefix(f.name, dirData+"/") {
			continue
		}
		n, err := countRows(ctx, j.r.From, f.name, nowhere{})
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", f.name, err)
		}
		rows[f.name] = n
	}
	return rows, nil
}

// nowhere is progress that nobody looks at.
type nowhere struct{}

func (nowhere) Expect(int64, int64) {}
func (nowhere) Done(int64, int64)   {}

// inspect looks at a database that was restored.
func (j *job) inspect(ctx context.Context, conn *pgx.Conn, want expected) ([]app.Check, error) {
	_, version := major(conn)
	encoding := conn.PgConn().ParameterStatus("server_encoding")
	opens := app.Check{Code: checkOpens, OK: encoding == j.about.Encoding, Detail: "PostgreSQL " + version + ", " + encoding}
	opens.See(app.Named(app.SeenOpened, "PostgreSQL "+version))
	if !opens.OK {
		opens.See(app.Named(app.SeenEncodingOther, encoding))
		opens.Detail += ", " + j.about.Encoding + " expected"
	}
	rows, integrity, err := j.survey(ctx, conn, want)
	if err != nil {
		return nil, err
	}
	seqs, err := j.compareSequences(ctx, conn, want)
	if err != nil {
		return nil, err
	}
	return []app.Check{opens, rows, seqs, integrity}, nil
}

// countedBefore is the check of rows that were counted before the database took
// its place, which its mark proves: it is set when every count is right. What
// the shop's programs wrote since is no fault of the restore, but the tables are
// to be there.
func countedBefore(list []table, want expected) app.Check {
	check := app.Check{Code: checkRows, OK: true, Counted: app.Counted{Tables: int64(len(list))}}
	seen := map[string]bool{}
	for _, t := range list {
		seen[t.key()] = true
		check.Counted.Rows += want.stats[t.key()]
	}
	check.Detail = fmt.Sprintf("%d tables, %s rows; counted before the switch", len(list), spaced(check.Counted.Rows))
	check.See(app.Seen{Code: app.SeenRowsBefore})
	if gone := maps.Collect(want.missing(seen)); len(gone) > 0 {
		check.OK, check.Seen = false, nil
		for _, name := range slices.Sorted(maps.Keys(gone)) {
			check.Detail += "; " + name + ": missing, " + spaced(gone[name]) + " rows expected"
			check.See(app.Named(app.SeenTablesMissing, name))
		}
	}
	return check
}

// compareRows compares the counts of tables.
func compareRows(list []table, counts map[uint32]tally, want expected) app.Check {
	check := app.Check{Code: checkRows, OK: true}
	var total int64
	var wrong []string
	seen := map[string]bool{}
	for _, t := range list {
		seen[t.key()], seen[t.file] = true, true
		n, err := counts[t.oid].rows, counts[t.oid].err
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", fullName(t.schema, t.name), err))
			check.See(app.Named(app.SeenTablesUnread, fullName(t.schema, t.name)))
			continue
		}
		if expect, ok := want.of(t); ok && n != expect {
			wrong = append(wrong, fmt.Sprintf("%s: %s rows, %s expected", fullName(t.schema, t.name), spaced(n), spaced(expect)))
			check.See(app.RowsOff(fullName(t.schema, t.name), n, expect))
		}
		total += n
	}
	check.Detail = fmt.Sprintf("%d tables, %s rows", len(list), spaced(total))
	check.Counted = app.Counted{Tables: int64(len(list)), Rows: total}
	for name, n := range want.missing(seen) {
		wrong = append(wrong, fmt.Sprintf("%s: missing, %s rows expected", name, spaced(n)))
		check.See(app.Named(app.SeenTablesMissing, name))
	}
	slices.Sort(wrong)
	check.OK, check.Detail = len(wrong) == 0, strings.Join(append([]string{check.Detail}, wrong...), "; ")
	return check
}

// compareSequences compares where sequences stand with the point, whose
// statements are the ones this package would write.
func (j *job) compareSequences(ctx context.Context, conn *pgx.Conn, want expected) (app.Check, error) {
	raw, err := fs.ReadFile(j.r.From, fileSequences)
	if err != nil {
		return app.Check{}, fmt.Errorf("read the point's sequences: %w", err)
	}
	list, err := sequences(ctx, conn)
	if err != nil {
		return app.Check{}, err
	}
	have := map[string]bool{}
	for _, s := range list {
		have[strings.TrimSpace(s.setval())] = true
	}
	count := 0
	var behind app.Check
	var wrong []string
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "SELECT pg_catalog.setval(") {
			count++
			if !have[line] {
				wrong = append(wrong, display(strings.TrimPrefix(line, "SELECT pg_catalog.")))
				behind.See(app.Named(app.SeenNumbersBehind, sequenceOf(line)))
			}
		}
	}
	check := app.Check{Code: checkSequences, OK: len(wrong) == 0 || want.since, Detail: fmt.Sprintf("%d sequences", count)}
	switch {
	case len(wrong) == 0:
		check.See(app.Seen{Code: app.SeenNumbersRight, Count: int64(count)})
	case want.since:
		check.Detail += fmt.Sprintf("; all right before the switch, %d used since", len(wrong))
		check.See(app.Seen{Code: app.SeenNumbersSince, Count: int64(len(wrong))})
	default:
		check.Detail += "; not " + strings.Join(wrong, "; not ")
		check.Seen = behind.Seen
	}
	return check, nil
}

// sequenceOf is the name of the sequence that a statement sets, for people.
func sequenceOf(statement string) string {
	_, name, _ := strings.Cut(statement, "'")
	name, _, _ = strings.Cut(name, "', ")
	return strings.TrimPrefix(strings.ReplaceAll(display(name), `"`, ""), "public.")
}

// spaced writes a number with its digits in groups of three.
func spaced(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
