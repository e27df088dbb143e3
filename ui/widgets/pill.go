package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/theme"
)

// Tone is how good or bad a thing is.
type Tone string

// Tones.
const (
	ToneGood    Tone = "good"
	ToneWarn    Tone = "warn"
	ToneDanger  Tone = "danger"
	ToneNeutral Tone = "neutral"
)

// Text returns the colour of words in this tone.
func (t Tone) Text() fyne.ThemeColorName {
	switch t {
	case ToneGood:
		return theme.ColorGoodText
	case ToneWarn:
		return theme.ColorWarnText
	case ToneDanger:
		return theme.ColorDangerText
	}
	return theme.ColorNeutralText
}

func (t Tone) tint() fyne.ThemeColorName {
	switch t {
	case ToneGood:
		return theme.ColorGoodTint
	case ToneWarn:
		return theme.ColorWarnTint
	case ToneDanger:
		return theme.ColorDangerTint
	}
	return theme.ColorNeutralTint
}

// Pill is a state in a few words.
type Pill struct {
	widget.BaseWidget
	tone  Tone
	words *Text
}

// NewPill returns a pill.
func NewPill(s string, tone Tone) *Pill {
	p := &Pill{tone: tone}
	p.words = NewText(s, p.look())
	p.ExtendBaseWidget(p)
	return p
}

func (p *Pill) look() Look {
	return Look{Size: theme.SizePill, Color: p.tone.Text(), Bold: true, OneLine: true}
}

// CreateRenderer implements [fyne.Widget].
func (p *Pill) CreateRenderer() fyne.WidgetRenderer {
	r := &pillRenderer{p: p, bg: canvas.NewRectangle(color.Transparent)}
	r.paint()
	return r
}

type pillRenderer struct {
	p  *Pill
	bg *canvas.Rectangle
}

func (r *pillRenderer) paint() {
	r.bg.FillColor = r.p.Theme().Color(r.p.tone.tint(), fyne.CurrentApp().Settings().ThemeVariant())
}

func (r *pillRenderer) Layout(s fyne.Size) {
	m := r.MinSize()
	y := (s.Height - m.Height) / 2
	r.bg.Move(fyne.NewPos(0, y))
	r.bg.Resize(m)
	r.bg.CornerRadius = m.Height / 2
	r.p.words.Move(fyne.NewPos(10, y+2))
	r.p.words.Resize(r.p.words.MinSize())
}

func (r *pillRenderer) MinSize() fyne.Size { return r.p.words.MinSize().AddWidthHeight(20, 4) }
func (r *pillRenderer) Refresh()           { r.paint(); r.bg.Refresh(); r.p.words.Refresh() }
func (r *pillRenderer) Destroy()           {}
func (r *pillRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.bg, r.p.words}
}
