package assets

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// everyGuide returns the guides there are.
func everyGuide(t *testing.T) []Guide {
	t.Helper()
	files, err := guides.ReadDir("guides")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d guides, %v", len(files), err)
	}
	var out []Guide
	for _, f := range files {
		area, kind, _ := strings.Cut(strings.TrimSuffix(f.Name(), ".json"), ".")
		g, ok, err := GuideFor(area, kind)
		if err != nil || !ok {
			t.Fatalf("%s: %v, %v", f.Name(), ok, err)
		}
		if g.For != area+"."+kind {
			t.Errorf("%s says it is for %s", f.Name(), g.For)
		}
		out = append(out, g)
	}
	return out
}

func TestGuideFor_unknown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nothing", "../lang/base.en", ""} {
		if _, ok, err := GuideFor("source", name); ok || err != nil {
			t.Errorf("%q: %v, %v", name, ok, err)
		}
	}
}

func TestParseGuide_refusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	if _, err := parseGuide([]byte(`{"for":"source.x","steps":[]}`)); err == nil {
		t.Error("a field no guide has")
	}
}

// TestGuides_shape: what a guide can't be drawn or followed with is found here
// and not by the owner.
func TestGuides_shape(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`^[a-z0-9-]+$`)
	frames := []GuideFrame{FrameBrowser, FrameKvart, FrameTerminal, FrameLetter, FrameFolder, FrameDisk}
	for _, g := range everyGuide(t) {
		if slices.Contains(Guideless(), g.For) {
			t.Errorf("%s is said to need no guide", g.For)
		}
		seen := map[string]bool{}
		for _, w := range g.Ways {
			if seen[w.Code] || !code.MatchString(w.Code) || len(w.Steps) < 2 || len(w.Steps) > 6 {
				t.Errorf("%s: way %q, %d steps", g.For, w.Code, len(w.Steps))
			}
			seen[w.Code] = true
			steps := map[string]bool{}
			for _, s := range w.Steps {
				at := g.For + "." + w.Code + "." + s.Code
				p := s.Picture
				if steps[s.Code] || !code.MatchString(s.Code) || s.Code == "note" {
					t.Errorf("%s is no good code, or there twice", at)
				}
				steps[s.Code] = true
				if !slices.Contains(frames, p.Frame) || len(p.Menu) > 4 || len(p.Fields)+len(p.Ticks) > 3 || (p.Frame == FrameTerminal) != (len(p.Lines) > 0) {
					t.Errorf("%s: picture %+v", at, p)
				}
				if s.Open != "" && !strings.HasPrefix(s.Open, "{url}/") && !strings.HasPrefix(s.Open, "https://{shop}/") {
					t.Errorf("%s leads to somebody else's site: %s", at, s.Open)
				}
			}
		}
	}
}

// TestGuides_words: every step, way and label has words in every language, and
// there are none that nothing uses.
func TestGuides_words(t *testing.T) {
	t.Parallel()
	for _, l := range Languages() {
		w, err := NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		used := map[string]bool{}
		need := func(key string, sentence bool) {
			used[key] = true
			if !w.Has(key) {
				t.Errorf("%s: no words for %s", l, key)
				return
			}
			if text := w.T(key); sentence && !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %s is no sentence: %q", l, key, text)
			}
		}
		for _, g := range everyGuide(t) {
			for _, way := range g.Ways {
				key := g.Key(way)
				if preset := "storage.s3.preset." + way.Code; g.For == "storage.s3" {
					if !w.Has(preset) {
						t.Errorf("%s: no provider is called %s", l, way.Code)
					}
				} else if len(g.Ways) > 1 {
					need(key, false)
				}
				if way.Note {
					need(key+".note", true)
				}
				for _, s := range way.Steps {
					need(key+"."+s.Code, true)
					labels := slices.Concat(s.Picture.Menu, s.Picture.Fields, s.Picture.Ticks, []string{s.Picture.Button})
					for _, label := range labels {
						if word, ok := strings.CutPrefix(label, "@"); ok {
							need("guide.word."+word, false)
						}
					}
				}
			}
		}
		for key := range messages(t, "guides."+l+".json") {
			if n := strings.Count(key, "."); n > 1 && !used[key] && key != "guide.open.lack" {
				t.Errorf("%s: nothing uses %s", l, key)
			}
		}
	}
}
