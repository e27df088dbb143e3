package kit

import (
	"fmt"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

// Gaps in mm: after a section, below a heading, between columns.
const (
	sectionGap = 3.2
	columnGap  = 6.0
)

// PDF implements [app.KitPress].
func (p *Press) PDF(k app.Kit, language string) (app.Secret, error) {
	s, err := newSheet(k, language, p.storages)
	if err != nil {
		return app.Secret{}, err
	}
	b, err := newBlock(k)
	if err != nil {
		return app.Secret{}, err
	}
	codes, texts, err := squares(b)
	if err != nil {
		return app.Secret{}, err
	}
	if err := check(k, strings.Join(texts, "\n")); err != nil {
		return app.Secret{}, err
	}
	sheet, err := newPage()
	if err != nil {
		return app.Secret{}, err
	}
	made := k.Made.UTC()
	if made.IsZero() {
		made = time.Unix(0, 0).UTC() // else the library takes now
	}
	sheet.pdf.SetCreationDate(made)
	sheet.pdf.SetModificationDate(made)
	sheet.pdf.SetTitle(s.w.T("kit.title.alone", assets.Args{"Number": k.Number}), true)
	sheet.pdf.SetProducer("Kvart", true)
	sheet.turn()
	if err := sheet.mark(margin, sheet.y+0.6, 13.5); err != nil {
		return app.Secret{}, err
	}
	s.draw(sheet, codes)
	out, err := sheet.finish()
	if err != nil {
		return app.Secret{}, err
	}
	return app.NewSecret(string(out)), nil
}

// draw lays the kit out.
func (s *sheet) draw(p *page, codes []square) {
	p.put(sectionGap, s.drawTitle(p))
	p.put(sectionGap, s.drawPurpose(p))
	p.put(sectionGap, s.drawSteps(p))
	s.drawKeys(p, codes)
	p.put(sectionGap, s.drawPhones(p))
	p.put(0, s.drawCode(p))
	count := p.pdf.PageNo()
	p.footer = func(n int) (string, string) {
		return s.title, s.w.T("kit.page", assets.Args{"Page": n, "Count": count})
	}
}

func (s *sheet) drawTitle(p *page) part {
	return func(x, y, width float64) float64 {
		const indent = 18.0
		top := y
		st, lines := p.bold(19), []string{}
		for ; st.size >= 12; st.size-- {
			if lines = p.wrap(st, s.title, width-indent); len(lines) <= 2 {
				break
			}
		}
		if len(lines) > 2 { // the whole name is in the code
			lines = []string{lines[0], p.fit(st, lines[1], width-indent-5) + "…"}
		}
		st.leading = 1.2
		for _, l := range lines {
			y = p.text(x+indent, y, st, l)
		}
		y += 0.8
		made := s.made + "  "
		plain, bold := p.muted(9.5), p.bold(9.5)
		p.text(x+indent, y, plain, made)
		y = p.text(x+indent+p.width(plain, made), y, bold, s.w.T("kit.void"))
		return max(y, top+15)
	}
}

func (s *sheet) drawPurpose(p *page) part {
	return func(x, y, width float64) float64 {
		y = p.paragraph(x, y, width, p.plain(10), s.w.T("kit.purpose")) + 2
		keep := func(x, y, width float64) float64 {
			return p.paragraph(x+4, y+1.6, width-8, p.bold(10), s.w.T("kit.keep")) + 1.6
		}
		h := p.height(width, keep)
		p.box(x, y, width, h, p.colors.Background)
		p.box(x, y, 1.2, h, p.colors.Danger)
		return keep(x, y, width)
	}
}

func (s *sheet) drawHeading(p *page, x, y, width float64, text string) float64 {
	st := p.bold(11)
	st.ink = p.colors.Primary
	y = p.text(x, y, st, text)
	p.rule(x, y+0.3, width, p.colors.Primary, 0.3)
	return y + 1.9
}

func (s *sheet) drawSteps(p *page) part {
	return func(x, y, width float64) float64 {
		y = s.drawHeading(p, x, y, width, s.w.T("kit.steps"))
		const gap, indent = 5.0, 7.0
		column := (width - 2*gap) / 3
		end := y
		for i, step := range s.steps() {
			at := x + float64(i)*(column+gap)
			number := p.bold(16)
			number.ink = p.colors.Primary
			p.text(at, y-1.2, number, fmt.Sprint(i+1))
			next := p.paragraph(at+indent, y, column-indent, p.bold(9.5), step[0])
			end = max(end, p.paragraph(at+indent, next, column-indent, p.plain(8.5), step[1]))
		}
		return end
	}
}

// drawKeys draws place, passphrase, codes and commands: place and codes in two
// columns where there is one code and room beside it, else one after the other.
func (s *sheet) drawKeys(p *page, codes []square) {
	command := s.commandParts(p)
	right := max(codes[0].width(), 55) // a small code has words below it, too
	both := func(x, y, width float64) float64 {
		left := width - right - columnGap
		end := together(s.keyParts(p, left)...)(x, y, left)
		return max(end, s.drawSquare(p, codes, 0, true)(x+left+columnGap, y, right))
	}
	if len(codes) == 1 && p.height(bodyWidth, both) < bodyBottom-bodyTop {
		p.put(sectionGap, both)
		p.flow(sectionGap, command)
		return
	}
	p.flow(sectionGap, s.keyParts(p, bodyWidth))
	squares := s.squareParts(p, codes)
	if !p.fits(squares[0]) && p.fits(together(command...)) {
		p.flow(sectionGap, command)
		p.flow(sectionGap, squares)
		return
	}
	p.flow(sectionGap, squares)
	p.flow(sectionGap, command)
}

// keyParts returns place and passphrase in parts that may be torn from each
// other by the end of a page.
func (s *sheet) keyParts(p *page, width float64) []part {
	kind := s.reserved(lineKind, string(s.kit.Storage.Kind), false)
	parts := []part{together(
		func(x, y, width float64) float64 { return s.drawHeading(p, x, y, width, s.w.T("kit.where")) },
		func(x, y, width float64) float64 { return p.paragraph(x, y, width, p.bold(9.5), s.kind) + 1 },
	)}
	parts = append(parts, s.fieldParts(p, kind, 9, width)...)
	for _, f := range s.fields {
		if f.minor {
			continue
		}
		parts = append(parts, s.fieldParts(p, f, 9, width)...)
	}
	pass := s.fieldParts(p, s.reserved(linePassphrase, s.kit.Passphrase.Reveal(), true), 11, width)
	parts = append(parts, together(
		func(x, y, width float64) float64 {
			return s.drawHeading(p, x, y+sectionGap, width, s.w.T("kit.line.passphrase"))
		}, pass[0],
	))
	parts = append(parts, pass[1:]...)
	parts = append(parts, s.fieldParts(p, s.fingerprintLine(), 9, width)...)
	return append(parts, func(x, y, width float64) float64 {
		return p.paragraph(x, y+0.6, width, p.muted(8), strings.Join(append([]string{s.w.T("kit.fingerprint")}, s.rules...), " "))
	})
}

// fieldParts draws a line for people: its label and mark on the left, its
// value on the right.
func (s *sheet) fieldParts(p *page, f field, size, width float64) []part {
	const labels = 27.0
	label, tiny, value := p.plain(8.7), p.muted(6.3), p.mono(size)
	label.leading, tiny.leading = 1.2, 1.15
	rows := f.rows(p.chars(value, width-labels))
	if f.tooLong {
		value = p.plain(9)
		rows = p.wrap(value, s.w.T("kit.too_long"), width-labels)
	}
	head := func(x, y, width float64) float64 {
		y = p.paragraph(x, y, labels-2, label, f.label)
		if f.mark != "" {
			y = p.paragraph(x, y, labels-2, tiny, "["+f.mark+"]:")
		}
		return y
	}
	beside := min(2, len(rows)) // rows next to label and mark
	parts := []part{func(x, y, width float64) float64 {
		end := y
		for _, r := range rows[:beside] {
			end = p.text(x+labels, end, value, r)
		}
		return max(head(x, y, width), end) + 0.7
	}}
	for _, r := range rows[beside:] {
		parts = append(parts, func(x, y, _ float64) float64 { return p.text(x+labels, y-0.7, value, r) + 0.7 })
	}
	return parts
}

// drawSquare draws one code with what to do with it.
func (s *sheet) drawSquare(p *page, codes []square, i int, heading bool) part {
	return func(x, y, width float64) float64 {
		if heading {
			y = s.drawHeading(p, x, y, width, s.w.T("kit.scan"))
		}
		if len(codes) > 1 {
			y = p.text(x, y, p.bold(9), s.w.T("kit.scan.part", assets.Args{"Part": i + 1, "Count": len(codes)}))
		}
		p.square(x, y, codes[i])
		y += codes[i].width()
		if heading {
			y = p.paragraph(x, y, width, p.muted(8), s.w.N("kit.scan.hint", 1))
		}
		return y
	}
}

// squareParts draws several codes, two in a row.
func (s *sheet) squareParts(p *page, codes []square) []part {
	hint := s.w.N("kit.scan.hint", int64(len(codes)))
	if len(codes) > 1 {
		hint += " " + s.w.T("kit.scan.all")
	}
	var out []part
	for i := 0; i < len(codes); i += 2 {
		out = append(out, func(x, y, _ float64) float64 {
			end := y
			for n := i; n < min(i+2, len(codes)); n++ {
				at := x + float64(n-i)*(bodyWidth+columnGap)/2
				end = max(end, s.drawSquare(p, codes, n, false)(at, y, codes[n].width()))
			}
			return end
		})
	}
	out[0] = together(func(x, y, width float64) float64 {
		y = s.drawHeading(p, x, y, width, s.w.T("kit.scan"))
		return p.paragraph(x, y, width, p.muted(8), hint) + 1
	}, out[0])
	return out
}
