package agent

import (
	"context"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// statusPace bounds how often watchers are sent a status: progress changes
// many times a second.
const statusPace = 200 * time.Millisecond

// Status implements [app.StatusService].
func (a *Agent) Status(ctx context.Context) (app.Status, error) {
	now := a.schedule.wall()
	d := a.Store.Document()
	st := app.Status{
		Seq: a.bus.number(), Now: now, Build: a.Build, Self: a.self(), Language: d.Settings.Language,
		Secrets: a.Secrets.Backend(), Autostart: a.Autostart.Enabled(), Theme: d.Settings.Theme,
	}
	vaultErr := a.fillGuard(&st, d)
	st.Job = a.foremost()
	if st.Job != nil {
		st.Job.Trying = a.trying()
	}
	if err := a.fillSources(ctx, &st, d, now); err != nil {
		return st, err
	}
	against, err := a.vaultProblems(ctx)
	if err != nil {
		return st, err
	}
	if vaultErr != nil {
		against = append(against, vaultErr)
	}
	st.Verdict, st.Problems = verdict(d.Vault != nil, st.Sources, against)
	if err := a.fillWatch(ctx, &st, d); err != nil {
		return st, err
	}
	if err := a.fillSafety(ctx, &st, d); err != nil {
		return st, err
	}
	a.fillPower(&st, d)
	a.fillHome(&st)
	if err := a.fillUpdate(ctx, &st); err != nil {
		return st, err
	}
	if st.Today, err = a.day(ctx, "", now); err != nil {
		return st, err
	}
	if st.Incident, err = a.brief(ctx); err != nil {
		return st, err
	}
	recs, err := a.Journal.Restores(ctx)
	if err != nil {
		return st, err
	}
	if r, err := undoable(recs, ""); err == nil {
		st.Undo = &r
	}
	return st, nil
}

// foremost returns the job that the owner sees, nil when none runs: what works
// goes before what waits for it, and everything before a download.
func (a *Agent) foremost() *app.Job {
	var first *app.Job
	for _, j := range a.running() {
		s := j.snapshot()
		if first == nil || first.Kind == app.JobUpdate || first.Step == app.StepWaiting && s.Kind != app.JobUpdate {
			first = &s
		}
	}
	return first
}

// fillGuard says what the guard itself is at, and returns why the vault could
// not be used last time.
func (a *Agent) fillGuard(st *app.Status, d Document) *app.Error {
	if a.paused(st.Now) {
		st.PausedUntil = d.PausedUntil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	st.TrayShown = a.tray
	if d.Vault != nil {
		st.Vault = &app.VaultInfo{ID: d.Vault.ID, Shop: d.Vault.Shop, Storage: d.Vault.Kind, Where: d.Vault.Where, OffSite: d.Vault.OffSite, Lock: d.Vault.Lock, AsOf: d.Vault.AsOf, Bytes: -1, Free: -1, IndexBlobs: -1}
		if a.info != nil && a.info.ID == d.Vault.ID {
			info := *a.info
			st.Vault = &info
		}
	}
	st.Pace = a.schedule.every(st.Now)
	if st.Serving = a.serving; st.Serving {
		st.NextBackup = a.schedule.next(st.Now)
		if st.PausedUntil.After(st.NextBackup) {
			st.NextBackup = a.schedule.next(st.PausedUntil)
		}
	}
	return a.vaultErr
}

// fillSources says how each source stands.
func (a *Agent) fillSources(ctx context.Context, st *app.Status, d Document, now time.Time) error {
	verified, err := a.Journal.Verified(ctx)
	if err != nil {
		return err
	}
	for _, s := range d.Sources {
		f, ss, last, err := a.factsOf(ctx, s, verified, now)
		if err != nil {
			return err
		}
		if err := a.fillDrill(ctx, st, &ss, d, f.points); err != nil {
			return err
		}
		ss.State, ss.Error = f.state(ss.Error)
		if ss.State == app.SourceLate && !st.PausedUntil.IsZero() {
			if then, _ := f.awake(d.PausedFrom).state(f.lastErr); then != app.SourceLate {
				ss.State, ss.Error = app.SourcePaused, nil // with all others
			}
		}
		if st.Serving {
			a.fillNext(st, &ss, last)
		}
		st.Sources = append(st.Sources, ss)
		if len(st.Sources) == 1 || ss.SafeUntil.Before(st.LastBackup) {
			st.LastBackup = ss.SafeUntil
		}
	}
	return nil
}

// factsOf returns what a source's state is computed from, its status as far as
// that goes, and its last run, nil when there was none.
func (a *Agent) factsOf(ctx context.Context, s app.Source, verified map[app.PointID]journal.Verified, now time.Time) (sourceFacts, app.SourceStatus, *journal.Run, error) {
	f, ss := sourceFacts{now: now, schedule: s.Schedule}, app.SourceStatus{Source: s}
	place, err := a.Journal.Place(ctx, s.ID)
	if err != nil {
		return f, ss, nil, err
	}
	last, stored, err := a.Journal.LastRun(ctx, s.ID)
	if err != nil {
		return f, ss, nil, err
	}
	f.points = place.Point != ""
	if _, ok := verified[place.Point]; ok {
		f.verified, f.safeUntil, f.taken = true, place.SafeUntil, place.Captured
		ss.SafeUntil = place.SafeUntil
		ss.Point = &app.Point{ID: place.Point, Source: s.ID, Name: s.Name, Kind: app.PointBackup, Time: place.Captured, Seq: verified[place.Point].Seq, Verified: true}
	}
	if last != nil {
		ss.LastRun, ss.Error, f.lastErr = last.Ended, last.Result.Error, last.Result.Error
	}
	if stored != nil {
		ss.Problems, ss.Uploaded = stored.Result.Problems, stored.Result.BytesUploaded
		f.incomplete, f.damaged = unreadable(ss.Problems), damaged(ss.Problems)
		if ss.Point != nil {
			ss.Point.Bytes, ss.Point.Files = stored.Result.Bytes, stored.Result.Files
			ss.Point.Incomplete = int64(f.incomplete)
		}
		f.unproven = !f.verified
	}
	return f, ss, last, nil
}

// fillNext says when a source is backed up next, and with it when anything is.
func (a *Agent) fillNext(st *app.Status, ss *app.SourceStatus, last *journal.Run) {
	from := st.Now
	if st.PausedUntil.After(from) {
		from = st.PausedUntil
	}
	ss.NextRun = a.nextRun(ss.Source, last, from)
	if first := len(st.Sources) == 0; first || !ss.NextRun.IsZero() && (st.NextBackup.IsZero() || ss.NextRun.Before(st.NextBackup)) {
		st.NextBackup = ss.NextRun
	}
}

// fillDrill says what drills have shown of a source.
func (a *Agent) fillDrill(ctx context.Context, st *app.Status, ss *app.SourceStatus, d Document, points bool) error {
	drill, err := a.Journal.LastDrill(ctx, ss.Source.ID)
	if err != nil {
		return err
	}
	if ss.Proof, err = a.proofOf(ctx, d, ss.Source, drill, points, st.Now); err != nil || drill == nil {
		return err
	}
	if drill.OK {
		ss.RestoreSeconds = drill.Seconds
	}
	if st.LastDrill == nil || drill.At.After(st.LastDrill.At) {
		st.LastDrill = drill
	}
	return nil
}

// trying returns why the storage is being asked again just now.
func (a *Agent) trying() *app.Error {
	if !a.vaultMu.TryLock() {
		return nil // it is being opened or closed
	}
	defer a.vaultMu.Unlock()
	if t, ok := a.vault.(app.Trier); ok {
		return app.AsError(t.Trying())
	}
	return nil
}

// unreadable counts what a point lacks: files, and whole kinds of a shop.
func unreadable(ps []app.Problem) (n int) {
	for _, p := range ps {
		switch p.Code {
		case app.CodeItemUnreadable, app.CodeShopScope, app.CodeShopAnswer, app.CodeShopRedacted, app.CodeShopShrunk, app.CodeShopPicture, app.CodeKindMissing:
			n++
		}
	}
	return n
}

func damaged(ps []app.Problem) bool {
	return slices.ContainsFunc(ps, func(p app.Problem) bool { return p.Code == app.CodeSourceDamaged })
}

// vaultProblems returns what stands against the vault as a whole.
func (a *Agent) vaultProblems(ctx context.Context) ([]*app.Error, error) {
	s, err := a.Journal.Meta(ctx, journal.KeyDamaged)
	if err != nil || s == "" {
		return nil, err
	}
	code, detail, _ := strings.Cut(s, " ")
	return []*app.Error{app.Errorf(app.Code(code), "check vault", "%s", detail).With("detail", detail)}, nil
}

// Watch implements [app.StatusService].
func (a *Agent) Watch(ctx context.Context, fn func(app.Status) error) error {
	changed, cancel := a.bus.subscribe()
	defer cancel()
	pace := time.NewTicker(statusPace)
	defer pace.Stop()
	for {
		st, err := a.Status(ctx)
		if err != nil {
			return err
		}
		if err := fn(st); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pace.C:
		}
	}
}

// Settings implements [app.SettingsService].
func (a *Agent) Settings(context.Context) (app.Settings, error) {
	s := a.Store.Document().Settings
	s.Autostart = a.Autostart.Enabled()
	return s, nil
}

// SetSettings implements [app.SettingsService].
func (a *Agent) SetSettings(ctx context.Context, s app.Settings) error {
	if !slices.Contains([]string{"", "en", "sv"}, s.Language) {
		return app.Errorf(app.CodeUsage, "change settings", "no language %q; there are: en, sv", s.Language).With("choices", "en, sv")
	}
	if err := checkKeep(s.Keep); err != nil {
		return err
	}
	if min(s.QuietFrom, s.QuietTo) < 0 || max(s.QuietFrom, s.QuietTo) > 23 {
		return app.Errorf(app.CodeUsage, "change settings", "hours of the day are 0 to 23").With("field", "quietFrom")
	}
	if err := checkChoices(s); err != nil {
		return err
	}
	if s.UploadLimit < 0 {
		return app.Errorf(app.CodeUsage, "change settings", "upload limit below zero")
	}
	if s.Autostart != a.Autostart.Enabled() {
		if err := a.Autostart.Set(s.Autostart); err != nil {
			return app.Errorf(app.CodeAutostart, "change settings", "%w", err)
		}
	}
	if err := a.Store.Update(func(d *Document) error {
		if d.Settings.Keep != s.Keep {
			d.KeepSince = a.Now()
		}
		d.Settings = s
		return nil
	}); err != nil {
		return err
	}
	a.vaultMu.Lock()
	v := a.vault
	a.vaultMu.Unlock()
	if t, ok := v.(app.Throttler); ok {
		if err := t.SetUploadLimit(s.UploadLimit); err != nil {
			return err
		}
	}
	a.bus.poke()
	return nil
}
