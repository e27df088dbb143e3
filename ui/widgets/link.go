package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Link is Fyne's link that also answers Enter and hands the other keys to the
// window.
type Link struct {
	widget.Hyperlink
	in *Prose
}

func newLink(text string, tapped func(), in *Prose) *Link {
	l := &Link{in: in}
	l.Text, l.OnTapped = text, tapped
	l.ExtendBaseWidget(l)
	return l
}

// TypedKey implements [fyne.Focusable].
func (l *Link) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		l.OnTapped()
	default:
		PassKey(l, e)
	}
}

// TypedRune implements [fyne.Focusable].
func (l *Link) TypedRune(rune) {}

// linkSegment shows a [Link] where Fyne's segment shows a link of Fyne's.
type linkSegment struct {
	widget.HyperlinkSegment
	in *Prose
}

// Visual implements [widget.RichTextSegment].
func (s *linkSegment) Visual() fyne.CanvasObject {
	return container.New(unpadded{}, newLink(s.Text, s.OnTapped, s.in))
}

// Update implements [widget.RichTextSegment].
func (s *linkSegment) Update(o fyne.CanvasObject) {
	l := o.(*fyne.Container).Objects[0].(*Link)
	l.Text, l.OnTapped = s.Text, s.OnTapped
	l.Refresh()
}

// unpadded takes the room around its words from a link: rich text has its own.
type unpadded struct{}

func (unpadded) pad(o fyne.CanvasObject) float32 {
	return o.(fyne.Widget).(*Link).Theme().Size(fynetheme.SizeNameInnerPadding)
}

// Layout implements [fyne.Layout].
func (u unpadded) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		p := u.pad(o)
		o.Move(fyne.NewPos(-p, -p))
		o.Resize(size.AddWidthHeight(2*p, 2*p))
	}
}

// MinSize implements [fyne.Layout].
func (u unpadded) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, o := range objects {
		p := u.pad(o)
		m = m.Max(o.MinSize().SubtractWidthHeight(2*p, 2*p))
	}
	return m
}
