package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// encode writes a record with sorted keys, indented for people. Equal records
// are equal bytes: those that [json.Encoder] writes with an indent of one space,
// without escapes for HTML, at a third of its cost.
func encode(m map[string]any) ([]byte, error) {
	room, _ := drafts.Get().(*[]byte)
	b, err := appendValue((*room)[:0], m, 0)
	if err != nil {
		return nil, fmt.Errorf("write record: %w", err)
	}
	text := append(make([]byte, 0, len(b)+1), b...)
	if cap(b) <= largeDraft {
		*room = b
		drafts.Put(room)
	}
	return append(text, '\n'), nil
}

// drafts are where records are written until it is known how long they are.
var drafts = sync.Pool{New: func() any { return new([]byte) }}

// largeDraft is not kept, in bytes.
const largeDraft = 1 << 20

func appendValue(b []byte, v any, depth int) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		if x {
			return append(b, "true"...), nil
		}
		return append(b, "false"...), nil
	case string:
		return appendText(b, x)
	case json.Number:
		if n := string(x); digits(n) && (n[0] != '0' || len(n) == 1) {
			return append(b, x...), nil
		}
	case map[string]any:
		return appendObject(b, x, depth)
	case []any:
		return appendList(b, x, depth)
	}
	return appendOther(b, v)
}

func appendObject(b []byte, m map[string]any, depth int) ([]byte, error) {
	if m == nil {
		return append(b, "null"...), nil
	}
	if len(m) == 0 {
		return append(b, "{}"...), nil
	}
	var few [32]string
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	var err error
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendText(newLine(b, depth+1), k); err != nil {
			return b, err
		}
		if b, err = appendValue(append(b, ": "...), m[k], depth+1); err != nil {
			return b, err
		}
	}
	return append(newLine(b, depth), '}'), nil
}

func appendList(b []byte, l []any, depth int) ([]byte, error) {
	if l == nil {
		return append(b, "null"...), nil
	}
	if len(l) == 0 {
		return append(b, "[]"...), nil
	}
	b = append(b, '[')
	var err error
	for i, v := range l {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(newLine(b, depth+1), v, depth+1); err != nil {
			return b, err
		}
	}
	return append(newLine(b, depth), ']'), nil
}

func newLine(b []byte, depth int) []byte {
	b = append(b, '\n')
	for range depth {
		b = append(b, ' ')
	}
	return b
}

// appendText writes a text; one in which something has to be escaped is left to
// the library.
func appendText(b []byte, s string) ([]byte, error) {
	plain := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			return appendOther(b, s)
		}
		plain = plain && c < utf8.RuneSelf
	}
	if !plain && (!utf8.ValidString(s) || strings.ContainsAny(s, "\u2028\u2029")) {
		return appendOther(b, s)
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"'), nil
}

// appendOther has the library write a value that needs no indent: numbers and
// texts.
func appendOther(b []byte, v any) ([]byte, error) {
	w := bytes.NewBuffer(b)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return b, err
	}
	return bytes.TrimSuffix(w.Bytes(), []byte{'\n'}), nil
}
