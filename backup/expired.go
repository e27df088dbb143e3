package backup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/manifest"

	"kvart/app"
	"kvart/backup/storage"
)

// expiredType is the manifest that says which points Maintain let go, so that
// every computer of the shop can tell them from points that were lost.
const expiredType = "kvart-expired"

// expiredNote is what was let go in a day.
type expiredNote struct {
	At time.Time `json:"at"`
	// Number grows with every note. None is forgotten before so many newer
	// ones are there as the vault has days to remember, whatever a clock says.
	Number uint64        `json:"number"`
	Points []app.PointID `json:"points"`
}

// Expired implements [app.Vault].
func (v *Vault) Expired(ctx context.Context) ([]app.PointID, error) {
	ctx = withLog(ctx, v.log)
	if err := v.catchUp(ctx); err != nil {
		return nil, storage.Translate("list expired points", err)
	}
	notes, err := notesOf(ctx, v.rep)
	if err != nil {
		return nil, storage.Translate("list expired points", err)
	}
	var gone []app.PointID
	for _, n := range notes {
		gone = append(gone, n.Points...)
	}
	slices.Sort(gone)
	return slices.Compact(gone), nil
}

// storedNote is a note and the manifest it comes from.
type storedNote struct {
	expiredNote

	id manifest.ID
}

// notesOf reads all notes, the newest first.
func notesOf(ctx context.Context, rep repo.Repository) ([]storedNote, error) {
	found, err := rep.FindManifests(ctx, map[string]string{"type": expiredType})
	if err != nil {
		return nil, fmt.Errorf("find expired points: %w", err)
	}
	var notes []storedNote
	for _, m := range found {
		n := storedNote{id: m.ID}
		if _, err := rep.GetManifest(ctx, m.ID, &n.expiredNote); err != nil {
			return nil, fmt.Errorf("read expired points: %w", err)
		}
		notes = append(notes, n)
	}
	slices.SortFunc(notes, func(a, b storedNote) int {
		return cmp.Or(cmp.Compare(b.Number, a.Number), b.At.Compare(a.At))
	})
	return notes, nil
}

// noteExpired writes down in w which points it lets go, and forgets notes that
// are older than anybody needs.
func (v *Vault) noteExpired(ctx context.Context, w repo.RepositoryWriter, gone []app.Point) error {
	notes, err := notesOf(ctx, w)
	if err != nil {
		return err
	}
	note := expiredNote{At: v.now().UTC().Round(0), Number: 1}
	var drop []manifest.ID
	for i, n := range notes {
		switch {
		case i == 0 && n.At.Format(time.DateOnly) == note.At.Format(time.DateOnly):
			note.Number, note.Points = n.Number, n.Points
			drop = append(drop, n.id)
		case i == 0:
			note.Number = n.Number + 1
		case i >= int(app.ExpiredKept/day) && note.At.Sub(n.At) > app.ExpiredKept:
			drop = append(drop, n.id)
		}
	}
	for _, p := range gone {
		if !slices.Contains(note.Points, p.ID) {
			note.Points = append(note.Points, p.ID)
		}
	}
	if _, err := w.PutManifest(ctx, map[string]string{"type": expiredType}, note); err != nil {
		return fmt.Errorf("note expired points: %w", err)
	}
	return v.forget(ctx, w, drop...)
}
