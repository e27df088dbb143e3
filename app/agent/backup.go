package agent

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// trustMarkers is how long "nothing moved" is believed: a source is captured
// in full at least this often, whatever its marker says.
const trustMarkers = 24 * time.Hour

// StartBackup implements [app.JobService].
func (a *Agent) StartBackup(_ context.Context, names []string) (app.JobID, error) {
	return a.startBackup(names, quarter(a.schedule.wall()))
}

// startBackup starts a run for a quarter, or returns the one that is under way
// for the same sources. Those that are paused are backed up when they are named.
func (a *Agent) startBackup(names []string, quarter time.Time) (app.JobID, error) {
	d := a.Store.Document()
	if d.Vault == nil {
		return "", app.Errorf(app.CodeVaultNone, "back up", "no vault is set up")
	}
	sources, err := d.pick(names)
	if err == nil && len(names) == 0 {
		sources, err = active(sources, a.schedule.wall())
	}
	if err != nil {
		return "", err
	}
	return a.startRun(sources, quarter, len(names) == 0)
}

// startRun starts a run of sources, or returns the one that is under way. One of
// everything that is due tells an outside service so when it was good.
func (a *Agent) startRun(sources []app.Source, quarter time.Time, everything bool) (app.JobID, error) {
	for _, j := range a.running() {
		if s := j.snapshot(); s.Kind == app.JobBackup && covers(j.sources, sources) {
			return s.ID, nil
		}
	}
	j, err := a.start(app.JobBackup, sources, func(ctx context.Context, j *job) error {
		if err := a.lock(ctx); err != nil {
			return err
		}
		defer a.unlock()
		err := a.backUp(ctx, j, sources, quarter)
		if err == nil && everything && a.unharmed(ctx, sources) {
			a.beat(ctx)
		}
		a.tellOwner(context.WithoutCancel(ctx))
		debug.FreeOSMemory() // a run needs far more than the wait for the next one
		return err
	})
	if err != nil {
		return "", err
	}
	return j.snapshot().ID, nil
}

func covers(have []app.SourceID, want []app.Source) bool {
	for _, s := range want {
		if !slices.Contains(have, s.ID) {
			return false
		}
	}
	return true
}

// backUp looks at every source, stores what moved in one session, and records
// what became of each. Its error is the first failure, after all are done.
func (a *Agent) backUp(ctx context.Context, j *job, sources []app.Source, quarter time.Time) error {
	v, vaultErr := a.openVault(ctx)
	if vaultErr == nil {
		vaultErr = a.mayStore(ctx, v)
	}
	if vaultErr == nil {
		if err := a.remember(ctx, v); err != nil {
			// new points go in all the same: they may be all there is
			a.Log.ErrorContext(ctx, "Vault lacks points", "error", err)
		}
	}
	var runs, moved []*sourceRun
	for _, s := range sources {
		r := &sourceRun{source: s, started: a.Now(), result: app.RunResult{Source: s.Name}}
		runs = append(runs, r)
		j.at(app.StepCapture, s.Name)
		if vaultErr != nil {
			r.fail(vaultErr)
		} else if idle, err := a.look(ctx, j, v, r); err != nil {
			r.fail(err)
		} else if idle {
			r.result.State = app.RunIdle
		} else {
			moved = append(moved, r)
		}
	}
	if vaultErr == nil {
		a.store(ctx, v, j, moved)
	}
	return a.record(ctx, j, runs, quarter)
}

// look asks whether a source moved since its place. It leaves nothing open:
// what moved is captured again when its turn to be stored has come, so that no
// till waits for another's upload.
func (a *Agent) look(ctx context.Context, j *job, v app.Vault, r *sourceRun) (idle bool, err error) {
	if r.connector, r.access, err = a.access(ctx, r.source); err != nil {
		return false, err
	}
	place, err := a.Journal.Place(ctx, r.source.ID)
	if err != nil {
		return false, err
	}
	age := a.Now().Sub(place.Captured)
	if place.Marker == "" || age < 0 || age > trustMarkers {
		return false, nil
	}
	newest, err := newestBackup(ctx, v, r.source.ID)
	if err != nil {
		return false, err
	}
	if newest == nil || newest.ID != place.Point {
		return false, nil // the state the marker speaks of is not the newest kept
	}
	c, end, err := j.fetch(ctx, r.connector, r.access, place.Marker)
	end()
	if err != nil {
		return false, err
	}
	idle = c.Idle
	if c.Close != nil {
		err = c.Close()
	}
	return idle, err
}

// newestBackup returns the newest backup of a source; nil when there is none.
func newestBackup(ctx context.Context, v app.Vault, id app.SourceID) (*app.Point, error) {
	points, err := v.Points(ctx, app.PointFilter{Source: id})
	if err != nil || len(points) == 0 {
		return nil, err
	}
	return &points[0], nil
}

// newestView opens the newest backup of a source; nil when there is none.
func (a *Agent) newestView(ctx context.Context, id app.SourceID) (app.PointFS, error) {
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, err
	}
	p, err := newestBackup(ctx, v, id)
	if err != nil || p == nil {
		return nil, err
	}
	view, err := v.Open(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	if err := prefetch(ctx, view); err != nil {
		return nil, errors.Join(err, view.Close())
	}
	return view, nil
}

// store saves what moved, and Kvart's own state with it, in one session.
func (a *Agent) store(ctx context.Context, v app.Vault, j *job, moved []*sourceRun) {
	var reqs []app.SaveRequest
	for _, r := range moved {
		a.watchRun(ctx, r)
		place, err := a.Journal.Place(ctx, r.source.ID)
		if err != nil {
			r.fail(err)
		}
		reqs = append(reqs, app.SaveRequest{
			Source: r.source.ID, Name: r.source.Name, Kind: app.PointBackup, Time: r.started,
			Items: r.items(ctx, j, place.Marker),
			Stats: r.stats,
		})
	}
	state, hash, err := a.stateRequest(ctx, a.Now())
	if err != nil {
		a.Log.WarnContext(ctx, "State not collected", "error", err)
	}
	if state != nil {
		reqs = append(reqs, *state)
	}
	if len(reqs) == 0 {
		return
	}
	results, err := v.Save(ctx, reqs, j)
	a.noteSession(ctx, err)
	for i, r := range moved {
		if err != nil {
			r.fail(err)
		} else {
			r.keep(results[i])
		}
		if err := r.close(); err != nil {
			a.Log.WarnContext(ctx, "Capture not closed", "source", r.source.ID, "error", err)
		}
	}
	if err == nil && state != nil {
		if stateErr := results[len(results)-1].Err; stateErr != nil {
			a.Log.WarnContext(ctx, "State not stored", "error", stateErr)
		} else if err := a.Journal.SetMeta(ctx, journal.KeyState, hash); err != nil {
			a.Log.WarnContext(ctx, "State not recorded", "error", err)
		}
	}
}

// noteSession remembers how the vault took a session. A vault that failed is
// let go, so that the next run opens it afresh: a disk may be back by then.
func (a *Agent) noteSession(ctx context.Context, err error) {
	if app.CodeOf(err) == app.CodeCanceled {
		return
	}
	_ = a.noteVault(err) // returns what it is given
	if code := app.CodeOf(err); code == app.CodeTwoGuards || code == app.CodeReplaced {
		if code == app.CodeTwoGuards {
			// Opened anew, the vault would take this one for the later guard,
			// and the two would push each other aside for ever.
			if err := a.Journal.SetMetaTime(context.WithoutCancel(ctx), journal.KeyAside, a.Now()); err != nil {
				a.Log.ErrorContext(ctx, "Not remembered that another guard goes on", "error", err)
			}
		}
		return // the vault is sound; it is this computer that may not store
	}
	if err != nil {
		if err := a.closeVault(context.WithoutCancel(ctx)); err != nil {
			a.Log.WarnContext(ctx, "Vault not closed", "error", err)
		}
	}
}

// record writes down what became of each source. A source's place moves only
// here, and only with a point that was read back.
func (a *Agent) record(ctx context.Context, j *job, runs []*sourceRun, quarter time.Time) error {
	var first error
	ctx = context.WithoutCancel(ctx) // what was stored is stored
	for _, r := range runs {
		if err := a.recordOne(ctx, r, quarter); err != nil {
			r.fail(err)
		}
		if err := a.judge(ctx, r); err != nil {
			a.Log.ErrorContext(ctx, "Run not judged", "source", r.source.ID, "error", err)
		}
		if r.result.Error != nil {
			a.Log.WarnContext(ctx, "Backup failed", "source", r.source.ID, "code", r.result.Error.Code, "error", r.result.Error)
			first = errors.Join(first, r.result.Error)
		} else {
			a.Log.InfoContext(ctx, "Backup", "source", r.source.ID, "state", r.result.State, "uploaded", r.result.BytesUploaded, "seconds", r.result.Seconds)
		}
		j.update(func(s *app.Job) { s.Runs = append(s.Runs, r.result) })
	}
	return first
}

func (a *Agent) recordOne(ctx context.Context, r *sourceRun, quarter time.Time) error {
	ended := a.Now()
	r.result.Seconds = ended.Sub(r.started).Seconds()
	if r.result.Error != nil && r.result.Error.Code == app.CodeCanceled {
		return nil // the owner stopped it: neither done nor failed
	}
	run := journal.Run{Source: r.source.ID, Quarter: quarter, Started: r.started, Ended: ended, Result: r.result}
	switch {
	case r.result.State == app.RunIdle:
		place, err := a.Journal.Place(ctx, r.source.ID)
		if err != nil {
			return err
		}
		place.SafeUntil = r.started
		return a.Journal.AddRun(ctx, run, nil, &place)
	case r.result.State == app.RunDone && !r.saved.Point.Verified:
		return app.Errorf(app.CodeReadBack, "record run", "point %s was not read back", r.saved.Point.ID)
	case r.result.State == app.RunDone:
		p := r.saved.Point
		place := &journal.Place{Marker: r.capture.Next, Point: p.ID, Captured: r.started, SafeUntil: r.started}
		if p.Incomplete > 0 {
			place.Marker = "" // what could not be read is tried again, moved or not
		}
		return a.Journal.AddRun(ctx, run, &journal.Verified{Point: p.ID, Source: p.Source, Seq: p.Seq, At: ended}, place)
	}
	return a.Journal.AddRun(ctx, run, nil, nil)
}

// Pause implements [app.JobService].
func (a *Agent) Pause(ctx context.Context, until time.Time) error {
	now := a.Now()
	if !until.IsZero() && until.Sub(now) > app.LongestPause {
		return app.Errorf(app.CodeUsage, "pause", "a pause of more than a week leaves the shop unprotected")
	}
	d := a.Store.Document()
	from := now
	if a.paused(now) {
		from = d.PausedFrom
	}
	to := until
	if until.IsZero() {
		to = now
	}
	if !until.IsZero() || a.paused(now) {
		if err := a.Journal.AddPause(ctx, from, to); err != nil {
			return err
		}
	}
	err := a.Store.Update(func(d *Document) error { d.PausedFrom, d.PausedUntil = from, until; return nil })
	a.bus.poke()
	return err
}

// paused reports whether the owner paused backups. A clock that was set back
// to before the pause ends it: an hour must not become a year.
func (a *Agent) paused(now time.Time) bool {
	d := a.Store.Document()
	return d.PausedUntil.After(now) && !now.Before(d.PausedFrom.Add(-time.Minute))
}
