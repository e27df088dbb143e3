package backup

import (
	"context"
	"crypto/aes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/format"

	"kvart/backup/storage"
)

// opener opens what Kopia sealed: it returns an error unless every byte is as
// it was written.
type opener func(sealed, iv []byte) error

// openerOf returns the opener of a repository.
func openerOf(p format.Provider) opener { return newOpener(p.Encryptor().Decrypt) }

// writeBuffer is what Kopia's buffers can do. Their package is internal; a type
// parameter is how they are made all the same.
type writeBuffer[B, W any] interface {
	*W
	Append(b []byte)
	Bytes() B
	Close()
}

func newOpener[B, W any, P writeBuffer[B, W]](decrypt func(sealed B, iv []byte, plain P) error) opener {
	return func(sealed, iv []byte) error {
		in, out := P(new(W)), P(new(W))
		defer in.Close()
		defer out.Close()
		in.Append(sealed)
		return decrypt(in.Bytes(), iv, out)
	}
}

// pieceIV is with what Kopia sealed a content.
func pieceIV(id content.ID) []byte {
	h := id.Hash()
	return h[len(h)-aes.BlockSize:]
}

// indexIV is with what Kopia sealed an index blob; false for blobs whose name
// says it all.
func indexIV(id blob.ID) ([]byte, bool) {
	name, _, _ := strings.Cut(string(id), "-")
	if len(name) < 2*aes.BlockSize {
		return nil, false
	}
	iv, err := hex.DecodeString(name[len(name)-2*aes.BlockSize:])
	return iv, err == nil
}

// openIndex proves an index blob.
func (o opener) openIndex(id blob.ID, data []byte) error {
	iv, ok := indexIV(id)
	if !ok {
		return nil
	}
	return o(data, iv)
}

// badPieces returns the contents that can't be opened in the bytes of their
// pack.
func (o opener) badPieces(pieces []content.Info, pack []byte) []content.Info {
	var bad []content.Info
	for _, info := range pieces {
		from, to := int64(info.PackOffset), int64(info.PackOffset)+int64(info.PackedLength)
		if to > int64(len(pack)) || o(pack[from:to], pieceIV(info.ContentID)) != nil {
			bad = append(bad, info)
		}
	}
	return bad
}

// isPack tells packs from index blobs.
func isPack(id blob.ID) bool {
	return strings.HasPrefix(string(id), string(content.PackBlobIDPrefixRegular)) || strings.HasPrefix(string(id), string(content.PackBlobIDPrefixSpecial))
}

// piecesOf lists what the index places in the given packs, without what is
// marked as deleted.
func piecesOf(ctx context.Context, rep repo.DirectRepository, packs map[blob.ID]bool) (map[blob.ID][]content.Info, error) {
	pieces := map[blob.ID][]content.Info{}
	err := rep.ContentReader().IterateContents(ctx, content.IterateOptions{}, func(info content.Info) error {
		if packs[info.PackBlobID] {
			pieces[info.PackBlobID] = append(pieces[info.PackBlobID], info)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list contents: %w", err)
	}
	return pieces, nil
}

// readStored reads a stored object past all caches. An object that is missing,
// or lies where the disk can't be read, is damage: no error, and nil.
func (v *Vault) readStored(ctx context.Context, id blob.ID) ([]byte, error) {
	b, err := storage.ReadBlob(ctx, v.loc.Store, id)
	switch {
	case err == nil:
		return b, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, blob.ErrBlobNotFound), errors.Is(err, syscall.EIO):
		// A disk that was pulled in mid-course looks the same.
		return nil, v.loc.Present(ctx)
	}
	return nil, err
}
