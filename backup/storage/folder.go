package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kopia/kopia/repo/blob/filesystem"
	"github.com/kopia/kopia/repo/blob/sharded"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
)

// probePrefix begins the names of objects a probe writes and removes again.
const probePrefix = "kvart-probe-"

// formatFile is the format blob's file in a folder.
const formatFile = format.KopiaRepositoryBlobID + sharded.CompleteBlobSuffix

// unfinished matches what Kopia names a file it is still writing.
var unfinished = regexp.MustCompile(`\.tmp\.[0-9a-f]{16}$`)

func folderSpec() app.KindSpec {
	return app.KindSpec{
		Kind:   "folder",
		Fields: []app.Field{{Key: "path", Type: app.FieldFolder, Required: true}},
	}
}

func openFolder(ctx context.Context, s app.StorageSpec, create bool) (*Location, error) {
	root, err := filepath.Abs(s.Settings["path"])
	if err != nil {
		return nil, fmt.Errorf("resolve folder: %w", err)
	}
	if err := needFolder(root, create); err != nil {
		return nil, err
	}
	// "isCreate" makes no folder here, it is there; it picks the shallow
	// layout a new repository gets.
	st, err := filesystem.New(ctx, &filesystem.Options{Path: root}, true)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return &Location{
		Where: root, Root: root, Base: st,
		Survey:  func(context.Context) (app.LocationState, error) { return surveyFolder(root) },
		Present: func(context.Context) error { return folderPresent(root) },
		Free:    func(context.Context) int64 { return FreeBytes(root) },
		Sweep:   func(ctx context.Context, age time.Duration) error { return sweepFolder(ctx, root, age) },
	}, nil
}

// needFolder makes sure that root is a folder. It makes at most the last
// folder of the path, and only for a new vault: an unplugged disk must not grow
// folders where it was mounted.
func needFolder(root string, create bool) error {
	fi, err := os.Stat(root)
	if errors.Is(err, fs.ErrNotExist) && create {
		if err = os.Mkdir(root, 0o700); err == nil {
			return nil
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return gone(root, err)
	case err != nil:
		return fmt.Errorf("look at folder: %w", err)
	case !fi.IsDir():
		return app.Errorf(app.CodeUsage, "open folder", "%s is not a folder", root).With("field", "path")
	}
	return nil
}

func gone(root string, err error) error {
	return app.Errorf(app.CodeStorageGone, "open folder", "%w", err).With("where", root)
}

func folderPresent(root string) error {
	if _, err := os.Stat(root); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return gone(root, err)
		}
		return Translate("look at folder", err)
	}
	_, err := os.Stat(filepath.Join(root, formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		return app.Errorf(app.CodeVaultMissing, "look for vault", "%w", err).With("where", root)
	}
	return Translate("look for vault", err)
}

// surveyFolder uses the file system directly: Kopia's provider writes a file
// on mere access.
func surveyFolder(root string) (app.LocationState, error) {
	entries, err := os.ReadDir(root)
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

// harmless reports whether name is something systems put into every folder or
// disk, or was left by a Create or Probe that was cut off before it began.
func harmless(name string) bool {
	system := []string{
		".ds_store", ".fseventsd", ".spotlight-v100", ".trashes", ".temporaryitems", "lost+found",
		"desktop.ini", "thumbs.db", "system volume information", "$recycle.bin", sharded.ParametersFile,
	}
	return slices.Contains(system, strings.ToLower(name)) || strings.HasPrefix(name, ".Trash-") ||
		strings.HasPrefix(name, probePrefix) || unfinished.MatchString(name)
}

// sweepFolder removes half-written files of killed writers, which Kopia never
// does.
func sweepFolder(ctx context.Context, root string, olderThan time.Duration) error {
	limit := time.Now().Add(-olderThan)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("sweep folder: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if d.IsDir() || !unfinished.MatchString(d.Name()) {
			return nil
		}
		fi, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && fi.ModTime().After(limit) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sweep folder: %w", err)
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove stray file: %w", err)
		}
		return nil
	})
}
