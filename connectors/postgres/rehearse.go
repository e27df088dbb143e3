package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// drillPrefix begins the names of throw-away databases.
const drillPrefix = "kvart_drill_"

// checkDrill says where a rehearsal took place.
const checkDrill = "rehearsed"

// Rehearse implements [app.Rehearser]. It restores to a throw-away database on
// the source's server. Where the user may not make one, a server of its own is
// started from the programs installed here, reachable for nobody else; where
// that can't be, the files are only read and their rows counted, and the check
// says so.
func (c *Connector) Rehearse(ctx context.Context, r app.Restore, tmp string, p app.Progress) (checks []app.Check, err error) {
	const op = "postgres: rehearse"
	r.Paths, r.Target = nil, app.Target{}
	j := &job{r: r, way: wayBeside, link: &link{c: c}}
	if j.about, err = readInfo(r.From); err != nil {
		return nil, err
	}
	if j.files, err = files(r.From); err != nil {
		return nil, err
	}
	defer func() {
		for i := range checks {
			checks[i].Source = r.Access.Source.Name
		}
	}()
	checks, why, err := j.onServer(ctx, p)
	if err != nil || checks != nil {
		return checks, j.codeOf(ctx, op, err)
	}
	checks, more, err := j.onOwnServer(ctx, tmp, p)
	if err != nil || checks != nil {
		return checks, j.codeOf(ctx, op, err)
	}
	return j.readOnly(ctx, why+"; "+more, p)
}

// onServer rehearses on the source's server; why says why it can't be.
func (j *job) onServer(ctx context.Context, p app.Progress) (checks []app.Check, why string, err error) {
	l, err := j.c.open(ctx, j.r.Access)
	if err != nil {
		return nil, "", err
	}
	defer l.close()
	j.link = l
	admin, err := l.maintain(ctx)
	switch state := sqlState(err); {
	case state == "42501" || state == "28000" || state == "3D000":
		return nil, "no other database of the server may be used", nil
	case err != nil:
		return nil, "", err
	}
	defer l.let(ctx, admin)
	can, err := readRights(ctx, admin, l.database)
	if err != nil {
		return nil, "", err
	}
	if !can.create {
		return nil, "the user may not create databases", nil
	}
	if server, version := major(admin); server < majorOf(j.about.Server) {
		return nil, "the server is older now: " + version, nil
	}
	if err := enterDrill(ctx, admin); err != nil {
		return nil, "", err
	}
	checks, err = j.drill(ctx, admin, app.SeenTriedBeside, []string{fileRoles, fileDatabase}, p)
	return checks, "", err
}

// drillLock is held by whoever has a throw-away database, as long as the
// session lasts: what is there while nobody holds it was left by one that was
// killed.
const drillLock = 0x6b766172742d6472

// enterDrill says that a throw-away database is about to be made, and removes
// those that were left, unless another guard has one at this moment.
func enterDrill(ctx context.Context, admin *pgx.Conn) error {
	alone, err := one[bool](ctx, admin, fmt.Sprintf("SELECT pg_catalog.pg_try_advisory_lock(%d)", drillLock))
	if err != nil {
		return fmt.Errorf("look for old rehearsals: %w", err)
	}
	if alone {
		if err := sweep(ctx, admin); err != nil {
			return err
		}
	}
	if err := perform(ctx, admin, fmt.Sprintf("SELECT pg_catalog.pg_advisory_lock_shared(%d)", drillLock)); err != nil || !alone {
		return err
	}
	return perform(ctx, admin, fmt.Sprintf("SELECT pg_catalog.pg_advisory_unlock(%d)", drillLock))
}

func sweep(ctx context.Context, admin *pgx.Conn) error {
	names, err := column[string](ctx, admin, "SELECT datname FROM pg_catalog.pg_database WHERE datname ~ '^"+drillPrefix+"[a-z2-7]{10}$' AND pg_catalog.pg_has_role(datdba, 'USAGE')")
	if err != nil {
		return fmt.Errorf("look for old rehearsals: %w", err)
	}
	for _, name := range names {
		if err := drop(ctx, admin, name); err != nil {
			return fmt.Errorf("remove an old rehearsal: %w", err)
		}
	}
	return nil
}

// drill restores into a throw-away database and looks at it, leaving files out
// that are about more than that database.
func (j *job) drill(ctx context.Context, admin *pgx.Conn, where app.SeenCode, skip []string, p app.Progress) (checks []app.Check, err error) {
	name := drillName()
	defer func() { err = errors.Join(err, j.takeAway(context.WithoutCancel(ctx), admin, name, err)) }()
	note, err := create(ctx, admin, name, j.about)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	j.c.step("created")
	checks, notes, err := j.loadInto(ctx, name, skip, p)
	if err != nil {
		return nil, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	contents, ok, err := j.contents(ctx, name)
	if err != nil {
		return nil, err
	}
	if ok {
		checks = append(checks, contents)
	}
	detail := "on the server, in a database of its own"
	if where == app.SeenTriedHere {
		detail = "on a server started for it"
	}
	checks = append(checks, app.Check{Code: checkDrill, OK: true, Detail: detail, Seen: []app.Seen{{Code: where}}})
	if len(notes) > 0 {
		// Owners and rights are the server's to give; the data needs none of them.
		checks = append(checks, app.Check{Code: checkRights, OK: true, Detail: fmt.Sprintf("%d not given: %s", len(notes), strings.Join(notes[:min(3, len(notes))], "; ")), Seen: []app.Seen{{Code: app.SeenRightsLeft, Count: int64(len(notes))}}})
	}
	return checks, nil
}

// readOnly reads every file to its end and counts, where there is no server to
// load them into.
func (j *job) readOnly(ctx context.Context, why string, p app.Progress) ([]app.Check, error) {
	rows := app.Check{Code: checkRows}
	var total, bytes int64
	var wrong []string
	counts := map[string]int64{}
	for _, f := range j.files {
		bytes += f.size
	}
	p.Expect(int64(len(j.files)), bytes)
	for _, f := range j.files {
		n, err := countRows(ctx, j.r.From, f.name, p)
		if ctx.Err() != nil {
			return nil, &app.Error{Code: app.CodeCanceled, Op: "postgres: rehearse", Err: ctx.Err()}
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", f.name, err))
			rows.See(app.Named(app.SeenBackupUnread, f.name))
		}
		if path.Dir(f.name) == dirData {
			c, err := copiedFrom(j.r.From, f.name)
			if err == nil {
				counts[statTable+fullName(c.schema, c.name)] = n
			}
		}
		total += n
		p.Done(1, 0)
	}
	for _, key := range slices.Sorted(maps.Keys(j.r.Stats)) {
		want := j.r.Stats[key]
		if name, ok := strings.CutPrefix(key, statTable); ok && counts[key] != want {
			wrong = append(wrong, fmt.Sprintf("%s: %s rows, %s expected", name, spaced(counts[key]), spaced(want)))
			rows.See(app.RowsOff(name, counts[key], want))
		}
	}
	detail := fmt.Sprintf("%d files read, %s rows", len(j.files), spaced(total))
	rows.OK, rows.Detail = len(wrong) == 0, strings.Join(append([]string{detail}, wrong...), "; ")
	rows.Counted = app.Counted{Rows: total}
	return []app.Check{rows, {
		Code: checkDrill, OK: true, Detail: "only read, not loaded into a server: " + why, Seen: []app.Seen{{Code: app.SeenTriedReading}},
	}}, nil
}
