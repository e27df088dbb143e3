package webhotel

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"kvart/app"
)

var _ app.Publisher = (*Connector)(nil)

// Publish implements [app.Publisher]. The page is uploaded to the site's own
// folder. It is shown in the shop's place by lines of Kvart's own before all
// others in the site's .htaccess, which Apache and LiteSpeed follow. A site
// without that file may be on a server that knows none, and one that is longer
// than anybody writes is left alone: there the page only lies beside the shop,
// which [app.CodePageBeside] says. Cut off, it is done again;
// until the page is whole nothing points to it.
func (c *Connector) Publish(ctx context.Context, a app.Access, name string, page []byte) (err error) {
	const op = "webhotel: put page up"
	o, err := c.open(a)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(o.cfg.targetCode(ctx, op, err), o.pool.Close())
	}()
	if err := c.place(ctx, o, name, page); err != nil {
		return err
	}
	if err := c.reached("page"); err != nil {
		return err
	}
	there, err := c.rewrite(ctx, o, func(plain []byte) ([]byte, error) {
		if len(plain) > mostSigned {
			return nil, errLongRules
		}
		return signed(plain, sign(plain, name)), nil
	})
	switch {
	case err == nil && !there:
		return app.Errorf(app.CodePageBeside, op, "the site has no %s", rulesFile).With("page", name)
	case errors.Is(err, errLongRules):
		return app.Errorf(app.CodePageBeside, op, "%w", err).With("page", name)
	}
	return err
}

// Withdraw implements [app.Publisher]. The site's own lines are what they were,
// byte for byte; the page goes last, so that nothing points to nowhere.
func (c *Connector) Withdraw(ctx context.Context, a app.Access, name string) (err error) {
	const op = "webhotel: take page down"
	o, err := c.open(a)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(o.cfg.targetCode(ctx, op, err), o.pool.Close())
	}()
	if _, err := c.rewrite(ctx, o, func(plain []byte) ([]byte, error) { return plain, nil }); err != nil {
		return err
	}
	if err := c.reached("rules"); err != nil {
		return err
	}
	return o.pool.do(ctx, func(l link) error {
		found, err := top(ctx, bare(l))
		if err != nil || found[name].path == "" {
			return err
		}
		return bare(l).remove(ctx, name, false)
	})
}

// top returns what lies in the site's own folder, by name; nothing where there is
// no folder.
func top(ctx context.Context, l link) (map[string]entry, error) {
	list, err := l.list(ctx, "")
	if missingRoot(err) {
		return nil, nil
	}
	found := make(map[string]entry, len(list))
	for _, e := range list {
		found[e.path] = e
	}
	return found, err
}

// place uploads the page, unless it is there as it should be.
func (c *Connector) place(ctx context.Context, o opened, name string, page []byte) error {
	if name != app.PageName {
		return fmt.Errorf("%q is not the page's name", name) // captures know it by that
	}
	return o.pool.do(ctx, func(l link) error {
		return put(ctx, bare(l), name, page, 0o644)
	})
}

// rewrite changes what the site's rules are with Kvart's lines, given what they
// are without. It keeps their mode and time, so that nothing looks changed. It
// reports whether there are rules at all.
func (c *Connector) rewrite(ctx context.Context, o opened, to func(plain []byte) ([]byte, error)) (there bool, err error) {
	err = o.pool.do(ctx, func(shown link) error {
		l := bare(shown)
		tmp, whole := tempName(rulesFile+" sign"), tempName(rulesFile+" whole")
		e, err := rulesEntry(ctx, l, whole)
		if there = e.regular() && e.path != ""; err != nil || !there {
			return err
		}
		text, err := rules(ctx, l)
		plain, sign := unsigned(text)
		if err != nil && (sign != nil || !errors.Is(err, errLongRules)) {
			return err
		}
		now, err := to(plain)
		if err != nil || slices.Equal(now, text) {
			return err
		}
		if err := writeAll(ctx, l, tmp, now); err != nil {
			return err
		}
		if err := l.settle(ctx, e, tmp); err != nil && !errors.Is(err, errCannot) {
			return err
		}
		if err := l.rename(ctx, tmp, whole); err != nil {
			return err
		}
		if err := c.reached("written"); err != nil {
			return err
		}
		return l.rename(ctx, whole, rulesFile)
	})
	return there, err
}

// rulesEntry finds a site's rules; without a path where there are none. Where
// somebody was cut off on a server that replaces nothing, what he had written, which
// is called whole, has yet to get its name.
func rulesEntry(ctx context.Context, l link, whole string) (entry, error) {
	found, err := top(ctx, l)
	if err != nil {
		return entry{}, err
	}
	if found[rulesFile].path == "" && found[whole].path != "" {
		if err := l.rename(ctx, whole, rulesFile); err != nil {
			return entry{}, err
		}
		if found, err = top(ctx, l); err != nil {
			return entry{}, err
		}
	}
	return found[rulesFile], nil
}
