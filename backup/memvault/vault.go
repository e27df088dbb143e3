package memvault

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"kvart/app"
)

// vault is an open store.
type vault struct {
	p      *Provider
	s      *store
	spec   app.KindSpec
	where  string
	asOf   time.Time
	self   app.Computer
	guard  string
	turn   chan struct{}
	closed atomic.Bool

	claimed bool // guard stores for self; guarded by s.mu
}

var (
	_ app.Vault          = (*vault)(nil)
	_ app.VaultDescriber = (*vault)(nil)
	_ app.Throttler      = (*vault)(nil)
)

func newVault(p *Provider, s *store, k app.KindSpec, v app.VaultSetup) *vault {
	return &vault{
		p: p, s: s, spec: k, where: where(v.Storage), asOf: v.Storage.AsOf, self: v.Computer, guard: draw(8), turn: make(chan struct{}, 1),
	}
}

func (v *vault) begin(ctx context.Context) (end func(), err error) {
	if v.closed.Load() {
		return nil, app.Errorf(app.CodeInternal, "memvault", "the vault is closed")
	}
	if err := ctx.Err(); err != nil {
		return nil, canceled(err)
	}
	select {
	case v.turn <- struct{}{}:
		return func() { <-v.turn }, nil
	case <-ctx.Done():
		return nil, canceled(ctx.Err())
	}
}

// beginWriting is begin for what changes the vault.
func (v *vault) beginWriting(ctx context.Context) (end func(), err error) {
	if !v.asOf.IsZero() {
		return nil, app.Errorf(app.CodeVaultPast, "memvault", "shown as of %s", v.asOf)
	}
	return v.begin(ctx)
}

// heldLocked returns the points as they are, or were, the oldest first.
func (v *vault) heldLocked() []*saved {
	if v.asOf.IsZero() {
		return v.s.points
	}
	var then []*saved
	for _, s := range slices.Concat(v.s.points, v.s.past) {
		if !s.born.After(v.asOf) && (s.died.IsZero() || s.died.After(v.asOf)) {
			then = append(then, s)
		}
	}
	slices.SortFunc(then, func(a, b *saved) int { return cmp.Compare(a.point.Seq, b.point.Seq) })
	return then
}

func canceled(err error) error {
	return &app.Error{Code: app.CodeCanceled, Op: "memvault", Err: err}
}

// Present implements [app.Attendant].
func (v *vault) Present(context.Context) error {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	return v.s.presentLocked(app.VaultSetup{Storage: app.StorageSpec{Kind: v.spec.Kind, AsOf: v.asOf}})
}

// Expired implements [app.Vault].
func (v *vault) Expired(context.Context) ([]app.PointID, error) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	var gone []app.PointID
	for _, s := range v.s.past {
		gone = append(gone, s.point.ID)
	}
	return gone, nil
}

// Points implements [app.Vault].
func (v *vault) Points(_ context.Context, f app.PointFilter) ([]app.Point, error) {
	kinds := f.Kinds
	if len(kinds) == 0 {
		kinds = []app.PointKind{app.PointBackup}
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	var points []app.Point
	for _, s := range slices.Backward(v.heldLocked()) {
		p := s.point
		if slices.Contains(kinds, p.Kind) && (f.Source == "" || f.Source == p.Source) && !p.Time.Before(f.Since) {
			p.Verified = false
			points = append(points, p)
		}
	}
	return points, nil
}

func (s *store) findLocked(id app.PointID) (*saved, error) { return find(s.points, id) }

func find(points []*saved, id app.PointID) (*saved, error) {
	for _, p := range points {
		if p.point.ID == id {
			return p, nil
		}
	}
	return nil, app.Errorf(app.CodePointUnknown, "memvault", "no point %q", id).With("point", string(id))
}

// Open implements [app.Vault].
func (v *vault) Open(_ context.Context, id app.PointID) (app.PointFS, error) {
	if v.p.FailPoint != nil {
		if err := v.p.FailPoint(id); err != nil {
			return nil, err
		}
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	p, err := find(v.heldLocked(), id)
	if err != nil {
		return nil, err
	}
	return &view{p.files, p.damaged}, nil
}

// Verify implements [app.Vault].
func (v *vault) Verify(ctx context.Context, r app.VerifyRequest, p app.Progress) (app.VerifyReport, error) {
	end, err := v.begin(ctx)
	if err != nil {
		return app.VerifyReport{}, err
	}
	defer end()
	if v.p.FailVerify != nil {
		if err := v.p.FailVerify(r); err != nil {
			return app.VerifyReport{}, err
		}
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	points := v.heldLocked()
	if len(r.Points) > 0 {
		points = nil
		for _, id := range r.Points {
			s, err := find(v.heldLocked(), id)
			if err != nil {
				return app.VerifyReport{}, err
			}
			points = append(points, s)
		}
	}
	rep := app.VerifyReport{Damaged: []app.Problem{}}
	for _, s := range points {
		rep.Points++
		rep.Files += s.point.Files
		rep.Bytes += int64(float64(s.point.Bytes) * r.Percent / 100)
		if s.damaged && r.Percent > 0 {
			rep.Damaged = append(rep.Damaged, app.Problem{Path: ".", Code: app.CodeItemUnreadable})
			rep.DamagedPoints = append(rep.DamagedPoints, s.point.ID)
		}
		if p != nil {
			p.Done(s.point.Files, s.point.Bytes)
		}
	}
	return rep, nil
}

// Pin implements [app.Vault].
func (v *vault) Pin(ctx context.Context, id app.PointID, pinned bool) error {
	end, err := v.beginWriting(ctx)
	if err != nil {
		return err
	}
	defer end()
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	p, err := v.s.findLocked(id)
	if err != nil {
		return err
	}
	p.point.Pinned = pinned
	return nil
}

// Maintain implements [app.Vault].
func (v *vault) Maintain(ctx context.Context, keep app.Retention) error {
	return v.MaintainWithin(ctx, keep, true)
}

// MaintainWithin is Maintain, heavy work included only if full is set.
func (v *vault) MaintainWithin(ctx context.Context, keep app.Retention, full bool) error {
	end, err := v.beginWriting(ctx)
	if err != nil {
		return err
	}
	defer end()
	if v.p.FailMaintain != nil {
		if err := v.p.FailMaintain(full); err != nil {
			return err
		}
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if v.maintainsLocked() {
		v.expireLocked(keep)
		v.s.maintained, v.s.saves = v.p.now(), 0
	}
	return nil
}

func (v *vault) expireLocked(keep app.Retention) {
	if keep == (app.Retention{}) {
		return
	}
	seen := map[string]int{}    // points or buckets kept by a rule
	filled := map[string]bool{} // buckets
	var rest []*saved
	for _, s := range slices.Backward(v.s.points) {
		group := fmt.Sprint(s.point.Source, "/", s.point.Kind)
		kept := s.point.Pinned || s.point.Kind == app.PointSafety || seen[group] == 0
		seen[group]++
		for _, r := range rules(keep) {
			rule := group + "/" + r.format
			bucket := rule + "/" + s.point.Time.UTC().Format(r.format)
			if r.format == "" {
				bucket = fmt.Sprint(rule, s.point.Seq)
			}
			if !filled[bucket] && seen[rule] < r.count {
				seen[rule]++
				filled[bucket], kept = true, true
			}
		}
		if kept {
			rest = append(rest, s)
		} else {
			s.died = v.p.now()
			v.s.past = append(v.s.past, s)
		}
	}
	slices.Reverse(rest)
	v.s.points = rest
}

type rule struct {
	count  int
	format string // of the time a bucket stands for
}

// rules of a retention. Weeks are counted as days: good enough for a fake.
func rules(k app.Retention) []rule {
	return []rule{{k.Latest, ""}, {k.Hourly, "2006-01-02 15"}, {max(k.Daily, 7*k.Weekly), "2006-01-02"}, {k.Monthly, "2006-01"}}
}

// Describe implements [app.VaultDescriber].
func (v *vault) Describe(context.Context) (app.VaultInfo, error) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	return app.VaultInfo{
		ID: v.s.id, Shop: v.s.shop, Storage: v.spec.Kind, Where: v.where, OffSite: v.spec.OffSite, Bytes: v.s.bytes,
		Lock: v.s.lock, Free: v.p.free(), IndexBlobs: 1 + v.s.saves, AsOf: v.asOf,
	}, nil
}

// SetUploadLimit implements [app.Throttler]. Memory is never in the way.
func (v *vault) SetUploadLimit(int64) error { return nil }

// Close implements [app.Vault].
func (v *vault) Close(ctx context.Context) error {
	if v.closed.Load() {
		return nil
	}
	end, err := v.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	v.closed.Store(true)
	return nil
}
