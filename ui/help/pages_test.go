package help

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

var update = flag.Bool("update", false, "write the steps that the guide takes from elsewhere, and their pictures, anew")

// pagesDir is where the guide lies.
const pagesDir = "../../docs/guide"

func wordsOf(t *testing.T, lang string) *assets.Words {
	t.Helper()
	w, err := assets.NewWords(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// names returns every page there is contents for.
func names() []string {
	var out []string
	for _, g := range assets.PageGroups() {
		out = append(out, g.Pages...)
	}
	return out
}

// markdown reads a page as it is written.
func markdown(t *testing.T, lang, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(pagesDir, lang, name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPages_contents: every page is in the contents once, in every language,
// and every kind of source and storage, and every playbook, has its page.
func TestPages_contents(t *testing.T) {
	t.Parallel()
	for _, lang := range assets.Languages() {
		files, err := filepath.Glob(filepath.Join(pagesDir, lang, "*.md"))
		if err != nil {
			t.Fatal(err)
		}
		var there []string
		for _, f := range files {
			there = append(there, strings.TrimSuffix(filepath.Base(f), ".md"))
		}
		listed := names()
		slices.Sort(listed)
		if !slices.Equal(there, listed) {
			t.Errorf("%s: there is %v, the contents have %v", lang, there, listed)
		}
	}
	guides, err := filepath.Glob("../../assets/guides/*.json")
	if err != nil || len(guides) < 10 {
		t.Fatal(len(guides), err)
	}
	for _, g := range guides {
		of := strings.TrimSuffix(filepath.Base(g), ".json")
		name := strings.Replace(of, ".", "-", 1)
		if !slices.Contains(names(), name) || !strings.Contains(markdown(t, "en", name), "<!-- steps: "+of+" -->") {
			t.Errorf("%s has no page with its steps", of)
		}
	}
	for _, of := range assets.Guideless() {
		if !slices.Contains(names(), strings.Replace(of, ".", "-", 1)) {
			t.Errorf("%s has no page", of)
		}
	}
	for _, code := range app.PlaybookCodes() {
		if !strings.Contains(markdown(t, "en", "the-day"), "<!-- playbook: "+string(code)+" -->") {
			t.Errorf("the day does not tell of %s", code)
		}
	}
}

// shape is what a page has to have in common with itself in another language.
func shape(p assets.Page) string {
	var b strings.Builder
	for _, part := range p.Parts {
		links := 0
		for _, s := range part.Spans {
			if s.Page != "" {
				links++
			}
		}
		fmt.Fprintf(&b, "%s %d %s links %d\n", part.Kind, part.Level, part.For, links)
	}
	return b.String()
}

func TestPages_agreeInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, name := range names() {
		first, err := assets.PageFor("en", name)
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range assets.Languages()[1:] {
			other, err := assets.PageFor(lang, name)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := shape(first), shape(other); a != b || first.Title == "" || other.Title == "" {
				t.Errorf("%s in English and in %s:\n%s---\n%s", name, lang, a, b)
			}
		}
	}
}

var (
	linked  = regexp.MustCompile(`\]\(([^)]+)\)`)
	quoted  = regexp.MustCompile(`“([^”]+)”|”([^”]+)”`)
	machine = regexp.MustCompile("(?s)<!-- steps: .*?<!-- end -->|<!-- playbook: .*?<!-- end -->")
)

// TestPages_links: whatever a page leads to or shows is there.
func TestPages_links(t *testing.T) {
	t.Parallel()
	for _, lang := range assets.Languages() {
		for _, name := range append(names(), "../README") {
			for _, m := range linked.FindAllStringSubmatch(markdown(t, lang, name), -1) {
				target := m[1]
				if strings.Contains(target, "://") {
					t.Errorf("%s/%s leads out of the guide: %s", lang, name, target)
				}
				if _, err := os.Stat(filepath.Join(pagesDir, lang, filepath.Dir(name), target)); err != nil {
					t.Errorf("%s/%s: %v", lang, name, err)
				}
			}
		}
	}
}

// said returns everything that the window can say, as patterns.
func said(t *testing.T, lang string) []*regexp.Regexp {
	t.Helper()
	files, err := filepath.Glob("../../assets/lang/*." + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	hole := regexp.MustCompile(`\\{\\{.*?\\}\\}`)
	text := regexp.MustCompile(`:\s*"((?:[^"\\]|\\.)*)"`)
	var out []*regexp.Regexp
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range text.FindAllSubmatch(b, -1) {
			pattern := hole.ReplaceAllString(regexp.QuoteMeta(string(m[1])), ".+")
			if pattern != ".+" && pattern != ".+…" { // says nothing of its own
				out = append(out, regexp.MustCompile("^"+pattern+"$"))
			}
		}
	}
	if len(out) < 1000 {
		t.Fatalf("only %d texts", len(out))
	}
	return out
}

// TestPages_quoteTheWindow: what stands in quotes is what the window says.
func TestPages_quoteTheWindow(t *testing.T) {
	t.Parallel()
	for _, lang := range assets.Languages() {
		texts := said(t, lang)
		quotes := 0
		for _, name := range names() {
			page := strings.Join(strings.Fields(machine.ReplaceAllString(markdown(t, lang, name), "")), " ")
			for _, m := range quoted.FindAllStringSubmatch(page, -1) {
				quotes++
				q := m[1] + m[2]
				if !slices.ContainsFunc(texts, func(re *regexp.Regexp) bool { return re.MatchString(q) }) {
					t.Errorf("%s/%s: the window nowhere says %q", lang, name, q)
				}
			}
		}
		if quotes < 50 {
			t.Errorf("%s: only %d quotes", lang, quotes)
		}
	}
}

// shotName is the file of a step's picture, from its page.
func shotName(g assets.Guide, way assets.GuideWay, s assets.GuideStep) string {
	return "pictures/" + g.For + "." + way.Code + "." + s.Code + ".png"
}

// spelled returns a page with what it takes from elsewhere as it is there now.
func spelled(t *testing.T, w *assets.Words, page string) string {
	t.Helper()
	books, err := assets.Playbooks()
	if err != nil {
		t.Fatal(err)
	}
	return machine.ReplaceAllStringFunc(page, func(part string) string {
		head, _, _ := strings.Cut(part, "\n")
		what, of, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(head, "<!-- "), " -->"), ": ")
		body := ""
		switch what {
		case "steps":
			g, err := assets.GuideOf(of)
			if err != nil {
				t.Fatal(err)
			}
			body = assets.PageSteps(w, g, func(way assets.GuideWay, s assets.GuideStep) string { return shotName(g, way, s) })
		case "playbook":
			i := slices.IndexFunc(books, func(p app.Playbook) bool { return string(p.Code) == of })
			if i < 0 {
				t.Fatalf("no playbook %s", of)
			}
			body = assets.PagePlaybook(w, books[i])
		}
		return head + "\n\n" + strings.TrimSpace(body) + "\n\n<!-- end -->"
	})
}

// TestPages_stepsAreTheWindows: the steps that the pages spell out are those
// that forms and playbooks show. With -update they are written anew.
func TestPages_stepsAreTheWindows(t *testing.T) {
	t.Parallel()
	for _, lang := range assets.Languages() {
		w := wordsOf(t, lang)
		for _, name := range names() {
			page := markdown(t, lang, name)
			want := spelled(t, w, page)
			if page == want {
				continue
			}
			if !*update {
				t.Errorf("%s/%s has other steps than the window: run this test with -update", lang, name)
				continue
			}
			if err := os.WriteFile(filepath.Join(pagesDir, lang, name+".md"), []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestPages_pictures draws every step's picture with -update, and sees to it
// that there is one for each and none too many.
func TestPages_pictures(t *testing.T) {
	a := test.NewTempApp(t)
	a.Settings().SetTheme(theme.New())
	for _, lang := range assets.Languages() {
		w := wordsOf(t, lang)
		want := map[string]bool{}
		for _, name := range names() {
			of, ok := strings.CutPrefix(strings.Replace(name, "-", ".", 1), "")
			g, err := assets.GuideOf(of)
			if !ok || err != nil {
				continue // a page without steps
			}
			for _, way := range g.Ways {
				for _, s := range way.Steps {
					file := shotName(g, way, s)
					want[file] = true
					if *update {
						shoot(t, filepath.Join(pagesDir, lang, file), screen.SceneOf(w, s.Picture))
					}
				}
			}
		}
		there, err := filepath.Glob(filepath.Join(pagesDir, lang, "pictures", "*.png"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range there {
			if !want["pictures/"+filepath.Base(f)] {
				t.Errorf("%s belongs to no step", f)
			}
		}
		if len(there) != len(want) || len(want) < 50 {
			t.Errorf("%s: %d pictures for %d steps: run this test with -update", lang, len(there), len(want))
		}
	}
}

// shoot draws a picture, unless the same one is there.
func shoot(t *testing.T, file string, s widgets.Scene) {
	t.Helper()
	sketch := widgets.NewSketch(s)
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(widgets.NewSurface(theme.ColorSide, widgets.Inset(8, 8, sketch)))
	c.Resize(c.Content().MinSize().Max(fyne.NewSize(100, 60)))
	var b bytes.Buffer
	picture := c.Capture()
	if picture.At(0, 0) == (color.NRGBA{}) {
		t.Fatalf("%s is empty", file)
	}
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(file)
	if err == nil && bytes.Equal(old, b.Bytes()) {
		return
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
