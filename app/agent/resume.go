package agent

import (
	"context"
	"time"

	"kvart/app"
)

// resume deals with restores that a crash, a power cut or the guard's own end
// interrupted: one that had not begun to change anything is given up, one that
// had goes on.
func (a *Agent) resume(ctx context.Context) error {
	recs, err := a.Journal.Restores(ctx)
	if err != nil {
		return err
	}
	for n, rec := range recs {
		if n == 0 && halfDone(rec) { // of an older one something else came since
			rec.State, rec.Error, rec.Ended = app.RestoreApplying, nil, time.Time{}
			if err := a.Journal.PutRestore(ctx, rec); err != nil {
				return err
			}
		}
		switch rec.State {
		case app.RestoreSaving:
			if err := a.giveUp(ctx, rec); err != nil {
				return err
			}
		case app.RestoreApplying:
			if _, err := a.goOn(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// halfDone reports whether a restore ended with the guard after it had begun to
// change something.
func halfDone(rec app.RestoreRecord) bool {
	e := rec.Error
	return rec.State == app.RestoreFailed && codeOf(e) == app.CodeInterrupted && e.Args["untouched"] == "" && (savedAll(rec) || !rec.Target.Original())
}

// giveUp ends a restore that was cut off before it had changed anything.
func (a *Agent) giveUp(ctx context.Context, rec app.RestoreRecord) error {
	rec.State, rec.Ended = app.RestoreFailed, a.Now()
	rec.Error = app.Errorf(app.CodeInterrupted, "restore", "cut off before anything was changed").With("untouched", "yes")
	return a.Journal.PutRestore(ctx, rec)
}

// goOn continues a restore from its record.
func (a *Agent) goOn(rec app.RestoreRecord) (app.JobID, error) {
	kind := app.JobRestore
	if rec.Undoes != "" {
		kind = app.JobUndo
	}
	return a.startWork(kind, nil, func(ctx context.Context, j *job) error {
		v, err := a.vaultNamed(ctx, rec.Copy)
		if err != nil {
			return err
		}
		err = a.goOnFrom(ctx, j, v, rec)
		if rec.Undoes == "" {
			return err
		}
		return a.undone(ctx, j, rec.Undoes, err)
	})
}

func (a *Agent) goOnFrom(ctx context.Context, j *job, v app.Vault, rec app.RestoreRecord) error {
	j.update(func(s *app.Job) { s.Restore = &rec })
	var parts []*part
	defer func() { a.closeParts(ctx, parts) }()
	for _, rp := range rec.Sources {
		p, err := a.partAgain(ctx, v, rec, rp)
		if err != nil {
			return a.failRestore(ctx, j, rec, err)
		}
		parts = append(parts, p)
	}
	return a.apply(ctx, j, parts, rec)
}

// partAgain opens what a restore's record says was being restored.
func (a *Agent) partAgain(ctx context.Context, v app.Vault, rec app.RestoreRecord, rp app.RestoredPart) (*part, error) {
	p, err := a.partOf(ctx, v, rp.ID, rp.Point)
	if err != nil {
		return nil, err
	}
	p.restore.Paths, p.restore.Target = rp.Paths, app.Target{Dir: rp.Dir, Database: rp.Database}
	if rec.Undoes == "" {
		return p, nil
	}
	undone, err := a.restoreRecord(ctx, rec.Undoes)
	if err != nil {
		return p, err
	}
	for _, u := range undone.Sources {
		if u.ID == rp.ID {
			p.restore.Remove, err = created(ctx, v, u.Point, p.restore.From, u.Paths)
		}
	}
	return p, err
}

func (a *Agent) restoreRecord(ctx context.Context, id app.RestoreID) (app.RestoreRecord, error) {
	recs, err := a.Journal.Restores(ctx)
	if err != nil {
		return app.RestoreRecord{}, err
	}
	for _, r := range recs {
		if r.ID == id {
			return r, nil
		}
	}
	return app.RestoreRecord{}, app.Errorf(app.CodeNothingToUndo, "find restore", "no restore %q", id)
}

func (a *Agent) markUndone(ctx context.Context, id app.RestoreID) error {
	rec, err := a.restoreRecord(ctx, id)
	if err != nil {
		return err
	}
	rec.State = app.RestoreUndone
	return a.Journal.PutRestore(context.WithoutCancel(ctx), rec)
}
