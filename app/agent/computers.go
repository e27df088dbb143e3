package agent

import (
	"context"
	"slices"
	"strings"

	"kvart/app"
	"kvart/app/agent/journal"
)

// self is this data folder's name among the computers of the shop.
func (a *Agent) self() app.ComputerID { return app.ComputerID(a.Store.Document().Profile) }

// roster returns the computers that share a vault; none where it can't tell.
func roster(ctx context.Context, v app.Vault) ([]app.Computer, error) {
	r, ok := v.(app.Roster)
	if !ok {
		return nil, nil
	}
	return r.Computers(ctx)
}

// whom decides whose place this computer takes: the one that was named, or the
// only one there is. It is NoComputer where this one joins the others, or is
// one of them already.
func (a *Agent) whom(ctx context.Context, v app.Vault, named app.ComputerID) (app.ComputerID, error) {
	if named == app.NoComputer {
		return app.NoComputer, nil
	}
	all, err := a.everyComputer(ctx, v)
	if err != nil {
		return "", err
	}
	var active, mine []app.Computer
	for _, c := range all {
		switch {
		case c.ID == a.self():
		case c.ReplacedBy == a.self():
			mine = append(mine, c)
		case c.ReplacedBy == "":
			active = append(active, c)
		}
	}
	if named != "" && named != app.AskComputer {
		for _, c := range append(active, mine...) {
			if c.ID == named || strings.EqualFold(c.Name, string(named)) {
				return c.ID, nil
			}
		}
		return "", app.Errorf(app.CodeComputerUnknown, "open vault", "no computer %q", named).
			With("computer", string(named)).With("choices", choices(active))
	}
	if len(active) > 1 || named == app.AskComputer && len(active) > 0 {
		return "", app.Errorf(app.CodeComputerWhich, "open vault", "%d computers share the vault: say which one this replaces, or none", len(active)).
			With("choices", choices(active))
	}
	// a take-over that was cut off after the old computer had been told goes on
	if candidates := append(active, mine...); len(candidates) > 0 {
		return candidates[0].ID, nil
	}
	return app.NoComputer, nil
}

// everyComputer returns the computers of the roster, and those that only their
// state in the vault tells of.
func (a *Agent) everyComputer(ctx context.Context, v app.Vault) ([]app.Computer, error) {
	all, err := roster(ctx, v)
	if err != nil {
		return nil, err
	}
	points, err := v.Points(ctx, app.PointFilter{Kinds: []app.PointKind{app.PointState}})
	if err != nil {
		return nil, err
	}
	for _, p := range points { // newest first
		id, ok := strings.CutPrefix(string(p.Source), stateSource+"-")
		if ok && !slices.ContainsFunc(all, func(c app.Computer) bool { return string(c.ID) == id }) {
			all = append(all, app.Computer{ID: app.ComputerID(id), Name: p.Name, Seen: p.Time})
		}
	}
	return all, nil
}

// choices names the computers one may take the place of.
func choices(cs []app.Computer) string {
	names := make([]string, 0, len(cs)+1)
	for _, c := range cs {
		name := c.Name
		if slices.ContainsFunc(cs, func(o app.Computer) bool { return o.ID != c.ID && strings.EqualFold(o.Name, c.Name) }) {
			name = string(c.ID)
		}
		names = append(names, name)
	}
	return strings.Join(append(names, string(app.NoComputer)), ", ")
}

// Computers implements [app.CareService].
func (a *Agent) Computers(ctx context.Context) ([]app.Computer, error) {
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, err
	}
	return roster(ctx, v)
}

// StepIn implements [app.CareService].
func (a *Agent) StepIn(ctx context.Context) error {
	if err := a.lock(ctx); err != nil {
		return err
	}
	defer a.unlock()
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	r, ok := v.(app.Roster)
	if !ok {
		return app.Errorf(app.CodeUsage, "step in", "the vault knows no computers")
	}
	all, err := r.Computers(ctx)
	if err != nil {
		return err
	}
	// Whoever took this one's place must not go on with the same sources.
	for _, c := range all {
		if c.ID == a.self() && c.ReplacedBy != "" {
			if err := r.Replace(ctx, c.ReplacedBy); err != nil {
				return err
			}
		}
	}
	if err := r.Replace(ctx, app.NoComputer); err != nil {
		return err
	}
	if err := a.Journal.SetMeta(ctx, journal.KeyAside, ""); err != nil {
		return err
	}
	a.mu.Lock()
	a.vaultErr = nil
	a.mu.Unlock()
	for _, s := range a.Store.Document().Sources {
		// what the other stored meanwhile is not what the marker speaks of
		if err := a.Journal.ForgetPlace(ctx, s.ID); err != nil {
			return err
		}
	}
	a.bus.poke()
	return nil
}

// anySource finds a source by name or ID: this computer's own, else one of
// another computer that shares the vault, whose backups can be looked at and
// restored elsewhere.
func (a *Agent) anySource(ctx context.Context, nameOrID string) (s app.Source, own bool, err error) {
	s, err = a.Store.Document().source(nameOrID)
	if err == nil {
		return s, true, nil
	}
	v, openErr := a.openVault(ctx)
	if openErr != nil {
		return s, false, err
	}
	all, stateErr := a.states(ctx, v)
	if stateErr != nil {
		return s, false, stateErr
	}
	for id, st := range all {
		if id == a.self() {
			continue
		}
		for _, s := range st.Sources {
			if s.Name == nameOrID || string(s.ID) == nameOrID {
				return s, false, nil
			}
		}
	}
	return s, false, err
}
