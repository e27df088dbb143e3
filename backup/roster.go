package backup

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/repo/manifest"

	"kvart/app"
	"kvart/backup/storage"
)

const (
	// computerType is the manifest of one computer, found by computerLabel.
	computerType  = "kvart-computer"
	computerLabel = "computer"
	// seenEvery is how often a computer that stores renews when it was seen.
	seenEvery = time.Hour
)

// record is what a vault says about one computer. Several may lie there when
// two wrote at once; all readers agree which one counts, and never by a clock.
type record struct {
	ID     app.ComputerID `json:"id"`
	Name   string         `json:"name"`
	Joined time.Time      `json:"joined"`
	Seen   time.Time      `json:"seen"`
	// ReplacedBy took its place. The name is kept for one that has not stored
	// anything yet.
	ReplacedBy     app.ComputerID `json:"replacedBy,omitempty"`
	ReplacedByName string         `json:"replacedByName,omitempty"`
	// Guard is the one opening of the vault that stores for the computer.
	Guard string `json:"guard,omitempty"`
	// Claims counts how often it changed who may store for the computer: a
	// guard began, or another computer took its place.
	Claims uint64 `json:"claims"`
	// Revision counts all changes.
	Revision uint64 `json:"revision"`
}

// compare orders two records of one computer: the one that counts comes last.
func (r record) compare(o record) int {
	replaced := func(r record) int { return min(len(r.ReplacedBy), 1) }
	return cmp.Or(
		cmp.Compare(r.Claims, o.Claims),
		cmp.Compare(replaced(r), replaced(o)),
		cmp.Compare(r.Revision, o.Revision),
		cmp.Compare(r.Guard, o.Guard),
		cmp.Compare(r.ReplacedBy, o.ReplacedBy),
	)
}

// listed is the record of a computer that counts, and all manifests about it.
type listed struct {
	record

	ids []manifest.ID
}

// loadRoster reads all records.
func (v *Vault) loadRoster(ctx context.Context) (map[app.ComputerID]listed, error) {
	found, err := v.rep.FindManifests(ctx, map[string]string{"type": computerType})
	if err != nil {
		return nil, fmt.Errorf("find computers: %w", err)
	}
	all := map[app.ComputerID]listed{}
	for _, m := range found {
		var r record
		if _, err := v.rep.GetManifest(ctx, m.ID, &r); err != nil {
			return nil, fmt.Errorf("read computer: %w", err)
		}
		e, known := all[r.ID]
		if !known || r.compare(e.record) > 0 {
			e.record = r
		}
		e.ids = append(e.ids, m.ID)
		all[r.ID] = e
	}
	return all, nil
}

// write puts r in the place of e.
func (v *Vault) write(ctx context.Context, w repo.RepositoryWriter, e listed, r record) error {
	r.Revision++
	if _, err := w.PutManifest(ctx, map[string]string{"type": computerType, computerLabel: string(r.ID)}, r); err != nil {
		return fmt.Errorf("write computer: %w", err)
	}
	return v.forget(ctx, w, e.ids...)
}

// mayStore looks at what the vault says now about this computer, and returns an
// error if it may store nothing any more. A vault that was opened without
// saying by whom is nobody's.
func (v *Vault) mayStore(ctx context.Context) (listed, error) {
	if err := v.refresh(ctx); err != nil {
		return listed{}, err
	}
	if v.computer.ID == "" {
		return listed{}, nil
	}
	all, err := v.loadRoster(ctx)
	if err != nil {
		return listed{}, err
	}
	own := all[v.computer.ID]
	switch {
	case own.ReplacedBy != "":
		name := cmp.Or(all[own.ReplacedBy].Name, own.ReplacedByName, string(own.ReplacedBy))
		return listed{}, app.Errorf(app.CodeReplaced, "store", "%s took this computer's place", own.ReplacedBy).With("computer", name)
	case v.claimed && own.ID != "" && own.Guard != v.guard:
		return listed{}, app.Errorf(app.CodeTwoGuards, "store", "guard %s stores for computer %s, not %s", own.Guard, own.ID, v.guard)
	}
	return own, nil
}

// enter writes what is new about this computer: that it is there, that this
// guard stores for it, and once in a while that it was seen.
func (v *Vault) enter(ctx context.Context, w repo.RepositoryWriter, own listed) error {
	if v.computer.ID == "" {
		return nil
	}
	now := v.now().UTC().Round(0)
	r := own.record
	if r.ID == "" {
		r.ID, r.Joined = v.computer.ID, now
	}
	if v.computer.Name != "" {
		r.Name = v.computer.Name
	}
	if r.Guard != v.guard {
		r.Guard = v.guard
		r.Claims++
	}
	if age := now.Sub(r.Seen); age >= seenEvery || age < 0 {
		r.Seen = now
	}
	if r == own.record {
		return nil
	}
	return v.write(ctx, w, own, r)
}

var _ app.Roster = (*Vault)(nil)

// Computers implements [app.Roster].
func (v *Vault) Computers(ctx context.Context) ([]app.Computer, error) {
	ctx = withLog(ctx, v.log)
	if err := v.catchUp(ctx); err != nil {
		return nil, storage.Translate("list computers", err)
	}
	all, err := v.loadRoster(ctx)
	if err != nil {
		return nil, storage.Translate("list computers", err)
	}
	params, err := maintenance.GetParams(ctx, v.rep)
	if err != nil {
		return nil, storage.Translate("list computers", err)
	}
	var list []app.Computer
	for _, e := range all {
		list = append(list, app.Computer{
			ID: e.ID, Name: e.Name, Joined: e.Joined, Seen: e.Seen, ReplacedBy: e.ReplacedBy,
			Maintains: params.Owner == v.ownerOf(e.ID),
		})
	}
	slices.SortFunc(list, func(a, b app.Computer) int {
		return cmp.Or(a.Joined.Compare(b.Joined), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// Replace implements [app.Roster].
func (v *Vault) Replace(ctx context.Context, old app.ComputerID) error {
	ctx = withLog(ctx, v.log)
	end, err := v.beginWriting(ctx, "replace computer")
	if err != nil {
		return err
	}
	defer end()
	return v.failed(ctx, "replace computer", v.replace(ctx, old))
}

func (v *Vault) replace(ctx context.Context, old app.ComputerID) error {
	if v.computer.ID == "" {
		return app.Errorf(app.CodeUsage, "replace computer", "the vault was opened by no computer")
	}
	if err := v.refresh(ctx); err != nil {
		return err
	}
	all, err := v.loadRoster(ctx)
	if err != nil {
		return err
	}
	self := old == app.NoComputer || old == v.computer.ID
	if self {
		old = v.computer.ID
	}
	e, known := all[old]
	switch {
	case !known && self:
		return nil // nothing to clear: the first Save enters it
	case !known:
		choices := slices.Sorted(maps.Keys(all))
		return app.Errorf(app.CodeComputerUnknown, "replace computer", "no computer %q; there are %v", old, choices).With("computer", string(old))
	}
	r := e.record
	r.Claims++
	if self {
		r.ReplacedBy, r.ReplacedByName, r.Guard = "", "", v.guard
	} else {
		r.ReplacedBy, r.ReplacedByName = v.computer.ID, v.computer.Name
	}
	err = repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart replace"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		return v.write(ctx, w, e, r)
	})
	if err != nil {
		return err
	}
	v.claimed = v.claimed || self
	return v.refresh(ctx)
}
