package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// parentField holds the parent's id in records of kinds with a parent, so that
// a point can be read without anything else.
const parentField = "_parent"

// decode reads a record, with its numbers as they are written.
func decode(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	if m == nil {
		return nil, fmt.Errorf("read record: %.40q is no object", text)
	}
	return m, nil
}

// canonical is a record as it is kept.
func (k Kind) canonical(r Record) (map[string]any, error) {
	m := r.Fields
	if m == nil {
		var err error
		if m, err = decode(r.JSON); err != nil {
			return nil, err
		}
	}
	for _, f := range k.Volatile {
		drop(m, f)
	}
	if k.Parent != "" {
		m[parentField] = r.Parent
	}
	return m, nil
}

func hashOf(text []byte) [sha256.Size]byte { return sha256.Sum256(text) }

// step cuts a path of fields: "categories[].id" is "categories" of a list, and
// "id".
func step(path string) (name string, list bool, rest string) {
	name, rest, _ = strings.Cut(path, ".")
	if n, ok := strings.CutSuffix(name, "[]"); ok {
		return n, true, rest
	}
	return name, false, rest
}

// edit calls fn with every value at the path; what fn returns takes its place.
// In a list, what fn does not keep is taken out.
func edit(v any, path string, fn func(any) (to any, keep bool)) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	name, list, rest := step(path)
	at, ok := m[name]
	if !ok {
		return
	}
	if !list {
		if rest != "" {
			edit(at, rest, fn)
		} else if to, keep := fn(at); keep {
			m[name] = to
		} else {
			delete(m, name)
		}
		return
	}
	elems, ok := at.([]any)
	if !ok {
		return
	}
	m[name] = editList(elems, rest, fn)
}

func editList(elems []any, rest string, fn func(any) (any, bool)) []any {
	kept := make([]any, 0, len(elems))
	for _, el := range elems {
		if rest == "" {
			if to, keep := fn(el); keep {
				kept = append(kept, to)
			}
			continue
		}
		whole := true
		edit(el, rest, func(x any) (any, bool) {
			to, keep := fn(x)
			whole = whole && keep
			return to, true
		})
		if whole {
			kept = append(kept, el)
		}
	}
	return kept
}

// drop takes out the values at the path, and leaves what they lay in.
func drop(v any, path string) {
	name, list, rest := step(path)
	m, ok := v.(map[string]any)
	switch {
	case !ok:
	case rest == "":
		delete(m, name)
	case list:
		elems, _ := m[name].([]any)
		for _, el := range elems {
			drop(el, rest)
		}
	default:
		drop(m[name], rest)
	}
}

// values lists what is at the path.
func values(v any, path string) (out []any) {
	name, list, rest := step(path)
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	at, ok := m[name]
	if !ok {
		return nil
	}
	elems := []any{at}
	if list {
		elems, _ = at.([]any)
	}
	for _, el := range elems {
		if rest == "" {
			out = append(out, el)
		} else {
			out = append(out, values(el, rest)...)
		}
	}
	return out
}

// text is a value as an id or a key is written; "" for what names nothing.
func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		if x == "0" {
			return ""
		}
		return x.String()
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%.0f", x), "-0")
	}
	return ""
}

// clone copies a record deeply.
func clone(v any) any {
	switch x := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, e := range x {
			m[k] = clone(e)
		}
		return m
	case []any:
		s := make([]any, len(x))
		for i, e := range x {
			s[i] = clone(e)
		}
		return s
	}
	return v
}

// writable is a record less what is only read.
func (k Kind) writable(m map[string]any) map[string]any {
	out := clone(m).(map[string]any)
	for _, f := range k.ReadOnly {
		drop(out, f)
	}
	delete(out, parentField)
	return out
}

// differing lists the top fields of want that have another value in have.
func differing(want, have map[string]any) (fields []string) {
	for f, v := range want {
		if !reflect.DeepEqual(v, have[f]) {
			fields = append(fields, f)
		}
	}
	slices.Sort(fields)
	return fields
}
