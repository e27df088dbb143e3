package webhotel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
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
	err = j.o.pool.do(ctx, func(l link) error { return put(ctx, l, maintenanceFile, strings.NewReader(text), 0o644) })
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
func put(ctx context.Context, l link, p string, r io.Reader, mode fs.FileMode) error {
	tmp := tempName(p)
	if err := l.write(ctx, tmp, r); err != nil {
		return err
	}
	if err := l.settle(ctx, entry{path: p, mode: mode, mtime: time.Now()}, tmp); err != nil && !errors.Is(err, errCannot) {
		return err
	}
	return l.rename(ctx, tmp, p)
}
