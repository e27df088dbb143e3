package rest_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"kvart/connectors/rest"
)

// A record is written as the library writes it: points of years, and what tells
// whether a record changed, rest on each byte.
func TestEncode(t *testing.T) {
	t.Parallel()
	texts := []string{
		"", "Lillas garn", "Åsa & Örjan <b>€</b>", "a\"b\\c/d", "rad\nrad\ttabb\r\b\f\x00\x1f\x7f", "\u2028 \u2029", "\xff\xfe ogiltig", "\xe2\x80", "😀\ufffd",
	}
	all := map[string]any{
		"null": nil, "true": true, "false": false, "int": 7, "float": 0.1, "big": 1e300, "number": json.Number("10.50"), "exact": json.Number("9007199254740993"),
		"zero": json.Number("0"), "below": json.Number("-3"), "no digits": json.Number(""),
		"empty": map[string]any{}, "none": []any{}, "nil list": []any(nil), "nil object": map[string]any(nil),
		"deep": map[string]any{"b": []any{map[string]any{"z": []any{[]any{}, "x"}, "a": nil}, json.Number("-1e5")}, "": "no name"},
	}
	var list []any
	for _, s := range texts {
		all[s] = s
		list = append(list, s, map[string]any{s: []any{s}})
	}
	all["texts"] = list
	for _, m := range []map[string]any{all, {}, nil} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(m); err != nil {
			t.Fatal(err)
		}
		got, err := rest.Encode(m)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%v\n%s\nnot\n%s", err, got, want.Bytes())
		}
	}
	for _, n := range []string{"1 2", "007", "1.", "x", "-"} {
		if _, err := rest.Encode(map[string]any{"n": json.Number(n)}); err == nil {
			t.Errorf("%q is written", n)
		}
	}
}
