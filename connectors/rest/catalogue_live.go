package rest

import (
	"context"
	"io/fs"
	"slices"

	"kvart/app"
)

var _ app.LiveReader = (*Engine)(nil)

// LiveRecord implements [app.LiveReader].
func (e *Engine) LiveRecord(ctx context.Context, a app.Access, from fs.FS, at string) (app.Record, []app.RecordField, error) {
	fail := func(err error) (app.Record, []app.RecordField, error) { return app.Record{}, nil, canceled(ctx, err) }
	c, err := e.catalogue(ctx, from)
	if err != nil {
		return fail(err)
	}
	k, was, err := c.read(ctx, at)
	if err != nil {
		return fail(err)
	}
	shop, err := e.platform.Open(ctx, a, false)
	if err != nil {
		return fail(err)
	}
	parent, _ := was[parentField].(string)
	key := Key{ID: k.idAt(at), Parent: parent}
	got, err := fetched(ctx, shop, k, []Key{key})
	if err != nil {
		return fail(err)
	}
	i := slices.IndexFunc(got, func(r Record) bool { return r.ID == key.ID && !r.Trashed })
	switch {
	case i >= 0:
	case k.Restore == Manual && k.Parent != "":
		// not every shop hands these out one by one: that it didn't says nothing
		return fail(app.Errorf(app.CodeSourceKind, "shop: compare", "%s can't be asked for by themselves", k.Name).With("kind", k.Name))
	default:
		return fail(app.Errorf(app.CodePathUnknown, "shop: compare", "the shop has %s no more", at).With("path", at))
	}
	is, err := k.canonical(got[i])
	if err != nil {
		return fail(err)
	}
	return c.shown(ctx, k, at, is)
}
