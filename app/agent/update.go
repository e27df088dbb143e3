package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

const (
	// updateEvery is how often a feed is asked, and updateLook how often it is
	// looked whether that is due.
	updateEvery = 24 * time.Hour
	updateLook  = time.Hour
	// giveWayEvery is how often a download that waits looks whether it may go on.
	giveWayEvery = 2 * time.Second
	// updateFolder is where newer versions are fetched to, in the data folder.
	updateFolder = "updates"
)

// told is what a feed told last.
type told struct {
	At      time.Time    `json:"at"`
	Release *app.Release `json:"release,omitempty"`
	Error   *app.Error   `json:"error,omitempty"` // of the last look
}

// feed returns where to look for newer versions, and the serial that was seen.
func (a *Agent) feed() (app.UpdateSettings, int64) {
	if r := a.Store.Document().Updates; r != nil {
		if r.Feed == "" && r.Key == "" {
			return app.UpdateSettings{}, 0
		}
		return r.UpdateSettings, r.Serial
	}
	return a.Feed, 0
}

// Updates implements [app.UpdateService].
func (a *Agent) Updates(ctx context.Context) (app.UpdateStatus, error) {
	settings, _ := a.feed()
	st := app.UpdateStatus{Settings: settings, Version: a.Build}
	if settings.Feed == "" || a.Config.Updates == nil {
		return st, nil
	}
	t, err := recall[told](ctx, a.Journal, journal.KeyUpdate)
	if err != nil || t == nil {
		return st, err
	}
	st.Checked, st.Error = t.At, t.Error
	if r := t.Release; r != nil && a.Config.Updates.Newer(r.Version, a.Build) {
		st.Newer, st.Path = r, a.Config.Updates.Fetched(r.File, a.updateDir())
	}
	return st, nil
}

func (a *Agent) updateDir() string { return filepath.Join(a.Dir, updateFolder) }

// fillUpdate notes that there is a newer version.
func (a *Agent) fillUpdate(ctx context.Context, st *app.Status) error {
	u, err := a.Updates(ctx)
	if err == nil && u.Newer != nil && u.Newer.File.Name != "" {
		st.Notes = append(st.Notes, app.Problemed{Error: (&app.Error{Code: app.CodeUpdateNewer, Op: "look for updates"}).With("version", u.Newer.Version)})
	}
	return err
}

// SetUpdates implements [app.UpdateService].
func (a *Agent) SetUpdates(ctx context.Context, s app.UpdateSettings) (app.UpdateStatus, error) {
	rec := UpdateRecord{UpdateSettings: s}
	t := told{At: a.Now()}
	if s.Feed != "" {
		if a.Config.Updates == nil {
			return app.UpdateStatus{}, app.Errorf(app.CodeUsage, "set updates", "this guard asks nobody").With("field", "feed")
		}
		if now, serial := a.feed(); now.Key == s.Key {
			rec.Serial = serial // it was moved: what was seen stays seen
		}
		r, err := a.Config.Updates.Look(ctx, s, rec.Serial)
		if err != nil {
			return app.UpdateStatus{}, err
		}
		rec.Serial, t.Release = r.Serial, &r
	} else {
		rec.Key = ""
	}
	if err := a.Store.Update(func(d *Document) error { d.Updates = &rec; return nil }); err != nil {
		return app.UpdateStatus{}, err
	}
	if err := a.keepTold(ctx, t); err != nil {
		return app.UpdateStatus{}, err
	}
	a.bus.poke()
	return a.Updates(ctx)
}

func (a *Agent) keepTold(ctx context.Context, t told) error {
	doc, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode what the feed told: %w", err)
	}
	return a.Journal.SetMeta(ctx, journal.KeyUpdate, string(doc))
}

// CheckUpdate implements [app.UpdateService]. A feed that can't be asked leaves
// what it told before; one that can't be trusted leaves nothing.
func (a *Agent) CheckUpdate(ctx context.Context) (app.UpdateStatus, error) {
	s, seen := a.feed()
	if s.Feed == "" || a.Config.Updates == nil {
		return a.Updates(ctx)
	}
	last, err := recall[told](ctx, a.Journal, journal.KeyUpdate)
	if err != nil {
		return app.UpdateStatus{}, err
	}
	t := told{}
	if last != nil {
		t = *last
	}
	r, lookErr := a.Config.Updates.Look(ctx, s, seen)
	switch t.Error = app.AsError(lookErr); {
	case lookErr == nil:
		t.At, t.Release = a.Now(), &r
		if err := a.Store.Update(func(d *Document) error {
			d.Updates = &UpdateRecord{UpdateSettings: s, Serial: r.Serial}
			return nil
		}); err != nil {
			return app.UpdateStatus{}, err
		}
	case app.CodeOf(lookErr) == app.CodeUpdateForged:
		t.Release = nil
	case app.CodeOf(lookErr) == app.CodeCanceled:
		return app.UpdateStatus{}, lookErr
	}
	if err := a.keepTold(ctx, t); err != nil {
		return app.UpdateStatus{}, err
	}
	a.bus.poke()
	st, err := a.Updates(ctx)
	if err != nil {
		return st, err
	}
	return st, lookErr
}

// lookForUpdates asks the feed once a day, where there is one.
func (a *Agent) lookForUpdates(ctx context.Context) error {
	tick := time.NewTicker(updateLook)
	defer tick.Stop()
	for {
		if err := a.updateDue(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "Updates not looked for", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (a *Agent) updateDue(ctx context.Context) error {
	if s, _ := a.feed(); s.Feed == "" || a.Config.Updates == nil {
		return nil
	}
	due, err := a.due(ctx, journal.KeyUpdateTried, updateEvery)
	if err != nil || !due {
		return err
	}
	if err := a.Journal.SetMetaTime(ctx, journal.KeyUpdateTried, a.Now()); err != nil {
		return err
	}
	st, err := a.CheckUpdate(ctx)
	if err == nil && st.Newer == nil { // what was fetched is what runs now
		err = os.RemoveAll(a.updateDir())
	}
	return err
}

// StartUpdate implements [app.UpdateService].
func (a *Agent) StartUpdate(ctx context.Context) (app.JobID, error) {
	st, err := a.Updates(ctx)
	if err != nil {
		return "", err
	}
	if st.Newer == nil || st.Newer.File.Name == "" {
		return "", app.Errorf(app.CodeUpdateMissing, "start update", "nothing newer than %s", a.Build)
	}
	for _, j := range a.running() {
		if s := j.snapshot(); s.Kind == app.JobUpdate {
			return s.ID, nil
		}
	}
	file := st.Newer.File
	j, err := a.start(app.JobUpdate, nil, func(ctx context.Context, j *job) error {
		_, err := a.Config.Updates.Fetch(ctx, file, a.updateDir(), j, func(ctx context.Context) error { return a.giveWay(ctx, j) })
		return err
	})
	if err != nil {
		return "", err
	}
	return j.snapshot().ID, nil
}

// busy reports whether anything runs that a download gives way to.
func (a *Agent) busy() bool {
	return slices.ContainsFunc(a.running(), func(j *job) bool { return j.snapshot().Kind != app.JobUpdate })
}

// giveWay waits for as long as another job runs or an incident is open.
func (a *Agent) giveWay(ctx context.Context, j *job) error {
	at := func(s app.Step) {
		if j.snapshot().Step != s {
			j.update(func(st *app.Job) { st.Step = s })
		}
	}
	for {
		incident, err := a.Journal.OpenIncident(ctx)
		if err != nil {
			return err
		}
		if incident == nil && !a.busy() {
			at(app.StepDownload)
			return nil
		}
		at(app.StepWaiting)
		select {
		case <-ctx.Done():
			return app.Errorf(app.CodeCanceled, "give way", "%w", ctx.Err())
		case <-time.After(giveWayEvery):
		}
	}
}
