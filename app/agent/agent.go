// Package agent is the guard's core: it owns every goroutine that works in the
// background and implements [app.Service] — the schedule, runs, restores,
// drills, the verdict and what is remembered of them. It knows vaults and
// connectors only by their interfaces.
package agent

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kvart/app"
	"kvart/app/agent/journal"
)

// Connectors are the kinds of sources the guard knows.
type Connectors interface {
	Connector(kind app.Kind) (app.Connector, error)
	Specs() []app.KindSpec
	Discover(ctx context.Context) ([]app.Found, error)
}

// Autostart starts the guard when the owner logs in.
type Autostart interface {
	Enabled() bool
	Set(on bool) error
}

// Store keeps the guard's [Document].
type Store interface {
	Document() Document
	Update(func(*Document) error) error
}

// Config is what an agent is made of.
type Config struct {
	Dir        string // the guard's data folder
	OnShare    bool   // it lies on a network drive
	Build      string
	Vaults     app.VaultProvider
	Connectors Connectors
	Journal    *journal.Journal // closed by [Agent.Close]
	Store      Store
	Secrets    app.SecretStore
	Notifier   app.Notifier
	Autostart  Autostart
	Press      app.KitPress
	Computer   string // this computer's name, for the owner
	// NoticeWords returns title and text of a notice in the owner's language.
	NoticeWords func(cause string, e *app.Error) (title, text string)
	Log         *slog.Logger
	// Now is the wall clock; nil means [time.Now].
	Now func() time.Time
	// Recovery makes the engine that leads through bad days.
	Recovery func(app.RecoveryHost) Recovery
	// Storefront is asked whether customers reach the shop; nil means that
	// nobody knows.
	Storefront app.Storefront
	// Updates asks feeds; nil asks nobody. Feed is where to look unless the owner
	// says otherwise.
	Updates app.Updater
	Feed    app.UpdateSettings
	// Lookout is what the shop is watched over with; nil means that nobody is.
	Lookout Lookout
	// Power tells what this computer lives on; nil means that nobody knows.
	Power Power
	// Recent returns the last lines of the log, oldest first; nil means none.
	Recent func() []string
}

// Agent implements [app.Service]. Make one with [New]; [Agent.Serve] runs the
// schedule, and without it an agent does what it is asked and no more.
type Agent struct {
	Config
	schedule   schedule
	bus        *bus
	views      views
	catalogues catalogues

	recovery  Recovery
	incidents incidents
	standIn   standIn
	lookout   *lookout

	// work is held by the one job that may use vault and sources.
	work chan struct{}
	jobs jobs

	vaultMu sync.Mutex // held while the vault is opened or closed
	vault   app.Vault
	// info is the last description of the vault, kept while it can't be reached.
	info *app.VaultInfo

	// room returns how much of a path's disk is free, and how large it is; -1
	// where that can't be told.
	room    func(path string) (free, total int64)
	telling sync.Mutex // held while what a feed told is noted

	mu        sync.Mutex
	vaultErr  *app.Error // why the vault could not be opened or written to, last time
	serving   bool
	tray      bool
	lastState map[string]bool // causes that a notice stands for
	toldAt    map[string]time.Time
	power     app.Power // as it was looked at last
}

var _ app.Service = (*Agent)(nil)

// New returns an agent that has not started anything. ctx bounds all its work.
func New(ctx context.Context, c Config) *Agent {
	if c.Now == nil {
		c.Now = time.Now
	}
	h := fnv.New32a()
	h.Write([]byte(c.Store.Document().Profile)) // a hash.Hash never fails
	a := &Agent{
		Config: c,
		// shops spread over two minutes of each quarter, so that they don't all
		// ask their platforms and storages at once
		schedule:  schedule{offset: time.Duration(h.Sum32()%120) * time.Second, now: c.Now},
		bus:       newBus(),
		work:      make(chan struct{}, 1),
		lastState: map[string]bool{},
		toldAt:    map[string]time.Time{},
		lookout:   newLookout(),
		room:      diskRoom,
	}
	a.schedule.pace = a.tick
	if a.Storefront == nil && a.Lookout != nil {
		a.Storefront = asker{a}
	}
	a.jobs.init(ctx)
	a.recovery = c.Recovery(&recoveryHost{a})
	a.sweep(ctx)
	return a
}

// sweep removes what a killed guard left: what it had unpacked is the shop's
// data in the clear. Nobody else uses the folder, which is locked.
func (a *Agent) sweep(ctx context.Context) {
	left := []string{tempFolder, drillFolder}
	entries, err := os.ReadDir(a.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.Log.WarnContext(ctx, "Leftovers not looked for", "error", err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() && halfWritten(e.Name()) {
			left = append(left, e.Name())
		}
	}
	for _, name := range left {
		if err := os.RemoveAll(filepath.Join(a.Dir, name)); err != nil {
			a.Log.WarnContext(ctx, "Leftover not removed", "path", filepath.Join(a.Dir, name), "error", err)
		}
	}
}

// halfWritten reports whether a name is one of those that Kvart writes under
// before it gives a file its own. Other files of that ending are the owner's.
func halfWritten(name string) bool {
	if name == app.PageName+".tmp" {
		return true
	}
	own := strings.HasPrefix(name, "settings.json.") || strings.HasPrefix(name, "secrets.json.") || strings.HasPrefix(name, "secrets.key.")
	return own && strings.HasSuffix(name, ".tmp")
}

// SetTray tells whether a tray icon is shown, for the status.
func (a *Agent) SetTray(shown bool) {
	a.mu.Lock()
	a.tray = shown
	a.mu.Unlock()
	a.bus.poke()
}

// Serve finishes what a crash cut off, then backs up every quarter until ctx
// ends.
func (a *Agent) Serve(ctx context.Context) error {
	a.mu.Lock()
	a.serving = true
	a.mu.Unlock()
	if err := a.resume(ctx); err != nil {
		return fmt.Errorf("resume after a crash: %w", err)
	}
	a.advance() // an incident's step that was cut off
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.schedule.serve(ctx, a.behind(ctx), a.quarterDue) })
	g.Go(func() error { return a.lookAfter(ctx) })
	g.Go(func() error { return a.watchStorefront(ctx) })
	g.Go(func() error { return a.deliverAlerts(ctx) })
	g.Go(func() error { return a.lookForUpdates(ctx) })
	return g.Wait()
}

// NextQuarter returns when the next backup is due, for whoever runs [Agent.Serve].
func (a *Agent) NextQuarter() time.Time { return a.schedule.next(a.schedule.wall()) }

// behind reports whether any source missed what was due of it last.
func (a *Agent) behind(ctx context.Context) bool {
	now := a.schedule.wall()
	for _, s := range a.Store.Document().Sources {
		last, _, err := a.Journal.LastRun(ctx, s.ID)
		if err != nil || a.missed(s, now, last) {
			return true
		}
	}
	return false
}

// quarterDue is one quarter's run of what is due, unless the owner paused.
func (a *Agent) quarterDue(ctx context.Context, quarter time.Time) {
	if a.paused(a.schedule.wall()) {
		return
	}
	d := a.Store.Document()
	if d.Vault == nil || len(d.Sources) == 0 {
		return
	}
	due, err := a.dueSources(ctx, d, a.schedule.wall(), quarter)
	if err != nil {
		a.Log.ErrorContext(ctx, "Not known what is due", "error", err)
		due = d.Sources
	}
	due = a.unheld(ctx, d, due, quarter)
	if len(due) == 0 {
		return
	}
	j, err := a.startRun(due, quarter, true)
	if err != nil {
		a.Log.ErrorContext(ctx, "Quarter not started", "error", err)
		return
	}
	if _, err := a.Wait(ctx, j); err != nil {
		a.Log.WarnContext(ctx, "Quarter not awaited", "error", err)
	}
}

// lookAfter keeps the status fresh, tells the owner what stands, and does what
// is due less often than a quarter.
func (a *Agent) lookAfter(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		a.lookPower(ctx)
		a.bus.poke()
		if err := a.views.expire(a.Now()); err != nil {
			// what it had unpacked is the shop's data in the clear
			a.Log.WarnContext(ctx, "View not closed", "error", err)
		}
		if err := a.expireCatalogues(); err != nil {
			a.Log.WarnContext(ctx, "Catalogue not closed", "error", err)
		}
		if err := a.recovery.Beat(ctx); err != nil {
			a.Log.WarnContext(ctx, "Incident's clock not noted", "error", err)
		}
		a.tellOwner(ctx)
		if err := a.chores(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "Chores not done", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Close waits for jobs to stop and closes vault and journal. ctx bounds only
// the closing of the vault.
func (a *Agent) Close(ctx context.Context) error {
	a.jobs.stop()
	a.closeStandIn(ctx)
	return errors.Join(a.closeVault(ctx), a.Journal.Close())
}

// lock takes the right to use vault and sources; the job shows as waiting.
func (a *Agent) lock(ctx context.Context) error {
	select {
	case a.work <- struct{}{}:
		return nil
	case <-ctx.Done():
		return app.Errorf(app.CodeCanceled, "wait for other work", "%w", ctx.Err())
	}
}

func (a *Agent) unlock() { <-a.work }
