package assets

import (
	"encoding/json"
	"strings"
	"testing"

	"kvart/app"
)

// TestWords_plurals: every text that counts is in the singular for one and in
// the plural for none and for several, and the two differ, in every language.
func TestWords_plurals(t *testing.T) {
	t.Parallel()
	counted := 0
	for _, l := range Languages() {
		w, err := NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, area := range areas(t) {
			b, err := lang.ReadFile("lang/" + area + "." + l + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var raw map[string]json.RawMessage
			if err := json.Unmarshal(b, &raw); err != nil {
				t.Fatal(err)
			}
			for key, v := range raw {
				var forms map[string]string
				if json.Unmarshal(v, &forms) != nil {
					continue
				}
				counted++
				one := w.N(key, 1)
				for _, n := range []int64{0, 2, 5} {
					many := w.N(key, n)
					if strings.Contains(forms["other"], "{{.Count}}") && !strings.Contains(many, w.Number(n)) {
						t.Errorf("%s: %s for %d reads %q", l, key, n, many)
					}
					if forms["one"] != forms["other"] && many == one {
						t.Errorf("%s: %s reads %q for 1 and for %d", l, key, one, n)
					}
				}
			}
		}
	}
	if counted < 50 {
		t.Errorf("only %d texts that count were found", counted)
	}
}

// TestErrorWords_sayThreeThings: what went wrong, what it means and what to do
// are three sentences, not one thrice.
func TestErrorWords_sayThreeThings(t *testing.T) {
	t.Parallel()
	for _, l := range Languages() {
		w, err := NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		titles := map[string]app.Code{}
		for _, code := range app.Codes() {
			title, meaning, next := ErrorWords(w, &app.Error{Code: code})
			bare := func(s string) string { return strings.ToLower(strings.TrimSuffix(s, ".")) }
			if bare(title) == bare(meaning) || bare(meaning) == bare(next) || bare(title) == bare(next) {
				t.Errorf("%s: %s says %q, %q, %q", l, code, title, meaning, next)
			}
			if other, ok := titles[title]; ok {
				t.Errorf("%s: %s and %s are both %q", l, code, other, title)
			}
			titles[title] = code
		}
	}
}
