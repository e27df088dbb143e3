package backup

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/manifest"
	"github.com/kopia/kopia/snapshot"

	"kvart/app"
)

// errNothing ends a session in which every request failed, unflushed.
var errNothing = errors.New("nothing to keep")

// Save implements [app.Vault].
func (v *Vault) Save(ctx context.Context, reqs []app.SaveRequest, p app.Progress) ([]app.SaveResult, error) {
	if len(reqs) == 0 {
		return nil, nil
	}
	ctx = withLog(ctx, v.log)
	end, err := v.beginWriting(ctx, "save")
	if err != nil {
		return nil, err
	}
	defer end()
	if p == nil {
		p = noProgress{}
	}
	caps, uploaded, err := v.session(ctx, reqs, p)
	if err != nil {
		return nil, v.failed(ctx, "save", err)
	}
	if err := v.prove(ctx, caps); err != nil {
		return nil, v.failed(ctx, "save", err)
	}
	return results(caps, uploaded), nil
}

// session stores all requests in one write session. Kopia flushes at its end:
// before that nothing of it is a point.
func (v *Vault) session(ctx context.Context, reqs []app.SaveRequest, p app.Progress) ([]*capture, int64, error) {
	ctx, done := v.loc.Store.Bound(ctx)
	defer done()
	if _, err := v.mayStore(ctx); err != nil {
		return nil, 0, err
	}
	all, err := v.loadHeld(ctx, v.rep)
	if err != nil {
		return nil, 0, err
	}
	if err := v.distrustRepaired(ctx, all); err != nil {
		return nil, 0, err
	}
	var (
		caps     []*capture
		uploaded atomic.Int64
	)
	for _, r := range reqs {
		if r.Kind == "" {
			r.Kind = app.PointBackup
		}
		caps = append(caps, &capture{v: v, req: r, si: v.sourceInfo(r.Source, r.Kind), prog: p, all: all})
	}
	o := repo.WriteSessionOptions{Purpose: "kvart save", OnUpload: func(n int64) { uploaded.Add(n) }}
	err = repo.WriteSession(ctx, v.rep, o, func(ctx context.Context, w repo.RepositoryWriter) error {
		for _, c := range caps {
			if err := c.store(ctx, w); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return v.record(ctx, w, caps, all)
	})
	switch {
	case err == nil:
		v.claimed = v.computer.ID != ""
	case !errors.Is(err, errNothing):
		return nil, 0, err
	}
	return caps, uploaded.Load(), v.refresh(ctx)
}

// record writes the manifests that make points of what was stored. It comes
// after all data, because a checkpoint flushes everything written so far. What
// other computers stored meanwhile is looked at again: points are numbered
// after theirs, and one that was replaced meanwhile stores nothing.
func (v *Vault) record(ctx context.Context, w repo.RepositoryWriter, caps []*capture, all holdings) error {
	own, err := v.mayStore(ctx)
	if err != nil {
		return err
	}
	seq, err := v.lastSeq(ctx)
	if err != nil {
		return err
	}
	kept := 0
	for _, c := range caps {
		if c.failure() != nil {
			continue
		}
		kept++
		seq++
		c.point.Seq = seq
		if err := describe(c.man, c.point); err != nil {
			return err
		}
		if _, err := snapshot.SaveSnapshot(ctx, w, c.man); err != nil {
			return fmt.Errorf("save snapshot: %w", err)
		}
		for _, m := range all.leftovers(c.si) {
			if err := v.forget(ctx, w, m.ID); err != nil {
				return fmt.Errorf("delete checkpoint: %w", err)
			}
		}
	}
	for _, id := range v.doomed {
		if err := v.forget(ctx, w, id); err != nil {
			return fmt.Errorf("delete unproven point: %w", err)
		}
	}
	if kept == 0 && len(v.doomed) == 0 {
		return errNothing
	}
	if err := v.enter(ctx, w, own); err != nil {
		return err
	}
	v.doomed = nil
	return nil
}

// prove reads every new point back, and deletes those that don't pass. When ctx
// ends meanwhile, all are deleted: nothing is kept of a session that was
// canceled.
func (v *Vault) prove(ctx context.Context, caps []*capture) error {
	run := newReadBack(v)
	var unproven []manifest.ID
	for _, c := range caps {
		if c.failure() != nil || ctx.Err() != nil {
			continue
		}
		err := run.check(ctx, c)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			v.distrust[c.si.Path] = true
			unproven = append(unproven, c.man.ID)
			c.err = &app.Error{Code: app.CodeReadBack, Op: "read back", Err: err}
		default:
			c.point.Verified = true
		}
	}
	if ctx.Err() != nil {
		unproven = nil
		for _, c := range caps {
			if c.man != nil && c.man.ID != "" {
				unproven = append(unproven, c.man.ID)
			}
		}
	}
	v.drop(context.WithoutCancel(ctx), unproven)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, c := range caps {
		if c.point.Verified {
			delete(v.distrust, c.si.Path)
			c.remember(ctx)
		}
	}
	return nil
}

// drop deletes points that were not proven. What can't be deleted now is
// deleted in the next session.
func (v *Vault) drop(ctx context.Context, ids []manifest.ID) {
	if len(ids) == 0 {
		return
	}
	err := repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart drop"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		return v.forget(ctx, w, ids...)
	})
	if err == nil {
		err = v.refresh(ctx)
	}
	if err != nil {
		v.doomed = append(v.doomed, ids...)
		v.log.ErrorContext(ctx, "Unproven point not deleted", "err", err)
	}
}

// remember keeps the hashes of the segments of a verified point. Without them
// the next session only takes longer.
func (c *capture) remember(ctx context.Context) {
	err := c.tree.walk(func(n *node) error {
		if n.paged == nil {
			return nil
		}
		n.paged.memory.point = c.point.ID
		return n.paged.memory.save(c.memoryFile(n))
	})
	if err != nil {
		c.v.log.WarnContext(ctx, "Segments not remembered", "source", c.req.Source, "err", err)
	}
}

// results shares out what the session uploaded by what each request added.
func results(caps []*capture, uploaded int64) []app.SaveResult {
	var hashed, given int64
	for _, c := range caps {
		hashed += c.hashed.Load()
	}
	res := make([]app.SaveResult, len(caps))
	for i, c := range caps {
		r := &res[i]
		r.BytesRead, r.Problems, r.Err = c.read.Load(), c.problems, c.err
		if c.err == nil {
			r.Point = c.point
		}
		switch {
		case i == len(caps)-1:
			r.BytesUploaded = uploaded - given
		case hashed > 0:
			r.BytesUploaded = int64(float64(uploaded) * float64(c.hashed.Load()) / float64(hashed))
		default:
			r.BytesUploaded = uploaded / int64(len(caps))
		}
		given += r.BytesUploaded
	}
	return res
}

type noProgress struct{}

func (noProgress) Expect(int64, int64) {}
func (noProgress) Done(int64, int64)   {}
