package backup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/repo/object"
	"github.com/zeebo/xxh3"

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

// Forget takes contents out of a vault's index, as a collection that went wrong
// would, and returns the names of those that it took.
func Forget(ctx context.Context, v app.Vault, which func(name string) bool) (gone []string, err error) {
	rep := v.(*Vault).rep
	names, err := Contents(ctx, v)
	if err != nil {
		return nil, err
	}
	err = repo.DirectWriteSession(ctx, rep, repo.WriteSessionOptions{}, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		for _, name := range names {
			if !which(name) {
				continue
			}
			id, err := content.ParseID(name)
			if err != nil {
				return err
			}
			if err := w.ContentManager().DeleteContent(ctx, id); err != nil {
				return err
			}
			gone = append(gone, name)
		}
		return nil
	})
	return gone, err
}

// ReadBack stores so many objects, and reads them back as what was captured, but
// for the one numbered wrong.
func ReadBack(ctx context.Context, v app.Vault, objects, wrong int) error {
	r := newReadBack(v.(*Vault))
	var stored []reading
	err := repo.WriteSession(ctx, r.v.rep, repo.WriteSessionOptions{}, func(ctx context.Context, w repo.RepositoryWriter) error {
		for i := range objects {
			ow := w.NewObjectWriter(ctx, object.WriterOptions{Compressor: compressor, MetadataCompressor: compressor})
			text := fmt.Appendf(nil, "object %d", i)
			if _, err := ow.Write(text); err != nil {
				return err
			}
			id, err := ow.Result()
			if err != nil {
				return err
			}
			if i == wrong {
				text = append(text, '!')
			}
			stored = append(stored, reading{name: string(text), id: id, sum: xxh3.Hash128(text)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.chosen(ctx, func(ctx context.Context) error {
		for _, t := range stored {
			r.choose(ctx, 1, t)
		}
		return nil
	})
}

// Contents lists the names of everything a vault's index has.
func Contents(ctx context.Context, v app.Vault) (names []string, err error) {
	err = v.(*Vault).rep.ContentReader().IterateContents(ctx, content.IterateOptions{}, func(i content.Info) error {
		names = append(names, i.ContentID.String())
		return nil
	})
	slices.Sort(names)
	return names, err
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
