// Package assets holds what Kvart shows and says: translations, the mark in
// its states, fonts. It knows how to look a text up and draw the mark, and
// nothing of what the texts are about.
package assets

import (
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// lang holds one JSON file per area and language: "errors.sv.json".
//
//go:embed lang/*.json
var lang embed.FS

// Languages are the languages Kvart speaks, the first being the fallback.
func Languages() []string { return []string{"en", "sv"} }

// Words looks texts up in one language. It is safe for concurrent use.
type Words struct {
	lang string
	loc  *i18n.Localizer
}

// NewWords returns the texts of a language, "" meaning the computer's own;
// English where Kvart does not speak it.
func NewWords(tag string) (*Words, error) {
	bundle, err := translations()
	if err != nil {
		return nil, err
	}
	if tag == "" {
		tag = systemLanguage()
	}
	best := Languages()[0]
	for _, l := range Languages() {
		if strings.HasPrefix(strings.ToLower(tag), l) {
			best = l
		}
	}
	return &Words{lang: best, loc: i18n.NewLocalizer(bundle, best)}, nil
}

// translations are the texts in all languages, read once: that takes 20 ms.
var translations = sync.OnceValues(func() (*i18n.Bundle, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	files, err := lang.ReadDir("lang")
	if err != nil {
		return nil, fmt.Errorf("read translations: %w", err)
	}
	for _, f := range files {
		if _, err := bundle.LoadMessageFileFS(lang, "lang/"+f.Name()); err != nil {
			return nil, fmt.Errorf("read translation %s: %w", f.Name(), err)
		}
	}
	return bundle, nil
})

// systemLanguage returns the language the environment asks for, in the order
// the C library looks: LC_ALL, LC_MESSAGES, LANG.
func systemLanguage() string {
	for _, k := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(k); v != "" {
			return v
		}
	}
	return osLanguage()
}

// Language returns the language the texts are in: "sv", "en".
func (w *Words) Language() string { return w.lang }

// Args are the values of a text's placeholders.
type Args map[string]any

// T returns the text of a key. A key that has no text comes back as it is,
// marked, so that it is seen; a test makes sure that there is none.
func (w *Words) T(key string, args ...Args) string {
	return w.localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: merge(args)})
}

// N returns the text of a key for a count, which the text knows as {{.Count}}.
func (w *Words) N(key string, count int64, args ...Args) string {
	data := merge(args)
	data["Count"] = w.Number(count)
	return w.localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: int(count)})
}

// Has reports whether a key has a text in this very language.
func (w *Words) Has(key string) bool {
	_, tag, err := w.loc.LocalizeWithTag(&i18n.LocalizeConfig{MessageID: key, PluralCount: 2})
	return err == nil && tag.String() == w.lang
}

func (w *Words) localize(c *i18n.LocalizeConfig) string {
	s, err := w.loc.Localize(c)
	if err != nil && s == "" {
		return "⟦" + c.MessageID + "⟧"
	}
	return s
}

func merge(args []Args) map[string]any {
	m := map[string]any{}
	for _, a := range args {
		for k, v := range a {
			m[k] = v
		}
	}
	return m
}
