package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/retrying"
	"github.com/kopia/kopia/repo/blob/sharded"

	"kvart/app"
)

// fileServer is a server of files, below one folder, as the layout of blobs in
// folders needs it. Every call obeys its context and gives up on a dead link.
//
// Kopia has providers for SFTP and WebDAV of its own, which write the very same
// layout; they wait for ever on a link that died, whatever their context says,
// make every folder that is missing, and can't tell why a server refuses.
type fileServer interface {
	sharded.Impl
	// Remove deletes a file; one that is not there is no error.
	Remove(ctx context.Context, name string) error
	// FreeBytes is -1 when the server does not tell.
	FreeBytes(ctx context.Context) int64
	Close() error
}

// serverShards spreads blobs over few folders: each costs a round trip when all
// is listed. What a location was begun with is kept in it.
const serverShards = 2

// serverBlobs are blobs on a file server.
type serverBlobs struct {
	sharded.Storage
	blob.DefaultProviderImplementation

	server fileServer
	root   string
	where  string
}

var _ blob.Storage = (*serverBlobs)(nil)

func newServerBlobs(server fileServer, root, where string) *serverBlobs {
	options := sharded.Options{DirectoryShards: []int{serverShards}, ListParallelism: 4}
	return &serverBlobs{Storage: sharded.New(server, root, options, true), server: server, root: root, where: where}
}

// location is the location of blobs on a server.
func (b *serverBlobs) location(offSite bool) *Location {
	loc := &Location{
		Where: b.where, OffSite: offSite, Remote: true,
		// Kopia's wrapper tells that it is to be tried again.
		Base:   retrying.NewWrapper(b),
		Survey: b.survey,
		Free:   b.server.FreeBytes,
		Sweep:  b.sweep,
	}
	loc.Present = func(ctx context.Context) error { return blobPresent(loc.Base, b.where)(ctx) }
	return loc
}

// flat returns the file of a probe, which lies in no folder and needs no
// layout: a probe must leave no trace.
func (b *serverBlobs) flat(id blob.ID) (string, bool) {
	return path.Join(b.root, string(id)+sharded.CompleteBlobSuffix), strings.HasPrefix(string(id), probePrefix)
}

// GetBlob implements [blob.Storage].
func (b *serverBlobs) GetBlob(ctx context.Context, id blob.ID, offset, length int64, out blob.OutputBuffer) error {
	if file, ok := b.flat(id); ok {
		return b.server.GetBlobFromPath(ctx, b.root, file, offset, length, out)
	}
	return b.Storage.GetBlob(ctx, id, offset, length, out)
}

// GetMetadata implements [blob.Storage].
func (b *serverBlobs) GetMetadata(ctx context.Context, id blob.ID) (blob.Metadata, error) {
	if file, ok := b.flat(id); ok {
		m, err := b.server.GetMetadataFromPath(ctx, b.root, file)
		m.BlobID = id
		return m, err
	}
	return b.Storage.GetMetadata(ctx, id)
}

// PutBlob implements [blob.Storage].
func (b *serverBlobs) PutBlob(ctx context.Context, id blob.ID, data blob.Bytes, opts blob.PutOptions) error {
	switch {
	case opts.HasRetentionOptions():
		return fmt.Errorf("lock a file: %w", blob.ErrUnsupportedPutBlobOption)
	case opts.DoNotRecreate:
		return fmt.Errorf("make a file only once: %w", blob.ErrUnsupportedPutBlobOption)
	}
	if file, ok := b.flat(id); ok {
		return b.server.PutBlobInPath(ctx, b.root, file, data, opts)
	}
	return b.Storage.PutBlob(ctx, id, data, opts)
}

// DeleteBlob implements [blob.Storage].
func (b *serverBlobs) DeleteBlob(ctx context.Context, id blob.ID) error {
	if file, ok := b.flat(id); ok {
		return b.server.Remove(ctx, file)
	}
	return b.Storage.DeleteBlob(ctx, id)
}

// ListBlobs implements [blob.Storage].
func (b *serverBlobs) ListBlobs(ctx context.Context, prefix blob.ID, each func(blob.Metadata) error) error {
	if !strings.HasPrefix(string(prefix), probePrefix) {
		return b.Storage.ListBlobs(ctx, prefix, each)
	}
	entries, err := b.server.ReadDir(ctx, b.root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), sharded.CompleteBlobSuffix)
		if !ok || !strings.HasPrefix(id, string(prefix)) {
			continue
		}
		if err := each(blob.Metadata{BlobID: blob.ID(id), Length: e.Size(), Timestamp: e.ModTime()}); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [blob.Storage].
func (b *serverBlobs) Close(context.Context) error { return b.server.Close() }

// ConnectionInfo implements [blob.Storage]. Nothing may open the storage by it.
func (b *serverBlobs) ConnectionInfo() blob.ConnectionInfo { return blob.ConnectionInfo{} }

// DisplayName implements [blob.Storage].
func (b *serverBlobs) DisplayName() string { return b.where }

// survey lists the folder: asking for a blob would write down the layout.
func (b *serverBlobs) survey(ctx context.Context) (app.LocationState, error) {
	entries, err := b.server.ReadDir(ctx, b.root)
	if err != nil {
		return "", fmt.Errorf("list folder: %w", err)
	}
	state := app.LocationEmpty
	for _, e := range entries {
		switch {
		case e.Name() == formatFile:
			return app.LocationVault, nil
		case !harmless(e.Name()):
			state = app.LocationForeign
		}
	}
	return state, nil
}

// sweep removes what uploads that were cut off left behind.
func (b *serverBlobs) sweep(ctx context.Context, olderThan time.Duration) error {
	return b.sweepFolder(ctx, b.root, time.Now().Add(-olderThan))
}

func (b *serverBlobs) sweepFolder(ctx context.Context, dir string, limit time.Time) error {
	entries, err := b.server.ReadDir(ctx, dir)
	if err != nil {
		return fmt.Errorf("sweep folder: %w", err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case e.IsDir():
			err = b.sweepFolder(ctx, name, limit)
		case unfinished.MatchString(e.Name()) && e.ModTime().Before(limit):
			err = b.server.Remove(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makeShard makes a folder of the layout, below root and never root itself. It
// makes none where no vault lies: a disk that was pulled out of the server must
// not grow folders where it was mounted.
func makeShard(root, dir string, look func(name string) error, mkdir func(name string) error) error {
	err := look(path.Join(root, formatFile))
	if errors.Is(err, blob.ErrBlobNotFound) || errors.Is(err, fs.ErrNotExist) {
		return app.Errorf(app.CodeVaultMissing, "make folder", "no format blob in %s", root)
	}
	if err != nil {
		return err
	}
	rest, ok := strings.CutPrefix(dir, root)
	if !ok {
		return fmt.Errorf("make folder %s: not below %s", dir, root)
	}
	at := root
	for _, part := range strings.Split(strings.Trim(rest, "/"), "/") {
		at = path.Join(at, part)
		if err := mkdir(at); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	return nil
}

// unfinishedName is a name that file has while it is being written, of the same
// shape as Kopia's.
func unfinishedName(file string) string {
	random := make([]byte, 8)
	rand.Read(random) //nolint:errcheck // never fails
	return fmt.Sprintf("%s.tmp.%x", file, random)
}
