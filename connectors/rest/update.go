package rest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kvart/app"
)

const (
	// overlap is how far back a cursor reaches again: a shop's servers don't
	// all have one clock, and a change is seen only when it is committed.
	overlap   = 10 * time.Minute
	perBatch  = 100 // records written to the mirror at once, and fetched at once
	atOnce    = 3   // kinds
	recheck   = 200 // records that seem gone are asked for one by one, up to so many
	unusual   = 5   // a fifth of a kind gone at once is unusual
	fewEnough = 5   // but so few are not

	meanwhile = 2 * time.Second // between two looks for files to fetch
)

// update is one bringing up to date of a mirror.
type update struct {
	e     *Engine
	m     *mirror
	shop  Shop
	probe Probe
	now   time.Time
	// exact kinds are due, and swept: their present state is wanted.
	exact func(Kind) bool
	// prompt reports that somebody waits: what is promised for the night only,
	// and never put back, is left alone.
	prompt bool
	// first reports that the shop was never read to the end: there is no backup
	// yet, and what can wait is waited with.
	first bool
	shown app.Progress
	tell  listener

	// prepared is of what time, by the shop's clock, the kinds are that it was
	// asked to prepare.
	prepared map[string]time.Time

	whole map[string]time.Time // kinds about to be read whole that others mention: from when on they tell all

	mu     sync.Mutex                 // guards what follows
	listed map[string]map[string]bool // of kinds that others mention, what their own changes told
	ahead  map[string]early           // kinds that are swept before what mentions them is read
}

// update brings the mirror up to date. Kinds that fail alone are noted in
// their state; the error is of the shop as a whole, and what was read until
// then stays in the mirror.
func (e *Engine) update(ctx context.Context, a app.Access, m *mirror, exact func(Kind) bool, prompt bool) (Shop, error) {
	return e.updateTelling(ctx, a, m, exact, prompt, listener{})
}

// updateTelling is update that somebody listens to.
func (e *Engine) updateTelling(ctx context.Context, a app.Access, m *mirror, exact func(Kind) bool, prompt bool, tell listener) (Shop, error) {
	shop, err := e.platform.Open(ctx, a, false)
	if err != nil {
		return nil, err
	}
	if err := e.seed(ctx, a, m); err != nil {
		return nil, err
	}
	u := &update{e: e, m: m, shop: shop, now: e.o.Now(), exact: exact, prompt: prompt, shown: shown(a), listed: map[string]map[string]bool{}, ahead: map[string]early{}, tell: tell}
	u.shown.Expect(0, 0) // it has begun
	before, err := m.meta(ctx, "read")
	if err != nil {
		return nil, err
	}
	u.first = before == ""
	if u.probe, err = shop.Probe(ctx); err != nil {
		return nil, err
	}
	if err := m.setMeta(ctx, "shop", u.probe.Name); err != nil {
		return nil, err
	}
	if err := m.setMeta(ctx, "software", u.probe.Version); err != nil {
		return nil, err
	}
	if err := u.all(ctx); err != nil {
		return nil, canceled(ctx, err)
	}
	if err := u.events(ctx); err != nil {
		return nil, err
	}
	if !prompt { // a restore reads for itself, and makes no backup
		if err := m.setMeta(ctx, "read", u.now.UTC().Format(time.RFC3339)); err != nil {
			return nil, err
		}
	}
	return shop, u.files(ctx)
}

// all reads all kinds, and meanwhile fetches the files that what was read shows.
func (u *update) all(ctx context.Context) error {
	done := make(chan struct{})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(done)
		return u.kinds(ctx)
	})
	g.Go(func() error {
		for {
			select {
			case <-done:
				return nil
			case <-ctx.Done():
				return nil // the kinds tell why
			case <-time.After(meanwhile):
			}
			if err := u.fetchFiles(ctx, u.now); err != nil {
				return err
			}
		}
	})
	return g.Wait()
}

// kinds brings all kinds up to date, a few at once: those that others belong to
// first, and those last that others mention, unless they are read whole anyway.
// What the shop has prepared of these is swept with the first: only what changed
// meanwhile waits for what mentions it. The first time those of which there are
// many go ahead of all others, one by one, so that the vault has most of its work
// done long before the last is read.
func (u *update) kinds(ctx context.Context) error {
	if err := u.prepare(ctx); err != nil {
		return err
	}
	if err := u.complete(ctx); err != nil {
		return err
	}
	var many, roots, below, last []Kind
	for _, k := range u.e.kinds {
		switch {
		case k.Changes == ByMention && u.whole[k.Name].IsZero():
			if last = append(last, k); !u.prepared[k.Name].IsZero() {
				roots = append(roots, k)
				u.ahead[k.Name] = toSweep
			}
		case k.Many > 0 && u.first:
			many = append(many, k)
		case k.Parent != "":
			below = append(below, k)
		default:
			roots = append(roots, k)
		}
	}
	slices.SortStableFunc(many, func(a, b Kind) int { return b.Many - a.Many })
	if err := u.some(ctx, many, 1); err != nil {
		return err
	}
	for _, part := range [][]Kind{roots, below, last} {
		if err := u.some(ctx, part, atOnce); err != nil {
			return err
		}
	}
	return nil
}

// some brings kinds up to date, so many at once, and tells of each that is ready.
func (u *update) some(ctx context.Context, kinds []Kind, atOnce int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, k := range kinds {
		g.Go(func() error {
			err := u.kind(ctx, k)
			if err == nil && u.early(k) == notEarly && u.tell.ready != nil {
				u.tell.ready(k)
			}
			return err
		})
	}
	return g.Wait()
}

// canceled gives an error the code of an end that was asked for, or of a disk
// that is full.
func canceled(ctx context.Context, err error) error {
	var known *app.Error
	if !errors.As(err, &known) && Full(err) {
		return noRoom(err)
	}
	if err != nil && (ctx.Err() != nil && errors.Is(err, ctx.Err()) || errors.Is(err, context.Canceled)) && app.CodeOf(err) != app.CodeCanceled {
		return &app.Error{Code: app.CodeCanceled, Op: "shop", Err: err}
	}
	return err
}

// kind brings one kind up to date.
func (u *update) kind(ctx context.Context, k Kind) error {
	s, err := u.m.state(ctx, k.Name)
	if err != nil {
		return err
	}
	if refused := u.probe.Kinds[k.Name]; refused != nil {
		return u.settle(ctx, k, s, refused)
	}
	if u.prompt && k.Every == Night && k.Restore == Manual {
		return nil
	}
	switch u.early(k) {
	case toSweep:
		return u.sweepAhead(ctx, k, s)
	case notSwept:
		return nil
	case wasSwept:
		err = u.changes(ctx, k, &s)
	default:
		due, failed := u.read(ctx, k, &s)
		if !due {
			return nil
		}
		err = failed
	}
	return u.settle(ctx, k, s, err)
}

// read reads of a kind what there is to read now; due is false for nothing.
func (u *update) read(ctx context.Context, k Kind, s *kindState) (due bool, err error) {
	night := u.sweeps(k, *s)
	switch {
	case s.Listed.IsZero() || s.Listing:
		return true, u.list(ctx, k, s)
	case !u.due(k, *s):
		return false, nil
	case k.Changes == ByList:
		return true, u.list(ctx, k, s)
	case !u.prepared[k.Name].IsZero():
		// older than what changes tell, which therefore come last
		if err = u.sweep(ctx, k, s); err == nil {
			err = u.changes(ctx, k, s)
		}
		return true, err
	}
	err = u.changes(ctx, k, s)
	if err == nil && night && (k.Deletions == ByFeed || k.Deletions == BySweep) {
		err = u.sweep(ctx, k, s)
	}
	return true, err
}

// errPaused ends a list for now: it goes on with the next capture.
var errPaused = errors.New("paused")

// list reads the whole list of a kind, from where it was cut off. One that is
// promised for the night only is read in slices, so that a first backup is not
// kept waiting for it; after two days the promise counts for more.
func (u *update) list(ctx context.Context, k Kind, s *kindState) error {
	if !s.Listing || s.Resume == "" || u.afresh(k) {
		s.Gen++
		s.Listing, s.Resume, s.Began = true, "", u.clock()
		if at, ok := u.prepared[k.Name]; ok {
			s.Began = at
		}
	}
	var until time.Time
	if k.Every == Night && !u.exact(k) && u.clock().Sub(s.Began) < 2*Night {
		until = timeNow().Add(u.e.slice)
		if u.first {
			until = timeNow().Add(u.e.slice / 10)
		}
	}
	err := u.take(ctx, k, s, Query{Resume: s.Resume}, until)
	if errors.Is(err, errPaused) {
		return setState(ctx, u.m.db, k.Name, *s)
	}
	if err != nil {
		return err
	}
	gone, err := u.m.unseen(ctx, k.Name, s.Gen)
	if err != nil {
		return err
	}
	s.Listing, s.Resume, s.Listed, s.Swept, s.Cursor = false, "", u.now, u.now, s.Began
	return u.gone(ctx, k, s, gone, k.Archive)
}

// clock is the shop's, which its dates go by.
func (u *update) clock() time.Time { return timeNow().Add(u.shop.Skew()) }

// take keeps what a list yields, until a time where that is given. Of a whole
// list it notes how far it came.
func (u *update) take(ctx context.Context, k Kind, s *kindState, q Query, until time.Time) error {
	whole := q.Since.IsZero()
	var batch []Record
	steps := 0
	t := tally{p: u.shown}
	defer t.end()
	for r, err := range u.shop.List(ctx, k, q) {
		if err != nil {
			return errors.Join(err, u.keep(ctx, k, s, batch))
		}
		t.saw(r)
		if r.ID != "" {
			batch = append(batch, r)
		}
		over := !until.IsZero() && r.Resume != "" && timeNow().After(until)
		if steps++; steps < perBatch && !over {
			continue
		}
		if whole && r.Resume != "" {
			s.Resume = r.Resume // the last place to go on at
		}
		if err := u.keep(ctx, k, s, batch); err != nil {
			return err
		}
		t.tell()
		batch, steps = batch[:0], 0
		if over {
			return errPaused
		}
	}
	return u.keep(ctx, k, s, batch)
}

// keep writes records to the mirror, less those in the trash.
func (u *update) keep(ctx context.Context, k Kind, s *kindState, batch []Record) error {
	rows, err := k.rows(batch)
	if err != nil {
		return err
	}
	mentions, err := u.mentionsOf(ctx, k, s, batch)
	if err != nil {
		return err
	}
	if k.Changes == ByMention {
		u.mu.Lock()
		for _, r := range batch {
			if told := u.listed[k.Name]; told != nil {
				told[r.ID] = true
			}
		}
		u.mu.Unlock()
	}
	if err := u.m.put(ctx, k, rows, mentions, *s); err != nil {
		return err
	}
	if u.tell.came == nil || !s.Listing || slices.ContainsFunc(batch, func(r Record) bool { return !r.Once }) {
		return nil
	}
	return u.tell.came(ctx, k, rows)
}

// changes reads what changed since the last time.
func (u *update) changes(ctx context.Context, k Kind, s *kindState) error {
	began := u.clock()
	since := s.Cursor.Add(-overlap)
	u.mu.Lock()
	u.listed[k.Name] = map[string]bool{} // a sweep just before told of what was earlier
	u.mu.Unlock()
	if err := u.take(ctx, k, s, Query{Since: since, Known: u.knownOf(ctx, k, *s)}, time.Time{}); err != nil {
		return err
	}
	if k.Changes == ByMention {
		if err := u.follow(ctx, k, s); err != nil {
			return err
		}
	}
	var gone []string
	if k.Deletions == ByFeed {
		for id, err := range u.shop.Gone(ctx, k, since) {
			if err != nil {
				return err
			}
			gone = append(gone, id)
		}
	}
	s.Cursor = began
	return u.gone(ctx, k, s, gone, false)
}

// settled is how long before it was read a record must have changed for its time
// to tell all: what changes within one second has one time.
const settled = time.Minute

// settledAhead is the same of what the shop was asked to prepare: it was read whole
// after that, and the answers just before told the shop's clock.
const settledAhead = 10 * time.Second

// knownOf returns what tells of records of a kind that were read since they
// changed last: an overlap shows them again and again.
func (u *update) knownOf(ctx context.Context, k Kind, s kindState) func(string, time.Time) bool {
	if s.Held > 0 {
		return nil // that one is there is news then
	}
	return func(id string, modified time.Time) bool {
		told, err := u.told(ctx, k, s, id, modified)
		return err == nil && told
	}
}
