package webhotel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// where names the target for the owner.
func (j *job) where() string {
	if j.dir != "" {
		return j.dir
	}
	return j.o.cfg.where()
}

// Plan implements [app.Restorer]. Files at the target that are not in the
// point stay, but for what an undo takes away.
func (c *Connector) Plan(ctx context.Context, r app.Restore) (plan app.TargetPlan, err error) {
	const op = "webhotel: plan restore"
	if err := ctx.Err(); err != nil {
		return plan, canceled(op, err)
	}
	j, err := c.job(ctx, r)
	if err != nil {
		return plan, err
	}
	defer func() { err = errors.Join(err, j.o.pool.Close()) }()
	plan.Where = j.where()
	if j.files {
		if err := j.planFiles(ctx, &plan); err != nil {
			return plan, j.code(ctx, op, err)
		}
	}
	if !j.db {
		return plan, nil
	}
	inner, err := c.db.Plan(ctx, j.dbPart)
	if err != nil {
		return plan, innerError(err)
	}
	addPlan(&plan, inner, j)
	return plan, nil
}

// addPlan puts the database's plan to the files'.
func addPlan(p *app.TargetPlan, inner app.TargetPlan, j job) {
	switch {
	case !j.files:
		p.Where = inner.Where
	case j.dir == "":
		p.Where += ", " + inner.Where
	}
	p.Bytes += inner.Bytes
	p.Files += inner.Files
	p.Exists = p.Exists || inner.Exists
	p.Overwrite += inner.Overwrite
	p.Create += inner.Create
	p.Remove += inner.Remove
	p.Blockers = append(p.Blockers, inner.Blockers...)
	p.Warnings = append(p.Warnings, inner.Warnings...)
}

// code gives errors of the target their code.
func (j *job) code(ctx context.Context, op string, err error) error {
	if j.dir != "" && ctx.Err() == nil {
		return volume.TargetError(op, j.dir, err)
	}
	return j.o.cfg.codeOf(ctx, op, err)
}

func (j *job) planFiles(ctx context.Context, plan *app.TargetPlan) error {
	plan.Files, plan.Bytes = total(j.list)
	have, err := j.lookHere(ctx)
	if err != nil {
		return err
	}
	var need int64
	for _, e := range j.list {
		if e.mode.IsDir() {
			continue
		}
		there, ok := j.at(have, e.path)
		switch {
		case !ok:
			plan.Create++
			need += e.size
		case !looksSame(e, there):
			plan.Overwrite++
			need += e.size
			if j.dir != "" && len(plan.Blockers) == 0 {
				plan.Blockers = append(plan.Blockers, j.inTheWay(e))
			}
		}
	}
	if j.dir != "" {
		plan.Blockers = append(plan.Blockers, volume.Blockers(j.dir, need)...)
		return nil
	}
	plan.Exists = have != nil
	for _, p := range j.gone {
		if e, ok := j.at(have, p); ok && !e.mode.IsDir() {
			plan.Remove++
		}
	}
	var free int64
	err = j.o.pool.do(ctx, func(l link) error {
		free = l.free(ctx)
		return nil
	})
	if err == nil && free >= 0 && free < need {
		plan.Blockers = append(plan.Blockers, app.Errorf(app.CodeTargetFull, j.op, "%d bytes free, %d needed", free, need).With("path", j.where()))
	}
	return err
}

// lookHere is present, but makes no folder on this computer.
func (j *job) lookHere(ctx context.Context) (map[string]entry, error) {
	if j.dir != "" {
		if _, err := os.Stat(filepath.Join(j.dir, filesDir)); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	have, _, err := j.present(ctx)
	return have, err
}

func (j *job) inTheWay(e entry) *app.Error {
	at := filepath.Join(j.dir, filesDir, local(e.path))
	return app.Errorf(app.CodeTargetExists, j.op, "%s is there already", at).With("path", at)
}

// looksSame reports whether what is at the target is, by its outside, what the
// point has.
func looksSame(e, there entry) bool {
	switch {
	case e.mode.Type() != there.mode.Type() || there.err != nil:
		return false
	case e.mode&fs.ModeSymlink != 0:
		return e.link == there.link || readable(e.link) == there.link
	case e.mode.IsDir():
		return true
	}
	return e.size == there.size && e.sameTime(there)
}

// difference tells how what is at the target is not what the point has; "" when
// it is.
func difference(e, there entry, ok bool) string {
	switch {
	case !ok:
		return "missing"
	case there.err != nil:
		return "can't be read"
	case e.mode.Type() != there.mode.Type():
		return fmt.Sprintf("is %s, %s expected", there.mode.Type(), e.mode.Type())
	case e.mode&fs.ModeSymlink != 0 && e.link != there.link && readable(e.link) != there.link:
		return fmt.Sprintf("leads to %q, %q expected", there.link, e.link)
	case e.mode.IsRegular() && e.size != there.size:
		return fmt.Sprintf("%d bytes, %d expected", there.size, e.size)
	}
	return ""
}
