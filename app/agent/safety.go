package agent

import (
	"context"
	"strconv"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

const (
	// drillProof is how long a drill that passed proves anything.
	drillProof = 30 * 24 * time.Hour
	// manyIndexes is when the vault's index is spread over so many objects that
	// its maintenance can't be running.
	manyIndexes = 1000
	// copyFresh is how old a copy may be and still count as one.
	copyFresh = 8 * 24 * time.Hour
)

// fillSafety says what the vault's own safety rests on: kit, lock, copies,
// checks, room.
func (a *Agent) fillSafety(ctx context.Context, st *app.Status, d Document) error {
	st.Kit = d.Kit.state()
	if d.Vault == nil {
		return nil
	}
	var err error
	if st.LockProof, err = recall[app.LockProof](ctx, a.Journal, journal.KeyLock); err != nil {
		return err
	}
	if st.Check, err = recall[app.CheckReport](ctx, a.Journal, journal.KeyCheck); err != nil {
		return err
	}
	for _, c := range d.Copies {
		cs, err := a.copyStatus(ctx, c, st.Now)
		if err != nil {
			return err
		}
		st.Copies = append(st.Copies, cs)
	}
	if st.Use, err = a.use(ctx, st.Vault, st.Now); err != nil {
		return err
	}
	rule, err := a.rule(ctx, *st, d)
	if err != nil {
		return err
	}
	st.Rule = &rule
	st.Notes, err = a.notes(ctx, *st)
	return err
}

// rule computes 3-2-1-1-0 from what is known.
func (a *Agent) rule(ctx context.Context, st app.Status, d Document) (app.RuleOfCopies, error) {
	r := app.RuleOfCopies{Copies: 1, Media: 1, Immutable: st.Locked()} // the shop's own data, on its own disk
	media := map[string]bool{"": true}
	add := func(kind app.Kind, settings map[string]string, ownDisk, offSite bool) {
		r.Copies++
		r.OffSite = r.OffSite || offSite
		if m := medium(kind, settings, ownDisk); !media[m] {
			media[m] = true
			r.Media++
		}
	}
	if holdsEverything(st.Sources) {
		add(d.Vault.Kind, d.Vault.Settings, sameDisk(a.Dir, d.Vault.Settings["path"]), d.Vault.OffSite)
	}
	for _, c := range st.Copies {
		if c.InStep.IsZero() || st.Now.Sub(c.InStep).Abs() > copyFresh || c.State == app.CopyFailed {
			continue
		}
		rec, err := recall[copyRecord](ctx, a.Journal, copyKey(c.Name))
		if err != nil {
			return r, err
		}
		add(c.Kind, c.Settings, rec.OwnDisk, c.OffSite)
		// unplugged, nobody on this computer can delete it
		r.Immutable = r.Immutable || c.State == app.CopyAway && c.Kind == "folder"
	}
	err := a.proof(ctx, &r, st.Now, d)
	return r, err
}

// proof fills in what drills and checks showed.
func (a *Agent) proof(ctx context.Context, r *app.RuleOfCopies, now time.Time, d Document) error {
	r.Proved = len(d.Sources) > 0
	for _, s := range d.Sources {
		drill, err := a.Journal.LastDrill(ctx, s.ID)
		if err != nil {
			return err
		}
		proof, err := a.proofOf(ctx, d, s, drill, true, now)
		if err != nil {
			return err
		}
		switch proof {
		case app.ProofProven:
		case app.ProofFailed:
			r.Errors++
		default:
			r.Proved = false
		}
	}
	damage, err := a.vaultProblems(ctx)
	r.Errors += len(damage)
	return err
}

// holdsEverything reports whether every source has a verified backup.
func holdsEverything(sources []app.SourceStatus) bool {
	for _, s := range sources {
		if s.Point == nil {
			return false
		}
	}
	return len(sources) > 0
}

// medium names what a storage's bytes lie on: "" for this computer's own disk,
// else the other disk or the provider.
func medium(kind app.Kind, settings map[string]string, ownDisk bool) string {
	if kind == "folder" && ownDisk {
		return ""
	}
	return string(kind) + " " + placeName(settings)
}

// notes are what the owner should see to, worst first.
func (a *Agent) notes(ctx context.Context, st app.Status) ([]app.Problemed, error) {
	var out []app.Problemed
	note := func(e *app.Error) { out = append(out, app.Problemed{Error: e}) }
	if p := st.LockProof; p != nil && p.State != app.LockHeld && st.Vault.Lock.Mode != app.LockNone {
		code := app.CodeLockOpen
		if p.State == app.LockLifted {
			code = app.CodeLockLifted
		}
		note(&app.Error{Code: code, Op: "look at lock"})
	}
	switch {
	case !st.Vault.AsOf.IsZero():
	case st.Kit.Void:
		note(&app.Error{Code: app.CodeKitVoid, Op: "look at kit"})
	case !st.Kit.Good():
		note(&app.Error{Code: app.CodeKitMissing, Op: "look at kit"})
	}
	for _, c := range st.Copies {
		if e := copyNote(c, st.Now); e != nil {
			note(e)
		}
	}
	if u, err := recall[upkeep](ctx, a.Journal, journal.KeyUpkeep); err != nil {
		return nil, err
	} else if u != nil && st.Now.Sub(u.Since) > upkeepLate {
		note(u.Error)
	}
	if st.Vault.IndexBlobs > manyIndexes {
		note((&app.Error{Code: app.CodeUpkeep, Op: "look at index"}).With("count", strconv.Itoa(st.Vault.IndexBlobs)))
	}
	if little(st.Use, st.Now) {
		note(&app.Error{Code: app.CodeStorageLittle, Op: "look at room"})
	}
	if unchecked(st.Check, st.Now) {
		note(&app.Error{Code: app.CodeUnchecked, Op: "look at check"})
	}
	return out, nil
}

func copyNote(c app.CopyStatus, now time.Time) *app.Error {
	switch {
	case c.State == app.CopyFailed:
		return c.Error
	case c.State != app.CopyNew && now.Sub(c.InStep) > copyLate:
		return (&app.Error{Code: app.CodeCopyBehind, Op: "look at copy"}).With("copy", c.Name)
	}
	return nil
}

// unchecked reports whether the rolling check broke its promise.
func unchecked(r *app.CheckReport, now time.Time) bool {
	return r != nil && !r.Behind.IsZero() && now.Sub(r.Behind) > checkPromise
}
