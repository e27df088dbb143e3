package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"kvart/app"
)

// statEncrypted is 1 in the stats of a point whose contents nobody but the
// program that owns them can look at.
const statEncrypted = "encrypted"

// mayEncrypt reports whether err says no more than that a database is under
// encryption, and the owner said that it is meant to be.
func mayEncrypt(a app.Access, err error) bool {
	return app.CodeOf(err) == app.CodeSourceEncrypted && a.Source.Settings[fieldEncrypted] == "true"
}

// captureSealed captures a database under encryption with its journals: as they
// lie, since to move the log into the database takes the program's password.
func (c *Connector) captureSealed(ctx context.Context, m member, next app.Marker) (*app.Capture, error) {
	copied, err := c.copyStill(ctx, m.file)
	if err != nil {
		return nil, err
	}
	var items []app.Item
	for _, p := range copied.parts {
		item := app.Item{
			Path: m.name + p.suffix, Size: p.info.Size(), ModTime: p.info.ModTime(), Mode: p.info.Mode().Perm(), Open: c.opener(ctx, p.copy),
		}
		if p.suffix == "" {
			item.Pages = pagesOfSealed(item.Size)
		}
		items = append(items, item)
	}
	stats := app.Stats{statBytes: copied.bytes(), "files": int64(len(items)), statEncrypted: 1}
	return &app.Capture{
		Items: yielding(ctx, items), Next: next,
		Stats: func() app.Stats { return stats }, Close: sync.OnceValue(copied.Close),
	}, nil
}

// pagesOfSealed returns the size of the pages a database under encryption
// changes in. Which it is nobody tells; 4096 is what nearly all have, and any
// smaller one that fits finds what changed as well.
func pagesOfSealed(bytes int64) int {
	for _, size := range []int64{4096, 1024, 512} {
		if bytes%size == 0 {
			return int(size)
		}
	}
	return 0
}

// opener opens a private copy for the vault.
func (c *Connector) opener(ctx context.Context, name string) func(context.Context) (io.ReadCloser, error) {
	return func(of context.Context) (io.ReadCloser, error) {
		for _, ctx := range []context.Context{ctx, of} {
			if err := ctx.Err(); err != nil {
				return nil, codeOf(ctx, "sqlite: open", name, err)
			}
		}
		f, err := c.files.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open the copy: %w", err)
		}
		return f, nil
	}
}

// yielding yields items until ctx ends.
func yielding(ctx context.Context, items []app.Item) func(func(app.Item, error) bool) {
	return func(yield func(app.Item, error) bool) {
		for _, item := range items {
			if err := ctx.Err(); err != nil {
				yield(app.Item{}, codeOf(ctx, "sqlite: capture", item.Path, err))
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// sealedIn reports whether a database in a point is under encryption.
func sealedIn(from fs.FS, name string) (sealed bool, err error) {
	f, err := from.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { err = closing(err, f.Close) }()
	fi, err := f.Stat()
	if err != nil {
		return false, err
	}
	sample := make([]byte, min(fi.Size(), sampleSize))
	if _, err := io.ReadFull(f, sample); notEnd(err) != nil {
		return false, err
	}
	return !hasMagic(sample) && encrypted(sample, fi.Size()), nil
}

// diffFiles compares databases as files, with their journals.
func diffFiles(ctx context.Context, name string, before, after fs.FS) ([]app.Change, error) {
	var changes []app.Change
	for _, suffix := range append([]string{""}, companions[:]...) {
		ch := app.Change{Path: name + suffix, Kind: app.ChangeChanged, Before: -1, After: -1}
		was, err := readSum(ctx, before, ch.Path, &ch.Before)
		if err != nil {
			return nil, err
		}
		is, err := readSum(ctx, after, ch.Path, &ch.After)
		switch {
		case err != nil:
			return nil, err
		case ch.Before < 0 && ch.After < 0 || was == is && ch.Before == ch.After:
			continue
		case ch.Before < 0:
			ch.Kind, ch.Before = app.ChangeAdded, 0
		case ch.After < 0:
			ch.Kind, ch.After = app.ChangeRemoved, 0
		}
		changes = append(changes, ch)
	}
	return changes, nil
}

// readSum hashes a file of a point, and sets size where there is one.
func readSum(ctx context.Context, from fs.FS, name string, size *int64) (sum [sha256.Size]byte, err error) {
	f, err := from.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return sum, nil
	}
	if err != nil {
		return sum, err
	}
	defer func() { err = closing(err, f.Close) }()
	h := sha256.New()
	*size, err = io.Copy(h, &counted{r: f, ctx: ctx, p: silent{}})
	return sumOf(h), err
}
