package widgets

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/theme"
)

// Look is how a [Text] looks.
type Look struct {
	Size     fyne.ThemeSizeName
	Color    fyne.ThemeColorName
	Bold     bool
	Mono     bool
	OneLine  bool // never wraps; as wide as its words
	Truncate bool // never wraps; ends in an ellipsis where there is no room
	Trailing bool // right-aligned
}

// Heading is a screen's title.
func Heading() Look { return Look{Size: fynetheme.SizeNameHeadingText, Bold: true} }

// Sub is a section's title.
func Sub() Look { return Look{Size: fynetheme.SizeNameSubHeadingText, Bold: true} }

// Body is ordinary text.
func Body() Look { return Look{} }

// Strong is ordinary text that stands out.
func Strong() Look { return Look{Bold: true} }

// Muted is secondary text.
func Muted() Look { return Look{Color: theme.ColorMuted} }

// Caption is small secondary text.
func Caption() Look { return Look{Size: fynetheme.SizeNameCaptionText, Color: theme.ColorMuted} }

// In returns the look in another colour.
func (l Look) In(c fyne.ThemeColorName) Look { l.Color = c; return l }

// Line returns the look on one line, as wide as its words.
func (l Look) Line() Look { l.OneLine = true; return l }

// Cut returns the look on one line that gives way to what is beside it.
func (l Look) Cut() Look { l.Truncate = true; return l }

// Text is words without the margins Fyne's label has, wrapped unless its look
// says otherwise.
type Text struct {
	widget.BaseWidget
	look Look
	rich *widget.RichText
	seg  *widget.TextSegment
}

// NewText returns words in a look.
func NewText(s string, l Look) *Text {
	t := &Text{look: l}
	t.seg = &widget.TextSegment{Text: s}
	t.rich = widget.NewRichText(t.seg)
	switch {
	case l.Truncate:
		t.rich.Truncation = fyne.TextTruncateEllipsis
	case !l.OneLine:
		t.rich.Wrapping = fyne.TextWrapWord
	}
	t.apply()
	t.ExtendBaseWidget(t)
	return t
}

func (t *Text) apply() {
	size, color := t.look.Size, t.look.Color
	if size == "" {
		size = fynetheme.SizeNameText
	}
	if color == "" {
		color = fynetheme.ColorNameForeground
	}
	t.seg.Style = widget.RichTextStyle{SizeName: size, ColorName: color, TextStyle: fyne.TextStyle{Bold: t.look.Bold, Monospace: t.look.Mono}}
	if t.look.Trailing {
		t.seg.Style.Alignment = fyne.TextAlignTrailing
	}
}

// Words returns what is shown.
func (t *Text) Words() string { return t.seg.Text }

// Set shows other words.
func (t *Text) Set(s string) {
	if s == t.seg.Text {
		return
	}
	t.seg.Text = s
	t.rich.Refresh()
	t.Refresh()
}

// SetLook shows the words in another look; whether they wrap stays.
func (t *Text) SetLook(l Look) {
	if l == t.look {
		return
	}
	t.look = l
	t.apply()
	t.rich.Refresh()
}

// CreateRenderer implements [fyne.Widget].
func (t *Text) CreateRenderer() fyne.WidgetRenderer { return &textRenderer{t} }

type textRenderer struct{ t *Text }

// margin is what Fyne's rich text keeps free on every side.
func (r *textRenderer) margin() float32 { return r.t.Theme().Size(fynetheme.SizeNameInnerPadding) }

func (r *textRenderer) Layout(s fyne.Size) {
	if s.Width < 1 {
		return // nothing to be seen yet; wrapping at every letter would only mislead
	}
	m := r.margin()
	r.t.rich.Move(fyne.NewPos(-m, -m))
	r.t.rich.Resize(s.AddWidthHeight(2*m, 2*m))
}

func (r *textRenderer) MinSize() fyne.Size {
	m := r.margin()
	if r.t.rich.Size().Width < 1 && !r.t.look.OneLine {
		return fyne.NewSize(0, fyne.MeasureText("0", r.t.Theme().Size(r.t.seg.Style.SizeName), r.t.seg.Style.TextStyle).Height)
	}
	s := r.t.rich.MinSize().SubtractWidthHeight(2*m, 2*m)
	return fyne.NewSize(max(s.Width, 0), max(s.Height, 0))
}

func (r *textRenderer) Refresh() { r.t.rich.Refresh() }
func (r *textRenderer) Destroy() {}

// Objects is nothing while there is no room: what was laid out before in a
// wider place is not to be drawn on top of what stands there now.
func (r *textRenderer) Objects() []fyne.CanvasObject {
	if r.t.Size().Width < 1 {
		return nil
	}
	return []fyne.CanvasObject{r.t.rich}
}
