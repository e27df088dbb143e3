package webhotel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// root makes the site's own folder, and those above it, where they are gone.
func (a *applier) root(ctx context.Context) error {
	return a.do(ctx, func(l link) error {
		var err error
		for up := strings.Count(a.j.o.cfg.path, "/"); up >= 0; up-- {
			err = l.mkdir(ctx, strings.Repeat("../", up))
			if faultOf(err) != faultNone {
				return err
			}
		}
		if _, listErr := l.list(ctx, ""); listErr == nil {
			return nil
		}
		return err
	})
}

// clear takes away what is in the way of e, unless nobody saved it.
func (a *applier) clear(ctx context.Context, e, there entry) error {
	if !a.mayReplace {
		return a.j.inTheWay(e)
	}
	return a.drop(ctx, there.path, there.mode.IsDir())
}

// drop removes a file or link, or a folder with all that is in it. That it is
// gone already is fine.
func (a *applier) drop(ctx context.Context, p string, dir bool) error {
	if dir {
		var list []entry
		err := a.do(ctx, func(l link) (err error) {
			list, err = l.list(ctx, p)
			return err
		})
		if err != nil && !isMissing(err) {
			return err
		}
		for _, e := range list {
			if err := a.drop(ctx, below(p, e.path), e.mode.IsDir()); err != nil {
				return err
			}
		}
	}
	a.touch(p)
	return a.do(ctx, func(l link) error {
		if err := l.remove(ctx, p, dir); err != nil && !isMissing(err) {
			return fmt.Errorf("remove %s: %w", p, err)
		}
		return nil
	})
}

// folder makes a real folder, so that what is written below it can't end up
// where a link leads.
func (a *applier) folder(ctx context.Context, e entry) error {
	there, ok := a.j.at(a.have, e.path)
	if ok && there.mode.IsDir() {
		if there.mode.Perm()&0o700 == 0o700 {
			return nil
		}
		there.mode |= 0o700
		return a.settle(ctx, there)
	}
	if ok {
		if err := a.clear(ctx, e, there); err != nil {
			return err
		}
	}
	a.touch(e.path)
	return a.do(ctx, func(l link) error {
		err := l.mkdir(ctx, e.path)
		if err != nil && faultOf(err) == faultNone {
			if _, listErr := l.list(ctx, e.path); listErr == nil {
				return nil // made by an attempt whose answer was lost
			}
		}
		return err
	})
}

// link makes a symbolic link. Where the server can't, Verify tells.
func (a *applier) link(ctx context.Context, e entry) error {
	there, ok := a.j.at(a.have, e.path)
	if ok && looksSame(e, there) {
		return nil
	}
	if ok && (there.mode.IsDir() || !a.mayReplace) {
		if err := a.clear(ctx, e, there); err != nil {
			return err
		}
	}
	a.touch(e.path)
	tmp := tempName(e.path)
	err := a.do(ctx, func(l link) error {
		if err := l.remove(ctx, tmp, false); faultOf(err) != faultNone {
			return err
		}
		if err := l.symlink(ctx, e.link, tmp); err != nil {
			return err
		}
		return l.rename(ctx, tmp, e.path)
	})
	if errors.Is(err, errCannot) && a.mayReplace {
		a.c.log.Warn("Server makes no symbolic links", "connector", string(Kind), "path", e.path)
		return nil
	}
	return err
}

// removeCreated removes what the restore that is being undone had created, and
// nothing that came after it. Folders go when they are empty by then.
func (a *applier) removeCreated(ctx context.Context) error {
	kept := map[string]bool{}
	for _, e := range a.j.list {
		kept[e.path] = true
	}
	for i := len(a.j.gone) - 1; i >= 0; i-- {
		p := a.j.gone[i]
		there, ok := a.j.at(a.have, p)
		if !ok || kept[p] {
			continue
		}
		if err := a.take(ctx, there); err != nil {
			return err
		}
	}
	if a.j.atAll && len(a.j.list) == 0 {
		return a.take(ctx, entry{mode: fs.ModeDir})
	}
	return nil
}

// take removes a file, or a folder if it is empty.
func (a *applier) take(ctx context.Context, e entry) error {
	a.touch(e.path)
	return a.do(ctx, func(l link) error {
		err := l.remove(ctx, e.path, e.mode.IsDir())
		if err == nil || isMissing(err) || faultOf(err) != faultNone || !e.mode.IsDir() {
			return dropMissing(err)
		}
		if left, listErr := l.list(ctx, e.path); listErr == nil && len(left) > 0 {
			return nil
		}
		return err
	})
}

func dropMissing(err error) error {
	if err != nil && isMissing(err) {
		return nil
	}
	return err
}
