package kit

import (
	"strconv"
	"strings"

	"kvart/app"
)

var _ app.Typesetter = (*Press)(nil)

// Print implements [app.Typesetter].
func (*Press) Print(d app.Paper) ([]byte, error) {
	p, err := newPage()
	if err != nil {
		return nil, err
	}
	p.pdf.SetCreationDate(d.Made.UTC())
	p.pdf.SetModificationDate(d.Made.UTC())
	p.pdf.SetTitle(d.Title, true)
	p.pdf.SetProducer("Kvart", true)
	p.turn()
	if err := p.mark(margin, p.y+0.6, 13.5); err != nil {
		return nil, err
	}
	p.put(sectionGap, func(x, y, width float64) float64 {
		const indent = 18.0
		top := y
		y = p.paragraph(x+indent, y, width-indent, p.bold(17), shown(d.Title)) + 0.8
		return max(p.paragraph(x+indent, y, width-indent, p.muted(10), shown(d.Under)), top+15)
	})
	for _, part := range d.Parts {
		parts := p.paperParts(part)
		if len(parts) <= wholeRows {
			p.flow(sectionGap, parts)
			continue
		}
		for _, row := range parts { // a long list fills the sheet it begins on
			p.put(0, row)
		}
		p.y += sectionGap
	}
	count := p.pdf.PageNo()
	p.footer = func(n int) (string, string) {
		page := strings.NewReplacer("{page}", strconv.Itoa(n), "{count}", strconv.Itoa(count)).Replace(d.Page)
		return shown(d.Foot), page
	}
	return p.finish()
}

// wholeRows is how many rows of a paper's section stay together.
const wholeRows = 8

// paperParts draws a section in parts that may be torn from each other, its
// heading with what comes first.
func (p *page) paperParts(s app.PaperPart) []part {
	var parts []part
	for _, text := range s.Texts {
		parts = append(parts, func(x, y, width float64) float64 {
			for _, line := range strings.Split(text, "\n") {
				y = p.paragraph(x, y, width, p.plain(10), shown(line))
			}
			return y + 0.8
		})
	}
	for _, r := range s.Rows {
		parts = append(parts, p.paperRow(r))
	}
	heading := func(x, y, width float64) float64 {
		st := p.bold(11)
		st.ink = p.colors.Primary
		y = p.text(x, y, st, s.Heading)
		p.rule(x, y+0.3, width, p.colors.Primary, 0.3)
		return y + 1.9
	}
	if len(parts) == 0 {
		return []part{heading}
	}
	parts[0] = together(heading, parts[0])
	return parts
}

func (p *page) paperRow(r app.PaperRow) part {
	const left, gap = 42.0, 4.0
	return func(x, y, width float64) float64 {
		label, value := p.muted(9.5), p.plain(9.5)
		if r.Bad {
			value.ink = p.colors.Danger
		}
		end := p.paragraph(x, y, left, label, shown(r.Left))
		right := p.paragraph(x+left+gap, y, width-left-gap, value, shown(r.Right))
		for _, m := range r.More {
			right = p.paragraph(x+left+gap, right, width-left-gap, p.muted(8.5), shown(m))
		}
		return max(end, right) + 0.9
	}
}
