package logging

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
)

const hiddenText = "[hidden]"

// replaceAttr hides values whose key suggests a secret, in groups and inside
// structures too.
func replaceAttr(groups []string, a slog.Attr) slog.Attr {
	if secretKey(a.Key) || slices.ContainsFunc(groups, secretKey) {
		return slog.String(a.Key, hiddenText)
	}
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	v := a.Value.Any()
	if err, ok := v.(error); ok {
		if _, ok := v.(json.Marshaler); !ok {
			return slog.String(a.Key, err.Error())
		}
	}
	b, err := json.Marshal(v)
	if err != nil || bytes.IndexByte(b, '{') < 0 {
		return a
	}
	var doc any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if dec.Decode(&doc) != nil {
		return a
	}
	return slog.Any(a.Key, hideIn(doc))
}

// hideIn hides the values of secret keys in a decoded document.
func hideIn(doc any) any {
	switch v := doc.(type) {
	case map[string]any:
		for k := range v {
			if secretKey(k) {
				v[k] = hiddenText
			} else {
				v[k] = hideIn(v[k])
			}
		}
	case []any:
		for i := range v {
			v[i] = hideIn(v[i])
		}
	}
	return doc
}

// secretKey reports whether a key names a secret: "password", "dbPassword",
// "secret_key", "X-Auth-Token"; but not "keychain" or "monkeys".
func secretKey(key string) bool {
	lower := strings.ToLower(key)
	for _, part := range []string{"passw", "passphrase", "secret", "token", "authorization", "credential", "cookie"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return slices.ContainsFunc(words(key), func(w string) bool {
		return w == "key" || w == "keys" || w == "pwd" || w == "pass" || w == "auth" || strings.HasSuffix(w, "apikey")
	})
}

// words splits a key in camelCase, snake_case or kebab-case.
func words(key string) []string {
	var out []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	small := false
	for _, r := range key {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case unicode.IsUpper(r) && small:
			end()
		}
		small = !unicode.IsUpper(r)
		word.WriteRune(unicode.ToLower(r))
	}
	end()
	return out
}

// redactor replaces secrets it was told of.
type redactor struct {
	mu       sync.Mutex
	forms    []string // longest first
	replacer atomic.Pointer[strings.Replacer]
}

func newRedactor() *redactor {
	r := &redactor{}
	r.replacer.Store(strings.NewReplacer())
	return r
}

func (r *redactor) clean(line string) string { return r.replacer.Load().Replace(line) }

func (r *redactor) hide(secret string) {
	if len(secret) < 4 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range forms(secret) {
		if !slices.Contains(r.forms, f) {
			r.forms = append(r.forms, f)
		}
	}
	slices.SortFunc(r.forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, f := range r.forms {
		pairs = append(pairs, f, hiddenText)
	}
	r.replacer.Store(strings.NewReplacer(pairs...))
}

// forms returns how a secret may read in a log: as it is, as %q and addresses
// write it, and each of these inside JSON or quotes.
func forms(secret string) []string {
	var out []string
	for _, f := range []string{secret, unquoted(strconv.Quote(secret)), url.QueryEscape(secret), url.PathEscape(secret)} {
		out = append(out, f, inJSON(f, false), inJSON(f, true), unquoted(strconv.Quote(f)))
	}
	return out
}

func unquoted(s string) string { return s[1 : len(s)-1] }

func inJSON(s string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if enc.Encode(s) != nil { // a string always can
		return s
	}
	return unquoted(strings.TrimSuffix(b.String(), "\n"))
}
