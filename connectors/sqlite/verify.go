package sqlite

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kvart/app"
)

// Codes of checks.
const (
	checkOpens     = "opens"
	checkIntegrity = "integrity"
	checkRows      = "rows"
	checkFiles     = "files"
	checkSealed    = "encrypted"
)

// Verify implements [app.Restorer].
func (c *Connector) Verify(ctx context.Context, r app.Restore) ([]app.Check, error) {
	if tables(r.Paths) != nil {
		return c.verifyTables(r)
	}
	j, err := c.job(r)
	if err != nil {
		return nil, err
	}
	if r.Raw {
		return c.verifyRaw(ctx, r, j)
	}
	var checks []app.Check
	for _, u := range j.units {
		var more []app.Check
		if u.sealed {
			more, err = c.verifySealed(ctx, r, u)
		} else {
			more, err = c.verifyDatabase(ctx, r, u, len(j.units) == 1)
		}
		if ctx.Err() != nil {
			return nil, codeOf(ctx, "sqlite: verify", u.file, ctx.Err())
		}
		if err != nil {
			return nil, err
		}
		for _, check := range more {
			check.Source = r.Access.Source.Name
			if len(j.units) > 1 {
				check.Part = filepath.Base(u.file)
				check.Detail = check.Part + ": " + check.Detail
			}
			checks = append(checks, check)
		}
	}
	return checks, nil
}

// verifySealed compares the files of a database under encryption with the
// point's: more can't be known of it.
func (c *Connector) verifySealed(ctx context.Context, r app.Restore, u unit) ([]app.Check, error) {
	checks, err := c.verifyRaw(ctx, r, job{units: []unit{u}})
	return append(checks, app.Check{
		Code: checkSealed, OK: true, Seen: []app.Seen{{Code: app.SeenSealed}},
		Detail: "locked with a password of its own: compared byte by byte, not looked into",
	}), err
}

func (c *Connector) verifyDatabase(ctx context.Context, r app.Restore, u unit, alone bool) (checks []app.Check, err error) {
	failed := func(err error) []app.Check {
		return []app.Check{{Code: checkOpens, Detail: err.Error(), Seen: []app.Seen{{Code: app.SeenDatabaseShut}}}}
	}
	st, err := c.state(u.file)
	if err != nil {
		return failed(err), nil
	}
	stats := statsOf(r.Stats, u.name)
	want := u.places[0].size
	if n, ok := r.Stats[statBytes]; ok && alone {
		want = n
	}
	// Without a WAL that holds something nothing may be left beside the file.
	mode := readOnly
	if st.head.wal() && st.walSize == 0 {
		mode = immutable
	}
	release, err := c.files.Hold(u.file)
	if err != nil {
		return failed(err), nil
	}
	defer func() { err = closing(err, release) }()
	var db *conn
	err = c.patiently(ctx, func() (err error) {
		db, err = open(ctx, u.file, mode)
		return err
	})
	if err != nil {
		return failed(err), nil
	}
	defer func() { err = closing(err, db.Close) }()
	names, err := db.tables(ctx, "main")
	if err != nil {
		return failed(err), nil
	}
	opens := app.Check{Code: checkOpens, OK: st.size == want, Detail: spaced(st.size) + " bytes", Counted: app.Counted{Bytes: st.size}}
	if !opens.OK {
		opens.See(app.Seen{Code: app.SeenSizeOther, Count: st.size, Of: want})
		opens.Detail += ", " + spaced(want) + " expected"
	}
	return []app.Check{opens, db.integrity(ctx, stats), db.compareRows(ctx, names, stats)}, nil
}

// integrity reads every page of the database.
func (c *conn) integrity(ctx context.Context, stats app.Stats) app.Check {
	check := app.Check{Code: checkIntegrity}
	// An index leads to its rows anywhere in the file: with SQLite's usual 2 MB
	// nearly each of them would be read from the disk by itself.
	err := c.exec(ctx, `PRAGMA cache_size = -131072`)
	var found []string
	if err == nil {
		found, err = c.column(ctx, `PRAGMA integrity_check(10)`)
	}
	switch {
	case err != nil:
		check.Detail = err.Error()
	case len(found) == 1 && found[0] == "ok":
		check.OK, check.Detail = true, "ok"
	default:
		check.Detail = strings.Join(found, "; ")
	}
	if !check.OK {
		check.See(app.Seen{Code: app.SeenDatabaseDamaged})
	}
	if !check.OK && stats[app.StatDamaged] > 0 {
		check.See(app.Seen{Code: app.SeenDamagedBefore})
		check.Detail = "damaged already when it was backed up: " + check.Detail
	}
	return check
}

// compareRows counts every table and compares with what was counted when the
// database was captured, as far as that went.
func (c *conn) compareRows(ctx context.Context, names []string, stats app.Stats) app.Check {
	check := app.Check{Code: checkRows}
	var total int64
	var wrong []string
	for _, name := range names {
		n, err := c.rows(ctx, "main", name)
		want, counted := stats[statTable+name]
		switch {
		case err != nil && (counted || damaged(err)):
			wrong = append(wrong, fmt.Sprintf("%s: %v", name, err))
			check.See(app.Named(app.SeenTablesUnread, name))
		case counted && n != want:
			wrong = append(wrong, fmt.Sprintf("%s: %s rows, %s expected", name, spaced(n), spaced(want)))
			check.See(app.RowsOff(name, n, want))
		}
		total += n
	}
	for _, key := range slices.Sorted(maps.Keys(stats)) {
		if name, ok := strings.CutPrefix(key, statTable); ok && !slices.Contains(names, name) {
			wrong = append(wrong, fmt.Sprintf("%s: missing, %s rows expected", name, spaced(stats[key])))
			check.See(app.Named(app.SeenTablesMissing, name))
		}
	}
	slices.Sort(wrong)
	detail := fmt.Sprintf("%d tables, %s rows", len(names), spaced(total))
	check.OK, check.Detail = len(wrong) == 0, strings.Join(append([]string{detail}, wrong...), "; ")
	check.Counted = app.Counted{Tables: int64(len(names)), Rows: total}
	return check
}

// spaced writes a number with its digits in groups of three.
func spaced(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// verifyRaw compares the files with the safety point's, byte by byte: whether
// they make a healthy database is not for an undo to say.
func (c *Connector) verifyRaw(ctx context.Context, r app.Restore, j job) ([]app.Check, error) {
	check := app.Check{Source: r.Access.Source.Name, Code: checkFiles, OK: true}
	var details []string
	for _, pl := range j.places() {
		same, err := c.sameContent(ctx, r.From, pl)
		if ctx.Err() != nil {
			return nil, codeOf(ctx, "sqlite: verify", pl.to, ctx.Err())
		}
		switch {
		case err != nil:
			check.OK = false
			check.See(app.Named(app.SeenFilesUnread, filepath.Base(pl.to)))
			details = append(details, err.Error())
		case !same:
			check.OK = false
			check.See(app.Named(app.SeenFilesDiffer, filepath.Base(pl.to)))
			details = append(details, filepath.Base(pl.to)+" differs")
		}
	}
	for _, u := range j.units {
		if !u.remove {
			continue
		}
		if gone, err := absent(u.file); err != nil || !gone {
			check.OK = false
			check.See(app.Named(app.SeenFilesLeft, filepath.Base(u.file)))
			details = append(details, filepath.Base(u.file)+" is still there")
		}
	}
	details = append([]string{fmt.Sprintf("%d files, %s bytes", len(j.places()), spaced(j.bytes()))}, details...)
	check.Detail = strings.Join(details, "; ")
	check.Counted = app.Counted{Files: int64(len(j.places())), Bytes: j.bytes()}
	return []app.Check{check}, nil
}

func (c *Connector) verifyTables(r app.Restore) ([]app.Check, error) {
	check := app.Check{Source: r.Access.Source.Name, Code: checkFiles, OK: true}
	var total int64
	var missing []string
	for _, name := range r.Paths {
		fi, err := os.Stat(filepath.Join(r.Target.Dir, filepath.Base(filepath.FromSlash(name))))
		if err != nil || fi.Size() == 0 {
			check.OK = false
			check.See(app.Named(app.SeenFilesMissing, name))
			missing = append(missing, name+" is missing")
			continue
		}
		total += fi.Size()
	}
	detail := fmt.Sprintf("%d files, %s bytes", len(r.Paths)-len(missing), spaced(total))
	check.Detail = strings.Join(append([]string{detail}, missing...), "; ")
	check.Counted = app.Counted{Files: int64(len(r.Paths) - len(missing)), Bytes: total}
	return []app.Check{check}, nil
}
