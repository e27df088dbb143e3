package assets

import (
	"strings"

	"kvart/app"
)

// CheckWords returns what the owner reads about a check: its title, and of what
// was looked at and found each a sentence, at least one. [app.Check.Detail] is
// in none of them.
func CheckWords(w *Words, c app.Check) (title string, said []string) {
	title = w.T("checks.title") // of a newer guard
	if key := "check." + c.Code; w.Has(key) {
		title = w.T(key)
	}
	if c.Part != "" {
		title = w.T("checks.part", Args{"Check": title, "Part": c.Part})
	}
	if counted := w.Counted(c.Counted); c.OK && counted != "" {
		said = append(said, counted)
	}
	for _, f := range c.Seen {
		if words := SeenWords(w, f); words != "" {
			said = append(said, words)
		}
	}
	switch {
	case len(said) > 0:
	case c.OK:
		said = []string{w.T("checks.good")}
	default:
		said = []string{w.T("checks.bad")}
	}
	return title, said
}

// CheckFailedWords tells of a check that failed in one line.
func CheckFailedWords(w *Words, c app.Check) string {
	title, said := CheckWords(w, c)
	args := Args{"Check": title, "Said": strings.Join(said, " "), "Source": c.Source}
	if c.Source == "" {
		return w.T("checks.failed", args)
	}
	return w.T("checks.failed.of", args)
}

// SeenWords returns the sentence of what a check found; "" for a newer guard's
// that this program doesn't know.
func SeenWords(w *Words, f app.Seen) string {
	key := "checks.seen." + string(f.Code)
	if !w.Has(key) {
		return ""
	}
	args := Args{"Of": w.Number(f.Of), "Names": w.names(f.Names, f.More), "Kind": w.Kind(f.Kind)}
	if f.Why != "" {
		args["Why"], _, _ = ErrorWords(w, &app.Error{Code: f.Why, Args: map[string]string{"kind": f.Kind}})
	}
	return w.N(key, f.Count, args)
}

// Kind names a kind of a shop's records; one without words goes by its own name.
func (w *Words) Kind(kind string) string {
	if key := "shop.kind." + kind; w.Has(key) {
		return w.T(key)
	}
	return kind
}

// names lists things by their names, and tells how many more there are.
func (w *Words) names(names []string, more int64) string {
	list := strings.Join(names, ", ")
	switch n := len(names) - 1; {
	case n < 0:
		return ""
	case more > 0:
		return w.N("checks.more", more, Args{"Names": list})
	case n > 0:
		return w.T("checks.and", Args{"Names": strings.Join(names[:n], ", "), "Last": names[n]})
	}
	return list
}
