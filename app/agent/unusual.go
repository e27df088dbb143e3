package agent

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"kvart/app"
)

// pinAtOnce is how many points are pinned in the run that showed an unusual
// change, the newest first, and pinLater how many in each chore after it: every
// pin is a session of the vault's, and retention is frozen meanwhile.
const (
	pinAtOnce = 4
	pinLater  = 12
)

// watchRun begins to watch a run of a source. What was learned and can't be
// read any more is begun anew.
func (a *Agent) watchRun(ctx context.Context, r *sourceRun) {
	if a.Lookout == nil {
		return
	}
	learned, _, err := a.Journal.Learned(ctx, r.source.ID)
	if err == nil {
		r.watch, err = a.Lookout.Begin(learned)
	}
	if err != nil {
		a.Log.WarnContext(ctx, "What was learned of a source can't be read and is begun anew", "source", r.source.ID, "error", err)
		r.watch, err = a.Lookout.Begin(nil)
	}
	if err != nil {
		a.Log.ErrorContext(ctx, "Run not watched", "source", r.source.ID, "error", err)
	}
}

// watched hands items on through the run's watch.
func (r *sourceRun) watched(i app.Item) app.Item {
	if r.watch == nil {
		return i
	}
	return r.watch.Item(i)
}

// judge says whether a run that was recorded was unusual, and does what follows
// from it.
func (a *Agent) judge(ctx context.Context, r *sourceRun) error {
	if a.Lookout == nil || app.CodeOf(r.result.Error) == app.CodeCanceled {
		return nil
	}
	f := a.facts(r)
	if f.Idle && f.Canary != app.CanaryTouched {
		return nil
	}
	_, last, err := a.Journal.Learned(ctx, r.source.ID)
	if err != nil {
		return err
	}
	open, err := a.openUnusual(ctx, r.source.ID)
	if err != nil {
		return err
	}
	f.Asked = open != nil
	if err := a.explain(ctx, r, &f, last); err != nil {
		return err
	}
	if r.watch == nil {
		a.watchRun(ctx, r)
	}
	if r.watch == nil {
		return nil // that was reported
	}
	found, learned, err := r.watch.Judge(f)
	if err != nil {
		return err
	}
	at := r.started
	if f.Idle || f.Failed != "" {
		at = last // nothing was looked through: a restore before it has yet to be seen
	}
	if err := a.Journal.SetLearned(ctx, r.source.ID, learned, at); err != nil {
		return err
	}
	if found.Level == app.UnusualNone {
		return nil
	}
	return a.raise(ctx, r, found, open)
}

// explain finds what Kvart itself did to a source since it was judged last, and
// puts back a canary that went missing by it: a restore took it along, or the
// settings came from another computer.
func (a *Agent) explain(ctx context.Context, r *sourceRun, f *app.RunFacts, last time.Time) (err error) {
	if f.Expected, err = a.ourOwn(ctx, r.source.ID, last); err != nil {
		return err
	}
	if f.Canary != app.CanaryTouched || !f.Expected && !last.IsZero() {
		return nil
	}
	f.Canary = app.CanaryAlive
	if err := a.Lookout.PlantCanary(a.folderOf(r.source)); err != nil {
		a.Log.WarnContext(ctx, "Canary not planted", "source", r.source.ID, "error", err)
	}
	return nil
}

// facts are what a run showed, beside its items.
func (a *Agent) facts(r *sourceRun) app.RunFacts {
	f := app.RunFacts{
		At: r.started, Idle: r.result.State == app.RunIdle, Stats: r.saved.Point.Stats, Bytes: r.result.Bytes,
		Read: r.result.BytesRead, Uploaded: r.result.BytesUploaded, Canary: a.canary(r.source),
	}
	if r.result.Error != nil {
		f.Failed = r.result.Error.Code
	}
	if r.connector != nil {
		f.Server = r.connector.Spec().Database
	}
	return f
}

func orNil(e *app.Error) error {
	if e == nil {
		return nil
	}
	return e
}

// canary says how Kvart's own file in a source's folder stands.
func (a *Agent) canary(s app.Source) app.CanaryState {
	if !slices.Contains(a.Store.Document().Watch.Canaries, s.Name) {
		return app.CanaryNone
	}
	return a.Lookout.LookCanary(a.folderOf(s))
}

// ourOwn reports whether a restore has changed the source since it was judged
// last.
func (a *Agent) ourOwn(ctx context.Context, id app.SourceID, last time.Time) (bool, error) {
	recs, err := a.Journal.Restores(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(recs, func(r app.RestoreRecord) bool {
		changed := r.State == app.RestoreDone || r.State == app.RestoreUndone || r.State == app.RestoreApplying || r.State == app.RestoreFailed
		return changed && r.Target.Original() && (r.Ended.IsZero() || !r.Ended.Before(last)) &&
			slices.ContainsFunc(r.Sources, func(p app.RestoredPart) bool { return p.ID == id })
	}), nil
}

// openUnusual returns the open question about a source, nil when there is none.
func (a *Agent) openUnusual(ctx context.Context, id app.SourceID) (*app.Unusual, error) {
	all, err := a.Journal.Unusuals(ctx, true)
	for _, u := range all {
		if u.SourceID == id {
			return &u, err
		}
	}
	return nil, err
}

// raise marks the run, asks the owner, and begins to pin. What is asked already
// is not asked twice.
func (a *Agent) raise(ctx context.Context, r *sourceRun, found app.Finding, open *app.Unusual) error {
	a.Log.WarnContext(ctx, "Unusual change", "source", r.source.ID, "level", found.Level, "reasons", found.Reasons)
	defer a.bus.poke()
	if open != nil {
		worse := open.Level != found.Level && found.Level == app.UnusualAlarm
		open.Reasons = merged(open.Reasons, found.Reasons)
		if worse {
			open.Level, open.Unpinned = app.UnusualAlarm, 1 // of the other sources too
		}
		open.Point = cmp.Or(open.Point, r.saved.Point.ID)
		return a.Journal.PutUnusual(ctx, open)
	}
	if i, err := a.Journal.OpenIncident(ctx); err != nil {
		return err
	} else if i != nil && i.Playbook == app.PlaybookHacked {
		return nil // the owner is at it, and nothing expires meanwhile
	}
	u := app.Unusual{
		SourceID: r.source.ID, Source: r.source.Name, At: r.started, Level: found.Level, Reasons: found.Reasons,
		Point: r.saved.Point.ID, Unpinned: 1,
	}
	if err := a.Journal.PutUnusual(ctx, &u); err != nil {
		return err
	}
	// asked and frozen by now; pins are for the other computers and for later
	if err := a.pin(ctx, &u, pinAtOnce); err != nil {
		a.Log.WarnContext(ctx, "Points not pinned yet", "source", u.SourceID, "error", err)
	}
	return nil
}

// merged returns reasons with others added: of two about the same the larger.
func merged(have, more []app.UnusualReason) []app.UnusualReason {
	for _, m := range more {
		i := slices.IndexFunc(have, func(h app.UnusualReason) bool { return h.Code == m.Code && h.Kind == m.Kind })
		switch {
		case i < 0 && len(have) < 50:
			have = append(have, m)
		case i >= 0 && m.Count > have[i].Count:
			have[i] = m
		}
	}
	return have
}

// pin pins some more of the points that are to be kept because of a change: the
// source's of the last two days before it, or all sources' where it looks like
// harm. Points that the owner pinned stay theirs.
func (a *Agent) pin(ctx context.Context, u *app.Unusual, limit int) error {
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	ours, err := a.keptFor(ctx, u.ID)
	if err != nil {
		return err
	}
	points, err := a.before(ctx, v, u)
	if err != nil {
		return err
	}
	u.Unpinned = 0
	for _, p := range points {
		switch {
		case slices.Contains(u.Pinned, p.ID) || p.Pinned && !ours[p.ID]:
			continue
		case !p.Pinned && limit == 0:
			u.Unpinned++
			continue
		case !p.Pinned:
			if err := v.Pin(ctx, p.ID, true); err != nil {
				u.Unpinned = max(u.Unpinned, 1)
				return errors.Join(err, a.Journal.PutUnusual(ctx, u))
			}
			limit--
		}
		u.Pinned = append(u.Pinned, p.ID)
	}
	return a.Journal.PutUnusual(ctx, u)
}

// before returns the backups to be kept because of a change, the newest good
// one of its source first.
func (a *Agent) before(ctx context.Context, v app.Vault, u *app.Unusual) ([]app.Point, error) {
	filter := app.PointFilter{Since: u.At.Add(-pinBack)}
	if u.Level != app.UnusualAlarm {
		filter.Source = u.SourceID
	}
	points, err := v.Points(ctx, filter)
	if err != nil {
		return nil, err
	}
	verified, err := a.Journal.Verified(ctx)
	if err != nil {
		return nil, err
	}
	points = slices.DeleteFunc(points, func(p app.Point) bool { return !p.Time.Before(u.At) || p.ID == u.Point })
	all, err := v.Points(ctx, app.PointFilter{Source: u.SourceID})
	if err != nil {
		return nil, err
	}
	for _, p := range all { // newest first; it may be older than two days
		if _, ok := verified[p.ID]; !ok || !p.Time.Before(u.At) || p.ID == u.Point {
			continue
		}
		u.Good, u.GoodTime = p.ID, p.Time
		points = slices.DeleteFunc(points, func(o app.Point) bool { return o.ID == p.ID })
		return append([]app.Point{p}, points...), nil
	}
	return points, nil
}

// keptFor returns the points that are kept because of changes other than one,
// and have not been let go.
func (a *Agent) keptFor(ctx context.Context, but int64) (map[app.PointID]bool, error) {
	all, err := a.Journal.Unusuals(ctx, false)
	if err != nil {
		return nil, err
	}
	kept := map[app.PointID]bool{}
	for _, u := range all {
		if u.ID == but || u.Yes {
			continue
		}
		for _, id := range u.Pinned {
			kept[id] = true
		}
	}
	return kept, nil
}

// pinDue pins and lets go what is left to.
func (a *Agent) pinDue(ctx context.Context) error {
	if a.Lookout == nil {
		return nil
	}
	all, err := a.Journal.Unusuals(ctx, false)
	if err != nil {
		return err
	}
	for _, u := range all {
		switch {
		case u.Open() && u.Unpinned > 0:
			return a.pin(ctx, &u, pinLater)
		case u.Yes && len(u.Pinned) > 0:
			return a.unpin(ctx, &u)
		}
	}
	return nil
}

// unpin lets go some of what was kept because of a change that was the owner's.
// An incident that is open keeps everything.
func (a *Agent) unpin(ctx context.Context, u *app.Unusual) error {
	i, err := a.Journal.OpenIncident(ctx)
	if err != nil {
		return err
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	kept, err := a.keptFor(ctx, u.ID)
	if err != nil {
		return err
	}
	for n := 0; len(u.Pinned) > 0 && (n < pinLater || i != nil); u.Pinned = u.Pinned[1:] {
		if i != nil || kept[u.Pinned[0]] {
			continue
		}
		if err := v.Pin(ctx, u.Pinned[0], false); err != nil && app.CodeOf(err) != app.CodePointUnknown {
			return errors.Join(err, a.Journal.PutUnusual(ctx, u))
		}
		n++
	}
	return a.Journal.PutUnusual(ctx, u)
}
