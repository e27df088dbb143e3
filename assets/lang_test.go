package assets

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"kvart/app"
)

// messages reads a translation file as key → all its forms joined.
func messages(t *testing.T, name string) map[string]string {
	t.Helper()
	b, err := lang.ReadFile("lang/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	out := map[string]string{}
	for k, v := range raw {
		var one string
		if json.Unmarshal(v, &one) == nil {
			out[k] = one
			continue
		}
		var forms map[string]string
		if err := json.Unmarshal(v, &forms); err != nil {
			t.Fatalf("%s: %s: %v", name, k, err)
		}
		if forms["one"] == "" || forms["other"] == "" {
			t.Errorf("%s: %s lacks a plural form", name, k)
		}
		for _, form := range slices.Sorted(maps.Keys(forms)) {
			out[k] += forms[form] + "\n"
		}
	}
	return out
}

// areas returns the names of the translation files without language.
func areas(t *testing.T) []string {
	t.Helper()
	files, err := lang.ReadDir("lang")
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	for _, f := range files {
		area, rest, _ := strings.Cut(f.Name(), ".")
		if !slices.Contains(Languages(), strings.TrimSuffix(rest, ".json")) {
			t.Errorf("%s is in no language", f.Name())
		}
		set[area] = true
	}
	return slices.Sorted(maps.Keys(set))
}

var placeholder = regexp.MustCompile(`{{[^}]*}}`)

// placeholders returns the names a text uses, each once.
func placeholders(text string) []string {
	set := map[string]bool{}
	for _, p := range placeholder.FindAllString(text, -1) {
		for _, word := range regexp.MustCompile(`\.\w+`).FindAllString(p, -1) {
			set[word] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func TestLanguages_agree(t *testing.T) {
	seen := map[string]string{}
	for _, area := range areas(t) {
		first := messages(t, area+"."+Languages()[0]+".json")
		for k := range first {
			if other, ok := seen[k]; ok {
				t.Errorf("%s is both in %s and in %s", k, other, area)
			}
			seen[k] = area
		}
		for _, l := range Languages()[1:] {
			name := area + "." + l + ".json"
			other := messages(t, name)
			for k, text := range first {
				translated, ok := other[k]
				if !ok {
					t.Errorf("%s lacks %s", name, k)
				} else if a, b := placeholders(text), placeholders(translated); !slices.Equal(a, b) {
					t.Errorf("%s: %s uses %v, want %v", name, k, b, a)
				}
			}
			for k := range other {
				if _, ok := first[k]; !ok {
					t.Errorf("%s has %s, which no other language has", name, k)
				}
			}
		}
	}
}

func TestLanguages_everyTextIsFound(t *testing.T) {
	for _, l := range Languages() {
		w, err := NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, area := range areas(t) {
			for k, text := range messages(t, area+"."+l+".json") {
				if strings.TrimSpace(text) == "" || strings.Contains(text, "⟦") {
					t.Errorf("%s: %s is empty or marked", l, k)
				}
				if !w.Has(k) {
					t.Errorf("%s: %s is not found", l, k)
				}
				if got := w.N(k, 2); strings.Contains(got, "⟦") {
					t.Errorf("%s: %s reads %q", l, k, got)
				}
			}
		}
	}
}

// TestErrorWords walks every code in every language, without and with the
// values a text may use: what is absent must leave no hole.
func TestErrorWords(t *testing.T) {
	full := map[string]string{}
	for _, k := range []string{"path", "source", "program", "need", "free", "skew", "field", "choices", "where", "count"} {
		full[k] = "‹" + k + "›"
	}
	for _, l := range Languages() {
		w, err := NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		used := strings.Builder{}
		for _, code := range app.Codes() {
			for _, args := range []map[string]string{nil, full} {
				title, meaning, next := ErrorWords(w, &app.Error{Code: code, Args: args})
				for part, text := range map[string]string{"title": title, "meaning": meaning, "next": next} {
					if !w.Has("error." + string(code) + "." + part) {
						t.Errorf("%s: %s has no %s", l, code, part)
					}
					checkSentence(t, l+": "+string(code)+"."+part, text, part != "title")
					used.WriteString(text)
				}
			}
		}
		for _, v := range full {
			if !strings.Contains(used.String(), v) {
				t.Errorf("%s: no text uses %s", l, v)
			}
		}
	}
}

func TestErrorWords_sizes(t *testing.T) {
	t.Parallel()
	w, err := NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	e := (&app.Error{Code: app.CodeTargetFull}).With("need", "5400000000").With("free", "31000000")
	if _, meaning, _ := ErrorWords(w, e); !strings.Contains(strings.ReplaceAll(meaning, "\u00a0", " "), "5.4 GB is needed, but only 31 MB is free") {
		t.Error(meaning)
	}
}

func checkSentence(t *testing.T, what, text string, stop bool) {
	t.Helper()
	for _, bad := range []string{"⟦", "<no value>", "{{", "  ", " .", " ,", "()"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s holds %q: %q", what, bad, text)
		}
	}
	if text == "" || strings.TrimSpace(text) != text || strings.HasSuffix(text, ".") != stop {
		t.Errorf("%s is no good sentence: %q", what, text)
	}
	if r, _ := utf8.DecodeRuneInString(text); strings.ToUpper(string(r)) != string(r) && !strings.HasPrefix(text, "https") {
		t.Errorf("%s begins with a small letter: %q", what, text)
	}
}

func TestErrorWords_unknownCodeReadsAsDefect(t *testing.T) {
	w, err := NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	got, _, _ := ErrorWords(w, &app.Error{Code: "from_the_future"})
	want, _, _ := ErrorWords(w, &app.Error{Code: app.CodeInternal})
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if a, b, c := ErrorWords(w, nil); a+b+c != "" {
		t.Errorf("nil reads %q %q %q", a, b, c)
	}
}

// TestGuardWords holds the words to the values of the domain they are for.
func TestGuardWords(t *testing.T) {
	var keys []string
	for _, v := range []app.Verdict{app.VerdictSafe, app.VerdictUnproven, app.VerdictLate, app.VerdictSuspicious, app.VerdictFailed, app.VerdictUnknown} {
		keys = append(keys, "verdict."+string(v), "verdict."+string(v)+".text")
	}
	for _, s := range []app.Step{app.StepWaiting, app.StepCapture, app.StepPlan, app.StepSafety, app.StepRestore, app.StepCheck, app.StepVerify, app.StepMaintain} {
		keys = append(keys, "step."+string(s))
	}
	for _, k := range []app.JobKind{app.JobBackup, app.JobRestore, app.JobUndo, app.JobDrill, app.JobVerify, app.JobMaintain} {
		keys = append(keys, "tray.busy."+string(k))
	}
	for _, cause := range []string{"late", "failed", "restore_done", "restore_failed", "restore_part", "undo_done", "undo_failed", "drill_failed", "paused", "no_tray_window"} {
		keys = append(keys, "notice."+cause+".title", "notice."+cause+".text")
	}
	for _, l := range Languages() {
		w, err := NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if !w.Has(k) {
				t.Errorf("%s: no text for %s", l, k)
			}
			checkSentence(t, l+": "+k, strings.TrimSuffix(w.T(k), "…"), strings.HasSuffix(k, ".text"))
		}
	}
}
