package agent

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"kvart/app"
)

// typicalSpeed is how fast a restore is guessed to be where no drill has
// measured it: 20 MB a second, a home connection's download.
const typicalSpeed = 20e6

// part is one source's part of a restore, ready to be planned or applied.
type part struct {
	source   app.Source
	point    app.Point
	restorer app.Restorer
	restore  app.Restore
	view     app.PointFS
	warning  *app.Error // about the point
}

func (p *part) close() error {
	if p.view == nil {
		return nil
	}
	return p.view.Close()
}

// PlanRestore implements [app.RestoreService].
func (a *Agent) PlanRestore(ctx context.Context, r app.RestoreRequest) (app.RestorePlan, error) {
	v, stand, err := a.vaultToRestore(ctx)
	if err != nil {
		return app.RestorePlan{}, err
	}
	parts, left, err := a.parts(ctx, v, r)
	if err != nil {
		return app.RestorePlan{}, err
	}
	defer a.closeParts(ctx, parts)
	plan, err := a.plan(ctx, parts)
	plan.Left, plan.Copy = left, stand
	return plan, err
}

func (a *Agent) closeParts(ctx context.Context, parts []*part) {
	for _, p := range parts {
		if err := p.close(); err != nil {
			a.Log.WarnContext(ctx, "Point not closed", "source", p.source.ID, "error", err)
		}
	}
}

func (a *Agent) plan(ctx context.Context, parts []*part) (app.RestorePlan, error) {
	plan := app.RestorePlan{Undoable: true}
	for _, p := range parts {
		t, err := p.restorer.Plan(ctx, p.restore)
		if err != nil {
			return plan, err
		}
		if p.warning != nil {
			t.Warnings = append(t.Warnings, p.warning)
		}
		plan.Sources = append(plan.Sources, app.SourcePlan{Source: p.source.Name, Point: p.point, Plan: t})
		plan.Bytes += t.Bytes
		plan.Files += t.Files
		seconds := float64(t.Bytes) / typicalSpeed
		drill, err := a.Journal.LastDrill(ctx, p.source.ID)
		if err != nil {
			return plan, err
		}
		if drill != nil && drill.Seconds > 0 {
			seconds = drill.Seconds
		}
		if p.restore.Target.Original() {
			seconds *= 2 // the present state is saved first, at about the same cost
		}
		plan.Seconds += seconds
	}
	return plan, nil
}

// restorable returns the sources a request names, this computer's own when it
// names none. Those of another computer can only be restored elsewhere: their
// place is not on this one.
func (a *Agent) restorable(ctx context.Context, r app.RestoreRequest) ([]app.Source, error) {
	if len(r.Sources) == 0 {
		return a.Store.Document().Sources, nil
	}
	var out []app.Source
	for _, name := range r.Sources {
		s, own, err := a.anySource(ctx, name)
		if err != nil {
			return nil, err
		}
		if !own && r.Target.Original() {
			return nil, app.Errorf(app.CodeUsage, "plan restore", "%s belongs to another computer: restore it to a folder", s.Name).With("field", "to")
		}
		out = append(out, s)
	}
	return out, nil
}

// parts works out what a request means: which source from which point. Where
// everything is asked for, left says what can't be. The caller closes what it
// returns.
func (a *Agent) parts(ctx context.Context, v app.Vault, r app.RestoreRequest) (parts []*part, left []app.Problemed, err error) {
	sources, err := a.restorable(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if err := a.goTogether(sources, r); err != nil {
		return nil, nil, err
	}
	for _, s := range a.inOrder(sources) {
		own := r
		if len(sources) > 1 && r.Target.Dir != "" {
			own.Target.Dir = filepath.Join(r.Target.Dir, string(s.ID)) // two may hold files of one name
		}
		p, err := a.chosenPart(ctx, v, s, own)
		switch code := app.CodeOf(err); {
		case err == nil:
			parts = append(parts, p)
		case len(r.Sources) == 0 && len(sources) > 1 && (code == app.CodePointUnknown || code == app.CodeSourceKind):
			// what has no backup must not keep the rest of the shop away
			left = append(left, app.Problemed{Source: s.Name, Error: app.AsError(err)})
		default:
			a.closeParts(ctx, parts)
			return nil, nil, err
		}
	}
	if len(parts) == 0 {
		return nil, nil, left[0].Error
	}
	return parts, left, nil
}

// goTogether refuses what can't be meant of these sources.
func (a *Agent) goTogether(sources []app.Source, r app.RestoreRequest) error {
	switch {
	case len(sources) == 0:
		return app.Errorf(app.CodeSourceUnknown, "plan restore", "no sources are set up")
	case len(sources) != 1 && (r.Point != "" || len(r.Paths) > 0 || r.Target.Database != ""):
		return app.Errorf(app.CodeUsage, "plan restore", "a point, a path or a database goes with exactly one source")
	case r.Target.Database != "" && !a.onServer(sources[0].Kind):
		return app.Errorf(app.CodeUsage, "plan restore", "%s is no database on a server", sources[0].Kind).With("field", "to-database")
	}
	return nil
}

// chosenPart opens the point that a request means for a source.
func (a *Agent) chosenPart(ctx context.Context, v app.Vault, s app.Source, r app.RestoreRequest) (*part, error) {
	id := r.Point
	if named := r.Points[s.ID]; named != "" {
		id = named
	}
	point, err := a.choose(ctx, v, s, id, r.At)
	if err != nil {
		return nil, err
	}
	point, warning, err := a.beforeHarm(ctx, v, s, point, id != "", r.At)
	if err != nil {
		return nil, err
	}
	p, err := a.part(ctx, v, s, point, r)
	if err == nil {
		p.warning = warning
	}
	return p, err
}

// beforeHarm returns the newest verified point from before an unusual change
// that a chosen one holds, or the chosen one where there is none, or the owner
// named it: nobody wants locked files back by asking for everything. The warning
// tells of what was passed over, or of what comes back with the point.
func (a *Agent) beforeHarm(ctx context.Context, v app.Vault, s app.Source, chosen app.Point, named bool, at time.Time) (app.Point, *app.Error, error) {
	marked, err := a.marks(ctx, s.ID)
	if err != nil || chosen.Kind == app.PointSafety || marked(chosen) == "" {
		return chosen, nil, err
	}
	warning := func(code app.Code, p app.Point) *app.Error {
		return (&app.Error{Code: code, Op: "choose point"}).With("source", s.Name).With("at", p.Time.Format(time.RFC3339))
	}
	if named {
		return chosen, warning(app.CodePointMarked, chosen), nil
	}
	points, err := a.pointsBefore(ctx, v, s, at)
	if err != nil {
		return chosen, nil, err
	}
	passed := 0
	for _, p := range points {
		if p.Verified && marked(p) == "" {
			return p, warning(app.CodePointPassed, p).With("count", strconv.Itoa(passed)), nil
		}
		if marked(p) != "" {
			passed++
		}
	}
	return chosen, warning(app.CodePointMarked, chosen), nil
}

// onServer reports whether sources of a kind are databases on a server.
func (a *Agent) onServer(kind app.Kind) bool {
	for _, k := range a.Connectors.Specs() {
		if k.Kind == kind {
			return k.Database
		}
	}
	return false
}

// inOrder sorts sources as a full recovery needs them: databases before files.
func (a *Agent) inOrder(sources []app.Source) []app.Source {
	order := a.order()
	sorted := slices.Clone(sources)
	slices.SortStableFunc(sorted, func(x, y app.Source) int { return order[x.Kind] - order[y.Kind] })
	return sorted
}

// choose finds the point to restore: the one named, else the newest verified
// one not after a time, else — on a new computer nothing is verified yet — the
// newest.
func (a *Agent) choose(ctx context.Context, v app.Vault, s app.Source, id app.PointID, at time.Time) (app.Point, error) {
	points, err := v.Points(ctx, app.PointFilter{Source: s.ID, Kinds: []app.PointKind{app.PointBackup, app.PointSafety}})
	if err != nil {
		return app.Point{}, err
	}
	verified, err := a.Journal.Verified(ctx)
	if err != nil {
		return app.Point{}, err
	}
	var fallback *app.Point
	for i, p := range points {
		_, p.Verified = verified[p.ID]
		switch {
		case id != "" && p.ID == id:
			return p, nil
		case id != "" || p.Kind != app.PointBackup || !at.IsZero() && p.Time.After(at):
		case p.Verified:
			return p, nil
		case fallback == nil:
			fallback = &points[i]
		}
	}
	if id == "" && fallback != nil {
		return *fallback, nil
	}
	return app.Point{}, app.Errorf(app.CodePointUnknown, "choose point", "%s has no such point among %d", s.ID, len(points)).With("source", s.Name)
}

// part opens a point for restoring.
func (a *Agent) part(ctx context.Context, v app.Vault, s app.Source, point app.Point, r app.RestoreRequest) (*part, error) {
	c, access, err := a.access(ctx, s)
	if err != nil {
		return nil, err
	}
	restorer, ok := c.(app.Restorer)
	if !ok {
		return nil, app.Errorf(app.CodeSourceKind, "restore", "%s can't be restored", s.Kind)
	}
	view, err := v.Open(ctx, point.ID)
	if err != nil {
		return nil, err
	}
	var from fs.FS = view
	return &part{source: s, point: point, restorer: restorer, view: view, restore: app.Restore{
		Access: access, From: from, Paths: r.Paths, Target: r.Target, Stats: point.Stats, Raw: point.Kind == app.PointSafety,
	}}, nil
}
