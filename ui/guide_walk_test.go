package ui

import (
	"regexp"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// TestGuide_gettingStarted walks the guide's first page on a clean computer:
// what it quotes is on the screen, in the order in which it says so.
func TestGuide_gettingStarted(t *testing.T) {
	for _, lang := range assets.Languages() {
		w := newWalker(t, lang)
		var stages []string
		look := func() { stages = append(stages, strings.Join(uitest.Texts(w.c), "\n")) }
		steps := []func(){
			func() { w.tap("home.button.empty") },
			func() { w.tap("setup.continue") },
			w.connect,
			func() { w.tap("storage.s3") },
			func() { w.write(0, "kafferosteriet-kvart"); w.tap("storage.folder"); w.press(w.words.T("form.choose")) },
			func() { w.tap("setup.test") },
			func() { w.tap("setup.continue") },
			w.key,
			func() { w.tap("makekit.save.button") },
			func() { w.tap("makekit.print.button"); w.write(0, w.svc.KitCode) },
			func() { w.tap("makekit.code.button") },
			func() { w.tap("setup.continue") },
			func() { backedUp(w.svc) },
		}
		for _, step := range steps {
			look()
			step()
		}
		look()
		page, err := assets.PageFor(lang, "start")
		if err != nil {
			t.Fatal(err)
		}
		at, quotes := 0, 0
		for _, part := range page.Parts {
			if part.Kind != assets.PartNumber {
				continue
			}
			for _, m := range regexp.MustCompile(`[“”]([^“”]+)”`).FindAllStringSubmatch(part.Text(), -1) {
				quotes++
				from := at
				for at < len(stages) && !strings.Contains(stages[at], m[1]) {
					at++
				}
				if at == len(stages) {
					t.Fatalf("%s: %q never comes after step %d of the walk; there was:\n%s", lang, m[1], from, stages[from])
				}
			}
		}
		if quotes < 18 {
			t.Errorf("%s: only %d quotes", lang, quotes)
		}
		w.Close()
	}
}

func TestHelp_isThereWithoutAGuard(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Sources")
	r.lost(app.Errorf(app.CodeGuardOffline, "dial", "gone"))
	r.sees("Kvart's guard is not running")
	uitest.Key(r.c, fyne.KeyF1)
	r.sees("The whole guide")
	r.press("Questions")
	r.sees("The guard isn't running. What does that mean?")
	r.lost(app.Errorf(app.CodeGuardOffline, "dial", "still gone"))
	r.sees("The guard isn't running. What does that mean?")
	r.seen(uitest.Safe()) // it is back, and whoever reads goes on reading
	r.sees("The guard isn't running. What does that mean?")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("The whole guide")
	uitest.Key(r.c, fyne.KeyEscape)
	if r.current != screen.Sources {
		t.Errorf("help leads to %s", r.current)
	}
}

// TestHelp_inTheMiddleOfSetup: F1 works while something is typed, and leads back
// to it.
func TestHelp_inTheMiddleOfSetup(t *testing.T) {
	w := newWalker(t, "en")
	w.tap("home.button.empty")
	w.tap("setup.continue")
	w.write(2, "butik")
	w.c.Focus(uitest.Fields(w.c)[2])
	uitest.Key(w.c, fyne.KeyF1)
	w.sees("The whole guide")
	w.press("‹ Back to where you were")
	if got := uitest.Fields(w.c); len(got) < 3 || got[2].Text != "butik" {
		t.Errorf("what was typed is gone: %v", got)
	}
}

func TestHelp_inTheNavigation(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Help")
	r.sees("The whole guide", "Where to store it")
}
