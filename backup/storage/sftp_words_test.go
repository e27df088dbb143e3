package storage

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// TestKinds_HaveWords holds the words to the kinds and their fields.
func TestKinds_HaveWords(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"en", "sv"} {
		words := map[string]any{}
		files, err := filepath.Glob(filepath.Join("..", "..", "assets", "lang", "storage*."+language+".json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no words: %v", err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			more := map[string]any{}
			if err := json.Unmarshal(b, &more); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			maps.Copy(words, more)
		}
		need := func(key string) {
			if text, ok := words[key].(string); !ok || text == "" {
				t.Errorf("%s: no text for %s", language, key)
			}
		}
		for _, k := range Kinds() {
			kind := "storage." + string(k.Kind)
			for _, end := range []string{"", ".hint", ".unprotected"} {
				need(kind + end)
			}
			for _, f := range k.Fields {
				need(kind + ".field." + f.Key)
				need(kind + ".field." + f.Key + ".hint")
				for _, choice := range f.Choices {
					need(kind + ".field." + f.Key + "." + choice)
				}
			}
		}
	}
}
