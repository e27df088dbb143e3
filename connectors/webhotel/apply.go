package webhotel

import (
	"context"
	"errors"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// Apply implements [app.Restorer]. The database comes first, in one step or not
// at all; then the files, each written beside its place and renamed there, so
// that it is the old one or the new one whenever the connection goes. A file
// that is the same already is left alone, so a restore that was cut off goes on
// where it was. What lies at the target and is not in the point stays, but for
// what an undo takes away. No link at the target leads a file out of it: where
// the point has a folder, a folder is made.
func (c *Connector) Apply(ctx context.Context, r app.Restore, p app.Progress) (err error) {
	if err := ctx.Err(); err != nil {
		return canceled("webhotel: restore", err)
	}
	j, err := c.job(ctx, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.o.pool.Close()) }()
	if j.files {
		p.Expect(total(j.list))
	}
	if j.dir != "" {
		return c.applyDir(ctx, &j, p)
	}
	err = c.applySite(ctx, &j, p)
	return j.o.cfg.targetCode(ctx, j.op, err)
}

func (c *Connector) applyDir(ctx context.Context, j *job, p app.Progress) error {
	if at := volume.Unplugged(j.dir); at != "" {
		return app.Errorf(app.CodeSourceShareGone, j.op, "%s is not there", at).With("path", at)
	}
	if j.files {
		if err := (&applier{c: c, j: j, p: p}).run(ctx); err != nil {
			return j.code(ctx, j.op, err)
		}
		if err := volume.SyncAll(j.dir); err != nil {
			return j.code(ctx, j.op, err)
		}
	}
	if !j.db {
		return nil
	}
	return innerError(c.db.Apply(ctx, j.dbPart, p))
}

// applySite restores to the site itself, closed for as long as that takes.
func (c *Connector) applySite(ctx context.Context, j *job, p app.Progress) (err error) {
	reopen, err := c.closeShop(ctx, j)
	if err != nil {
		return err
	}
	defer func() {
		if !errors.Is(err, errStopped) {
			err = errors.Join(err, reopen())
		}
	}()
	if err := c.reached("closed"); err != nil {
		return err
	}
	if j.db {
		if err := c.db.Apply(ctx, j.dbPart, p); err != nil {
			return innerError(err)
		}
	}
	if err := c.reached("database"); err != nil {
		return err
	}
	if !j.files {
		return nil
	}
	if err := (&applier{c: c, j: j, p: p, mayReplace: true}).run(ctx); err != nil {
		return err
	}
	return c.reached("files")
}
