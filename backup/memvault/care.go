package memvault

import (
	"cmp"
	"context"
	"slices"
	"time"

	"kvart/app"
)

// formatBlob is the one small object of a kit.
const formatBlob = "kopia.repository"

// keepInCopy is how long a copy keeps what the vault let go.
const keepInCopy = 7 * 24 * time.Hour

var (
	_ app.KitSource         = (*vault)(nil)
	_ app.PassphraseChanger = (*vault)(nil)
	_ app.LockProver        = (*vault)(nil)
	_ app.Checker           = (*vault)(nil)
	_ app.Repairer          = (*vault)(nil)
	_ app.Copier            = (*vault)(nil)
)

// KitBlobs implements [app.KitSource].
func (v *vault) KitBlobs(context.Context) (map[string][]byte, error) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	return map[string][]byte{formatBlob: []byte(v.s.format)}, nil
}

// ChangePassphrase implements [app.PassphraseChanger].
func (v *vault) ChangePassphrase(ctx context.Context, passphrase app.Secret) error {
	if weak(passphrase) {
		return app.Errorf(app.CodeWeakPassphrase, "memvault: change passphrase", "too short")
	}
	end, err := v.beginWriting(ctx)
	if err != nil {
		return err
	}
	defer end()
	if v.p.FailPassphrase != nil {
		if err := v.p.FailPassphrase(); err != nil {
			return err
		}
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	v.s.pass, v.s.format = passphrase.Reveal(), draw(16)
	return nil
}

// ProveLock implements [app.LockProver].
func (v *vault) ProveLock(ctx context.Context) (app.LockProof, error) {
	end, err := v.beginWriting(ctx)
	if err != nil {
		return app.LockProof{}, err
	}
	defer end()
	if v.s.lock.Mode == app.LockNone {
		return app.LockProof{}, app.Errorf(app.CodeLockNone, "memvault: prove lock", "nothing is locked")
	}
	if v.p.Proof != nil {
		return v.p.Proof(ctx)
	}
	return app.LockProof{At: v.p.now(), State: app.LockHeld, Refusal: "locked"}, nil
}

// Check implements [app.Checker]. Every point is one object.
func (v *vault) Check(ctx context.Context, budget int64, p app.Progress) (app.CheckReport, error) {
	end, err := v.begin(ctx)
	if err != nil {
		return app.CheckReport{}, err
	}
	defer end()
	if v.p.FailCheck != nil {
		if err := v.p.FailCheck(); err != nil {
			return app.CheckReport{}, err
		}
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	var r app.CheckReport
	todo := slices.Clone(v.s.points)
	slices.SortStableFunc(todo, func(a, b *saved) int { return a.read.Compare(b.read) })
	for _, s := range todo {
		if s.forgotten {
			continue
		}
		if r.Bytes < budget {
			s.read = v.p.now()
			r.Packs++
			r.Bytes += s.point.Bytes
			if p != nil {
				p.Done(1, s.point.Bytes)
			}
		}
		r.PacksTotal++
		r.BytesTotal += s.point.Bytes
		if since := maxTime(s.read, s.point.Time); r.Behind.IsZero() || since.Before(r.Behind) {
			r.Behind = since
		}
		if s.read.IsZero() {
			r.Unread += s.point.Bytes
		} else if s.damaged {
			r.Damaged = append(r.Damaged, s.object())
		}
		if r.PacksTotal == 1 || s.read.Before(r.Oldest) {
			r.Oldest = s.read
		}
	}
	return r, nil
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Repair implements [app.Repairer].
func (v *vault) Repair(ctx context.Context, copies []app.StorageSpec, p app.Progress) (app.RepairReport, error) {
	end, err := v.beginWriting(ctx)
	if err != nil {
		return app.RepairReport{}, err
	}
	defer end()
	if v.p.FailRepair != nil {
		if err := v.p.FailRepair(); err != nil {
			return app.RepairReport{}, err
		}
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	var r app.RepairReport
	for _, s := range v.s.points {
		if p != nil {
			p.Done(1, s.point.Bytes)
		}
		if s.damaged && !s.forgotten {
			r.Damaged++
			if v.wholeIn(copies, s.point.ID) {
				s.damaged = false
				r.Restored++
			} else {
				s.forgotten = true
				r.Forgotten++
				v.s.blocks = map[string]bool{} // so that all is stored anew
			}
		}
		if s.damaged {
			r.Points = append(r.Points, s.point.ID)
		}
	}
	return r, nil
}

// wholeIn reports whether a copy holds a point whole.
func (v *vault) wholeIn(copies []app.StorageSpec, id app.PointID) bool {
	for _, c := range copies {
		s := v.p.at(where(c))
		if s == nil || !s.copied || s.id != v.s.id {
			continue
		}
		s.mu.Lock()
		p, err := s.findLocked(id)
		whole := err == nil && !p.damaged
		s.mu.Unlock()
		if whole {
			return true
		}
	}
	return false
}

// Copy implements [app.Copier]. The copy opens as a vault of its own.
func (v *vault) Copy(ctx context.Context, to app.StorageSpec, share float64, p app.Progress) (app.CopyReport, error) {
	if _, err := v.p.spec(to); err != nil {
		return app.CopyReport{}, err
	}
	end, err := v.begin(ctx)
	if err != nil {
		return app.CopyReport{}, err
	}
	defer end()
	if v.p.FailCopy != nil {
		if err := v.p.FailCopy(to); err != nil {
			return app.CopyReport{}, err
		}
	}
	c, err := v.p.copyAt(where(to), v.s)
	if err != nil {
		return app.CopyReport{}, err
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(v.s.points)*2 < len(c.points)-len(c.past) {
		return app.CopyReport{}, app.Errorf(app.CodeCopyShrunk, "memvault: copy", "%d points of %d are left", len(v.s.points), len(c.points))
	}
	r := c.followLocked(v.s, share, v.p.now())
	if p != nil {
		p.Done(int64(r.Copied), r.Sent)
	}
	return r, nil
}

// copyAt returns the copy of s at a path, making it if there is none.
func (p *Provider) copyAt(path string, s *store) (*store, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.stores[path]
	switch {
	case c == nil:
		c = &store{id: s.id, shop: s.shop, copied: true, blocks: map[string]bool{}, computers: map[app.ComputerID]*computer{}}
		p.stores[path] = c
	case c.id != s.id:
		return nil, app.Errorf(app.CodeVaultOther, "memvault: copy", "vault %s lies there", c.id)
	case !c.copied:
		return nil, app.Errorf(app.CodeStorageForeign, "memvault: copy", "the vault itself lies there")
	}
	return c, nil
}

// followLocked brings the copy s in step with a vault.
func (s *store) followLocked(of *store, share float64, now time.Time) app.CopyReport {
	var r app.CopyReport
	s.pass, s.format, s.seq, s.bytes = of.pass, of.format, of.seq, 0
	var all []*saved
	for _, sv := range of.points {
		old, err := s.findLocked(sv.point.ID)
		bad := err == nil && old.damaged
		switch {
		case sv.damaged && err == nil:
			all = append(all, old)
			continue
		case sv.damaged:
			continue
		case err != nil || bad:
			r.Copied++
			r.Sent += sv.point.Bytes
			r.Read += sv.point.Bytes
		default:
			r.Read += int64(share * float64(sv.point.Bytes))
		}
		if bad {
			r.Damaged++
		}
		held := *sv
		all = append(all, &held)
	}
	for _, old := range s.points {
		if _, err := of.findLocked(old.point.ID); err == nil {
			continue
		}
		if old.died.IsZero() {
			old.died = now
		}
		if now.Sub(old.died) >= keepInCopy {
			r.Removed++
			continue
		}
		all = append(all, old)
	}
	slices.SortFunc(all, func(a, b *saved) int { return cmp.Compare(a.point.Seq, b.point.Seq) })
	s.points, s.past = all, nil
	for _, sv := range all {
		r.Objects++
		r.Bytes += sv.point.Bytes
		s.bytes += sv.point.Bytes
		if !sv.died.IsZero() {
			s.past = append(s.past, sv)
		}
	}
	return r
}
