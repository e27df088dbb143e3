package rest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// differs lists the top fields of want that the live record has otherwise. Both
// are without read-only fields.
func (k Kind) differs(want, live map[string]any, only []string) (fields []string) {
	for f, v := range want {
		if only != nil && !slices.Contains(only, f) {
			continue
		}
		if !k.alike(f, v, live[f]) {
			fields = append(fields, f)
		}
	}
	slices.Sort(fields)
	return fields
}

// like reports whether the live record has all fields as wanted.
func (k Kind) like(want, live map[string]any) bool {
	for f, v := range want {
		if !k.alike(f, v, live[f]) {
			return false
		}
	}
	return true
}

// alike compares a top field.
func (k Kind) alike(field string, want, live any) bool {
	if slices.Contains(k.Loose, field) {
		return holds(live, want)
	}
	return same(want, live)
}

// same compares values as shops mean them: a number is itself however it is
// written, and nothing is nothing.
func same(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		return ok && plain(x) == plain(y)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, same)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for f, v := range x {
			w, ok := y[f]
			if !ok || !same(v, w) {
				return false
			}
		}
		return true
	case nil:
		return empty(b)
	}
	return b == nil && empty(a)
}

func plain(n json.Number) string {
	s := n.String()
	if strings.Contains(s, ".") && !strings.ContainsAny(s, "eE") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func empty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	}
	return false
}

// holds reports whether have has everything that want has.
func holds(have, want any) bool {
	switch w := want.(type) {
	case []any:
		h, ok := have.([]any)
		if !ok {
			return len(w) == 0
		}
		for _, el := range w {
			if !slices.ContainsFunc(h, func(x any) bool { return same(el, x) }) {
				return false
			}
		}
		return true
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return len(w) == 0
		}
		for f, v := range w {
			if !same(v, h[f]) {
				return false
			}
		}
		return true
	}
	return same(want, have)
}
