package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

	"kvart/app"
)

// fresh is up to how many picked records are compared with the shop itself,
// whatever the mirror says.
const fresh = 200

// restore is one restore's view of point, shop and mirror.
type restore struct {
	e     *Engine
	r     app.Restore
	sel   selection
	m     *mirror
	shop  Shop
	state map[string]kindState

	looked time.Time // when the mirror was brought up to date
	wrote  bool      // something was written to the shop

	remade  map[string]map[string]string // kind, id in the point, id in the shop
	index   map[string]map[string]string // kind, "field value", id in the mirror
	absent  map[string]map[string]bool   // kind, ids the shop has not
	files   map[string]ref
	manual  map[string]int64
	kept    map[string]int64 // that differ, and are never changed
	refused map[string]*app.Error
}

// begin brings the mirror up to date and opens the shop, for writing where the
// restore is to be done. Afresh, and where its safety point was not just taken,
// what a cursor does not tell is read whole; what was written is in any case.
func (e *Engine) begin(ctx context.Context, r app.Restore, write, afresh bool) (s *restore, done func() error, err error) {
	sel, err := selected(r)
	if err != nil {
		return nil, nil, err
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
	s = &restore{e: e, r: r, looked: e.o.Now(), sel: sel, m: m, index: map[string]map[string]string{}, absent: map[string]map[string]bool{}, manual: map[string]int64{}, kept: map[string]int64{}, refused: map[string]*app.Error{}}
	var writer Shop
	if write {
		if writer, err = e.settled(ctx, r.Access); err != nil {
			return nil, nil, err
		}
	}
	// a cursor tells all there is to know; what is found in other ways may have
	// changed since it was last looked at
	known := !afresh && e.justSaved(r.Access.Source.ID)
	exact := func(k Kind) bool { return !known && k.Changes != ByCursor && sel.touches(k) }
	if s.shop, err = e.update(ctx, r.Access, m, exact, true); err != nil {
		return nil, nil, err
	}
	if write {
		s.shop = writer
	}
	if err := s.know(ctx); err != nil {
		return nil, nil, err
	}
	return s, func() error { defer unlock(); return m.close() }, nil
}

// writable opens the shop with a key that was found to be able to write.
func (e *Engine) writable(ctx context.Context, a app.Access) (Shop, error) {
	shop, err := e.platform.Open(ctx, a, true)
	if err != nil {
		return nil, err
	}
	_, err = shop.Probe(ctx)
	return shop, err
}

// savedLasts is for how long a restore relies on what its safety point has read.
const savedLasts = 15 * time.Minute

// justSaved reports whether the whole shop was read a moment ago for the safety
// point of the restore that is under way.
func (e *Engine) justSaved(id app.SourceID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, ok := e.saved[id]
	age := e.o.Now().Sub(at)
	return ok && age >= 0 && age < savedLasts
}

// settled opens the shop for writing when nothing of an earlier restore goes on
// in it any more.
func (e *Engine) settled(ctx context.Context, a app.Access) (Shop, error) {
	shop, err := e.writable(ctx, a)
	if err != nil {
		return nil, err
	}
	if x, ok := shop.(Settler); ok {
		err = x.Settle(ctx)
	}
	return shop, err
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
	if !s.sel.touches(k) {
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

// suspects are the picked records that the shop, as far as the mirror knows,
// has otherwise or not at all.
func (s *restore) suspects(ctx context.Context, k Kind) (out []want, err error) {
	have := map[string]listed{}
	err = each(ctx, s.m.db, func(scan func(...any) error) error {
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
	if err != nil {
		return nil, err
	}
	equal := func(at string, d fs.DirEntry) bool {
		l, ok := have[at]
		if !ok {
			return false
		}
		fi, err := d.Info()
		return err == nil && fi.Size() == l.size && fi.ModTime().Equal(stampOf(l.modified, l.hash))
	}
	count := 0
	if !s.sel.all() {
		if err := s.sel.each(ctx, k, func(string, fs.DirEntry) bool { count++; return count > fresh }, func(want) error { return nil }); err != nil {
			return nil, err
		}
		if count <= fresh {
			equal = nil
		}
	}
	err = s.sel.each(ctx, k, equal, func(w want) error {
		l, ok := have[k.place(w.id)]
		if ok && equal != nil {
			if text, err := encode(w.record); err == nil && hashOf(text) == l.hash {
				return nil
			}
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
		l, ok := live[s.now(k.Name, w.id)]
		if !ok {
			found, err := s.find(ctx, k, w)
			if err != nil {
				return nil, err
			}
			if found == nil {
				ops = s.absentOp(k, w, ops)
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
	op := &Op{Do: DoUpdate, Key: l.Key, Was: w.id, Record: record, Fields: fields, Media: s.media(k), Full: w.record}
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

// live fetches the records as they are.
func (s *restore) live(ctx context.Context, k Kind, wants []want) (map[string]Record, error) {
	out, wants, err := s.atHand(ctx, k, wants)
	if err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(wants, perBatch) {
		keys := make([]Key, len(chunk))
		for i, w := range chunk {
			keys[i] = Key{ID: s.now(k.Name, w.id)}
			if k.Parent != "" {
				keys[i].Parent = s.now(k.Parent, w.parent)
			}
		}
		records, err := s.shop.Fetch(ctx, k, keys)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			out[r.ID] = r
		}
	}
	return out, nil
}

// atHand returns records from the mirror, and those wanted that it has not. It
// was brought up to date when the restore began: of many records of a kind whose
// changes the shop tells, reading each once more costs as much as writing it.
// Once something was written the shop may have changed others with it, and
// everything is asked for again.
func (s *restore) atHand(ctx context.Context, k Kind, wants []want) (out map[string]Record, left []want, err error) {
	out = map[string]Record{}
	if s.wrote || k.Changes != ByCursor || len(wants) <= fresh || s.state[k.Name].Asked.Before(s.looked) {
		return out, wants, nil
	}
	for _, w := range wants {
		id := s.now(k.Name, w.id)
		text, err := record(ctx, s.m.db, k.Name, id)
		if err != nil {
			return nil, nil, err
		}
		if text == nil {
			left = append(left, w)
			continue
		}
		parent, err := s.m.parentOf(ctx, k.Name, id)
		if err != nil {
			return nil, nil, err
		}
		out[id] = Record{Key: Key{ID: id, Parent: parent}, JSON: text}
	}
	return out, left, nil
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
	return func(url string) (io.ReadCloser, error) {
		at := s.at(url)
		if at == "" {
			return nil, fmt.Errorf("open file of the point: %w", fs.ErrNotExist)
		}
		return s.sel.point.Open(at)
	}
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
