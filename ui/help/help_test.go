package help

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/uitest"
)

// open shows Help in a window of its own; shown are the places it leads to.
func open(t *testing.T, lang string, p screen.Place) (s *Screen, c fyne.Canvas, shown *[]screen.Place) {
	t.Helper()
	a := test.NewTempApp(t)
	a.Settings().SetTheme(theme.New())
	shown = &[]screen.Place{}
	s = New(screen.Env{Words: wordsOf(t, lang), Show: func(p screen.Place) { *shown = append(*shown, p) }})
	w := a.NewWindow("")
	t.Cleanup(w.Close)
	w.SetPadded(false)
	w.SetContent(s.Object())
	w.Resize(fyne.NewSize(930, 740))
	s.Open(p)
	return s, w.Canvas(), shown
}

// shot writes what is shown into the folder that KVART_SHOTS names.
func shot(t *testing.T, c fyne.Canvas, name string) {
	t.Helper()
	dir := os.Getenv("KVART_SHOTS")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, c.Capture()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestHelp_everyPageIsRead(t *testing.T) {
	for _, lang := range assets.Languages() {
		s, c, _ := open(t, lang, screen.Place{})
		for _, name := range names() {
			p, err := assets.PageFor(lang, name)
			if err != nil {
				t.Fatal(err)
			}
			uitest.Press(t, c, p.Title)
			uitest.MustSee(t, c, p.Title, p.Parts[0].Text(), s.env.T("help.all"))
			uitest.MustNotSee(t, c, "⟦", "**", "<!--", "](", "{{")
			shot(t, c, lang+"-"+name)
			if !s.Back() {
				t.Fatal("a page leads back to the contents")
			}
		}
		shot(t, c, lang+"-contents")
		if s.Back() {
			t.Error("the contents lead back although nobody came from anywhere")
		}
	}
}

func TestHelp_stepsAreDrawn(t *testing.T) {
	_, c, _ := open(t, "sv", screen.Place{Page: "source-woocommerce"})
	uitest.MustSee(t, c, "Godkänn i WordPress (enklast)", "Steg 4", "Säkrast: sådana nycklar")
}

func TestHelp_links(t *testing.T) {
	s, c, _ := open(t, "en", screen.Place{Page: "start"})
	uitest.Press(t, c, "Where should the backups live?")
	if s.page != "where" {
		t.Fatalf("the link leads to %q", s.page)
	}
	uitest.MustSee(t, c, "What is a lock?")
	uitest.Press(t, c, "‹ All pages")
	uitest.MustSee(t, c, "What to protect")
}

func TestHelp_search(t *testing.T) {
	_, c, _ := open(t, "en", screen.Place{})
	uitest.Write(t, c, 0, "snapshots")
	if uitest.Pressable(c, "A file server (SFTP)", 0) == nil || uitest.Pressable(c, "Shopify", 0) != nil {
		t.Error("looking for a word that is on one page shows another")
	}
	uitest.Write(t, c, 0, "qqq")
	uitest.MustSee(t, c, "Nothing about that here")
	uitest.Write(t, c, 0, "")
	uitest.MustSee(t, c, "Shopify")
}

func TestHelp_leadsBack(t *testing.T) {
	s, c, shown := open(t, "en", screen.Place{From: screen.Setup})
	uitest.Press(t, c, "Getting started")
	if !s.Back() || len(*shown) != 0 {
		t.Fatal("the page leads back past the contents")
	}
	uitest.Press(t, c, "‹ Back to where you were")
	if len(*shown) != 1 || (*shown)[0].Screen != screen.Setup {
		t.Errorf("leads back to %+v", *shown)
	}
}
