package kit

import (
	"bytes"
	"embed"
	"fmt"
	"image/color"
	"image/png"
	"strings"
	"unicode/utf8"

	"codeberg.org/go-pdf/fpdf"

	"kvart/assets"
)

//go:embed font/*.ttf
var fonts embed.FS

// Measures of the paper in mm: A4 with margins every printer keeps to.
const (
	paperHeight = 297.0
	margin      = 15.0
	bodyWidth   = 210.0 - 2*margin
	bodyTop     = 13.0
	bodyBottom  = paperHeight - 14.0
	point       = 25.4 / 72
)

// style is how a text looks.
type style struct {
	family, weight string
	size           float64 // points
	leading        float64 // distance of lines, as a share of the size
	ink            color.NRGBA
}

func (s style) line() float64 { return s.size * s.leading * point }

// page draws on sheets of paper, from the top left corner, in mm.
type page struct {
	pdf    *fpdf.Fpdf
	y      float64
	dry    bool // measures, draws nothing
	colors assets.Palette
	footer func(number int) (left, right string)
}

func newPage() (*page, error) {
	p := &page{pdf: fpdf.New("P", "mm", "A4", ""), colors: assets.LightPalette()}
	p.pdf.SetMargins(margin, bodyTop, margin)
	p.pdf.SetAutoPageBreak(false, 0)
	p.pdf.SetCellMargin(0)
	p.pdf.SetCatalogSort(true)
	for _, f := range [][3]string{
		{"text", "", "NotoSans-Regular.ttf"},
		{"text", "B", "NotoSans-Bold.ttf"},
		{"mono", "", "DejaVuSansMono-Powerline.ttf"},
	} {
		b, err := fonts.ReadFile("font/" + f[2])
		if err != nil {
			return nil, fmt.Errorf("read font: %w", err)
		}
		p.pdf.AddUTF8FontFromBytes(f[0], f[1], b)
	}
	return p, nil
}

// turn begins a new sheet of paper.
func (p *page) turn() {
	p.pdf.AddPage()
	p.y = bodyTop
}

func (p *page) plain(size float64) style {
	return style{family: "text", size: size, leading: 1.32, ink: p.colors.Ink}
}

func (p *page) bold(size float64) style {
	s := p.plain(size)
	s.weight = "B"
	return s
}

func (p *page) muted(size float64) style {
	s := p.plain(size)
	s.ink = p.colors.Muted
	return s
}

func (p *page) mono(size float64) style {
	return style{family: "mono", size: size, leading: 1.4, ink: p.colors.Ink}
}

func (p *page) use(s style) {
	p.pdf.SetFont(s.family, s.weight, s.size)
	p.pdf.SetTextColor(int(s.ink.R), int(s.ink.G), int(s.ink.B))
}

// signs are the characters only the mono font has.
const signs = string(visibleSpace) + string(visibleEnd) + string(missing)

// runs cuts a text into what the style's own font has and what it hasn't.
func runs(s style, text string, each func(s style, run string)) {
	if s.family == "mono" || !strings.ContainsAny(text, signs) {
		each(s, text)
		return
	}
	mono := s
	mono.family, mono.weight = "mono", ""
	for text != "" {
		if i := strings.IndexAny(text, signs); i != 0 {
			if i < 0 {
				i = len(text)
			}
			each(s, text[:i])
			text = text[i:]
			continue
		}
		_, n := utf8.DecodeRuneInString(text)
		each(mono, text[:n])
		text = text[n:]
	}
}

// width is how wide a text gets.
func (p *page) width(s style, text string) float64 {
	var w float64
	runs(s, text, func(s style, run string) {
		p.use(s)
		w += p.pdf.GetStringWidth(run)
	})
	return w
}

// chars is how many characters of a fixed-width style fit.
func (p *page) chars(s style, width float64) int { return int(width / p.width(s, "0")) }

// text draws one line and returns where the next one begins.
func (p *page) text(x, y float64, s style, text string) float64 {
	if !p.dry {
		baseline := y + (s.leading/2+0.36)*s.size*point
		runs(s, text, func(s style, run string) {
			p.use(s)
			p.pdf.Text(x, baseline, run)
			x += p.pdf.GetStringWidth(run)
		})
	}
	return y + s.line()
}

// paragraph draws a text on as many lines as it takes.
func (p *page) paragraph(x, y, width float64, s style, text string) float64 {
	for _, l := range p.wrap(s, text, width) {
		y = p.text(x, y, s, l)
	}
	return y
}

// wrap breaks a text into lines, between words where it can.
func (p *page) wrap(s style, text string, width float64) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && p.width(s, line+" "+w) > width {
			out, line = append(out, line), ""
		}
		if line != "" {
			line += " "
		}
		line += w
		for p.width(s, line) > width && utf8.RuneCountInString(line) > 1 {
			head := p.fit(s, line, width)
			out, line = append(out, head), line[len(head):]
		}
	}
	return append(out, line)
}

// fit returns as much of the beginning of a text as fits, at least a
// character.
func (p *page) fit(s style, text string, width float64) string {
	end := 0
	for i, r := range text {
		next := i + utf8.RuneLen(r)
		if i > 0 && p.width(s, text[:next]) > width {
			break
		}
		end = next
	}
	return text[:end]
}

// rule draws a line across.
func (p *page) rule(x, y, width float64, ink color.NRGBA, thickness float64) {
	if p.dry {
		return
	}
	p.pdf.SetDrawColor(int(ink.R), int(ink.G), int(ink.B))
	p.pdf.SetLineWidth(thickness)
	p.pdf.Line(x, y, x+width, y)
}

// box fills a rectangle.
func (p *page) box(x, y, width, height float64, ink color.NRGBA) {
	if p.dry {
		return
	}
	p.pdf.SetFillColor(int(ink.R), int(ink.G), int(ink.B))
	p.pdf.Rect(x, y, width, height, "F")
}

// mark draws Kvart's mark.
func (p *page) mark(x, y, size float64) error {
	var b bytes.Buffer
	if err := png.Encode(&b, assets.DrawMark(320, assets.NewMark(assets.MarkSafe))); err != nil {
		return fmt.Errorf("draw mark: %w", err)
	}
	o := fpdf.ImageOptions{ImageType: "png"}
	p.pdf.RegisterImageOptionsReader("mark", o, &b)
	p.pdf.ImageOptions("mark", x, y, size, size, false, o, 0, "")
	return nil
}

// square draws a code with its quiet zone: as one shape, since of shapes next to
// each other the edges show.
func (p *page) square(x, y float64, s square) {
	if p.dry {
		return
	}
	m := s.module()
	p.pdf.SetFillColor(0, 0, 0)
	for row := range s.modules {
		for from := 0; from < s.modules; {
			to := from
			for to < s.modules && s.dark(to, row) {
				to++
			}
			if to > from {
				left, right := x+float64(from+quietZone)*m, x+float64(to+quietZone)*m
				top, bottom := y+float64(row+quietZone)*m, y+float64(row+1+quietZone)*m
				p.pdf.MoveTo(left, top)
				p.pdf.LineTo(right, top)
				p.pdf.LineTo(right, bottom)
				p.pdf.LineTo(left, bottom)
				p.pdf.ClosePath()
			}
			from = to + 1
		}
	}
	p.pdf.DrawPath("F")
}

// part draws something at a place and returns where it ends below.
type part func(x, y, width float64) float64

// height measures a part.
func (p *page) height(width float64, d part) float64 {
	was := p.dry
	p.dry = true
	defer func() { p.dry = was }()
	return d(0, 0, width)
}

// put draws a part below what is there, on the next sheet where it doesn't fit
// on this one, and leaves a gap.
func (p *page) put(gap float64, d part) {
	if p.y > bodyTop && !p.fits(d) {
		p.turn()
	}
	p.y = d(margin, p.y, bodyWidth) + gap
}

// fits reports whether there is room for a part on this sheet.
func (p *page) fits(d part) bool { return p.y+p.height(bodyWidth, d) <= bodyBottom }

// flow draws parts below each other: on one sheet if any has room for all of
// them, else torn where one ends.
func (p *page) flow(gap float64, parts []part) {
	if whole := together(parts...); p.height(bodyWidth, whole) <= bodyBottom-bodyTop {
		p.put(gap, whole)
		return
	}
	for _, d := range parts {
		p.put(0, d)
	}
	p.y += gap
}

// together makes one part of several, below each other.
func together(parts ...part) part {
	return func(x, y, width float64) float64 {
		for _, d := range parts {
			y = d(x, y, width)
		}
		return y
	}
}

// finish numbers the sheets and returns the document.
func (p *page) finish() ([]byte, error) {
	count := p.pdf.PageNo()
	s := p.muted(7.5)
	for n := 1; n <= count; n++ {
		p.pdf.SetPage(n)
		left, right := p.footer(n)
		edge := margin + bodyWidth - p.width(s, right)
		p.text(margin, paperHeight-11, s, p.fit(s, left, edge-margin-columnGap))
		p.text(edge, paperHeight-11, s, right)
	}
	var b bytes.Buffer
	if err := p.pdf.Output(&b); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return b.Bytes(), nil
}
