package shopify

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// pulse is what one look at the shop found: what changed since a time, in every
// kind that can be asked, what was deleted, and the small lists that are read
// with every capture. So a quarter in which nothing happened costs one request.
type pulse struct {
	at    time.Time // when it was begun
	since time.Time
	ids   map[string][]rest.Stamp   // by kind; kinds with more than a page are left out
	lists map[string]map[string]any // first pages of whole lists, by kind
}

// pulsePage is how many of each kind one look tells of.
const pulsePage = "100"

// pulseDocument asks for the ids of what changed, in many kinds at once.
func pulseDocument(l library, kinds []spec) document {
	d := document{kind: "query", name: "Pulse", vars: map[string]string{"query": "String", "events": "String!"}}
	events := *l["deletions"].root[0]
	events.args = "first: 250 query: $events sortKey: CREATED_AT"
	d.root = append(d.root, &events)
	for _, sp := range kinds {
		if !pulsing(sp) {
			root := *l[sp.list].root[0]
			root.alias = sp.Name
			root.args = strings.TrimSpace(withoutArguments(root.args, "first", "after") + " first: " + strconv.Itoa(sp.page))
			d.root = append(d.root, &root)
			continue
		}
		root := *idsOnly(l[sp.list]).root[0]
		root.alias = sp.Name
		args := withoutArguments(root.args, "first", "after", "query", "sortKey")
		args = strings.TrimSpace(args + " first: " + pulsePage + " query: $query")
		if sp.sorted {
			args += " sortKey: UPDATED_AT"
		}
		root.args = args
		d.root = append(d.root, &root)
	}
	return d
}

// pulsing reports whether a kind's changes can be asked for together with those
// of others.
func pulsing(sp spec) bool { return sp.filtered && sp.typ != "" && sp.Name != kindMetaobjects }

// small reports whether a kind is a short list that is read with every capture.
func small(sp spec) bool {
	switch sp.Name {
	case kindMenus, kindRedirects, kindThemes, kindMetaobjDefs:
		return true
	}
	return false
}

// beatLasts is how long a look serves kinds whose turn comes later. It is far
// within the engine's overlap, so that what changes meanwhile is seen next time.
const beatLasts = 2 * time.Minute

// margin is how much further back than asked one look goes: the kinds' own times
// differ by moments.
const margin = time.Minute

// changed returns the ids of what changed in a kind since a time, when one look
// at the shop tells them all.
func (s *shop) changed(ctx context.Context, sp spec, since time.Time) ([]rest.Stamp, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !pulsing(sp) || s.owned == nil {
		return nil, false
	}
	if s.beat == nil || s.c.meter.time().Sub(s.beat.at) > beatLasts {
		s.beat = s.look(ctx, since.Add(-margin))
	}
	if since.Before(s.beat.since) {
		return nil, false
	}
	ids, ok := s.beat.ids[sp.Name]
	return ids, ok
}

// look asks for what changed. When it is refused, every kind is asked by itself
// and says what is wrong with it.
func (s *shop) look(ctx context.Context, since time.Time) *pulse {
	p := &pulse{at: s.c.meter.time(), since: since, ids: map[string][]rest.Stamp{}, lists: map[string]map[string]any{}}
	var kinds []spec
	for _, sp := range s.p.specs {
		if (pulsing(sp) || small(sp)) && len(missing(s.owned, sp.Read)) == 0 {
			kinds = append(kinds, sp)
		}
	}
	var got map[string]any
	vars := map[string]any{"query": changedSince(since), "events": createdSince(since)}
	if s.c.run(ctx, pulseDocument(s.l, kinds), vars, &got) != nil {
		return p
	}
	if list, more, err := deletionsIn(field(got, "events")); err == nil && !more {
		s.told = list
		s.deleted, s.since = nil, since
		for _, d := range list {
			if d.Action == "destroy" {
				s.deleted = append(s.deleted, d)
			}
		}
	}
	for _, sp := range kinds {
		if small(sp) {
			p.lists[sp.Name] = field(got, sp.Name)
			continue
		}
		elements, more, _, err := pageOf(field(got, sp.Name))
		if err != nil || more {
			continue
		}
		p.ids[sp.Name] = stampsOf(elements)
	}
	return p
}

// firstPage is the first page of a small list, when one look brought it.
func (s *shop) firstPage(sp spec) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beat == nil || !small(sp) {
		return nil
	}
	conn := s.beat.lists[sp.Name]
	delete(s.beat.lists, sp.Name)
	return conn
}

// deletionsIn reads a page of events.
func deletionsIn(conn map[string]any) (list []deletion, more bool, err error) {
	elements, more, _, err := pageOf(conn)
	for _, m := range elements {
		var d deletion
		d.Subject, _ = m["subjectId"].(string)
		d.Type, _ = m["subjectType"].(string)
		d.Author, _ = m["author"].(string)
		d.App, _ = m["appTitle"].(string)
		d.Action, _ = m["action"].(string)
		d.ByApp, _ = m["attributeToApp"].(bool)
		at, _ := m["createdAt"].(string)
		if d.At, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, false, err
		}
		list = append(list, d)
	}
	return list, more, err
}

func stampsOf(elements []map[string]any) []rest.Stamp {
	out := make([]rest.Stamp, 0, len(elements))
	for _, m := range elements {
		id, _ := m["id"].(string)
		out = append(out, rest.Stamp{Key: rest.Key{ID: id}, Modified: modified(m)})
	}
	return out
}

// manyChanged is of how many records that changed at once, and are not found
// together, a bulk operation reads all of their kind: by id each costs some twenty
// points, and so many more than three minutes on the smallest plan.
const manyChanged = 1000

// touched yields the records that changed since a time, but for those known: few
// by their ids, and many by a bulk operation.
func (s *shop) touched(ctx context.Context, sp spec, since time.Time, found []rest.Stamp, known func(string, time.Time) bool, yield func(rest.Record) error) error {
	var keys []rest.Key
	for _, st := range found {
		if known == nil || !known(st.ID, st.Modified) {
			keys = append(keys, st.Key)
		}
	}
	if sp.bulk && (len(keys) > manyChanged || s.Gathers(sp.Kind, len(keys), len(keys), since)) {
		if err := s.sweepSince(ctx, sp, since); err != nil {
			return err
		}
		defer s.release(sp.Name)
		if len(s.unswept(sp, keys)) > manyChanged {
			return s.inBulk(ctx, sp, "", yield)
		}
	}
	for chunk := range slices.Chunk(keys, recordsAtOnce) {
		records, err := s.fetch(ctx, sp, chunk)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// changedSince lists what changed in a kind since a time, where that can be asked
// for by ids alone.
func (s *shop) changedSince(ctx context.Context, sp spec, since time.Time) (found []rest.Stamp, ok bool, err error) {
	if found, ok = s.changed(ctx, sp, since); ok || !pulsing(sp) {
		return found, ok, nil
	}
	found, err = s.allChanged(ctx, sp, since)
	return found, err == nil, err
}

// allChanged lists what changed in a kind since a time, when it is more than one
// look tells. Sorted by time, what changes meanwhile comes at the end once more;
// sorted by id it may be passed over, and is within the next overlap.
func (s *shop) allChanged(ctx context.Context, sp spec, since time.Time) (out []rest.Stamp, err error) {
	slim := sp
	slim.page = 250
	d := idsOnly(s.l[sp.list])
	vars := listVars(sp, d, rest.Query{Since: since})
	for {
		conn, err := s.pageOfList(ctx, slim, d, vars)
		if err != nil {
			return nil, err
		}
		elements, follows, cursor, err := pageOf(conn)
		if err != nil {
			return nil, err
		}
		out = append(out, stampsOf(elements)...)
		if !follows {
			return out, nil
		}
		if cursor == vars["after"] {
			return nil, app.Errorf(app.CodeShopAnswer, "shopify: list", "%s: a page follows itself", sp.Name)
		}
		vars["after"] = cursor
	}
}
