package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"kvart/app"
)

// restore is one restore's view of point, shop and mirror.
type restore struct {
	e     *Engine
	r     app.Restore
	sel   selection
	m     *mirror
	shop  Shop
	state map[string]kindState

	looked time.Time // when the mirror was brought up to date
	since  time.Time // what was read since then was read for this restore
	wrote  bool      // something was written to the shop

	purpose purpose
	picked  map[string]int64           // by kind, records of the point that are to be put back
	touched map[string]map[string]bool // by kind, ids in the point of what a restore that is checked wrote

	changed  time.Time       // since when that was written, by the shop's clock; zero when it isn't known
	gathered map[string]bool // kinds of which the shop has read ahead what is asked for
	release  []func()        // ends that

	remade  map[string]map[string]string // kind, id in the point, id in the shop
	index   map[string]map[string]string // kind, "field value", id in the mirror
	absent  map[string]map[string]bool   // kind, ids the shop has not
	files   map[string]ref
	manual  map[string]int64
	kept    map[string]int64 // that differ, and are never changed
	refused map[string]*app.Error
}

// purpose is what a restore is begun for.
type purpose int

const (
	toPlan purpose = iota
	toApply
	toCheck
)

// begin brings the mirror up to date and opens the shop, for writing where the
// restore is to be done.
func (e *Engine) begin(ctx context.Context, r app.Restore, p purpose) (s *restore, done func() error, err error) {
	sel, err := selected(r)
	if err != nil {
		return nil, nil, err
	}
	var writer Shop
	if p == toApply { // before anybody is kept from the mirror: it may take a while
		if writer, err = e.settled(ctx, r.Access); err != nil {
			return nil, nil, err
		}
	}
	unlock, err := e.lock(ctx, r.Access.Source)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			unlock()
		}
	}()
	dir, err := e.dir(r.Access.Source)
	if err != nil {
		return nil, nil, fmt.Errorf("find mirror: %w", err)
	}
	m, err := openMirror(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	s = &restore{e: e, r: r, purpose: p, picked: map[string]int64{}, looked: e.o.Now(), sel: sel, m: m, gathered: map[string]bool{}, index: map[string]map[string]string{}, absent: map[string]map[string]bool{}, manual: map[string]int64{}, kept: map[string]int64{}, refused: map[string]*app.Error{}}
	if err := s.refresh(ctx, p); err != nil {
		return nil, nil, err
	}
	if p == toApply {
		s.shop = writer
	}
	if err := s.know(ctx); err != nil {
		return nil, nil, err
	}
	return s, func() error { defer unlock(); return m.close() }, nil
}

// refresh brings the mirror up to date. What a cursor does not tell is read whole,
// and of what can be put back all ids where nothing else tells of deletions; but
// for a restore whose safety point was just taken, which has read all that. What
// was written is read in any case.
func (s *restore) refresh(ctx context.Context, p purpose) (err error) {
	id := s.r.Access.Source.ID
	s.since = s.looked
	at, known := s.e.justSaved(id)
	switch {
	case known && p == toCheck:
		if s.touched, s.changed, known = s.e.written(id); known {
			return s.reread(ctx)
		}
	case known && p == toApply:
		s.since = at
		s.e.touch(id, "", nil, time.Time{})
	default:
		known = false
	}
	exact := func(k Kind) bool {
		return !known && s.sel.mayTouch(k) && (k.Changes != ByCursor || k.Deletions == BySweep && s.allowed(k))
	}
	s.shop, err = s.e.update(ctx, s.r.Access, s.m, exact, true)
	return err
}

// know reads what the mirror remembers of kinds and of records made again.
func (s *restore) know(ctx context.Context) (err error) {
	s.state = map[string]kindState{}
	for _, k := range s.e.kinds {
		if s.state[k.Name], err = s.m.state(ctx, k.Name); err != nil {
			return err
		}
	}
	if s.remade, err = s.m.remade(ctx); err != nil {
		return err
	}
	s.files, err = refs(s.r.From)
	return err
}

// allowed reports whether records of a kind are written at all.
func (s *restore) allowed(k Kind) bool {
	switch k.Restore {
	case Manual:
		return false
	case OptIn:
		return s.r.Access.Source.Settings["restore_"+k.Name] == "true"
	}
	return true
}

// broken is why nothing of a kind can be compared just now, nil when it can.
func (s *restore) broken(k Kind) *app.Error {
	st := s.state[k.Name]
	if st.Absent {
		return app.Errorf(app.CodeKindMissing, "shop: restore", "%s", k.Name).With("kind", k.Name)
	}
	if !condemns(st.Code) {
		return nil
	}
	e := app.Errorf(st.Code, "shop: restore", "%s was not read", k.Name)
	for n, v := range st.Args {
		e = e.With(n, v)
	}
	return e
}

// plan works out what is to be done to one kind.
func (s *restore) plan(ctx context.Context, k Kind) ([]Op, error) {
	if !s.sel.touches(k) || !s.allowed(k) && s.purpose != toPlan {
		return nil, nil
	}
	wants, err := s.suspects(ctx, k)
	if err != nil {
		return nil, err
	}
	switch bad := s.broken(k); {
	case len(wants) == 0:
		return nil, nil
	case !s.allowed(k):
		s.manual[k.Name] += int64(len(wants))
		return nil, nil
	case bad != nil && !s.sel.all():
		return nil, bad
	case bad != nil:
		s.refused[k.Name] = bad // the rest can go back; this is told
		return nil, nil
	}
	return s.decide(ctx, k, wants)
}

// present lists what the shop has of a kind, as far as the mirror knows, by where
// it lies in a point.
func (s *restore) present(ctx context.Context, k Kind) (map[string]listed, error) {
	have := map[string]listed{}
	err := each(ctx, s.m.db, func(scan func(...any) error) error {
		l := listed{kind: k.Name}
		var hash []byte
		var at int64
		if err := scan(&l.id, &hash, &l.size, &at); err != nil {
			return err
		}
		copy(l.hash[:], hash)
		l.modified = fromUnix(at)
		have[k.place(l.id)] = l
		return nil
	}, `SELECT id, hash, size, modified FROM record WHERE kind = ? AND NOT EXISTS
		(SELECT 1 FROM held WHERE held.kind = record.kind AND held.id = record.id)`, k.Name)
	return have, err
}

// suspects are the picked records that the shop, as far as the mirror knows,
// has otherwise or not at all.
func (s *restore) suspects(ctx context.Context, k Kind) (out []want, err error) {
	have, err := s.present(ctx, k)
	if err != nil {
		return nil, err
	}
	equal := func(at string, d fs.DirEntry) bool {
		l, ok := have[at]
		if !ok || s.touched[k.Name][k.idAt(at)] {
			return false
		}
		fi, err := d.Info()
		return err == nil && fi.Size() == l.size && fi.ModTime().Equal(stampOf(l.modified, l.hash))
	}
	if few, err := s.sel.few(ctx, k); err != nil {
		return nil, err
	} else if few {
		equal = nil
	}
	s.picked[k.Name] = 0
	unread := func(at string, d fs.DirEntry) bool {
		if s.sel.picks(at) {
			s.picked[k.Name]++
		}
		return equal != nil && equal(at, d)
	}
	err = s.sel.each(ctx, k, unread, func(w want) error {
		l, ok := have[k.place(w.id)]
		if ok && equal != nil && !s.touched[k.Name][w.id] {
			if text, err := encode(w.record); err == nil && hashOf(text) == l.hash {
				return nil
			}
		}
		if len(out) >= fresh {
			w.record = nil // it is read once more when its turn comes
		}
		out = append(out, w)
		return nil
	})
	return out, err
}

// now is the id of a record of the point in the shop as it is.
func (s *restore) now(kind, id string) string {
	if to := s.remade[kind][id]; to != "" {
		return to
	}
	return id
}

// decide asks the shop for the records as they are and says what to do.
func (s *restore) decide(ctx context.Context, k Kind, wants []want) (ops []Op, err error) {
	live, err := s.live(ctx, k, wants)
	if err != nil {
		return nil, err
	}
	for _, w := range wants {
		if w, err = s.loaded(k, w); err != nil {
			return nil, err
		}
		l, ok := live[s.now(k.Name, w.id)]
		if !ok {
			found, err := s.find(ctx, k, w)
			if err != nil {
				return nil, err
			}
			if found == nil {
				ops = s.absentOp(k, w, ops)
				s.slim(k, ops, len(wants))
				continue
			}
			l = *found
		}
		op, err := s.compare(k, w, l)
		if err != nil {
			return nil, err
		}
		if op != nil {
			ops = append(ops, *op)
			s.slim(k, ops, len(wants))
		}
	}
	return ops, nil
}

// absentOp adds the making of a record that the shop has not.
func (s *restore) absentOp(k Kind, w want, ops []Op) []Op {
	if s.absent[k.Name] == nil {
		s.absent[k.Name] = map[string]bool{}
	}
	s.absent[k.Name][s.now(k.Name, w.id)] = true
	if k.Restore == UpdateOnly || w.only != nil {
		if w.only == nil {
			s.manual[k.Name]++
		}
		return ops
	}
	op := Op{Do: DoCreate, Was: w.id, Record: s.mapped(k, w), Media: s.media(k), Full: w.record}
	if k.Parent != "" {
		op.Parent = s.now(k.Parent, w.parent)
	}
	if k.File {
		op.Open = s.opener(k, w.record)
		for _, url := range k.media(w.record) {
			op.Ext = extension(url)
		}
	}
	return append(ops, op)
}

// compare says what makes the live record the one wanted, nil for nothing.
func (s *restore) compare(k Kind, w want, l Record) (*Op, error) {
	have, err := decode(l.JSON)
	if err != nil {
		return nil, app.Errorf(app.CodeShopAnswer, "shop: read record", "%w", err).With("kind", k.Name)
	}
	for _, f := range k.Volatile {
		drop(have, f)
	}
	record := s.mapped(k, w)
	fields := k.differs(record, k.writable(have), w.only)
	op := &Op{Do: DoUpdate, Key: l.Key, Was: w.id, Record: record, Fields: fields, Media: s.media(k), Full: w.record, Live: s.liveOf(k, l)}
	switch {
	case l.Trashed && w.only == nil:
		if op.Do = DoPublish; k.Fixed {
			op.Fields = []string{} // out of the trash, and as it lay there
		}
	case len(fields) == 0 || l.Trashed:
		return nil, nil
	case k.Fixed:
		if w.only == nil {
			s.kept[k.Name]++
		}
		return nil, nil
	}
	return op, nil
}

// mapped is a record as it is to be in the shop: without what is only read, and
// with every reference to what is there now.
func (s *restore) mapped(k Kind, w want) map[string]any {
	m := k.writable(w.record)
	for _, f := range k.Refs {
		edit(m, f.Field, func(v any) (any, bool) {
			id := text(v)
			to := s.now(f.Kind, id)
			if id == "" || to == id && !s.dangling(f.Kind, id) {
				return v, true
			}
			if to == id {
				return json.Number("0"), false
			}
			if _, ok := v.(json.Number); ok {
				return json.Number(to), true
			}
			return to, true
		})
	}
	if rw, ok := s.shop.(Rewriter); ok {
		rw.Rewrite(k, m, s.now)
	}
	return m
}

// media returns what opens files of the point for records that show some.
func (s *restore) media(k Kind) func(url string) (io.ReadCloser, error) {
	if len(k.Media) == 0 {
		return nil
	}
	return s.picture
}

// dangling reports whether the shop surely has no such record.
func (s *restore) dangling(kind, id string) bool { return s.absent[kind][id] }

// at is where a file of the point lies, by its address.
func (s *restore) at(url string) string {
	f, ok := s.files[url]
	if !ok || !fs.ValidPath(f.File) {
		return ""
	}
	return path.Join(mediaDir, f.File)
}
