package postgres

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// Plan implements [app.Restorer]. For a database it counts tables.
func (c *Connector) Plan(ctx context.Context, r app.Restore) (app.TargetPlan, error) {
	if r.Target.Dir != "" {
		return planFolder(r)
	}
	j, admin, err := c.job(ctx, r)
	if err != nil {
		return app.TargetPlan{}, err
	}
	defer j.link.close()
	defer j.let(ctx, admin)
	plan := app.TargetPlan{Where: j.where() + "/" + j.name, Exists: j.rights.exists && r.Target.Original()}
	picked := map[string]bool{}
	for _, name := range j.picked {
		picked[name] = true
	}
	for _, f := range j.files {
		if len(picked) > 0 && !picked[f.name] {
			continue
		}
		plan.Bytes += f.size
		if path.Dir(f.name) == dirData {
			plan.Files++
		}
	}
	const op = "postgres: plan restore"
	if err := j.compare(ctx, picked, &plan); err != nil {
		return app.TargetPlan{}, j.codeOf(ctx, op, err)
	}
	if plan.Blockers, err = j.blockers(ctx, admin, picked); err != nil {
		return app.TargetPlan{}, j.codeOf(ctx, op, err)
	}
	if err := j.users(ctx, admin, &plan); err != nil {
		return app.TargetPlan{}, j.codeOf(ctx, op, err)
	}
	return plan, nil
}

// users tells of programs that have the database open.
func (j *job) users(ctx context.Context, admin *pgx.Conn, plan *app.TargetPlan) error {
	const op = "postgres: plan restore"
	if !plan.Exists {
		return nil
	}
	open, stay, err := openBy(ctx, admin, j.name)
	if err != nil {
		return err
	}
	if e := stay.as(app.CodeTargetInUse, op, j.name); e != nil && (j.way == wayBeside || j.way == wayRemove) {
		plan.Blockers = append(plan.Blockers, e)
	} else if e := open.as(app.CodeTargetOpen, op, j.name); e != nil {
		plan.Warnings = append(plan.Warnings, e)
	}
	return nil
}

// compare counts tables that are there and tables that are not.
func (j *job) compare(ctx context.Context, picked map[string]bool, plan *app.TargetPlan) error {
	have := map[string]bool{}
	if j.rights.exists && j.r.Target.Original() {
		conn, err := j.connect(ctx, j.name)
		if err != nil {
			return err
		}
		defer j.let(ctx, conn)
		list, err := tables(ctx, conn)
		if err != nil {
			return err
		}
		for _, t := range list {
			have[t.file] = true
		}
	}
	if j.way == wayRemove {
		plan.Remove = int64(len(have))
		return nil
	}
	for _, f := range j.files {
		if path.Dir(f.name) != dirData || len(picked) > 0 && !picked[f.name] {
			continue
		}
		if have[f.name] {
			plan.Overwrite++
		} else {
			plan.Create++
		}
		delete(have, f.name)
	}
	if len(picked) == 0 {
		plan.Remove = int64(len(have))
	}
	return nil
}

// blockers tells what keeps the restore from being done.
func (j *job) blockers(ctx context.Context, admin *pgx.Conn, picked map[string]bool) (out []*app.Error, err error) {
	const op = "postgres: plan restore"
	server, version := major(admin)
	if was := majorOf(j.about.Server); was > server {
		out = append(out, app.Errorf(app.CodeProgramOld, op, "the server is older than the point's").
			With("program", "PostgreSQL").With("version", version).With("needs", strconv.Itoa(was)))
	}
	if !j.r.Target.Original() && j.rights.exists {
		out = append(out, app.Errorf(app.CodeTargetExists, op, "a database %s is there", j.name).With("path", j.name))
	}
	if !j.rights.create && (j.way == wayBeside || j.way == wayInside && !j.rights.exists) {
		out = append(out, app.AsError(j.mayNotCreate()))
	}
	if j.rights.queued > 0 && (j.way == wayBeside || j.way == wayRemove) {
		out = append(out, app.Errorf(app.CodeTargetInUse, op, "%d prepared transactions", j.rights.queued).With("path", j.name))
	}
	mayNot, err := j.mayNotReplace(ctx, picked)
	if mayNot != nil {
		out = append(out, mayNot)
	}
	return out, err
}

func planFolder(r app.Restore) (app.TargetPlan, error) {
	list, err := chosen(r)
	if err != nil {
		return app.TargetPlan{}, err
	}
	plan := app.TargetPlan{Where: r.Target.Dir}
	var exist []*app.Error
	for _, f := range list {
		plan.Files++
		plan.Bytes += f.size
		to := filepath.Join(r.Target.Dir, filepath.FromSlash(f.name))
		if _, err := os.Lstat(to); err == nil {
			plan.Overwrite++
			exist = append(exist, app.Errorf(app.CodeTargetExists, "postgres: plan restore", "%s is there", to).With("path", to))
		} else {
			plan.Create++
		}
	}
	plan.Blockers = append(volume.Blockers(r.Target.Dir, plan.Bytes), exist...)
	return plan, nil
}
