package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Run is a piece of a [Prose].
type Run struct {
	Text string
	Bold bool
	Mono bool
	// Tapped makes it a link. A link does not wrap: it is best alone.
	Tapped func()
}

// Prose is a paragraph whose words don't all look the same, with links in it.
type Prose struct {
	widget.BaseWidget
	runs []Run
	rich *widget.RichText
}

// NewProse returns a paragraph.
func NewProse(runs ...Run) *Prose {
	p := &Prose{runs: runs, rich: widget.NewRichText()}
	p.rich.Wrapping = fyne.TextWrapWord
	for _, r := range runs {
		if r.Tapped != nil {
			p.rich.Segments = append(p.rich.Segments, &linkSegment{HyperlinkSegment: widget.HyperlinkSegment{Text: r.Text, OnTapped: r.Tapped}, in: p})
			continue
		}
		p.rich.Segments = append(p.rich.Segments, &widget.TextSegment{Text: r.Text, Style: widget.RichTextStyle{
			Inline: true, SizeName: fynetheme.SizeNameText, ColorName: fynetheme.ColorNameForeground,
			TextStyle: fyne.TextStyle{Bold: r.Bold, Monospace: r.Mono},
		}})
	}
	p.ExtendBaseWidget(p)
	return p
}

// Words returns what is shown.
func (p *Prose) Words() string {
	var b strings.Builder
	for _, r := range p.runs {
		b.WriteString(r.Text)
	}
	return b.String()
}

// CreateRenderer implements [fyne.Widget].
func (p *Prose) CreateRenderer() fyne.WidgetRenderer { return &proseRenderer{p} }

type proseRenderer struct{ p *Prose }

// margin is what Fyne's rich text keeps free on every side, and the paragraph
// does not. A link alone keeps it above and below: it can be pressed there, and
// would be in the way of the next one.
func (r *proseRenderer) margin() (side, above float32) {
	m := r.p.Theme().Size(fynetheme.SizeNameInnerPadding)
	if len(r.p.runs) == 1 && r.p.runs[0].Tapped != nil {
		return m, 0
	}
	return m, m
}

func (r *proseRenderer) Layout(s fyne.Size) {
	if s.Width < 1 {
		return // nothing to be seen yet; wrapping at every letter would only mislead
	}
	side, above := r.margin()
	r.p.rich.Move(fyne.NewPos(-side, -above))
	r.p.rich.Resize(s.AddWidthHeight(2*side, 2*above))
}

func (r *proseRenderer) MinSize() fyne.Size {
	side, above := r.margin()
	if r.p.rich.Size().Width < 1 {
		return fyne.NewSize(0, fyne.MeasureText("0", r.p.Theme().Size(fynetheme.SizeNameText), fyne.TextStyle{}).Height)
	}
	s := r.p.rich.MinSize().SubtractWidthHeight(2*side, 2*above)
	return fyne.NewSize(max(s.Width, 0), max(s.Height, 0))
}

func (r *proseRenderer) Refresh()                     { r.p.rich.Refresh() }
func (r *proseRenderer) Destroy()                     {}
func (r *proseRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.p.rich} }
