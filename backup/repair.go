package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/sharded"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/content/index"
	"github.com/kopia/kopia/repo/manifest"

	"kvart/app"
	"kvart/backup/storage"
)

var _ app.Repairer = (*Vault)(nil)

// Repair implements [app.Repairer]. While it reads it lets others have their
// turn, as Check does; it mends in one turn.
func (v *Vault) Repair(ctx context.Context, copies []app.StorageSpec, p app.Progress) (app.RepairReport, error) {
	ctx = withLog(ctx, v.log)
	if p == nil {
		p = noProgress{}
	}
	if !v.asOf.IsZero() {
		return app.RepairReport{}, app.Errorf(app.CodeVaultPast, "repair", "the past can't be mended")
	}
	rep, err := v.repair(ctx, copies, p)
	if err != nil {
		return app.RepairReport{}, stopped(ctx, "repair", err)
	}
	return rep, nil
}

func (v *Vault) repair(ctx context.Context, copies []app.StorageSpec, p app.Progress) (rep app.RepairReport, err error) {
	found, err := v.check(ctx, everything, p)
	if err != nil {
		return rep, err
	}
	end, err := v.beginWriting(ctx, "repair")
	if err != nil {
		return rep, err
	}
	defer end()
	m, err := v.newMending(ctx, copies)
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, m.close(ctx)) }()
	if len(found.Damaged) > 0 {
		if err := m.mend(ctx, found); err != nil {
			return rep, err
		}
	}
	points, err := v.verify(ctx, app.VerifyRequest{}, noProgress{})
	if err != nil {
		return rep, err
	}
	m.report.Points = points.DamagedPoints
	return m.report, nil
}

// mending is one repair.
type mending struct {
	v      *Vault
	rep    repo.DirectRepository
	open   opener
	lock   blob.PutOptions
	copies []*storage.Location
	report app.RepairReport
}

// newMending opens the copies that can be reached.
func (v *Vault) newMending(ctx context.Context, copies []app.StorageSpec) (*mending, error) {
	lock, err := lockOptions(ctx, v.rep.FormatManager())
	if err != nil {
		return nil, err
	}
	m := &mending{v: v, rep: v.rep, open: openerOf(v.rep.ContentReader().ContentFormat()), lock: lock}
	m.copies = openCopies(ctx, v, copies)
	return m, nil
}

// openCopies opens the copies that can be reached.
func openCopies(ctx context.Context, v *Vault, copies []app.StorageSpec) []*storage.Location {
	var locs []*storage.Location
	for _, s := range copies {
		loc, err := storage.Open(ctx, s, false)
		if err != nil {
			v.log.WarnContext(ctx, "Copy not looked into", "kind", s.Kind, "err", err)
			continue
		}
		locs = append(locs, loc)
	}
	return locs
}

func (m *mending) close(ctx context.Context) error {
	var errs []error
	for _, loc := range m.copies {
		errs = append(errs, loc.Close(ctx))
	}
	return errors.Join(errs...)
}

// mend brings back what a check found damaged.
func (m *mending) mend(ctx context.Context, found app.CheckReport) error {
	ids := damageOf(found)
	for _, id := range formatBlobs() {
		if ids[id] {
			delete(ids, id)
			if err := m.format(ctx, id); err != nil {
				return err
			}
		}
	}
	if slices.ContainsFunc(slices.Collect(maps.Keys(ids)), func(id blob.ID) bool { return !isPack(id) }) {
		if err := m.openIndexes(ctx); err != nil {
			return err
		}
	}
	lost, err := m.packs(ctx, ids)
	if err != nil {
		return err
	}
	if err := m.forgetPieces(ctx, lost); err != nil {
		return err
	}
	if err := m.v.dropCaches(); err != nil {
		m.v.log.WarnContext(ctx, "Caches not dropped", "err", err)
	}
	m.v.recount()
	return m.v.refresh(ctx)
}

// packs puts whole packs over damaged ones, and returns what no copy has.
func (m *mending) packs(ctx context.Context, ids map[blob.ID]bool) ([]content.Info, error) {
	pieces, err := piecesOf(ctx, m.rep, ids)
	if err != nil {
		return nil, err
	}
	var lost []content.Info
	for _, id := range slices.Sorted(maps.Keys(pieces)) {
		b, err := m.v.readStored(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", id, err)
		}
		bad := m.open.badPieces(pieces[id], b)
		if len(bad) == 0 {
			continue
		}
		m.report.Damaged++
		whole, err := m.fromCopies(ctx, id, func(b []byte) bool { return len(m.open.badPieces(pieces[id], b)) == 0 })
		if err != nil {
			return nil, err
		}
		if whole == nil {
			lost = append(lost, bad...)
			continue
		}
		if err := put(ctx, m.v.loc.Store, id, whole, m.lock); err != nil {
			return nil, err
		}
		m.report.Restored++
		m.v.log.InfoContext(ctx, "Pack brought back from a copy", "pack", id)
	}
	return lost, nil
}

// fromCopies returns an object from the first copy that has it whole, nil when
// none has.
func (m *mending) fromCopies(ctx context.Context, id blob.ID, whole func([]byte) bool) ([]byte, error) {
	for _, loc := range m.copies {
		b, err := storage.ReadBlob(ctx, loc.Store, id)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil && whole(b):
			return b, nil
		case err != nil && !errors.Is(err, blob.ErrBlobNotFound):
			m.v.log.WarnContext(ctx, "Copy not read", "where", loc.Where, "object", id, "err", err)
		}
	}
	return nil, nil
}

// forgetPieces makes the vault forget contents that are lost: a content that is
// marked as deleted is stored again by whoever still has it. Until then what
// lies in the points so far may not be taken over unread, by this or any other
// computer, for it would be taken without what is lost; nor what lies in a point
// that another computer is making just now.
func (m *mending) forgetPieces(ctx context.Context, lost []content.Info) error {
	if len(lost) == 0 {
		return nil
	}
	if err := m.forgetManifests(ctx, lost); err != nil {
		return err
	}
	all, err := m.v.loadHeld(ctx, m.rep)
	if err != nil {
		return err
	}
	note, err := repairs(ctx, m.rep)
	if err != nil {
		return err
	}
	note.At, note.Seq = m.v.now().UTC(), all.lastSeq+1
	for _, i := range lost {
		if !slices.Contains(note.Packs, i.PackBlobID) {
			note.Packs = append(note.Packs, i.PackBlobID)
		}
	}
	err = m.session(ctx, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		if _, err := w.ReplaceManifests(ctx, map[string]string{"type": repairedType}, note); err != nil {
			return fmt.Errorf("note repair: %w", err)
		}
		return m.deletePieces(ctx, w, lost, false)
	})
	if err != nil {
		return err
	}
	return m.v.distrustRepaired(ctx, all)
}

// forgetManifests forgets lost contents that hold manifests, which are read
// before anything else can be. What an earlier merging of manifests replaced is
// looked up again in their place.
func (m *mending) forgetManifests(ctx context.Context, lost []content.Info) error {
	if !slices.ContainsFunc(lost, func(i content.Info) bool { return i.ContentID.Prefix() == manifest.ContentPrefix }) {
		return nil
	}
	err := m.session(ctx, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		if err := m.deletePieces(ctx, w, lost, true); err != nil {
			return err
		}
		var old []content.ID
		err := w.ContentReader().IterateContents(ctx, content.IterateOptions{Range: index.PrefixRange(manifest.ContentPrefix), IncludeDeleted: true}, func(i content.Info) error {
			if i.Deleted && !slices.ContainsFunc(lost, func(l content.Info) bool { return l.ContentID == i.ContentID }) {
				old = append(old, i.ContentID)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("list manifests: %w", err)
		}
		for _, id := range old {
			if err := w.ContentManager().UndeleteContent(ctx, id); err != nil {
				m.v.log.WarnContext(ctx, "Old manifests not brought back", "content", id, "err", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.dropExpired(ctx)
}

// deletePieces marks lost contents as deleted; only manifests, or all others.
func (m *mending) deletePieces(ctx context.Context, w repo.DirectRepositoryWriter, lost []content.Info, manifests bool) error {
	for _, i := range lost {
		if (i.ContentID.Prefix() == manifest.ContentPrefix) != manifests {
			continue
		}
		if now, err := w.ContentInfo(ctx, i.ContentID); err != nil || now.Deleted || now.PackBlobID != i.PackBlobID {
			continue // stored again meanwhile
		}
		if err := w.ContentManager().DeleteContent(ctx, i.ContentID); err != nil {
			return fmt.Errorf("forget content %s: %w", i.ContentID, err)
		}
		m.report.Forgotten++
	}
	return nil
}

// dropExpired deletes points again that Maintain once let go.
func (m *mending) dropExpired(ctx context.Context) error {
	notes, err := notesOf(ctx, m.rep)
	if err != nil {
		return err
	}
	gone := map[app.PointID]bool{}
	for _, n := range notes {
		for _, id := range n.Points {
			gone[id] = true
		}
	}
	all, err := m.v.loadHeld(ctx, m.rep)
	if err != nil {
		return err
	}
	return m.session(ctx, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		for _, h := range all.points {
			if !gone[h.point.ID] {
				continue
			}
			if err := m.v.forget(ctx, w, h.ids...); err != nil {
				return fmt.Errorf("delete point %s: %w", h.point.ID, err)
			}
		}
		return nil
	})
}

// session writes to the repository and makes what was written visible.
func (m *mending) session(ctx context.Context, fn func(context.Context, repo.DirectRepositoryWriter) error) error {
	if err := m.write(ctx, fn); err != nil {
		return err
	}
	if err := m.rep.Refresh(ctx); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	return nil
}

func (m *mending) write(ctx context.Context, fn func(context.Context, repo.DirectRepositoryWriter) error) error {
	if err := repo.DirectWriteSession(ctx, m.rep, repo.WriteSessionOptions{Purpose: "kvart repair"}, fn); err != nil {
		return fmt.Errorf("write repair: %w", err)
	}
	return nil
}

// dropCaches removes from this computer what was cached of packs: it may be as
// they were when damaged. Kopia reads again what it misses.
func (v *Vault) dropCaches() error {
	cache := v.usualCache().CacheDirectory
	if cache == "" {
		return nil
	}
	var errs []error
	for _, sub := range []string{"contents", "metadata"} {
		err := filepath.WalkDir(filepath.Join(cache, sub), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, sharded.CompleteBlobSuffix) {
				err = os.Remove(path)
			}
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			return err
		})
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("drop caches: %w", err)
	}
	return nil
}
