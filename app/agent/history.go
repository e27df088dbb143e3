package agent

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// Points implements [app.HistoryService].
func (a *Agent) Points(ctx context.Context, r app.PointsRequest) ([]app.Point, error) {
	f := app.PointFilter{Since: r.Since}
	if r.Safety {
		f.Kinds = []app.PointKind{app.PointSafety}
	}
	if r.Source != "" {
		// a source that was removed still has its points: its ID names them
		f.Source = app.SourceID(r.Source)
		if s, _, err := a.anySource(ctx, r.Source); err == nil {
			f.Source = s.ID
		}
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, err
	}
	points, err := v.Points(ctx, f)
	if err != nil {
		return nil, err
	}
	if len(points) == 0 && r.Source != "" {
		if _, err := a.Store.Document().source(r.Source); err != nil {
			return nil, err
		}
	}
	verified, err := a.Journal.Verified(ctx)
	if err != nil {
		return nil, err
	}
	for i := range points {
		_, points[i].Verified = verified[points[i].ID]
	}
	return points, nil
}

// Day implements [app.HistoryService].
func (a *Agent) Day(ctx context.Context, r app.DayRequest) ([]app.Quarter, error) {
	var id app.SourceID
	if r.Source != "" {
		s, err := a.Store.Document().source(r.Source)
		if err != nil {
			return nil, err
		}
		id = s.ID
	}
	return a.day(ctx, id, r.Day)
}

// day draws the local day that t lies in. Days of a change to or from summer
// time have 92 or 100 quarters.
func (a *Agent) day(ctx context.Context, id app.SourceID, t time.Time) ([]app.Quarter, error) {
	t = t.Local()
	from := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.Local)
	to := time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.Local)
	// a run that began the day before may last into this one
	runs, err := a.Journal.Runs(ctx, id, from.Add(-24*time.Hour), to)
	if err != nil {
		return nil, err
	}
	pauses, err := a.Journal.Pauses(ctx, from, to)
	if err != nil {
		return nil, err
	}
	rests, err := a.Journal.Rests(ctx, id, from, to)
	if err != nil {
		return nil, err
	}
	busy := slices.ContainsFunc(a.running(), func(j *job) bool { return j.snapshot().Kind == app.JobBackup })
	var out []app.Quarter
	var all []app.Source
	if id == "" {
		all = a.Store.Document().Sources
	}
	for q := quarter(from); q.Before(to); q = q.Add(app.QuarterLength) {
		out = append(out, quarterOf(q, a.schedule, runs, pauses, restOf(rests, q), missing(all, q, runs, rests), id == "", busy))
	}
	return out, nil
}

// missing returns those of the sources there were that neither were looked at
// in a quarter nor are known not to have been due.
func missing(sources []app.Source, q time.Time, runs []journal.Run, rests []journal.Rest) (ids []app.SourceID) {
	for _, s := range sources {
		if !s.AddedAt.Before(q) ||
			slices.ContainsFunc(runs, func(r journal.Run) bool { return r.Source == s.ID && r.Quarter.Equal(q) }) ||
			slices.ContainsFunc(rests, func(r journal.Rest) bool { return r.Source == s.ID && r.Quarter.Equal(q) }) {
			continue
		}
		ids = append(ids, s.ID)
	}
	return ids
}

// restOf says why a source was not due in a quarter; "" when none of them is
// known not to have been.
func restOf(rests []journal.Rest, q time.Time) (state app.QuarterState) {
	for _, r := range rests {
		if r.Quarter.Equal(q) && state != app.QuarterPaused && (state != app.QuarterWaiting || r.State == app.QuarterPaused) {
			state = r.State
		}
	}
	return state
}

// quarterOf says what became of the quarter that starts at q, for one source or
// for all together: with one of them paused or missed it was not a good one, and
// it was one of rest only if all of them rested.
func quarterOf(q time.Time, s schedule, runs []journal.Run, pauses []journal.Pause, rest app.QuarterState, missed []app.SourceID, all, busy bool) app.Quarter {
	out := app.Quarter{Start: q, State: app.QuarterNone}
	if rest == app.QuarterRest && len(missed) > 0 {
		rest = ""
	}
	for _, r := range runs {
		if r.Quarter.Equal(q) {
			out = worse(out, r, inTime(runs, r))
		}
	}
	switch out.State {
	case app.QuarterNone:
		out.State = withoutRun(q, s.wall(), runs, pauses, rest, busy)
	case app.QuarterDone, app.QuarterIdle:
		switch {
		case all && rest != "" && rest != app.QuarterRest:
			out.State = rest
		case len(missed) > 0 && !s.wall().Before(q.Add(app.QuarterLength)) && !pausedIn(pauses, q):
			out.State = madeGood(missed, q, runs)
		}
	}
	return out
}

// madeGood says what a quarter was in which some sources were missed: late, where
// all of them were backed up since.
func madeGood(missed []app.SourceID, q time.Time, runs []journal.Run) app.QuarterState {
	for _, id := range missed {
		if !slices.ContainsFunc(runs, func(r journal.Run) bool {
			return r.Source == id && r.Started.After(q) && r.Result.State != app.RunFailed
		}) {
			return app.QuarterNone
		}
	}
	return app.QuarterLate
}

// pausedIn reports whether everything was paused in the quarter that starts at q.
func pausedIn(pauses []journal.Pause, q time.Time) bool {
	return slices.ContainsFunc(pauses, func(p journal.Pause) bool { return p.From.Before(q.Add(app.QuarterLength)) && p.To.After(q) })
}

// withoutRun says what became of a quarter in which nothing was run.
func withoutRun(q, now time.Time, runs []journal.Run, pauses []journal.Pause, rest app.QuarterState, busy bool) app.QuarterState {
	end := q.Add(app.QuarterLength)
	switch {
	case q.After(now):
		return app.QuarterUnknown
	case now.Before(end) && busy:
		return app.QuarterRunning
	case pausedIn(pauses, q):
		return app.QuarterPaused
	case !now.Before(end) && slices.ContainsFunc(runs, func(r journal.Run) bool { return r.Quarter.Before(q) && r.Ended.After(q) }):
		return app.QuarterLate // a run of an earlier quarter lasted through this one
	case rest != "":
		return rest
	case now.Before(end):
		return app.QuarterDue
	}
	return app.QuarterNone
}

// inTime reports whether a run of the same source and quarter ended well within
// it, of several that were made over a peak day or by hand.
func inTime(runs []journal.Run, r journal.Run) bool {
	end := r.Quarter.Add(app.QuarterLength)
	return slices.ContainsFunc(runs, func(o journal.Run) bool {
		return o.Source == r.Source && o.Quarter.Equal(r.Quarter) && !o.Ended.After(end) && o.Result.State != app.RunFailed
	})
}

// worse adds a run to its quarter: one failure makes it failed, one late point
// late unless the source had one in time, one point done.
func worse(q app.Quarter, r journal.Run, inTime bool) app.Quarter {
	state := app.QuarterIdle
	switch {
	case r.Result.State == app.RunFailed:
		state = app.QuarterFailed
	case r.Result.State == app.RunDone && !inTime && r.Ended.After(q.Start.Add(app.QuarterLength)):
		state = app.QuarterLate
	case r.Result.State == app.RunDone:
		state = app.QuarterDone
	}
	order := []app.QuarterState{app.QuarterNone, app.QuarterIdle, app.QuarterDone, app.QuarterLate, app.QuarterFailed}
	if slices.Index(order, state) > slices.Index(order, q.State) {
		q.State, q.Code = state, r.Code()
	}
	return q
}

// List implements [app.HistoryService].
func (a *Agent) List(ctx context.Context, r app.PathRequest) ([]app.Entry, error) {
	view, _, release, err := a.browse(ctx, r.Source, r.Point)
	if err != nil {
		return nil, err
	}
	defer release()
	name, err := cleanPath(r.Path)
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(view, name)
	if err != nil {
		return nil, pathError(r.Path, err)
	}
	if !info.IsDir() {
		return []app.Entry{entry(name, info)}, nil
	}
	list, err := fs.ReadDir(view, name)
	if err != nil {
		return nil, pathError(r.Path, err)
	}
	out := make([]app.Entry, 0, len(list))
	for _, d := range list {
		info, err := d.Info()
		if err != nil {
			return nil, pathError(r.Path, err)
		}
		out = append(out, entry(path.Join(name, d.Name()), info))
	}
	return out, nil
}

func entry(name string, info fs.FileInfo) app.Entry {
	e := app.Entry{Path: name, Dir: info.IsDir(), Size: info.Size(), ModTime: info.ModTime()}
	if rows, ok := info.Sys().(int64); ok {
		e.Rows = rows
	}
	return e
}

// cleanPath turns a path as an owner types it into one of an [fs.FS].
func cleanPath(p string) (string, error) {
	p = path.Clean("/" + strings.ReplaceAll(p, `\`, "/"))[1:]
	if p == "" {
		p = "."
	}
	if !fs.ValidPath(p) {
		return "", app.Errorf(app.CodePathUnknown, "read path", "%q is not a path", p).With("path", p)
	}
	return p, nil
}

func pathError(p string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return app.Errorf(app.CodePathUnknown, "read path", "%w", err).With("path", p)
	}
	return err
}

// Cat implements [app.HistoryService].
func (a *Agent) Cat(ctx context.Context, r app.PathRequest) (io.ReadCloser, error) {
	view, _, release, err := a.browse(ctx, r.Source, r.Point)
	if err != nil {
		return nil, err
	}
	name, err := cleanPath(r.Path)
	if err != nil {
		release()
		return nil, err
	}
	f, err := view.Open(name)
	if err != nil {
		release()
		return nil, pathError(r.Path, err)
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		release()
		return nil, errors.Join(app.Errorf(app.CodePathUnknown, "read path", "%q is a folder", name).With("path", r.Path), err, f.Close())
	}
	return &catFile{f, release}, nil
}

// catFile is a file of a view, which is let go with it.
type catFile struct {
	fs.File
	release func()
}

func (c *catFile) Close() error {
	defer c.release()
	return c.File.Close()
}
