package webhotel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// Rehearse implements [app.Rehearser]: the files are restored into tmp and
// every byte is read again; where there is no room for that they are read
// through and counted. The database is tried by its own connector.
func (c *Connector) Rehearse(ctx context.Context, r app.Restore, tmp string, p app.Progress) (checks []app.Check, err error) {
	const op = "webhotel: rehearse"
	if err := ctx.Err(); err != nil {
		return nil, canceled(op, err)
	}
	files := r
	files.Target = app.Target{Dir: filepath.Join(tmp, "site")}
	j, err := c.job(ctx, files)
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, j.o.pool.Close())
		for i := range checks {
			checks[i].Source = r.Access.Source.Name
		}
	}()
	if j.files {
		if checks, err = c.rehearseFiles(ctx, &j, p); err != nil {
			return nil, j.code(ctx, op, err)
		}
	}
	if !j.db {
		return checks, nil
	}
	more, err := c.rehearseDatabase(ctx, r, j.dbPart, tmp, p)
	return append(checks, more...), innerError(err)
}

func (c *Connector) rehearseDatabase(ctx context.Context, r, inner app.Restore, tmp string, p app.Progress) (checks []app.Check, err error) {
	if !hasDatabase(r.Access) { // any more: then there is no server to try it on
		if err := c.db.Apply(ctx, inner, p); err != nil {
			return nil, err
		}
		return c.db.Verify(ctx, inner)
	}
	site, err := c.open(r.Access)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, site.pool.Close()) }()
	inner.Target = app.Target{}
	if inner.Access, err = c.databaseFor(ctx, r.Access, site, r.From); err != nil {
		return nil, err
	}
	return c.db.Rehearse(ctx, inner, filepath.Join(tmp, databaseDir), p)
}

func (c *Connector) rehearseFiles(ctx context.Context, j *job, p app.Progress) ([]app.Check, error) {
	_, bytes := total(j.list)
	p.Expect(total(j.list))
	if free, err := volume.Free(volume.Existing(j.dir)); err == nil && free > bytes+bytes/10 {
		if err := (&applier{c: c, j: j, p: p}).run(ctx); err != nil {
			return nil, err
		}
		return j.verifyFiles(ctx)
	}
	check := app.Check{Code: checkFiles, OK: true}
	var n, read int64
	for _, e := range j.list {
		if !e.mode.IsRegular() {
			continue
		}
		got, err := j.readThrough(ctx, e, p)
		if err != nil {
			return nil, err
		}
		n, read = n+1, read+got
	}
	files := j.stats["files"]
	if check.OK = read == bytes && (j.stats == nil || n == files); check.OK {
		check.Counted = app.Counted{Files: n, Bytes: read}
	}
	if j.stats != nil && n != files {
		check.See(app.Seen{Code: app.SeenFilesNumber, Count: n, Of: files})
	}
	if read != bytes {
		check.See(app.Seen{Code: app.SeenSizeOther, Count: read, Of: bytes})
	}
	check.See(app.Seen{Code: app.SeenTriedNoRoom})
	check.Detail = fmt.Sprintf("no room to restore here: %d files, %d bytes read through and counted", n, read)
	return []app.Check{check}, nil
}

func (j *job) readThrough(ctx context.Context, e entry, p app.Progress) (n int64, err error) {
	f, err := j.from.Open(e.path)
	if err != nil {
		return 0, fmt.Errorf("open %s in the point: %w", e.path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err = io.Copy(io.Discard, &counted{ctx: ctx, r: f, t: &told{p: p}})
	if err != nil {
		return n, fmt.Errorf("read %s in the point: %w", e.path, err)
	}
	p.Done(1, 0)
	return n, nil
}
