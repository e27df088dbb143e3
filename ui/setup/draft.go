package setup

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"kvart/app"
	"kvart/ui/screen"
)

// draft returns what is worth keeping of the setup while it is not done: what
// the owner chose and entered, but no secrets.
func (f *Flow) draft() app.SetupDraft {
	var d app.SetupDraft
	over := f.page == pageKit || f.page == pageFirst // what was left out stays out
	for _, p := range f.picks {
		asFound := !p.Own && p.On == p.Likely && !p.touched() && !p.Tried
		// What was ticked and gone on from is wanted, even if it is not found again.
		if p.Added || over && !p.On || asFound && (f.page == pageWhat || !p.On) {
			continue
		}
		out := app.DraftPick{Kind: p.Kind, Name: p.Name, Found: p.Found.Settings, Settings: p.Typed, On: p.On, Own: p.Own}
		if p.Answered {
			out.Settings, out.Whole = p.Settings, len(p.Secrets) == 0 && p.Admin == ""
		}
		d.Picks = append(d.Picks, out)
	}
	if !f.hasVault {
		d.Storage.Kind, d.Storage.Settings = f.loc.Kind, f.loc.Filled().Settings
		d.Shop = f.shop
	}
	if slices.Contains([]page{pageAsk, pageWhere, pagePass}, f.page) {
		d.Page = string(f.page)
	}
	return d
}

// recall takes up what was kept when the window was closed. What the owner did
// in this one already is not undone by it, and what is protected by now needs no
// more setting up.
func (f *Flow) recall(d app.SetupDraft, sources []app.SourceStatus) {
	f.recalled, f.kept = true, d
	if d.Empty() || f.page != pageWhat && f.page != pageFirst || len(f.picks) > 0 {
		return
	}
	for _, k := range d.Picks {
		p, ok := f.pickOf(k)
		if ok && !slices.ContainsFunc(sources, func(s app.SourceStatus) bool { return p.is(s.Source) }) {
			f.picks = append(f.picks, f.numbered(p))
		}
	}
	if f.hasVault {
		return
	}
	f.shop = d.Shop
	if slices.ContainsFunc(f.loc.Kinds, func(k app.KindSpec) bool { return k.Kind == d.Storage.Kind }) {
		f.loc.Choose(d.Storage.Kind)
		f.loc.Fill(maps.Clone(d.Storage.Settings), nil)
	}
	switch at := page(d.Page); at {
	case pageAsk, pageWhere, pagePass:
		if i := f.open(); i >= 0 {
			f.asked, f.page = i, pageAsk // its secrets were not kept
		} else if at != pageAsk && len(f.ticked()) > 0 {
			f.page = pageWhere // nothing is proven any more
		}
	}
}

// pickOf returns a pick as it was kept; false for a kind that is no more.
func (f *Flow) pickOf(k app.DraftPick) (pick, bool) {
	spec, ok := f.spec(k.Kind)
	if !ok {
		return pick{}, false
	}
	p := pick{Found: app.Found{Kind: k.Kind, Name: k.Name, Settings: k.Found, Bytes: -1}, On: k.On, Own: k.Own, Tried: true, Asks: screen.Asks(spec, k.Found)}
	switch {
	case len(k.Settings) > 0 && k.Whole:
		p.Answered, p.Settings = true, k.Settings
	case len(k.Settings) > 0:
		p.Typed, p.Again = k.Settings, true
	}
	return p, true
}

// is reports whether a pick is a source that is set up.
func (p pick) is(s app.Source) bool {
	mine := p.filling().Settings
	where := screen.WhereOf(mine)
	return p.Kind == s.Kind && where != "" && where == screen.WhereOf(s.Settings) && mine["database"] == s.Settings["database"]
}

// keep tells the guard how far the setup has come. While it is being told, what
// is newer waits: the last word is always the newest. That it can't be told
// costs some typing and nothing else; a guard that is gone is shown anyhow.
func (s *Screen) keep() {
	f := s.flow
	if !f.recalled || f.keeping || f.reconnect {
		return
	}
	d := f.draft()
	if reflect.DeepEqual(d, f.kept) {
		return
	}
	f.keeping = true
	s.env.Go(func(ctx context.Context) func() {
		err := s.env.Service.SetSetupDraft(ctx, d)
		return func() {
			f.keeping = false
			if err == nil {
				f.kept = d
				f.shown.keep()
			}
		}
	})
}
