package shopify

import (
	"context"
	"fmt"

	"kvart/app"
)

// place is where a value lies below the nearest object that can be asked for
// by its id.
type place struct {
	base  map[string]any // with "id" and "__typename"
	along []*selection   // from base to the value, no list in between
}

// settle turns every connection of an answer into the list of what it connects
// to, whole: where a page was not enough the rest is fetched. What is left has
// no trace of how it was asked for.
func (c *client) settle(ctx context.Context, m map[string]any, sel []*selection, at place) error {
	if id, _ := m["id"].(string); id != "" && m["__typename"] != nil {
		at = place{base: m}
	}
	return c.settleAll(ctx, m, sel, at)
}

func (c *client) settleAll(ctx context.Context, m map[string]any, sel []*selection, at place) error {
	for _, s := range sel {
		next := place{at.base, append(at.along[:len(at.along):len(at.along)], s)}
		var err error
		if s.name == "" {
			err = c.settleAll(ctx, m, s.sel, next)
		} else {
			err = c.settleField(ctx, m, s, next)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *client) settleField(ctx context.Context, m map[string]any, s *selection, at place) error {
	value, ok := m[s.key()]
	if !ok || value == nil || len(s.sel) == 0 {
		return nil
	}
	switch x := value.(type) {
	case []any:
		for _, e := range x {
			if em, ok := e.(map[string]any); ok {
				if err := c.settle(ctx, em, s.sel, place{}); err != nil {
					return err
				}
			}
		}
	case map[string]any:
		if s.nodes() == nil {
			return c.settle(ctx, x, s.sel, at)
		}
		all, err := c.whole(ctx, x, s, at)
		if err != nil {
			return err
		}
		m[s.key()] = all
	}
	return nil
}

// whole returns all elements of a connection.
func (c *client) whole(ctx context.Context, conn map[string]any, s *selection, at place) ([]any, error) {
	all := []any{}
	for page := 0; ; page++ {
		elements, more, cursor, err := pageOf(conn)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.key(), err)
		}
		for _, e := range elements {
			if err := c.settle(ctx, e, s.nodes().sel, place{}); err != nil {
				return nil, err
			}
			all = append(all, e)
		}
		if !more {
			return all, nil
		}
		if at.base == nil {
			return nil, app.Errorf(app.CodeInternal, "shopify: read on", "%s lies below nothing that can be asked for", s.key())
		}
		if conn, err = c.readOn(ctx, at, cursor); err != nil {
			return nil, err
		}
	}
}

// readOn fetches the next page of a connection.
func (c *client) readOn(ctx context.Context, at place, cursor string) (map[string]any, error) {
	typ, _ := at.base["__typename"].(string)
	id, _ := at.base["id"].(string)
	var got struct {
		Node map[string]any `json:"node"`
	}
	if err := c.run(ctx, nextPage(typ, at.along), map[string]any{"id": id, "after": cursor}, &got); err != nil {
		return nil, err
	}
	m := got.Node
	for _, s := range at.along {
		if s.name == "" {
			continue
		}
		m, _ = m[s.key()].(map[string]any)
	}
	if m == nil {
		return nil, app.Errorf(app.CodeShopAnswer, "shopify: read on", "%s went away between two pages", id)
	}
	return m, nil
}

// pageOf takes a page of a connection apart. A page that doesn't say whether it
// is the last is no answer.
func pageOf(conn map[string]any) (elements []map[string]any, more bool, cursor string, err error) {
	nodes, ok := conn["nodes"].([]any)
	info, ok2 := conn["pageInfo"].(map[string]any)
	if !ok || !ok2 {
		return nil, false, "", app.Errorf(app.CodeShopAnswer, "shopify: read page", "no list, or no word on what follows")
	}
	for _, n := range nodes {
		m, ok := n.(map[string]any)
		if !ok {
			return nil, false, "", app.Errorf(app.CodeShopAnswer, "shopify: read page", "an element is missing")
		}
		elements = append(elements, m)
	}
	more, _ = info["hasNextPage"].(bool)
	cursor, _ = info["endCursor"].(string)
	if more && cursor == "" {
		return nil, false, "", app.Errorf(app.CodeShopAnswer, "shopify: read page", "more follows, but not where")
	}
	return elements, more, cursor, nil
}
