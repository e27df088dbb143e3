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
)

// pin is the name under which Kvart pins snapshots.
const pin = "kvart"

// sizeMaxAge is how long the count of stored bytes is good for.
const sizeMaxAge = time.Hour

// Vault is an open Kopia repository.
type Vault struct {
	log    *slog.Logger
	loc    *location
	id     string // the repository's unique id
	host   string // the shop id
	dir    string // this vault's part of the state folder
	pass   app.Secret
	rep    repo.DirectRepository
	marker marker

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

	mu     sync.Mutex // guards what follows
	size   int64
	sizeAt time.Time
}

var (
	_ app.Vault          = (*Vault)(nil)
	_ app.VaultDescriber = (*Vault)(nil)
	_ app.Throttler      = (*Vault)(nil)
)

// begin waits for the turn, and makes sure that the vault is still there.
func (v *Vault) begin(ctx context.Context) (end func(), err error) {
	select {
	case v.turn <- struct{}{}:
	case <-v.done:
	case <-ctx.Done():
		return nil, translate("wait for the vault", ctx.Err())
	}
	if v.closed() {
		return nil, app.Errorf(app.CodeInternal, "use vault", "it is closed")
	}
	if err := v.loc.present(ctx); err != nil {
		<-v.turn
		return nil, err
	}
	_ = v.loc.store.takeError() // of an earlier session
	return func() { <-v.turn }, nil
}

func (v *Vault) closed() bool {
	select {
	case <-v.done:
		return true
	default:
		return false
	}
}

// failed returns the error of a session that ended with err. A canceled
// context and the storage's own typed error tell more than Kopia's text does.
func (v *Vault) failed(ctx context.Context, op string, err error) error {
	stored := v.loc.store.takeError()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return translate(op, fmt.Errorf("%w: %w", ctx.Err(), err))
	}
	if stored != nil {
		return translate(op, stored)
	}
	return translate(op, err)
}

func (v *Vault) refresh(ctx context.Context) error {
	if err := v.rep.Refresh(ctx); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	return nil
}

// Points implements [app.Vault].
func (v *Vault) Points(ctx context.Context, f app.PointFilter) ([]app.Point, error) {
	ctx = withLog(ctx, v.log)
	all, err := v.loadHeld(ctx, v.rep)
	if err != nil {
		return nil, translate("list points", err)
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
	end, err := v.begin(ctx)
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
		return snapshot.UpdateSnapshot(ctx, w, man)
	})
	if err == nil {
		err = v.refresh(ctx)
	}
	return v.failed(ctx, "pin point", err)
}

// find returns the complete point with the given id.
func (v *Vault) find(ctx context.Context, id app.PointID) (held, error) {
	all, err := v.loadHeld(ctx, v.rep)
	if err != nil {
		return held{}, translate("find point", err)
	}
	for _, h := range all.points {
		if h.point.ID == id {
			return h, nil
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
		return translate("limit upload", err)
	}
	// Kopia also writes the limit into its config file, which may be gone; it
	// is set anew whenever the vault is opened.
	return nil
}

// Describe implements [app.VaultDescriber].
func (v *Vault) Describe(ctx context.Context) (app.VaultInfo, error) {
	info := app.VaultInfo{
		ID: v.id, Shop: v.marker.Shop, Storage: v.loc.kind, Where: v.loc.where, OffSite: v.loc.offSite,
	}
	v.mu.Lock()
	info.Bytes = v.size
	known := !v.sizeAt.IsZero() && time.Since(v.sizeAt) < sizeMaxAge
	v.mu.Unlock()
	if known {
		return info, nil
	}
	info.Bytes = 0
	err := v.loc.base.ListBlobs(ctx, "", func(m blob.Metadata) error {
		info.Bytes += m.Length
		return nil
	})
	if err != nil {
		if ctx.Err() != nil {
			return app.VaultInfo{}, translate("describe vault", ctx.Err())
		}
		v.log.WarnContext(ctx, "Stored bytes not counted", "err", err)
		info.Bytes = -1
		return info, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.size, v.sizeAt = info.Bytes, time.Now()
	return info, nil
}

// Close implements [app.Vault]. It waits for what runs. Views of points end
// with it; closing twice does nothing.
func (v *Vault) Close(ctx context.Context) error {
	ctx = withLog(ctx, v.log)
	select {
	case v.turn <- struct{}{}: // never given back: nothing runs after Close
	case <-v.done:
		return nil
	case <-ctx.Done():
		return translate("close vault", ctx.Err())
	}
	if v.closed() {
		return nil
	}
	close(v.done)
	return translate("close vault", errors.Join(v.rep.Close(ctx), v.loc.close(ctx)))
}
