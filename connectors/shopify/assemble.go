package shopify

import (
	"fmt"
	"sync/atomic"

	"kvart/app"
)

// assembler puts the lines of a bulk operation together to records that look
// as an ordinary answer does once it is settled.
type assembler struct {
	spool    *spool
	children map[string]string // field by type
	used     atomic.Int64      // lines that found their place
}

// record assembles the record of a root line.
func (a *assembler) record(line int, sel []*selection) (map[string]any, error) {
	m, err := a.spool.line(line)
	if err != nil {
		return nil, err
	}
	a.used.Add(1)
	return m, a.attach(m, sel)
}

// attach gives an object its connections, those without elements included.
func (a *assembler) attach(m map[string]any, sel []*selection) error {
	for _, f := range fields(sel) {
		if f.nodes() != nil {
			if m[f.key()] == nil {
				m[f.key()] = []any{}
			}
			continue
		}
		if inner, ok := m[f.key()].(map[string]any); ok && len(f.sel) > 0 {
			if err := a.attach(inner, f.sel); err != nil {
				return err
			}
		}
	}
	id, _ := m["id"].(string)
	for _, line := range a.spool.children[id] {
		child, err := a.spool.line(line)
		if err != nil {
			return err
		}
		a.used.Add(1)
		typ, _ := child["__typename"].(string)
		holder, conn := hold(m, sel, a.children[typ])
		if conn == nil {
			return app.Errorf(app.CodeShopAnswer, "shopify: assemble", "%s has no place for a %q", id, typ)
		}
		if err := a.attach(child, conn.nodes().sel); err != nil {
			return err
		}
		list, _ := holder[conn.key()].([]any)
		holder[conn.key()] = append(list, child)
	}
	return nil
}

// hold finds the connection of a name in an object, or in an object inside it.
func hold(m map[string]any, sel []*selection, field string) (map[string]any, *selection) {
	all := fields(sel)
	for _, f := range all {
		if f.name == field && f.nodes() != nil {
			return m, f
		}
	}
	for _, f := range all {
		if inner, ok := m[f.key()].(map[string]any); ok && f.nodes() == nil {
			if holder, conn := hold(inner, f.sel, field); conn != nil {
				return holder, conn
			}
		}
	}
	return nil, nil
}

// done returns an error when lines were left over, whose parent is not there.
func (a *assembler) done() error {
	if used := int(a.used.Load()); used != len(a.spool.lines) {
		return fmt.Errorf("%w: %d lines of %d belong to nothing", errBulkAgain, len(a.spool.lines)-used, len(a.spool.lines))
	}
	return nil
}
