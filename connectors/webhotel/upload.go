package webhotel

import (
	"context"
	"errors"
	"fmt"

	"kvart/app"
)

func (a *applier) file(ctx context.Context, e entry) error {
	if err := ctx.Err(); err != nil {
		return canceled(a.j.op, err)
	}
	there, ok := a.j.at(a.have, e.path)
	if ok {
		same, err := a.same(ctx, e, there)
		if err != nil {
			return err
		}
		if same {
			a.p.Done(1, e.size)
			if e.mode.Perm() != there.mode.Perm() {
				return a.settle(ctx, e)
			}
			return nil
		}
		if there.mode.IsDir() || !a.mayReplace {
			if err := a.clear(ctx, e, there); err != nil {
				return err
			}
		}
	}
	a.touch(e.path)
	told := &told{p: a.p}
	err := a.do(ctx, func(l link) error {
		told.again()
		return a.upload(ctx, l, e, told)
	})
	if err != nil {
		a.tidy(ctx, tempName(e.path))
		return err
	}
	a.p.Done(1, 0)
	return a.c.reached("file")
}

// minRoom is what a server may have left and still call itself full.
const minRoom = 1 << 20

// tidy takes away what a failed attempt left, if it can.
func (a *applier) tidy(ctx context.Context, tmp string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialLimit)
	defer cancel()
	err := a.do(ctx, func(l link) error { return l.remove(ctx, tmp, false) })
	if err != nil && !isMissing(err) {
		a.c.log.Warn("Half a file left behind", "connector", string(Kind), "path", tmp, "error", err)
	}
}

// upload writes e beside its place, with its mode and time, and renames it.
func (a *applier) upload(ctx context.Context, l link, e entry, t *told) (err error) {
	src, err := a.j.from.Open(e.path)
	if err != nil {
		return pointError{fmt.Errorf("open in the point: %w", err)}
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	tmp := tempName(e.path)
	in := &counted{ctx: ctx, r: src, t: t}
	if err := l.write(ctx, tmp, in); err != nil {
		if in.err != nil {
			return pointError{in.err}
		}
		if room := l.free(ctx); faultOf(err) == faultNone && room >= 0 && room < e.size-in.n+minRoom {
			return (&app.Error{Code: app.CodeTargetFull, Op: a.j.op, Err: err}).With("path", a.j.where())
		}
		return err
	}
	if in.n != e.size {
		return app.Errorf(app.CodeCheckFailed, a.j.op, "%s has %d bytes in the point and %d were read", e.path, e.size, in.n).With("path", e.path)
	}
	if err := l.settle(ctx, e, tmp); err != nil && !errors.Is(err, errCannot) && (faultOf(err) != faultNone || a.j.dir != "") {
		return err
	}
	return l.rename(ctx, tmp, e.path)
}

// pointError is the point's, and not the connection's, whatever it looks like.
type pointError struct{ error }

func (e pointError) Unwrap() error { return e.error }

// settle sets mode and time of what is in place. A server that doesn't let us,
// because the file is somebody else's, leaves them as they are: Verify tells.
func (a *applier) settle(ctx context.Context, e entry) error {
	return a.do(ctx, func(l link) error {
		if err := l.settle(ctx, e, e.path); faultOf(err) != faultNone || a.j.dir != "" {
			return err
		}
		return nil
	})
}
