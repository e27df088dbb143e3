package agent

import (
	"context"
	"errors"
	"strconv"
	"time"

	"kvart/app"
)

const (
	// keepFree is how much of the disk catalogues leave free, in bytes, at the
	// most; of a small disk it is a keepShare-th. Backups need it more.
	keepFree  = 1 << 30
	keepShare = 20
	// roomLook is how often it is looked while one is filled.
	roomLook = 200 * time.Millisecond
)

// errNoRoom ends what fills the disk.
var errNoRoom = errors.New("the disk is nearly full")

// crowded reports whether too little of the disk is free for catalogues to take
// any more, and how much is.
func (a *Agent) crowded() (free int64, yes bool) {
	free, total := a.room(a.Dir)
	return free, free >= 0 && total > 0 && free < min(keepFree, total/keepShare)
}

// expireCatalogues lets those go that were not used for a while, and where room
// is short all that nobody uses just now.
func (a *Agent) expireCatalogues() error {
	err := a.catalogues.expire(a.Now())
	if _, short := a.crowded(); short {
		err = errors.Join(err, a.catalogues.letIdleGo())
	}
	return err
}

// makeRoom lets go what nobody uses where room is short, and reports how much is
// free then, and whether it still is.
func (a *Agent) makeRoom(ctx context.Context) (free int64, short bool) {
	if free, short = a.crowded(); !short {
		return free, false
	}
	if err := a.catalogues.letIdleGo(); err != nil {
		a.Log.WarnContext(ctx, "Catalogue not closed", "error", err)
	}
	return a.crowded()
}

// letIdleGo lets all go that nobody uses.
func (c *catalogues) letIdleGo() error {
	return c.letGo(func(s *shelved) bool { return s.users == 0 })
}

// drop keeps one no longer: it is closed when nobody uses it.
func (c *catalogues) drop(s *shelved) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, k := range c.kept {
		if k == s {
			c.dropLocked(i) // somebody uses it: that is who dropped it
			return
		}
	}
}

// withRoom runs what may unpack a point, for as long as there is room. Where there is
// none what others left open goes first, and then this: the error is
// [app.CodeBrowseRoom], and w is not kept.
func (a *Agent) withRoom(ctx context.Context, w *shelved, work func(ctx context.Context) error) error {
	if free, short := a.makeRoom(ctx); short {
		a.catalogues.drop(w)
		return a.noRoom(free, errNoRoom)
	}
	limited, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		a.watchRoom(limited, cancel)
	}()
	err := work(limited)
	out := errors.Is(context.Cause(limited), errNoRoom)
	cancel(nil)
	<-watched
	if err == nil || !out && !app.DiskFull(err) {
		return err
	}
	a.catalogues.drop(w)
	free, _ := a.crowded()
	return a.noRoom(free, err)
}

// watchRoom ends a work when the disk gets nearly full.
func (a *Agent) watchRoom(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(roomLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, short := a.crowded(); short {
				cancel(errNoRoom)
				return
			}
		}
	}
}

func (a *Agent) noRoom(free int64, err error) error {
	return app.Errorf(app.CodeBrowseRoom, "browse", "%w", err).With("path", a.Dir).With("free", strconv.FormatInt(max(free, 0), 10))
}

// roomy is a catalogue that gives way on a full disk: some unpack as they are
// read.
type roomy struct {
	app.Catalogue
	a *Agent
	w *shelved
}

// Shelves implements [app.Catalogue].
func (r roomy) Shelves(ctx context.Context) (out []app.Shelf, err error) {
	err = r.a.withRoom(ctx, r.w, func(ctx context.Context) error {
		out, err = r.Catalogue.Shelves(ctx)
		return err
	})
	return out, err
}

// Records implements [app.Catalogue].
func (r roomy) Records(ctx context.Context, shelf, text string, offset, limit int) (out app.RecordsPage, err error) {
	err = r.a.withRoom(ctx, r.w, func(ctx context.Context) error {
		out, err = r.Catalogue.Records(ctx, shelf, text, offset, limit)
		return err
	})
	return out, err
}

// Record implements [app.Catalogue].
func (r roomy) Record(ctx context.Context, path string) (rec app.Record, fields []app.RecordField, err error) {
	err = r.a.withRoom(ctx, r.w, func(ctx context.Context) error {
		rec, fields, err = r.Catalogue.Record(ctx, path)
		return err
	})
	return rec, fields, err
}
