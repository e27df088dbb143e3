package kit

import (
	"strings"
)

// commandChars is how long the lines of commands are on paper.
const commandChars = 110

// commandParts draws the commands for stock Kopia.
func (s *sheet) commandParts(p *page) []part {
	small, mono := p.plain(8.5), p.mono(7)
	mono.leading = 1.3
	sentences := append([]string{s.w.T("kit.command.text")}, s.files...)
	if s.command == nil {
		sentences = []string{s.w.T("kit.command.none")}
	}
	parts := []part{together(
		func(x, y, width float64) float64 { return s.drawHeading(p, x, y, width, s.w.T("kit.command")) },
		func(x, y, width float64) float64 {
			return p.paragraph(x, y, width, small, strings.Join(sentences, " ")) + 0.8
		},
	)}
	if s.command == nil {
		return parts
	}
	lines := shellLines(s.command, commandChars)
	for _, c := range s.followUp {
		lines = append(lines, shellLines(c, commandChars)...)
	}
	for _, l := range lines {
		parts = append(parts, func(x, y, _ float64) float64 { return p.text(x+2, y, mono, l) })
	}
	return append(parts, func(x, y, width float64) float64 {
		return p.paragraph(x, y+0.8, width, small, s.restoreSentence())
	})
}

// drawPhones leaves room to write numbers down.
func (s *sheet) drawPhones(p *page) part {
	return func(x, y, width float64) float64 {
		y = s.drawHeading(p, x, y, width, s.w.T("kit.phones"))
		const rowHeight, gap = 7.2, 8.0
		column := (width - gap) / 2
		st := p.plain(9)
		for i, who := range s.phones() {
			at := x + float64(i%2)*(column+gap)
			p.text(at, y+rowHeight-st.line()-0.6, st, who)
			label := p.width(st, who) + 2
			p.rule(at+label, y+rowHeight-0.8, column-label, p.colors.Muted, 0.2)
			if i%2 == 1 {
				y += rowHeight
			}
		}
		return y
	}
}

// drawCode ends the kit with what the owner types back.
func (s *sheet) drawCode(p *page) part {
	return func(x, y, width float64) float64 {
		const height, codeAt = 10.5, 4.0
		p.box(x, y, width, height, p.colors.Background)
		st := p.mono(17)
		p.text(x+codeAt, y+(height-st.line())/2, st, s.code)
		at := codeAt + p.width(st, s.code) + 6
		label, text := p.bold(9.5), p.plain(9)
		top := y + (height-label.line()-text.line())/2
		top = p.text(x+at, top, label, s.w.T("kit.code"))
		p.paragraph(x+at, top, width-at-2, text, s.w.T("kit.code.text"))
		return y + height
	}
}
