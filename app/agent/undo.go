package agent

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// undoable finds the restore to take back.
func undoable(recs []app.RestoreRecord, id app.RestoreID) (app.RestoreRecord, error) {
	for _, r := range recs {
		if id != "" && r.ID != id || !canUndo(r) {
			continue
		}
		return r, nil
	}
	return app.RestoreRecord{}, app.Errorf(app.CodeNothingToUndo, "undo restore", "no restore %q that can be undone", id)
}

func canUndo(r app.RestoreRecord) bool {
	return r.Target.Original() && (r.State == app.RestoreDone || r.State == app.RestoreFailed) &&
		slices.ContainsFunc(r.Sources, func(p app.RestoredPart) bool { return p.Safety != "" || p.Absent })
}

// StartUndo implements [app.RestoreService].
func (a *Agent) StartUndo(ctx context.Context, id app.RestoreID) (app.JobID, error) {
	recs, err := a.Journal.Restores(ctx)
	if err != nil {
		return "", err
	}
	rec, err := undoable(recs, id)
	if err != nil {
		return "", err
	}
	a.makeWay()
	return a.startWork(app.JobUndo, nil, func(ctx context.Context, j *job) error {
		return a.undone(ctx, j, rec.ID, a.undo(ctx, j, rec))
	})
}

// undo takes a restore back.
func (a *Agent) undo(ctx context.Context, j *job, rec app.RestoreRecord) error {
	parts, err := a.undoParts(ctx, rec)
	if err != nil {
		return err
	}
	defer a.closeParts(ctx, parts)
	return a.restore(ctx, j, parts, app.RestoreRecord{Undoes: rec.ID, Copy: rec.Copy})
}

// undone records how an undo ended, with the restore and with the incident that
// it was done for.
func (a *Agent) undone(ctx context.Context, j *job, id app.RestoreID, err error) error {
	if err != nil && a.jobs.ctx.Err() != nil {
		return err // the guard ends, and the next one goes on
	}
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		err = a.markUndone(ctx, id)
	}
	r := j.snapshot().Restore
	touched := r != nil && !r.Saved.IsZero()
	if noted := a.recovery.Undone(ctx, id, touched, err); noted != nil {
		return errors.Join(err, noted)
	}
	a.advance()
	return err
}

// undoParts turns a restore round: each part's safety point goes back, and
// where nothing was there before, nothing is there after.
func (a *Agent) undoParts(ctx context.Context, rec app.RestoreRecord) (parts []*part, err error) {
	v, err := a.vaultNamed(ctx, rec.Copy)
	if err != nil {
		return nil, err
	}
	for _, rp := range slices.Backward(rec.Sources) {
		if rp.Safety == "" && !rp.Absent {
			continue
		}
		p, err := a.partOf(ctx, v, rp.ID, rp.Safety)
		if err == nil {
			parts = append(parts, p)
			p.restore.Paths = rp.Paths
			p.restore.Remove, err = created(ctx, v, rp.Point, p.restore.From, rp.Paths)
		}
		if err != nil {
			a.closeParts(ctx, parts)
			return nil, err
		}
	}
	return parts, nil
}

// partOf opens a safety point, or for "" the empty state, of a source.
func (a *Agent) partOf(ctx context.Context, v app.Vault, id app.SourceID, safety app.PointID) (*part, error) {
	s, err := a.Store.Document().source(string(id))
	if err != nil {
		return nil, err
	}
	if safety != "" {
		point, err := a.choose(ctx, v, s, safety, time.Time{})
		if err != nil {
			return nil, err
		}
		return a.part(ctx, v, s, point, app.RestoreRequest{})
	}
	c, access, err := a.access(ctx, s)
	if err != nil {
		return nil, err
	}
	restorer, ok := c.(app.Restorer)
	if !ok {
		return nil, app.Errorf(app.CodeSourceKind, "undo restore", "%s can't be restored", s.Kind)
	}
	return &part{source: s, restorer: restorer, restore: app.Restore{Access: access, From: embed.FS{}, Raw: true}}, nil
}

// created lists what a restore made: what is in its point and was not there
// before, parents before children.
func created(ctx context.Context, v app.Vault, restored app.PointID, before fs.FS, paths []string) (names []string, err error) {
	view, err := v.Open(ctx, restored)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, view.Close()) }()
	err = fs.WalkDir(view, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || name == "." || !within(name, paths) {
			return err
		}
		if _, err := fs.Stat(before, name); errors.Is(err, fs.ErrNotExist) {
			names = append(names, name)
		} else if err != nil {
			return err
		}
		return nil
	})
	return names, err
}

// within reports whether a name lies at or below one of the paths; no paths
// mean everything.
func within(name string, paths []string) bool {
	return len(paths) == 0 || slices.ContainsFunc(paths, func(p string) bool {
		return p == "." || name == p || strings.HasPrefix(name, p+"/")
	})
}
