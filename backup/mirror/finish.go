package mirror

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"golang.org/x/sync/errgroup"

	"kvart/app"
)

// letGo is how long the copy keeps what the vault let go: an attacker, or a
// mistake, has to go unnoticed for as long.
const letGo = 7 * 24 * time.Hour

// finish extends locks, takes away what the vault let go long ago, and writes
// down how the copy stands.
func (s *sync) finish(ctx context.Context) error {
	if err := s.extend(ctx); err != nil {
		return err
	}
	if err := s.sweep(ctx); err != nil {
		return err
	}
	s.note.Known = nil
	err := s.to.Store.ListBlobs(ctx, "", func(m blob.Metadata) error {
		if s.class(m.BlobID) == classNone {
			return nil
		}
		s.report.Objects++
		s.report.Bytes += m.Length
		if s.isData(m.BlobID) {
			s.note.Known = append(s.note.Known, m.BlobID)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list copy: %w", err)
	}
	s.note.Live, s.note.Unsound = s.v.Live, s.unsound
	return s.writeNote(ctx)
}

// extend keeps everything locked that was locked when it came: an old object is
// as needed as a new one.
func (s *sync) extend(ctx context.Context) error {
	if !s.to.Lock.HasRetentionOptions() || s.now.Sub(s.note.Locked).Abs() < s.to.Lock.RetentionPeriod/3 {
		return nil
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(s.to.Workers, 1))
	for _, id := range slices.Sorted(maps.Keys(s.source)) {
		if _, ok := s.have[id]; !ok || !s.lockable(id) {
			continue
		}
		g.Go(func() error {
			o := blob.ExtendOptions{RetentionMode: s.to.Lock.RetentionMode, RetentionPeriod: s.to.Lock.RetentionPeriod}
			if err := s.to.Store.ExtendBlobRetention(gctx, id, o); err != nil {
				return fmt.Errorf("extend lock of %s: %w", id, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.note.Locked = s.now
	return nil
}

// sweep deletes what the vault let go a week ago, indexes before the packs they
// speak of. What the vault's index still refers to was lost, not let go.
func (s *sync) sweep(ctx context.Context) error {
	gone := map[blob.ID]time.Time{}
	var due []blob.ID
	for id := range s.have {
		if _, ok := s.source[id]; ok || s.v.Needed(id) {
			continue
		}
		since, known := s.note.Gone[id]
		if !known || since.After(s.now) {
			since = s.now
		}
		gone[id] = since
		if s.now.Sub(since) >= letGo {
			due = append(due, id)
		}
	}
	s.note.Gone = gone
	slices.SortFunc(due, func(a, b blob.ID) int { return int(s.class(b)) - int(s.class(a)) })
	s.prog.Expect(int64(len(due)), 0)
	for _, id := range due {
		if err := s.to.Present(ctx); err != nil {
			return err
		}
		err := s.to.Store.DeleteBlob(ctx, id)
		if err != nil && s.to.Refused(err) {
			return nil // a key that may only add: what is too much stays
		}
		if err != nil {
			return fmt.Errorf("delete %s: %w", id, err)
		}
		delete(gone, id)
		s.tally(func(r *app.CopyReport) { r.Removed++ })
		s.prog.Done(1, 0)
	}
	return nil
}
