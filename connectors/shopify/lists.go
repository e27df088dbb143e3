package shopify

import (
	"context"
	"maps"
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// What a [rest.Record.Resume] begins with: the cursor of a page, or the names of
// bulk operations with the number of the record.
const (
	resumePage = "page:"
	resumeBulk = "bulk:"
)

// changedSince is the search term for what changed since a time.
func changedSince(t time.Time) string {
	return "updated_at:>='" + t.UTC().Format(time.RFC3339) + "'"
}

// paged reads a list page by page. Sorted by id, or by time with those that
// change meanwhile moving to the end, so that nothing is passed over.
func (s *shop) paged(ctx context.Context, sp spec, q rest.Query, more map[string]any, yield func(rest.Record) error) error {
	d := slim(s.l[sp.list], sp.apart)
	vars := listVars(sp, d, q)
	maps.Copy(vars, more)
	conn := s.firstPage(sp)
	for {
		if conn == nil {
			var err error
			if conn, err = s.pageOfList(ctx, sp, d, vars); err != nil {
				return err
			}
		}
		elements, follows, cursor, err := pageOf(conn)
		if err != nil {
			return err
		}
		before, _ := vars["after"].(string)
		records, err := s.finish(ctx, sp, elements, d.root[0].nodes().sel)
		if err != nil {
			return err
		}
		for _, r := range records {
			r.Resume = resumePage + before
			if err := yield(r); err != nil {
				return err
			}
		}
		if !follows {
			return nil
		}
		if cursor == before {
			return app.Errorf(app.CodeShopAnswer, "shopify: list", "%s: a page follows itself", sp.Name)
		}
		vars["after"], conn = cursor, nil
	}
}

// listVars are the variables of the first page of a list.
func listVars(sp spec, d document, q rest.Query) map[string]any {
	vars := map[string]any{}
	if _, ok := d.vars["sort"]; ok {
		vars["sort"] = "ID"
	}
	if !q.Since.IsZero() && sp.filtered {
		vars["query"] = changedSince(q.Since)
		if sp.sorted {
			vars["sort"] = "UPDATED_AT"
		}
	}
	if cursor, ok := strings.CutPrefix(q.Resume, resumePage); ok && cursor != "" {
		vars["after"] = cursor
	}
	return vars
}

// pageOfList asks for a page, and for a smaller one when that costs more than
// one answer may.
func (s *shop) pageOfList(ctx context.Context, sp spec, d document, vars map[string]any) (map[string]any, error) {
	for {
		size := s.p.pageSize(sp)
		vars["first"] = size
		var got map[string]any
		err := s.c.run(ctx, d, vars, &got)
		if tooCostly(err) && size > 1 {
			s.p.smaller(sp, size)
			continue
		}
		if err != nil {
			return nil, err
		}
		conn, ok := got[d.root[0].key()].(map[string]any)
		if !ok {
			return nil, app.Errorf(app.CodeShopAnswer, "shopify: list", "no list of %s", sp.Name)
		}
		return conn, nil
	}
}

// finish settles records and adds what has to be asked for apart.
func (s *shop) finish(ctx context.Context, sp spec, elements []map[string]any, sel []*selection) ([]rest.Record, error) {
	for _, m := range elements {
		if err := s.c.settle(ctx, m, sel, place{}); err != nil {
			return nil, err
		}
	}
	if err := s.unfold(ctx, sp, elements); err != nil {
		return nil, err
	}
	return s.records(ctx, sp, elements)
}

// elementsAtOnce is how many elements are asked for by id at once; 250 is the
// most that the shop takes.
const elementsAtOnce = 200

// unfold asks for the elements of connections that were left out.
func (s *shop) unfold(ctx context.Context, sp spec, records []map[string]any) error {
	for name, typ := range sp.apart {
		var ids []string
		for _, m := range records {
			ids = append(ids, idsOf(m[name])...)
		}
		all := map[string]map[string]any{}
		size := elementsAtOnce
		for len(ids) > 0 {
			n := min(size, len(ids))
			found, err := s.nodes(ctx, elementsByID(s.l[sp.list], name, typ), ids[:n])
			if tooCostly(err) && n > 1 {
				size = n / 2
				continue
			}
			if err != nil {
				return err
			}
			maps.Copy(all, found)
			ids = ids[n:]
		}
		for i, m := range records {
			if putBack(m, name, all) {
				continue
			}
			// Something went away between the two answers, or is no such thing
			// as can be asked for: the record is read again, all in one.
			id, _ := m["id"].(string)
			found, err := s.nodes(ctx, byID(s.l[sp.list], sp.typ), []string{id})
			if err != nil {
				return err
			}
			if found[id] != nil {
				records[i] = found[id]
			} else {
				return app.Errorf(app.CodeShopAnswer, "shopify: list", "%s went away while it was read", id)
			}
		}
	}
	return nil
}

// putBack puts the elements of a connection where only their ids were. It
// reports whether all were there.
func putBack(m map[string]any, name string, all map[string]map[string]any) bool {
	elems, _ := m[name].([]any)
	for i, id := range idsOf(m[name]) {
		if all[id] == nil {
			return false
		}
		elems[i] = all[id]
	}
	return true
}

func (s *shop) records(ctx context.Context, sp spec, elements []map[string]any) ([]rest.Record, error) {
	out, err := s.tidied(ctx, sp, elements)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i], err = written(out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// tidied makes records that are not written yet.
func (s *shop) tidied(ctx context.Context, sp spec, elements []map[string]any) ([]rest.Record, error) {
	if sp.Name == kindOrders {
		if err := s.orderDetails(ctx, elements); err != nil {
			return nil, err
		}
	}
	out := make([]rest.Record, 0, len(elements))
	for _, m := range elements {
		r, err := unwritten(sp, m)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// nodes asks for objects by their ids, and returns those that are there,
// settled.
func (s *shop) nodes(ctx context.Context, d document, ids []string) (map[string]map[string]any, error) {
	var got struct {
		Nodes []map[string]any `json:"nodes"`
	}
	if err := s.c.run(ctx, d, map[string]any{"ids": ids}, &got); err != nil {
		return nil, err
	}
	if len(got.Nodes) != len(ids) {
		return nil, app.Errorf(app.CodeShopAnswer, "shopify: ask by id", "%d answers to %d", len(got.Nodes), len(ids))
	}
	out := map[string]map[string]any{}
	for _, m := range got.Nodes {
		id, _ := m["id"].(string)
		if id == "" {
			continue
		}
		if err := s.c.settle(ctx, m, d.root[0].sel, place{}); err != nil {
			return nil, err
		}
		out[id] = m
	}
	return out, nil
}

// single reads what is one answer.
func (s *shop) single(ctx context.Context, sp spec, yield func(rest.Record) error) error {
	d := s.l[sp.list]
	var got map[string]any
	if err := s.c.run(ctx, d, nil, &got); err != nil {
		return err
	}
	if err := s.c.settle(ctx, got, d.root, place{}); err != nil {
		return err
	}
	var found []map[string]any
	switch sp.Name {
	case kindShop:
		m, _ := got["shop"].(map[string]any)
		found = append(found, m)
	case kindPolicies:
		m, _ := got["shop"].(map[string]any)
		found = listOf(m["shopPolicies"])
	case kindLocales:
		found = listOf(got["shopLocales"])
		for _, m := range found {
			m["id"] = m["locale"]
		}
	}
	for _, m := range found {
		r, err := s.record(sp, m)
		if err != nil {
			return err
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}
