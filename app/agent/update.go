package agent

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	At      time.Time          `json:"at"`
	From    app.UpdateSettings `json:"from"` // the feed that told it
	Release *app.Release       `json:"release,omitempty"`
	Error   *app.Error         `json:"error,omitempty"` // of the last look
}

// feed returns where to look for newer versions, and the highest serial that
// was seen of feeds signed with its key. The owner's choice goes before what was
// packed with Kvart.
func (d Document) feed(packed app.UpdateSettings) (s app.UpdateSettings, seen int64) {
	s = packed
	if r := d.Updates; r != nil {
		s = r.UpdateSettings
	}
	if s.Feed == "" {
		return app.UpdateSettings{}, 0
	}
	return s, d.serial(s.Key)
}

// serial returns the highest serial that was seen of feeds signed with a key.
// What was seen stays seen, whatever feed is set meanwhile: else an older feed
// would be believed once one is set anew.
func (d Document) serial(key string) int64 {
	key = plainKey(key)
	n := d.FeedSerials[key]
	if r := d.Updates; r != nil && plainKey(r.Key) == key { // as earlier programs kept it
		n = max(n, r.Serial)
	}
	return n
}

// see notes the serial of a feed that was just read. One that is older than
// what was seen since it was asked for is [app.CodeUpdateOld].
func (d *Document) see(key string, serial int64) error {
	seen := d.serial(key)
	if serial < seen {
		return app.Errorf(app.CodeUpdateOld, "look for updates", "feed %d is older than %d, which was seen before", serial, seen)
	}
	if d.FeedSerials == nil {
		d.FeedSerials = map[string]int64{}
	}
	d.FeedSerials[plainKey(key)] = serial
	return nil
}

// plainKey returns a key in the one way it is written: base64 can be written in
// several.
func plainKey(key string) string {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key))
	if err != nil {
		return key // nothing is signed with it
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Updates implements [app.UpdateService].
func (a *Agent) Updates(ctx context.Context) (app.UpdateStatus, error) {
	settings, _ := a.Store.Document().feed(a.Feed)
	st := app.UpdateStatus{Settings: settings, Version: a.Build}
	if settings.Feed == "" || a.Config.Updates == nil {
		return st, nil
	}
	t, err := a.feedTold(ctx, settings)
	if err != nil || t == nil {
		return st, err
	}
	st.Checked, st.Error = t.At, t.Error
	if r := t.Release; r != nil && a.Config.Updates.Newer(r.Version, a.Build) {
		st.Newer, st.Path = r, a.Config.Updates.Fetched(r.File, a.updateDir())
	}
	return st, nil
}

// feedTold returns what a feed told last; nil for one that has told nothing.
func (a *Agent) feedTold(ctx context.Context, s app.UpdateSettings) (*told, error) {
	t, err := recall[told](ctx, a.Journal, journal.KeyUpdate)
	if err != nil || t == nil || t.From != s {
		return nil, err
	}
	return t, nil
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

// SetUpdates implements [app.UpdateService]. What was packed with Kvart, set
// again, is left to the package: the next one may have moved it.
func (a *Agent) SetUpdates(ctx context.Context, s app.UpdateSettings) (app.UpdateStatus, error) {
	t := told{At: a.Now(), From: s}
	if s.Feed == "" {
		s = app.UpdateSettings{}
	} else {
		if a.Config.Updates == nil {
			return app.UpdateStatus{}, app.Errorf(app.CodeUsage, "set updates", "this guard asks nobody").With("field", "feed")
		}
		r, err := a.Config.Updates.Look(ctx, s, a.Store.Document().serial(s.Key))
		if err != nil {
			return app.UpdateStatus{}, err
		}
		t.Release = &r
	}
	err := a.noteFeed(ctx, t, func(d *Document) error {
		if t.Release != nil {
			if err := d.see(s.Key, t.Release.Serial); err != nil {
				return err
			}
		}
		if r := d.Updates; r != nil && r.Key != "" { // as earlier programs kept it
			if err := d.see(r.Key, d.serial(r.Key)); err != nil {
				return err
			}
		}
		d.Updates = &UpdateRecord{UpdateSettings: s}
		if s == a.Feed {
			d.Updates = nil
		}
		return nil
	})
	if err != nil {
		return app.UpdateStatus{}, err
	}
	a.bus.poke()
	return a.Updates(ctx)
}

// noteFeed changes the settings and keeps what was told, with nobody between.
func (a *Agent) noteFeed(ctx context.Context, t told, change func(*Document) error) error {
	a.telling.Lock()
	defer a.telling.Unlock()
	if err := a.Store.Update(change); err != nil {
		return err
	}
	return a.keepTold(ctx, t)
}

func (a *Agent) keepTold(ctx context.Context, t told) error {
	doc, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode what the feed told: %w", err)
	}
	return a.Journal.SetMeta(ctx, journal.KeyUpdate, string(doc))
}

// errFeedChanged says that another feed was set while one was asked.
var errFeedChanged = errors.New("another feed was set meanwhile")

// CheckUpdate implements [app.UpdateService]. A feed that can't be asked leaves
// what it told before; one that can't be trusted leaves nothing. The answer of
// one that is not asked any more counts for nothing.
func (a *Agent) CheckUpdate(ctx context.Context) (app.UpdateStatus, error) {
	s, seen := a.Store.Document().feed(a.Feed)
	if s.Feed == "" || a.Config.Updates == nil {
		return a.Updates(ctx)
	}
	r, lookErr := a.Config.Updates.Look(ctx, s, seen)
	if app.CodeOf(lookErr) == app.CodeCanceled {
		return app.UpdateStatus{}, lookErr
	}
	t := told{From: s}
	last, err := a.feedTold(ctx, s)
	if err != nil {
		return app.UpdateStatus{}, err
	}
	if last != nil {
		t = *last
	}
	switch t.Error = app.AsError(lookErr); {
	case lookErr == nil:
		t.At, t.Release = a.Now(), &r
	case app.CodeOf(lookErr) == app.CodeUpdateForged:
		t.Release = nil
	}
	err = a.noteFeed(ctx, t, func(d *Document) error {
		if now, _ := d.feed(a.Feed); now != s {
			return errFeedChanged
		}
		if lookErr != nil {
			return nil
		}
		return d.see(s.Key, r.Serial)
	})
	switch {
	case errors.Is(err, errFeedChanged):
		return a.Updates(ctx)
	case err != nil:
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
	if s, _ := a.Store.Document().feed(a.Feed); s.Feed == "" || a.Config.Updates == nil {
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
