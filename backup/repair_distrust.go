package backup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
)

// repairedType is the manifest of repairs that had to make the vault forget
// contents.
const repairedType = "kvart-repaired"

type repairedNote struct {
	At time.Time `json:"at"`
	// Seq is up to which point none may be taken over unread into a new one.
	Seq uint64 `json:"seq"`
	// Packs are those the contents were lost in.
	Packs []blob.ID `json:"packs"`
}

// repairs reads what was noted of all repairs; the zero note when there was
// none.
func repairs(ctx context.Context, rep repo.Repository) (repairedNote, error) {
	var sum repairedNote
	found, err := rep.FindManifests(ctx, map[string]string{"type": repairedType})
	if err != nil {
		return sum, fmt.Errorf("find repairs: %w", err)
	}
	for _, m := range found {
		var note repairedNote
		if _, err := rep.GetManifest(ctx, m.ID, &note); err != nil {
			return sum, fmt.Errorf("read repair: %w", err)
		}
		if note.At.After(sum.At) {
			sum.At = note.At
		}
		sum.Seq = max(sum.Seq, note.Seq)
		sum.Packs = append(sum.Packs, note.Packs...)
	}
	slices.Sort(sum.Packs)
	sum.Packs = slices.Compact(sum.Packs)
	return sum, nil
}

// distrustRepaired distrusts all sources whose newest point is from before a
// repair that made the vault forget something. The caller holds the turn.
func (v *Vault) distrustRepaired(ctx context.Context, all holdings) error {
	note, err := repairs(ctx, v.rep)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, h := range all.points {
		path := h.man.Source.Path
		if !seen[path] && h.point.Seq <= note.Seq {
			v.distrust[path] = true
		}
		seen[path] = true
	}
	return nil
}
