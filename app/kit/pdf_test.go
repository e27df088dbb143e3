package kit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ledongthuc/pdf"

	"kvart/app"
)

// run is a line of text of a PDF with where it stands, in mm from the top left.
type run struct {
	text       string
	mono       bool
	x, y, w, h float64
}

// runsOf reads the lines of a page back. The reader knows only the low byte of
// a character, so that what is looked for has to be Latin-1.
func runsOf(t *testing.T, r *pdf.Reader, number int, p *page) []run {
	t.Helper()
	var out []run
	var last pdf.Text
	for _, c := range r.Page(number).Content().Text {
		if strings.Trim(c.S, "\n\r") == "" {
			continue
		}
		if len(out) > 0 && c.X == last.X && c.Y == last.Y && c.Font == last.Font {
			out[len(out)-1].text += c.S
		} else {
			out = append(out, run{text: c.S, x: c.X * point, y: paperHeight - c.Y*point, h: c.FontSize * point, mono: strings.Contains(c.Font, "mono")})
		}
		last = c
		s := p.plain(c.FontSize)
		if strings.Contains(c.Font, "mono") {
			s = p.mono(c.FontSize)
		} else if strings.HasSuffix(c.Font, "B") {
			s = p.bold(c.FontSize)
		}
		out[len(out)-1].w = p.width(s, out[len(out)-1].text)
	}
	return out
}

func openPDF(t *testing.T, s app.Secret) *pdf.Reader {
	t.Helper()
	b := []byte(s.Reveal())
	r, err := pdf.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPress_PDF_layout looks at every line of every sample: within the margins,
// and on no other.
func TestPress_PDF_layout(t *testing.T) {
	t.Parallel()
	all := samples()
	for _, name := range []string{"s3", "longest", "least", "gcs", "sftp", "webdav", "newer"} {
		k := all[name] // "odd" is not Latin-1
		languages := []string{"sv"}
		if name == "s3" || name == "longest" {
			languages = append(languages, "en")
		}
		for _, language := range languages {
			t.Run(name+" "+language, func(t *testing.T) {
				t.Parallel()
				s, err := New().PDF(k, language)
				if err != nil {
					t.Fatal(err)
				}
				p, err := newPage()
				if err != nil {
					t.Fatal(err)
				}
				p.turn()
				r := openPDF(t, s)
				most := 2
				if name == "s3" || name == "least" || name == "webdav" {
					most = 1
				}
				if n := r.NumPage(); n > most {
					t.Errorf("it has %d pages, want %d at most", n, most)
				}
				for n := 1; n <= r.NumPage(); n++ {
					checkLayout(t, n, runsOf(t, r, n, p))
				}
			})
		}
	}
}

func checkLayout(t *testing.T, number int, lines []run) {
	t.Helper()
	if len(lines) < 5 {
		t.Errorf("page %d: only %d lines", number, len(lines))
	}
	for i, a := range lines {
		top, bottom := a.y-0.72*a.h, a.y+0.21*a.h
		if a.x < margin-0.1 || a.x+a.w > margin+bodyWidth+0.1 || top < bodyTop-0.5 || bottom > paperHeight-6 {
			t.Errorf("page %d: %q is outside: %.1f %.1f, %.1f wide", number, a.text, a.x, a.y, a.w)
		}
		for _, b := range lines[i+1:] {
			if a.x < b.x+b.w-0.1 && b.x < a.x+a.w-0.1 && top < b.y+0.21*b.h-0.05 && b.y-0.72*b.h < bottom-0.05 {
				t.Errorf("page %d: %q at %.1f %.1f lies on %q at %.1f %.1f", number, a.text, a.x, a.y, b.text, b.x, b.y)
			}
		}
	}
}

// TestPress_PDF_saysEverything rebuilds what the page is for from its text.
func TestPress_PDF_saysEverything(t *testing.T) {
	t.Parallel()
	k := longest()
	s, err := New().PDF(k, "sv")
	if err != nil {
		t.Fatal(err)
	}
	r := openPDF(t, s)
	p, err := newPage()
	if err != nil {
		t.Fatal(err)
	}
	p.turn()
	var all, typed strings.Builder
	for n := 1; n <= r.NumPage(); n++ {
		for _, l := range runsOf(t, r, n, p) {
			all.WriteString(l.text + "\n")
			if l.mono {
				typed.WriteString(l.text + "\n")
			}
		}
	}
	text := all.String()
	for _, want := range []string{
		"Återställningskit nr 128 för Andersson & Pettersson", "Äldre kit gäller inte längre", "[s3.bucket]:", "[passphrase]:",
		"Telefonnummer", New().Code(k), "kopia snapshot list --all", "sida 1 av 2", "Kod 1 av 2", "Kod 2 av 2",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	bare := readExact(typed.String())
	for _, want := range []string{
		k.Passphrase.Reveal() + fingerprint(k.Passphrase.Reveal()), k.Storage.Secrets["secret_key"].Reveal(),
		k.Storage.Settings["access_key"], k.Storage.Settings["endpoint"], k.Storage.Settings["bucket"],
	} {
		if !strings.Contains(bare, want) {
			t.Errorf("the page does not hold a value of %d characters", len(want))
		}
	}
	if strings.LastIndex(text, New().Code(k)) < strings.LastIndex(text, "Telefonnummer") {
		t.Error("the check code is not at the end")
	}
}

func TestPress_PDF_isTheSame(t *testing.T) {
	t.Parallel()
	a, err := New().PDF(sample(), "sv")
	if err != nil {
		t.Fatal(err)
	}
	b, err := New().PDF(sample(), "sv")
	if err != nil {
		t.Fatal(err)
	}
	if a != b {
		t.Error("two PDFs of one kit differ")
	}
	undated := sample()
	undated.Made = time.Time{}
	c, err := New().PDF(undated, "sv")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(c.Reveal(), fmt.Sprintf("D:%d", time.Now().Year())) {
		t.Error("an undated kit is dated now")
	}
}

// TestPress_PDF_metadata looks at what is not drawn: no secret is among it.
func TestPress_PDF_metadata(t *testing.T) {
	t.Parallel()
	k := sample()
	s, err := New().PDF(k, "en")
	if err != nil {
		t.Fatal(err)
	}
	noSecretsIn(t, s.Reveal(), k)
	info := openPDF(t, s).Trailer().Key("Info")
	if got := info.Key("Title").Text(); got != "Kvart recovery kit no. 3" {
		t.Errorf("title %q", got)
	}
	for _, key := range info.Keys() {
		if v := info.Key(key).Text(); strings.Contains(v, k.Shop) || strings.Contains(v, k.VaultID) {
			t.Errorf("%s is %q", key, v)
		}
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	for _, tt := range [][2]string{
		{"Blomman", "Blomman"},
		{"Łódź Ünited 100% №1", "Łódź Ünited 100% №1"},
		{"Blomman 🌷 & Bröd 👩‍🍳❤️", "Blomman & Bröd"},
		{"Ροδή и Мир", "Ροδή и Мир"},
		{"花店 X", "□□ X"},
		{"a\nb\tc\u0000\u202e", "a b c"},
		{"🌷", ""},
		{"", ""},
	} {
		if got := shown(tt[0]); got != tt[1] {
			t.Errorf("%q is shown as %q, want %q", tt[0], got, tt[1])
		}
	}
}

// TestPrintable holds what is said to be printable to the fonts.
func TestPrintable(t *testing.T) {
	t.Parallel()
	regular, bold, mono := glyphs(t, "NotoSans-Regular.ttf"), glyphs(t, "NotoSans-Bold.ttf"), glyphs(t, "DejaVuSansMono-Powerline.ttf")
	for r := rune(0); r < 0x20000; r++ {
		if printable(r) && r != 0xA0 && r != 0xAD && !(regular[r] && bold[r]) {
			t.Errorf("no glyph for %U", r)
		}
		if plain(r) && !mono[r] {
			t.Errorf("no glyph to type off for %U", r)
		}
	}
	for _, r := range signs {
		if !mono[r] {
			t.Errorf("no glyph for %U", r)
		}
	}
	if regular['店'] || !regular['ź'] {
		t.Error("the font's table is not read rightly")
	}
}

// glyphs returns the characters a TrueType font has, by its table of format 4.
func glyphs(t *testing.T, name string) map[rune]bool {
	t.Helper()
	b, err := fonts.ReadFile("font/" + name)
	if err != nil {
		t.Fatal(err)
	}
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	u32 := func(at int) int { return int(binary.BigEndian.Uint32(b[at:])) }
	cmap := 0
	for i := range u16(4) {
		if at := 12 + 16*i; string(b[at:at+4]) == "cmap" {
			cmap = u32(at + 8)
		}
	}
	out := map[rune]bool{}
	for i := range u16(cmap + 2) {
		at := cmap + u32(cmap+4+8*i+4)
		if u16(at) != 4 {
			continue
		}
		n := u16(at+6) / 2
		for s := range n {
			end, start := u16(at+14+2*s), u16(at+16+2*n+2*s)
			delta, offset := u16(at+16+4*n+2*s), u16(at+16+6*n+2*s)
			for c := start; c <= end && c != 0xFFFF; c++ {
				g := c
				if offset != 0 {
					g = u16(at + 16 + 6*n + 2*s + offset + 2*(c-start))
				}
				if (g+delta)&0xFFFF != 0 && (offset == 0 || g != 0) {
					out[rune(c)] = true
				}
			}
		}
	}
	return out
}

// FuzzPDF draws kits of any words.
func FuzzPDF(f *testing.F) {
	for _, k := range []app.Kit{samples()["odd"], longest()} {
		f.Add(k.Shop, k.Passphrase.Reveal(), k.Storage.Settings["bucket"])
	}
	f.Fuzz(func(t *testing.T, shop, passphrase, bucket string) {
		if passphrase == "" || len(shop)+len(passphrase)+len(bucket) > 5000 {
			return
		}
		k := sample()
		k.Shop, k.Passphrase, k.Storage.Settings["bucket"] = shop, app.NewSecret(passphrase), bucket
		if _, err := New().PDF(k, "sv"); err != nil {
			t.Error(err)
		}
		text, err := New().Text(k, "en")
		if err != nil {
			t.Fatal(err)
		}
		got, err := New().Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		sameKit(t, got, k)
	})
}
