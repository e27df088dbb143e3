package backup

import (
	"context"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/maintenance"

	"kvart/app"
)

// Piece is where a content lies, for tests that damage it.
type Piece struct {
	Pack   string
	Prefix string // "" for data, "k" for listings, "m" for manifests
	Offset int64
	Length int64
}

// Pieces lists everything the index of a vault knows.
func Pieces(ctx context.Context, v app.Vault) ([]Piece, error) {
	var all []Piece
	err := v.(*Vault).rep.ContentReader().IterateContents(ctx, content.IterateOptions{}, func(i content.Info) error {
		all = append(all, Piece{string(i.PackBlobID), string(i.ContentID.Prefix()), int64(i.PackOffset), int64(i.PackedLength)})
		return nil
	})
	return all, err
}

// FullMaintenance runs Kopia's full maintenance on a vault as if days had passed
// since its last repair.
func FullMaintenance(ctx context.Context, v app.Vault, days int) error {
	vault := v.(*Vault)
	later := &Vault{log: vault.log, now: func() time.Time { return vault.now().AddDate(0, 0, days) }}
	return repo.DirectWriteSession(ctx, vault.rep, repo.WriteSessionOptions{}, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		return later.maintainAround(ctx, w, maintenance.ModeFull)
	})
}
