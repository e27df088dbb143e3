package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/manifest"
	"github.com/kopia/kopia/snapshot"

	"kvart/app"
	"kvart/backup/storage"
)

// pin is the name under which Kvart pins snapshots.
const pin = "kvart"

// countMaxAge is how long counts of what lies in the storage are good for.
const countMaxAge = time.Hour

// Vault is an open Kopia repository.
type Vault struct {
	log    *slog.Logger
	now    func() time.Time
	loc    *storage.Location
	id     string // the repository's unique id
	host   string // the shop id
	dir    string // this vault's part of the state folder
	ownDir bool   // dir goes with the vault
	rep    repo.DirectRepository
	marker marker
	// asOf is the moment of the past the vault is shown at. The zero time is
	// now; with any other nothing may be written.
	asOf time.Time
	// computer is who opened the vault, and guard this very opening of it.
	computer app.Computer
	guard    string

	// turn is held by the one Save, Verify, Pin or Maintain that runs. The
	// fields below belong to its holder.
	turn chan struct{}
	// done is closed by Close.
	done chan struct{}
	// doomed are points whose deletion after a failed read-back failed too.
	doomed []manifest.ID
	// distrust names sources whose last read-back failed: nothing remembered
	// or stored of them is taken over unread.
	distrust map[string]bool
	// claimed says that the guard is the one that stores for its computer.
	claimed bool

	mu      sync.Mutex // guards what follows
	pass    app.Secret
	counted counts
	// lastLock is how the vault locked when that was last read.
	lastLock app.LockSettings
}

// counts are what only a listing of the storage tells.
type counts struct {
	at         time.Time
	bytes      int64
	indexBlobs int
}

var (
	_ app.Vault          = (*Vault)(nil)
	_ app.VaultDescriber = (*Vault)(nil)
	_ app.Throttler      = (*Vault)(nil)
	_ app.Trier          = (*Vault)(nil)
	_ app.Attendant      = (*Vault)(nil)
)

// begin waits for the turn, and makes sure that the vault is still there.
func (v *Vault) begin(ctx context.Context) (end func(), err error) {
	select {
	case v.turn <- struct{}{}:
	case <-v.done:
	case <-ctx.Done():
		return nil, storage.Translate("wait for the vault", ctx.Err())
	}
	if v.closed() {
		return nil, app.Errorf(app.CodeInternal, "use vault", "it is closed")
	}
	if err := v.loc.Present(ctx); err != nil {
		<-v.turn
		return nil, err
	}
	_ = v.loc.Store.TakeError() // of an earlier session
	return func() { <-v.turn }, nil
}

// beginWriting is begin for what changes the vault: nothing does in the past.
func (v *Vault) beginWriting(ctx context.Context, op string) (end func(), err error) {
	if !v.asOf.IsZero() {
		return nil, app.Errorf(app.CodeVaultPast, op, "the vault is shown as of %s", v.asOf.UTC().Format(time.RFC3339))
	}
	return v.begin(ctx)
}

func (v *Vault) closed() bool {
	select {
	case <-v.done:
		return true
	default:
		return false
	}
}

func (v *Vault) passphrase() app.Secret {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pass
}

// failed returns the error of a session that ended with err. A canceled
// context and the storage's own typed error tell more than Kopia's text does.
func (v *Vault) failed(ctx context.Context, op string, err error) error {
	stored := v.loc.Store.TakeError()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return storage.Translate(op, fmt.Errorf("%w: %w", ctx.Err(), err))
	}
	if stored != nil {
		return storage.Translate(op, stored)
	}
	return storage.Translate(op, err)
}

func (v *Vault) refresh(ctx context.Context) error {
	bound, done := v.loc.Store.Bound(ctx)
	defer done()
	err := v.rep.Refresh(bound)
	if err != nil && ctx.Err() == nil && bound.Err() != nil {
		err = context.Cause(bound)
	}
	if err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	return nil
}

// catchUp makes visible what other computers have stored. A storage that can't
// be reached just now leaves what is known to be shown; one that is damaged
// doesn't.
func (v *Vault) catchUp(ctx context.Context) error {
	err := v.refresh(ctx)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	switch app.CodeOf(storage.Translate("refresh", err)) {
	case app.CodeVaultDamaged, app.CodeWrongPassphrase:
		return err
	}
	v.log.WarnContext(ctx, "Vault not refreshed", "err", err)
	return nil
}

// Points implements [app.Vault].
func (v *Vault) Points(ctx context.Context, f app.PointFilter) ([]app.Point, error) {
	ctx = withLog(ctx, v.log)
	if err := v.catchUp(ctx); err != nil {
		return nil, storage.Translate("list points", err)
	}
	all, err := v.loadHeld(ctx, v.rep)
	if err != nil {
		return nil, storage.Translate("list points", err)
	}
	var points []app.Point
	for _, h := range all.points {
		if matches(f, h.point) {
			points = append(points, h.point)
		}
	}
	return points, nil
}

// Pin implements [app.Vault].
func (v *Vault) Pin(ctx context.Context, id app.PointID, pinned bool) error {
	ctx = withLog(ctx, v.log)
	end, err := v.beginWriting(ctx, "pin point")
	if err != nil {
		return err
	}
	defer end()
	h, err := v.find(ctx, id)
	if err != nil {
		return err
	}
	man := h.man.Clone()
	add, remove := []string{pin}, []string(nil)
	if !pinned {
		add, remove = nil, man.Pins
	}
	if !man.UpdatePins(add, remove) {
		return nil
	}
	err = repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart pin"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		if _, err := snapshot.SaveSnapshot(ctx, w, man); err != nil {
			return fmt.Errorf("save snapshot: %w", err)
		}
		return v.forget(ctx, w, h.ids...)
	})
	if err == nil {
		err = v.refresh(ctx)
	}
	return v.failed(ctx, "pin point", err)
}

// find returns the complete point with the given id, which another computer may
// have stored just now.
func (v *Vault) find(ctx context.Context, id app.PointID) (held, error) {
	for _, fresh := range []bool{false, true} {
		if fresh {
			if err := v.catchUp(ctx); err != nil {
				return held{}, storage.Translate("find point", err)
			}
		}
		all, err := v.loadHeld(ctx, v.rep)
		if err != nil {
			return held{}, storage.Translate("find point", err)
		}
		for _, h := range all.points {
			if h.point.ID == id {
				return h, nil
			}
		}
	}
	return held{}, app.Errorf(app.CodePointUnknown, "find point", "no point %q", id).With("point", string(id))
}

// SetUploadLimit implements [app.Throttler].
func (v *Vault) SetUploadLimit(bytesPerSecond int64) error {
	t := v.rep.Throttler()
	l := t.Limits()
	l.UploadBytesPerSecond = float64(max(bytesPerSecond, 0))
	if err := t.SetLimits(l); err != nil && t.Limits() != l {
		return storage.Translate("limit upload", err)
	}
	// Kopia also writes the limit into its config file, which may be gone; it
	// is set anew whenever the vault is opened.
	return nil
}

// Describe implements [app.VaultDescriber].
func (v *Vault) Describe(ctx context.Context) (app.VaultInfo, error) {
	ctx = withLog(ctx, v.log)
	info := app.VaultInfo{
		ID: v.id, Shop: v.marker.Shop, Storage: v.loc.Kind, Where: v.loc.Where, OffSite: v.loc.OffSite,
		AsOf: v.asOf, Free: v.loc.Free(ctx),
	}
	var err error
	if info.Lock, err = v.knownLock(ctx); err != nil {
		return app.VaultInfo{}, storage.Translate("describe vault", err)
	}
	n, err := v.count(ctx)
	if err != nil {
		return app.VaultInfo{}, storage.Translate("describe vault", err)
	}
	info.Bytes, info.IndexBlobs = n.bytes, n.indexBlobs
	return info, nil
}

// count counts what lies in the storage, -1 of what can't be counted.
func (v *Vault) count(ctx context.Context) (counts, error) {
	v.mu.Lock()
	known := v.counted
	v.mu.Unlock()
	if !known.at.IsZero() && time.Since(known.at) < countMaxAge {
		return known, nil
	}
	n := counts{at: time.Now()}
	err := v.loc.Base.ListBlobs(ctx, "", func(m blob.Metadata) error {
		n.bytes += m.Length
		return nil
	})
	index, indexErr := v.rep.IndexBlobs(ctx, false)
	n.indexBlobs = len(index)
	if ctx.Err() != nil {
		return counts{}, ctx.Err()
	}
	if err != nil {
		v.log.WarnContext(ctx, "Stored bytes not counted", "err", err)
		n.bytes = -1
	}
	if indexErr != nil {
		v.log.WarnContext(ctx, "Index not counted", "err", indexErr)
		n.indexBlobs = -1
	}
	if err != nil || indexErr != nil {
		return n, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counted = n
	return n, nil
}

// recount has the next Describe look at the storage again.
func (v *Vault) recount() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counted = counts{}
}

// Present implements [app.Attendant].
func (v *Vault) Present(ctx context.Context) error { return v.loc.Present(withLog(ctx, v.log)) }

// Trying implements [app.Trier].
func (v *Vault) Trying() error { return v.loc.Store.Trying() }

// Close implements [app.Vault]. It waits for what runs. Views of points end
// with it; closing twice does nothing.
func (v *Vault) Close(ctx context.Context) error {
	ctx = withLog(ctx, v.log)
	select {
	case v.turn <- struct{}{}: // never given back: nothing runs after Close
	case <-v.done:
		return nil
	case <-ctx.Done():
		return storage.Translate("close vault", ctx.Err())
	}
	if v.closed() {
		return nil
	}
	close(v.done)
	return storage.Translate("close vault", errors.Join(v.leave(ctx), v.loc.Close(ctx)))
}
