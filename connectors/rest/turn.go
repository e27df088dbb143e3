package rest

import (
	"context"
	"maps"
	"slices"
	"time"

	"kvart/app"
)

// due reports whether a kind is to be read now.
func (u *update) due(k Kind, s kindState) bool {
	age := u.now.Sub(s.Asked)
	switch {
	case u.exact(k) || k.Every == 0 || s.Code != "" || age < 0:
		return true
	case k.Every == Night:
		return u.nightly(s.Asked)
	}
	return age >= k.Every-time.Minute
}

// nightly reports whether what is done once a night is due: in the small hours
// when it was not done this night, and at any time when it was not done for
// more than a day, since shops' computers are off at night.
func (u *update) nightly(last time.Time) bool {
	age := u.now.Sub(last)
	h := u.now.Local().Hour()
	return age < 0 || age > 26*time.Hour || age > 12*time.Hour && h >= 1 && h < 5
}

// sweeps reports whether a kind is compared with all there is.
func (u *update) sweeps(k Kind, s kindState) bool { return u.exact(k) || u.nightly(s.Swept) }

// afresh reports whether a list that was cut off is begun again: what was read of
// it some time ago is not what the shop is now.
func (u *update) afresh(k Kind) bool { return u.prompt || u.exact(k) }

// prepare tells the shop what it is about to be asked.
func (u *update) prepare(ctx context.Context) error {
	p, ok := u.shop.(Preparer)
	if !ok {
		return nil
	}
	fresh, again, err := u.readWhole(ctx)
	if err != nil {
		return err
	}
	now := u.clock()
	from := p.Prepare(ctx, fresh, again)
	u.prepared = map[string]time.Time{}
	for _, k := range slices.Concat(fresh, again) {
		u.prepared[k.Name] = now
		if at, ok := from[k.Name]; ok && at.Before(now) {
			u.prepared[k.Name] = at
		}
	}
	return nil
}

// readWhole lists the kinds that are about to be read whole: those of which
// nothing is known, and those that are to be as the shop is now.
func (u *update) readWhole(ctx context.Context) (fresh, again []Kind, err error) {
	for _, k := range u.e.kinds {
		s, err := u.m.state(ctx, k.Name)
		if err != nil {
			return nil, nil, err
		}
		if u.probe.Kinds[k.Name] != nil {
			continue
		}
		sweeps := u.sweeps(k, s) && u.due(k, s) && k.Changes != ByList && (k.Deletions == ByFeed || k.Deletions == BySweep)
		switch unread := s.Listed.IsZero() || s.Listing; {
		case unread && u.afresh(k), !unread && sweeps:
			again = append(again, k)
		case unread && s.Resume == "":
			fresh = append(fresh, k)
		}
	}
	return fresh, again, nil
}

// settle keeps what became of a kind. Its error ends the capture.
func (u *update) settle(ctx context.Context, k Kind, s kindState, err error) error {
	known := app.AsError(err)
	switch {
	case err == nil:
		s.Asked, s.Absent = u.now, false
		if s.Held == 0 {
			s.Code, s.Args, s.Failed = "", nil, time.Time{}
		}
	case known.Code == app.CodeKindMissing && s.Listed.IsZero():
		s.Absent, s.Asked = true, u.now
	case condemns(known.Code):
		if s.Code != known.Code {
			s.Failed = u.now
		}
		s.Code, s.Args = known.Code, maps.Clone(known.Args)
		if s.Args == nil {
			s.Args = map[string]string{}
		}
		s.Args["kind"] = k.Name
		u.e.o.Log.WarnContext(ctx, "Kind not captured", "kind", k.Name, "code", known.Code, "error", err)
	default:
		return err
	}
	return setState(ctx, u.m.db, k.Name, s)
}

// condemns reports whether an error is about one kind.
func condemns(c app.Code) bool {
	switch c {
	case app.CodeShopScope, app.CodeShopAnswer, app.CodeShopRedacted, app.CodeKindMissing:
		return true
	}
	return false
}
