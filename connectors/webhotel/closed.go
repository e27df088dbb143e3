package webhotel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"kvart/app"
)

// closeShop has a WordPress site answer that it is under maintenance. The
// function opens it again, also when the restore failed or was canceled: a
// visitor then sees an error at worst, and not a shop that is closed for ever.
// Only a restore that was killed leaves it closed, until it goes on.
func (c *Connector) closeShop(ctx context.Context, j *job) (reopen func() error, err error) {
	wordPress := false
	if j.beside || j.atAll && len(j.list) == 0 {
		return func() error { return nil }, nil
	}
	err = j.o.pool.do(ctx, func(l link) error {
		list, err := l.list(ctx, "")
		if missingRoot(err) {
			return nil
		}
		for _, e := range list {
			wordPress = wordPress || e.path == "wp-load.php" || e.path == maintenanceFile
		}
		return err
	})
	if err != nil || !wordPress {
		return func() error { return nil }, err
	}
	// The moment is computed by the site, so that it never is too long ago.
	const text = "<?php $upgrading = time(); // Kvart is restoring this site.\n"
	err = j.o.pool.do(ctx, func(l link) error { return put(ctx, l, maintenanceFile, []byte(text), 0o644) })
	return func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err := j.o.pool.do(ctx, func(l link) error {
			if err := l.remove(ctx, maintenanceFile, false); err != nil && !isMissing(err) {
				return err
			}
			return nil
		})
		if err != nil {
			err = fmt.Errorf("open the site again: %w", err)
		}
		return err
	}, err
}

// put writes a small file and puts it in place.
func put(ctx context.Context, l link, p string, text []byte, mode fs.FileMode) error {
	tmp := tempName(p)
	if err := writeAll(ctx, l, tmp, text); err != nil {
		return err
	}
	if err := l.settle(ctx, entry{path: p, mode: mode, mtime: time.Now()}, tmp); err != nil && !errors.Is(err, errCannot) {
		return err
	}
	return l.rename(ctx, tmp, p)
}

// writeAll writes a small file, and makes sure that all of it came: a server
// whose disk, or whose customer's share of it, is full may say that it did.
func writeAll(ctx context.Context, l link, p string, text []byte) error {
	if err := l.write(ctx, p, bytes.NewReader(text)); err != nil {
		return err
	}
	size, err := sizeOf(ctx, l, p, int64(len(text)))
	if err != nil || size == int64(len(text)) {
		return err
	}
	err = app.Errorf(app.CodeTargetFull, "webhotel: write file", "%s has %d bytes of the %d sent", p, size, len(text)).With("path", p)
	return errors.Join(err, l.remove(ctx, p, false))
}

// sizeOf asks how long a file is. Where the server doesn't tell it is read, but
// not beyond one byte more than it should have.
func sizeOf(ctx context.Context, l link, p string, want int64) (int64, error) {
	e, err := l.stat(ctx, p)
	if err == nil || faultOf(err) != faultNone {
		return e.size, err
	}
	s, err := l.open(ctx, entry{path: p, size: want}, 0)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(s, want+1))
	return n, errors.Join(err, s.Close())
}
