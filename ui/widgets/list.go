package widgets

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Tick tells whether a row can be chosen for something, and is.
type Tick string

// Ticks.
const (
	TickNone Tick = "" // there is nothing to choose it for
	TickOff  Tick = "off"
	TickOn   Tick = "on"
)

// ListRow is what a row of a [List] shows. A picture stands in the icon's place.
type ListRow struct {
	Icon                fyne.ThemeIconName
	Picture             image.Image
	Name, Under, Detail string
	Tick                Tick
}

// List is Fyne's list of rows with a name and a detail, which also answers
// Enter and hands Escape to the window. It can be long: only the rows that are
// seen exist. Space ticks a row where it can be ticked.
type List struct {
	widget.List
	quiet  bool
	ticks  bool // the key that was pressed ticks
	tickOf func(i int) Tick

	// OnTick is called with the row whose tick was pressed.
	OnTick func(i int)
}

// NewList returns a list; open is called with the row that was chosen.
func NewList(length func() int, row func(i int) ListRow, open func(i int)) *List {
	return newList(false, length, row, open)
}

// NewTallList returns a list whose rows have room for a picture, and for a
// second line under the name.
func NewTallList(length func() int, row func(i int) ListRow, open func(i int)) *List {
	return newList(true, length, row, open)
}

func newList(tall bool, length func() int, row func(i int) ListRow, open func(i int)) *List {
	l := &List{tickOf: func(i int) Tick { return row(i).Tick }}
	l.Length = length
	l.CreateItem = func() fyne.CanvasObject { return newListRow(tall) }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		o.(*listRow).set(row(i), func() { l.tick(i) })
	}
	l.OnSelected = func(i widget.ListItemID) {
		if l.quiet {
			return
		}
		l.unmark() // so that the same row can be chosen again
		if l.ticks && l.tickOf(i) != TickNone {
			l.tick(i)
			return
		}
		open(i)
	}
	l.ExtendBaseWidget(l)
	return l
}

func (l *List) tick(i int) {
	if l.OnTick != nil {
		l.OnTick(i)
	}
}

func (l *List) unmark() {
	l.quiet = true
	l.UnselectAll()
	l.quiet = false
}

// Reset unselects everything and goes to the top.
func (l *List) Reset() {
	l.unmark()
	l.ScrollToTop()
}

// TypedKey implements [fyne.Focusable].
func (l *List) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyEscape:
		PassKey(l, k)
	case fyne.KeyReturn, fyne.KeyEnter:
		l.List.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	case fyne.KeySpace:
		l.ticks = true
		l.List.TypedKey(k)
		l.ticks = false
	default:
		l.List.TypedKey(k)
	}
}

// pictureSide is how wide and high a row's picture is.
const pictureSide = 36

type listRow struct {
	widget.BaseWidget
	tick                *tick
	icon                *widget.Icon
	picture             *canvas.Image
	name, under, detail *Text
	box                 *fyne.Container
}

func newListRow(tall bool) *listRow {
	r := &listRow{tick: newTick(), icon: widget.NewIcon(nil), name: NewText("", Body().Cut()), detail: NewText("", Caption().Line())}
	r.picture = canvas.NewImageFromImage(nil)
	r.picture.FillMode, r.picture.ScaleMode = canvas.ImageFillContain, canvas.ImageScaleSmooth
	r.under = NewText("", Caption().Cut())
	face, words := fyne.CanvasObject(r.icon), fyne.CanvasObject(r.name)
	if tall {
		face = container.NewStack(Sized(pictureSide, pictureSide, r.picture), container.NewCenter(r.icon))
		words = Column(2, r.name, r.under)
	} else {
		r.picture.Hide()
	}
	r.box = Inset(8, 6, Row(Gap12, []fyne.CanvasObject{r.tick, face}, words, r.detail))
	r.ExtendBaseWidget(r)
	return r
}

func (r *listRow) set(row ListRow, ticked func()) {
	r.tick.set(row.Tick, row.Name, ticked)
	if r.picture.Image != row.Picture {
		r.picture.Image = row.Picture
		r.picture.Refresh()
	}
	shown(r.icon, row.Picture == nil && row.Icon != "")
	if row.Icon != "" {
		r.icon.SetResource(r.Theme().Icon(row.Icon))
	}
	r.name.Set(row.Name)
	r.under.Set(row.Under)
	shown(r.under, row.Under != "")
	r.detail.Set(row.Detail)
	r.box.Refresh()
}

func shown(o fyne.CanvasObject, on bool) {
	if on {
		o.Show()
	} else {
		o.Hide()
	}
}

// CreateRenderer implements [fyne.Widget].
func (r *listRow) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.box) }

// tick is a row's box to tick. The keyboard reaches it through its list.
type tick struct {
	widget.BaseWidget
	icon   *widget.Icon
	name   string
	tapped func()
}

var _ fyne.Tappable = (*tick)(nil)

func newTick() *tick {
	t := &tick{icon: widget.NewIcon(nil)}
	t.ExtendBaseWidget(t)
	return t
}

func (t *tick) set(state Tick, name string, tapped func()) {
	t.name, t.tapped = name, tapped
	shown(t, state != TickNone)
	icon := fynetheme.IconNameCheckButton
	if state == TickOn {
		icon = fynetheme.IconNameCheckButtonChecked
	}
	t.icon.SetResource(t.Theme().Icon(icon))
}

// Name is what the box is called: as what it chooses.
func (t *tick) Name() string { return "☐ " + t.name }

// Tapped implements [fyne.Tappable].
func (t *tick) Tapped(*fyne.PointEvent) { t.tapped() }

// CreateRenderer implements [fyne.Widget].
func (t *tick) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(Inset(2, 2, t.icon))
}

// Scrolled shows content at most so high, and scrolls the rest.
func Scrolled(most float32, content fyne.CanvasObject) *fyne.Container {
	return container.New(scrolled{most}, container.NewVScroll(Inset(4, 4, content)))
}

type scrolled struct{ most float32 }

// Layout implements [fyne.Layout].
func (s scrolled) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(size)
	}
}

// MinSize implements [fyne.Layout].
func (s scrolled) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, o := range objects {
		inner := o.(*container.Scroll).Content.MinSize()
		m = m.Max(fyne.NewSize(inner.Width, min(inner.Height, s.most)))
	}
	return m
}

// Split places a narrow object left of a wide one, or above it where there is
// no room for both.
func Split(left, gap float32, narrow, wide fyne.CanvasObject) *fyne.Container {
	return container.New(&split{left: left, gap: gap}, narrow, wide)
}

type split struct {
	left, gap float32
	stacked   bool
}

// Layout implements [fyne.Layout].
func (s *split) Layout(o []fyne.CanvasObject, size fyne.Size) {
	s.stacked = size.Width < 2.4*s.left
	if s.stacked {
		column{s.gap}.Layout(o, size)
		return
	}
	w := size.Width - s.left - s.gap
	h := max(heightAt(o[0], s.left), heightAt(o[1], w), size.Height)
	o[0].Resize(fyne.NewSize(s.left, h))
	o[0].Move(fyne.NewPos(0, 0))
	o[1].Resize(fyne.NewSize(w, h))
	o[1].Move(fyne.NewPos(s.left+s.gap, 0))
}

// MinSize implements [fyne.Layout].
func (s *split) MinSize(o []fyne.CanvasObject) fyne.Size {
	if s.stacked {
		return column{s.gap}.MinSize(o)
	}
	return fyne.NewSize(s.left, max(o[0].MinSize().Height, o[1].MinSize().Height))
}
