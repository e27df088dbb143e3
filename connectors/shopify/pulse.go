package shopify

import (
	"context"
	"strconv"
	"strings"
	"time"

	"kvart/connectors/rest"
)

// pulse is what one look at the shop found: what changed since a time, in every
// kind that can be asked, what was deleted, and the small lists that are read
// with every capture. So a quarter in which nothing happened costs one request.
type pulse struct {
	since time.Time
	ids   map[string][]string       // by kind; kinds with more than a page are left out
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

// margin is how much further back than asked one look goes: the kinds' own times
// differ by moments.
const margin = time.Minute

// changed returns the ids of what changed in a kind since a time, when one look
// at the shop tells them all.
func (s *shop) changed(ctx context.Context, sp spec, since time.Time) ([]string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !pulsing(sp) || s.owned == nil {
		return nil, false
	}
	if s.beat == nil {
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
	p := &pulse{since: since, ids: map[string][]string{}, lists: map[string]map[string]any{}}
	var kinds []spec
	for _, sp := range s.p.specs {
		if (pulsing(sp) || small(sp)) && len(missing(s.owned, sp.Read)) == 0 {
			kinds = append(kinds, sp)
		}
	}
	var got map[string]any
	vars := map[string]any{"query": changedSince(since), "events": deletedSince(since)}
	if s.c.run(ctx, pulseDocument(s.l, kinds), vars, &got) != nil {
		return p
	}
	if list, more, err := deletionsIn(field(got, "events")); err == nil && !more {
		s.deleted, s.since = list, since
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
		ids := []string{}
		for _, m := range elements {
			id, _ := m["id"].(string)
			ids = append(ids, id)
		}
		p.ids[sp.Name] = ids
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
		at, _ := m["createdAt"].(string)
		if d.At, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, false, err
		}
		list = append(list, d)
	}
	return list, more, err
}

// touched yields the records that one look found changed.
func (s *shop) touched(ctx context.Context, sp spec, ids []string, yield func(rest.Record) error) error {
	keys := make([]rest.Key, len(ids))
	for i, id := range ids {
		keys[i] = rest.Key{ID: id}
	}
	records, err := s.fetch(ctx, sp, keys)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}
