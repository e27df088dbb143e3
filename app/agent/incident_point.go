package agent

import (
	"context"
	"io/fs"
	"slices"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

const (
	// proofTries is how many backups of a source are read back in full, where
	// none before the trouble is verified.
	proofTries = 3
	// lookedThrough is how many backups are looked through for a path.
	lookedThrough = 400
	// candidatesShown is how many candidates are listed where nobody says.
	candidatesShown = 50
)

// Candidates implements [app.ChoiceService].
func (a *Agent) Candidates(ctx context.Context, r app.CandidatesRequest) ([]app.Candidate, error) {
	s, _, err := a.anySource(ctx, r.Source)
	if err != nil {
		return nil, err
	}
	v, _, err := a.vaultToRestore(ctx)
	if err != nil {
		return nil, err
	}
	points, err := a.pointsBefore(ctx, v, s, r.Before)
	if err != nil {
		return nil, err
	}
	if r.Limit <= 0 {
		r.Limit = candidatesShown
	}
	out := []app.Candidate{}
	marked, err := a.marks(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	proposed := false
	for _, p := range points[:min(len(points), r.Limit)] {
		c := app.Candidate{Point: p, Rows: countRows(p.Stats), NewestOrder: newestOrder(p.Stats), Unusual: marked(p)}
		c.Proposed = p.Verified && !proposed && c.Unusual == ""
		proposed = proposed || c.Proposed
		out = append(out, c)
	}
	return out, nil
}

// pointsBefore returns a source's backups that were not taken after a time,
// newest first, with whether they are verified.
func (a *Agent) pointsBefore(ctx context.Context, v app.Vault, s app.Source, before time.Time) ([]app.Point, error) {
	points, err := v.Points(ctx, app.PointFilter{Source: s.ID})
	if err != nil {
		return nil, err
	}
	verified, err := a.Journal.Verified(ctx)
	if err != nil {
		return nil, err
	}
	var out []app.Point
	for _, p := range points {
		if !before.IsZero() && p.Time.After(before) {
			continue
		}
		_, p.Verified = verified[p.ID]
		out = append(out, p)
	}
	return out, nil
}

// actPoint chooses the newest verified backups before the trouble.
func (a *Agent) actPoint(ctx context.Context, i app.Incident) app.StepResult {
	v, _, err := a.vaultToRestore(ctx)
	if err != nil {
		return failed(err)
	}
	sources, err := a.restorable(ctx, app.RestoreRequest{Sources: i.Choice.Sources})
	if err != nil {
		return failed(err)
	}
	if len(sources) == 0 {
		return failed(app.Errorf(app.CodeSourceUnknown, "choose point", "no sources are set up"))
	}
	points := map[app.SourceID]app.ChosenPoint{}
	var facts []app.Fact
	for _, s := range a.inOrder(sources) {
		p, fact, err := a.pointFor(ctx, v, s, i)
		if err != nil {
			if app.CodeOf(err) == app.CodePointUnknown && len(sources) > 1 {
				facts = append(facts, app.Fact{Code: "left", Source: s.Name})
				continue
			}
			return failed(err, facts...)
		}
		passed, err := a.passedOver(ctx, v, s, p, i)
		if err != nil {
			return failed(err, facts...)
		}
		points[s.ID] = app.ChosenPoint{Source: s.Name, Point: p.ID, Time: p.Time, Verified: p.Verified, Stats: p.Stats}
		facts = append(facts, fact)
		facts = append(facts, passed...)
	}
	if len(points) == 0 {
		return failed(app.Errorf(app.CodePointUnknown, "choose point", "nothing has a backup"), facts...)
	}
	res := done(facts...)
	res.Change = func(i *app.Incident) { i.Points = points }
	return res
}

// passedOver tells of newer backups that were left aside for holding an unusual
// change, or that the chosen one holds one.
func (a *Agent) passedOver(ctx context.Context, v app.Vault, s app.Source, chosen app.Point, i app.Incident) ([]app.Fact, error) {
	marked, err := a.marks(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	if marked(chosen) != "" {
		return []app.Fact{{Code: "chosen_marked", Source: s.Name, Time: chosen.Time}}, nil
	}
	if i.Choice.Point != "" {
		return nil, nil // the owner chose
	}
	points, err := a.pointsBefore(ctx, v, s, i.Choice.Before)
	if err != nil {
		return nil, err
	}
	passed := int64(0)
	for _, p := range points {
		if p.Seq > chosen.Seq && marked(p) != "" {
			passed++
		}
	}
	if passed == 0 {
		return nil, nil
	}
	return []app.Fact{{Code: "passed_over", Source: s.Name, Time: chosen.Time, Count: passed}}, nil
}

// pointFor chooses one source's backup.
func (a *Agent) pointFor(ctx context.Context, v app.Vault, s app.Source, i app.Incident) (app.Point, app.Fact, error) {
	if i.Choice.Point != "" {
		p, err := a.choose(ctx, v, s, i.Choice.Point, time.Time{})
		return p, chosenFact(s, p), err
	}
	points, err := a.pointsBefore(ctx, v, s, i.Choice.Before)
	if err != nil {
		return app.Point{}, app.Fact{}, err
	}
	if len(points) == 0 {
		return app.Point{}, app.Fact{}, app.Errorf(app.CodePointUnknown, "choose point", "%s has no backup before %s", s.ID, i.Choice.Before).With("source", s.Name)
	}
	if points, err = a.unmarked(ctx, s, points); err != nil {
		return app.Point{}, app.Fact{}, err
	}
	if len(i.Choice.Paths) > 0 {
		return a.lastWith(ctx, v, s, points, i.Choice.Paths)
	}
	marked, err := a.marks(ctx, s.ID)
	if err != nil {
		return app.Point{}, app.Fact{}, err
	}
	for _, soundOnly := range []bool{true, false} { // better a marked one than none
		for _, p := range points {
			if p.Verified && (!soundOnly || marked(p) == "") {
				return p, chosenFact(s, p), nil
			}
		}
	}
	if i.Playbook == app.PlaybookComputer {
		// nothing is verified on a new computer, and proving it first would cost
		// the time that restoring and checking it takes
		return points[0], chosenFact(s, points[0]), nil
	}
	return a.prove(ctx, v, s, points)
}

// unmarked leaves out the points that hold an unusual change, unless all do.
func (a *Agent) unmarked(ctx context.Context, s app.Source, points []app.Point) ([]app.Point, error) {
	marked, err := a.marks(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	sound := slices.DeleteFunc(slices.Clone(points), func(p app.Point) bool { return marked(p) != "" })
	if len(sound) == 0 {
		return points, nil
	}
	return sound, nil
}

func chosenFact(s app.Source, p app.Point) app.Fact {
	f := app.Fact{Code: "chosen", Source: s.Name, Time: p.Time}
	if !p.Verified {
		f.Code = "chosen_unproven"
	}
	return f
}

// prove reads back the newest backups until one is sound.
func (a *Agent) prove(ctx context.Context, v app.Vault, s app.Source, points []app.Point) (app.Point, app.Fact, error) {
	if err := a.lock(ctx); err != nil {
		return app.Point{}, app.Fact{}, err
	}
	defer a.unlock()
	for _, p := range points[:min(len(points), proofTries)] {
		rep, err := v.Verify(ctx, app.VerifyRequest{Points: []app.PointID{p.ID}, Percent: 100}, nowhere{})
		if err != nil && ctx.Err() != nil {
			return app.Point{}, app.Fact{}, err
		}
		if err != nil || len(rep.Damaged) > 0 || rep.Points == 0 {
			a.Log.WarnContext(ctx, "Backup not sound", "source", s.ID, "point", p.ID, "damaged", len(rep.Damaged), "error", err)
			continue
		}
		if err := a.Journal.AddVerified(ctx, journal.Verified{Point: p.ID, Source: p.Source, Seq: p.Seq, At: a.Now()}); err != nil {
			return app.Point{}, app.Fact{}, err
		}
		p.Verified = true
		return p, app.Fact{Code: "proved", Source: s.Name, Time: p.Time}, nil
	}
	return app.Point{}, app.Fact{}, app.Errorf(app.CodeUnverified, "choose point", "none of the newest backups of %s is sound", s.ID).With("source", s.Name)
}

// lastWith finds the newest backup that has every path: a verified one, unless
// there is none.
func (a *Agent) lastWith(ctx context.Context, v app.Vault, s app.Source, points []app.Point, paths []string) (app.Point, app.Fact, error) {
	fact := func(p app.Point) app.Fact {
		return app.Fact{Code: "last_had", Source: s.Name, Time: p.Time, Args: map[string]string{"path": paths[0]}}
	}
	var unproven *app.Point
	for n, p := range points[:min(len(points), lookedThrough)] {
		has, err := a.holds(ctx, v, s, p, paths)
		if err != nil {
			return p, app.Fact{}, err
		}
		if has && p.Verified {
			return p, fact(p), nil
		}
		if has && unproven == nil {
			unproven = &points[n]
		}
	}
	if unproven != nil {
		return *unproven, fact(*unproven), nil
	}
	return app.Point{}, app.Fact{}, app.Errorf(app.CodePathUnknown, "choose point", "no backup of %s has %v", s.ID, paths).With("path", paths[0])
}

// holds reports whether a point has every path: among its files, else in what
// its connector makes of them, such as tables.
func (a *Agent) holds(ctx context.Context, v app.Vault, s app.Source, p app.Point, paths []string) (bool, error) {
	view, err := v.Open(ctx, p.ID)
	if err != nil {
		return false, err
	}
	defer a.closeView(ctx, view)
	files := true
	for _, name := range paths {
		if name, err = cleanPath(name); err != nil {
			return false, err
		}
		if _, err := fs.Stat(view, name); err != nil {
			files = false
		}
	}
	if files {
		return true, nil
	}
	for _, name := range paths {
		if n, ok := tableOf(name); !ok || p.Stats == nil {
			return false, nil
		} else if _, ok := p.Stats["table."+n]; !ok {
			return false, nil
		}
	}
	return true, nil
}

func (a *Agent) closeView(ctx context.Context, view app.PointFS) {
	if err := view.Close(); err != nil {
		a.Log.WarnContext(ctx, "Point not closed", "error", err)
	}
}

// actCompare counts what changed since the chosen backups. What can't be
// compared, since it is broken or gone, holds nothing up.
func (a *Agent) actCompare(ctx context.Context, i app.Incident) app.StepResult {
	var facts []app.Fact
	for _, s := range a.Store.Document().Sources {
		p, ok := i.Points[s.ID]
		if !ok {
			continue
		}
		changes, err := a.Diff(ctx, app.DiffRequest{Source: s.Name, Point: p.Point, With: app.Live})
		if err != nil {
			if ctx.Err() != nil {
				return failed(err, facts...)
			}
			a.Log.InfoContext(ctx, "Not compared", "source", s.ID, "error", err)
			facts = append(facts, app.Fact{Code: "not_compared", Source: s.Name})
			continue
		}
		changed, removed := int64(0), int64(0)
		for _, c := range changes {
			changed += max(c.Added+c.Removed+c.Changed, 1)
			removed += c.Removed
			if c.Kind == app.ChangeRemoved && c.Removed == 0 {
				removed++
			}
		}
		facts = append(facts, app.Fact{Code: "changed", Source: s.Name, Count: changed})
		if removed > 0 {
			facts = append(facts, app.Fact{Code: "removed", Source: s.Name, Count: removed})
		}
	}
	return done(facts...)
}
