package agent

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kvart/app"
)

// blot takes out of a text what is nobody's business but the owner's: what is
// known of the shop, and what looks like an address, a number or a path of
// somebody's.
type blot struct {
	words map[string]string // what is known, and what stands in its place
	known *strings.Replacer
	// before go whole addresses, which what is known may be a part of.
	before, after []pattern
}

type pattern struct {
	like *regexp.Regexp
	with string
}

// shortest is how long something known has to be to be taken out: less would
// blot out parts of other words.
const shortest = 3

// newBlot returns the blot of a shop. people are what whoever is logged in is
// called.
func newBlot(d Document, computer, home, dir string, people ...string) *blot {
	words := map[string]string{}
	put := func(word, with string) {
		if word = strings.TrimSpace(word); len([]rune(word)) >= shortest && !harmlessWord(word) {
			words[word] = with
		}
	}
	place := func(settings map[string]string, with string) {
		for _, v := range settings {
			put(v, with)
			put(hostOf(v), with)
		}
	}
	put(computer, "[computer]")
	put(base(home), "[user]")
	for _, p := range people {
		put(p, "[user]")
	}
	if v := d.Vault; v != nil {
		put(v.Shop, "[shop]")
		put(v.Where, "[storage]")
		place(v.Settings, "[storage]")
	}
	for i, c := range d.Copies {
		with := "[copy-" + strconv.Itoa(i+1) + "]"
		put(c.Name, with)
		put(c.Where, with)
		place(c.Settings, with)
	}
	for i, s := range d.Sources {
		with := "[source-" + strconv.Itoa(i+1) + "]"
		put(s.Name, with)
		put(string(s.ID), with)
		place(s.Settings, with)
	}
	blotPeople(d, put)
	put(dir, "[data]")
	put(home, "~")
	return &blot{words: words, known: replacer(words), before: addresses(), after: patterns()}
}

// also returns a blot that takes out some words more; what is known already
// keeps its name.
func (b *blot) also(more map[string]string) *blot {
	words := maps.Clone(more)
	maps.DeleteFunc(words, func(w, _ string) bool { return len([]rune(w)) < shortest || harmlessWord(w) })
	maps.Copy(words, b.words)
	return &blot{words: words, known: replacer(words), before: b.before, after: b.after}
}

// blotPeople takes out whom the owner wrote down, and where alerts go.
func blotPeople(d Document, put func(word, with string)) {
	for _, c := range d.Ready.Contacts {
		for _, v := range []string{c.Name, c.Phone, c.Mail} {
			put(v, "[contact]")
		}
	}
	p := d.Ready.Page
	for _, v := range []string{p.Shop, p.Phone, p.Mail, p.Text} {
		put(v, "[page]")
	}
	w := d.Watch
	if w.Storefront != nil {
		put(w.Storefront.URL, "[storefront]")
		put(hostOf(w.Storefront.URL), "[storefront]")
		put(w.Storefront.Word, "[word]")
	}
	put(w.Heartbeat, "[heartbeat]")
	for i, c := range w.Channels {
		for _, v := range append([]string{c.Name, c.Host, c.User, c.From, c.Where}, c.To...) {
			put(v, "[channel-"+strconv.Itoa(i+1)+"]")
		}
	}
	for _, o := range w.OwnDays {
		put(o.Name, "[day]")
	}
}

// harmlessWord reports whether a setting tells nothing of anybody, and would blot
// out words of Kvart's own.
func harmlessWord(word string) bool {
	if _, err := strconv.ParseFloat(word, 64); err == nil && len(word) < 7 {
		return true
	}
	return slices.Contains([]string{
		"true", "false", "none", "auto", "localhost", "governance", "compliance", "starttls", "tls", "mail", "ntfy", "slack", "webhook", "utf8", "require", "disable",
		"kvart", app.Name, "log", "database", "folder", "sqlite", "source", "backup", "vault", "status", "error", "level", "time", "info",
	}, strings.ToLower(word)) || slices.Contains([]string{"127.0.0.1", "::1"}, word)
}

// replacer replaces words as they are, and as JSON and addresses write them; the
// longest first.
func replacer(words map[string]string) *strings.Replacer {
	forms := map[string]string{}
	for word, with := range words {
		for _, f := range []string{word, strings.ToLower(word), strings.ReplaceAll(word, `\`, "/")} {
			for _, g := range []string{f, quoted(f), quoted(quoted(f)), url.QueryEscape(f), url.PathEscape(f)} {
				forms[g] = with
			}
		}
	}
	order := make([]string, 0, len(forms))
	for f := range forms {
		order = append(order, f)
	}
	slices.SortFunc(order, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	var pairs []string
	for _, f := range order {
		pairs = append(pairs, f, forms[f])
	}
	return strings.NewReplacer(pairs...)
}

// quoted returns a text as it stands within a JSON document.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return s // strings always marshal
	}
	return string(b[1 : len(b)-1])
}

func addresses() []pattern {
	return []pattern{
		{regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>\\]+`), "[address]"},
		{regexp.MustCompile(`[^\s"'<>()\[\],;:=@\\]+@[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*`), "[e-mail]"},
	}
}

func patterns() []pattern {
	return []pattern{
		{regexp.MustCompile(`0001-01-01T00:00:00Z`), "never"},
		// times are cut to seconds: what is behind looks like a telephone number
		{regexp.MustCompile(`(T\d\d:\d\d:\d\d)[.,]\d+`), "$1"},
		{regexp.MustCompile(`/(?:home|Users)/[^/\s"'\\:]+`), "~"},
		{regexp.MustCompile(`(?i)\b[a-z]:(?:\\+|/)users(?:\\+|/)[^\\/\s"':]+`), "~"},
		{regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b`), "[ip]"},
		{regexp.MustCompile(`(?:\+\d|\b0)\d?[\d \-/()]{5,16}\d\b`), "[phone]"},
	}
}

// clean returns the text without any of it.
func (b *blot) clean(text string) string {
	for _, p := range b.before {
		text = p.like.ReplaceAllString(text, p.with)
	}
	text = b.known.Replace(text)
	for _, p := range b.after {
		text = p.like.ReplaceAllString(text, p.with)
	}
	return text
}
