package widgets

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/theme"
)

const (
	barHeight  float32 = 24 // of a window's head
	lineHeight float32 = 24 // of a label
	edge       float32 = 12
)

// window draws a browser or Kvart's own window: its head, the menu on the left
// with the way through it, and what to fill in and press.
func (p *pen) window(b box, s Scene) {
	p.rect(b, theme.ColorSurface, theme.ColorMuted, 8)
	p.line(b.x, b.y+barHeight, b.x+b.w, b.y+barHeight, 1, theme.ColorMuted)
	if s.Frame == assets.FrameKvart {
		p.dot(b.x+edge, b.y+7, 10, fynetheme.ColorNamePrimary)
		p.text(box{b.x + edge + 16, b.y, 80, barHeight}, app.Name, lettering{color: fynetheme.ColorNameForeground, bold: true})
	} else {
		for i := range 3 {
			p.dot(b.x+edge+float32(i)*11, b.y+9, 6, theme.ColorMuted)
		}
		p.rect(box{b.x + edge + 38, b.y + 6, b.w - edge*2 - 38, 12}, theme.ColorTrack, "", 6)
	}
	rest := box{b.x, b.y + barHeight, b.w, b.h - barHeight}
	side, need := p.menuWidth(s.Menu), p.formWidth(s)
	switch {
	case len(s.Menu) == 0:
	case side+need+2*edge <= b.w || need == 0:
		rest = p.menu(rest, s.Menu, min(side, b.w), need == 0)
	default:
		rest = p.tabs(rest, s.Menu)
	}
	p.form(box{rest.x + edge, rest.y + 10, rest.w - 2*edge, rest.h - 20}, s)
}

// menuWidth returns how wide a menu at the side is.
func (p *pen) menuWidth(way []string) float32 {
	widest := float32(72)
	for _, m := range way {
		widest = max(widest, p.width(m, lettering{bold: true}))
	}
	return widest + 2*edge + 12
}

// formWidth returns how much room a form needs; 0 when there is none.
func (p *pen) formWidth(s Scene) float32 {
	var widest float32
	for _, f := range s.Fields {
		widest = max(widest, p.width(f, lettering{})+16)
	}
	for _, t := range s.Ticks {
		widest = max(widest, p.width(t, lettering{})+22)
	}
	if s.Button != "" {
		widest = max(widest, p.width(s.Button, lettering{bold: true})+22)
	}
	return widest
}

// tabs draws the way through a menu in one line, where there is no room for it
// at the side, and returns the room below. Of a long way its end is drawn.
func (p *pen) tabs(b box, way []string) box {
	for len(way) > 1 {
		need := edge
		for _, m := range way {
			need += p.width(m, lettering{bold: true}) + 24
		}
		if need <= b.w {
			break
		}
		way = way[1:]
	}
	x := b.x + edge - 6
	for i, m := range way {
		l := lettering{color: theme.ColorMuted}
		w := min(p.width(m, lettering{bold: true})+16, b.w-(x-b.x)-6)
		if i == len(way)-1 {
			p.rect(box{x, b.y + 5, w, lineHeight - 2}, theme.ColorGoodTint, fynetheme.ColorNamePrimary, 6)
			l = lettering{color: theme.ColorGoodText, bold: true}
		}
		p.text(box{x + 8, b.y + 5, w - 12, lineHeight - 2}, m, l)
		x += w + 8
	}
	p.line(b.x, b.y+lineHeight+8, b.x+b.w, b.y+lineHeight+8, 1, theme.ColorLine)
	return box{b.x, b.y + lineHeight + 8, b.w, b.h - lineHeight - 8}
}

// menu draws a menu with the way through it, and returns the room beside it.
func (p *pen) menu(b box, way []string, w float32, alone bool) box {
	p.line(b.x+w, b.y, b.x+w, b.y+b.h, 1, theme.ColorLine)
	y := b.y + 8
	for i, m := range way {
		row := box{b.x + 6, y, w - 12, lineHeight}
		l := lettering{color: theme.ColorMuted}
		if i == len(way)-1 {
			p.rect(row, theme.ColorGoodTint, fynetheme.ColorNamePrimary, 6)
			l = lettering{color: theme.ColorGoodText, bold: true}
		}
		p.text(box{row.x + 8, row.y, row.w - 14, row.h}, m, l)
		y += lineHeight + 3
	}
	if alone {
		p.pointer(b.x+w-18, y-12)
	}
	for ; y+12 < b.y+b.h; y += 17 {
		p.rect(box{b.x + 14, y + 5, (w - 28) * 0.6, 5}, theme.ColorTrack, "", 2)
	}
	return box{b.x + w, b.y, b.w - w, b.h}
}

// form draws what to fill in, to tick and to press.
func (p *pen) form(b box, s Scene) {
	y := b.y
	line := fyne.ThemeColorName(theme.ColorMuted)
	if s.Frame == assets.FrameKvart {
		line = fynetheme.ColorNamePrimary
	}
	if n := len(s.Fields) + len(s.Ticks); n < 3 && b.h > 90 && s.Frame != assets.FrameKvart {
		p.rect(box{b.x, y + 2, b.w * 0.55, 6}, theme.ColorTrack, "", 3)
		y += 15
	}
	for _, f := range s.Fields {
		p.rect(box{b.x, y, b.w, lineHeight}, "", line, 5)
		p.text(box{b.x + 8, y, b.w - 14, lineHeight}, f, lettering{color: fynetheme.ColorNameForeground})
		y += lineHeight + 5
	}
	for _, t := range s.Ticks {
		p.tick(box{b.x, y, b.w, 20}, t)
		y += 23
	}
	if s.Button == "" {
		return
	}
	lowest := b.y + b.h - lineHeight
	if y > lowest {
		p.cut = append(p.cut, s.Button)
	}
	p.button(box{b.x, min(y+2, lowest), b.w, lineHeight}, s.Button)
}

// terminal draws lines that are typed.
func (p *pen) terminal(b box, s Scene) {
	p.rect(b, theme.ColorNeutralTint, theme.ColorMuted, 8)
	p.line(b.x, b.y+barHeight, b.x+b.w, b.y+barHeight, 1, theme.ColorMuted)
	for i := range 3 {
		p.dot(b.x+edge+float32(i)*11, b.y+9, 6, theme.ColorMuted)
	}
	y := b.y + barHeight + 10
	for i, t := range s.Lines {
		x := b.x + edge
		if i == 0 {
			p.text(box{x, y, 20, 22}, ">", lettering{color: theme.ColorGoodText, mono: true, bold: true})
		}
		p.text(box{x + 16, y, b.w - 2*edge - 16, 22}, t, lettering{color: fynetheme.ColorNameForeground, mono: true})
		y += 24
	}
	p.rect(box{b.x + edge + 16, y + 3, 8, 14}, fynetheme.ColorNamePrimary, "", 1)
}

// letter draws a paper with what is to be found on it.
func (p *pen) letter(b box, s Scene) {
	w := min(b.w, 250)
	q := box{b.x + (b.w-w)/2, b.y, w, b.h}
	p.rect(q, theme.ColorSurface, theme.ColorMuted, 4)
	p.rect(box{q.x + edge, q.y + 12, w * 0.4, 6}, theme.ColorTrack, "", 3)
	p.rect(box{q.x + edge, q.y + 24, w * 0.7, 6}, theme.ColorTrack, "", 3)
	y := q.y + 38
	for _, f := range s.Fields {
		p.rect(box{q.x + edge, y, w - 2*edge, lineHeight}, theme.ColorGoodTint, fynetheme.ColorNamePrimary, 5)
		p.text(box{q.x + edge + 8, y, w - 2*edge - 14, lineHeight}, f, lettering{color: theme.ColorGoodText, bold: true})
		y += lineHeight + 5
	}
	for _, t := range s.Ticks {
		p.tick(box{q.x + edge, y, w - 2*edge, lineHeight}, t)
		y += lineHeight
	}
}

// folders draws folders inside each other, the last one chosen.
func (p *pen) folders(b box, s Scene) {
	p.rect(b, theme.ColorSurface, theme.ColorMuted, 8)
	y := b.y + 12
	for i, f := range s.Fields {
		x := b.x + edge + float32(min(i, 1))*22
		l := lettering{color: fynetheme.ColorNameForeground}
		if i == len(s.Fields)-1 {
			p.rect(box{x - 6, y, b.w - (x - b.x) - 6, lineHeight}, theme.ColorGoodTint, fynetheme.ColorNamePrimary, 6)
			l = lettering{color: theme.ColorGoodText, bold: true}
		}
		p.rect(box{x + 2, y + 5, 9, 5}, theme.ColorMuted, "", 1)
		p.rect(box{x + 2, y + 7, 18, 12}, theme.ColorMuted, "", 2)
		p.text(box{x + 28, y, b.w - (x - b.x) - 40, lineHeight}, f, l)
		y += lineHeight + 6
	}
	for _, t := range s.Ticks {
		p.tick(box{b.x + edge + 22, y, b.w - 3*edge, lineHeight}, t)
		y += lineHeight
	}
	if s.Button != "" {
		p.button(box{b.x + edge, b.y + b.h - lineHeight - 14, b.w - 2*edge, lineHeight}, s.Button)
	}
}

// disks draws a computer with a disk beside it, and another disk at home.
func (p *pen) disks(b box, s Scene) {
	p.rect(b, theme.ColorSurface, theme.ColorMuted, 8)
	x, y := b.x+14, b.y+26
	p.rect(box{x, y, 92, 60}, "", fynetheme.ColorNameForeground, 5)
	p.rect(box{x + 8, y + 8, 76, 44}, theme.ColorGoodTint, "", 3)
	p.line(x+46, y+60, x+46, y+74, 2, fynetheme.ColorNameForeground)
	p.line(x+26, y+75, x+66, y+75, 2, fynetheme.ColorNameForeground)
	p.line(x+92, y+44, x+118, y+44, 2, fynetheme.ColorNamePrimary)
	p.disk(x+118, y+26)
	if len(s.Fields) > 0 { // below both, left of what is said of the house
		p.text(box{x, y + 86, b.w - 128, 20}, s.Fields[0], lettering{color: theme.ColorGoodText, bold: true})
	}
	if len(s.Ticks) == 0 {
		return
	}
	// a house, with the other disk in it
	hx, hy := b.x+b.w-76, y-8
	p.line(hx-6, hy+22, hx+30, hy-4, 2, theme.ColorMuted)
	p.line(hx+30, hy-4, hx+66, hy+22, 2, theme.ColorMuted)
	p.line(hx, hy+20, hx, hy+72, 2, theme.ColorMuted)
	p.line(hx+60, hy+20, hx+60, hy+72, 2, theme.ColorMuted)
	p.line(hx, hy+72, hx+60, hy+72, 2, theme.ColorMuted)
	p.rect(box{hx + 12, hy + 34, 36, 24}, theme.ColorGoodTint, fynetheme.ColorNamePrimary, 4)
	p.text(box{b.x + b.w - 110, y + 86, 104, 20}, s.Ticks[0], lettering{color: theme.ColorGoodText, bold: true})
}

// disk draws a small disk.
func (p *pen) disk(x, y float32) {
	p.rect(box{x, y, 48, 34}, theme.ColorGoodTint, fynetheme.ColorNamePrimary, 5)
	p.dot(x+36, y+22, 5, fynetheme.ColorNamePrimary)
	p.line(x+8, y+10, x+40, y+10, 1, fynetheme.ColorNamePrimary)
}
