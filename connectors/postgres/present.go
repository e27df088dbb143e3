package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// Present implements [app.Restorer]: the database as it is now, captured like
// any other state, since that is what an undo loads. Nothing when there is no
// such database. A restore begins with it, so what an earlier one left as done
// is forgotten here: the same point is then restored anew.
func (c *Connector) Present(ctx context.Context, a app.Access) (*app.Capture, error) {
	l, err := c.open(ctx, a)
	if err != nil {
		return nil, err
	}
	conn, err := l.connect(ctx, l.database)
	if app.CodeOf(err) == app.CodeSourceGone {
		l.close()
		none := func(func(app.Item, error) bool) {}
		return &app.Capture{Items: none, Stats: func() app.Stats { return app.Stats{} }, Close: func() error { return nil }}, nil
	}
	if err == nil {
		err = l.forget(ctx, conn)
	}
	l.close()
	if err != nil {
		return nil, l.codeOf(ctx, "postgres: save present state", err)
	}
	return c.Capture(ctx, a, "")
}

// forget takes the mark of an earlier restore off the database. Whoever may
// not, has not set one.
func (l *link) forget(ctx context.Context, conn *pgx.Conn) (err error) {
	defer l.let(ctx, conn)
	have, _, err := marked(ctx, conn, l.database)
	if err != nil || have == "" {
		return err
	}
	if err := mark(ctx, conn, l.database, ""); err != nil && sqlState(err) != "42501" {
		return errors.Join(errors.New("forget the restore before"), err)
	}
	return nil
}
