package screen

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/ui/widgets"
)

// Frame is what a screen of several pages draws them on: scrolled, with a place
// for what went wrong and one for a question above them.
type Frame struct {
	Env
	Page    *container.Scroll
	Body    *fyne.Container
	Trouble *Trouble
	Confirm *Confirm
	Worker  *Worker

	holder *fyne.Container // of the body that is looked at
}

// NewFrame returns an empty frame.
func NewFrame(env Env) *Frame {
	f := &Frame{Env: env, Body: widgets.Column(widgets.Gap16), Trouble: NewTrouble(env), Confirm: NewConfirm(env)}
	f.holder = widgets.Column(0, f.Body)
	f.Page = widgets.Page(f.Trouble.Object(), f.Confirm.Object(), f.holder)
	f.Trouble.OnChanged = f.seen
	f.Confirm.OnChanged = f.seen
	f.Worker = NewWorker(env, f.Trouble)
	return f
}

// Part returns a frame for one of the pages: what is put there is seen only
// while that page is turned to, so that a late answer does no harm.
func (f *Frame) Part() *Frame {
	p := *f
	p.Body = widgets.Column(widgets.Gap16)
	return &p
}

// Turn shows this frame's page.
func (f *Frame) Turn() {
	f.holder.Objects = []fyne.CanvasObject{f.Body}
	f.Relayout()
}

// seen makes room for what is told or asked, where it is seen.
func (f *Frame) seen() {
	f.Page.ScrollToTop()
	f.Relayout()
}

// Put shows a page, in place of the one that was shown or as it stands now.
func (f *Frame) Put(objects ...fyne.CanvasObject) {
	widgets.KeepFocus(f.Body, func() {
		f.Body.Objects = objects
		f.Relayout()
	})
}

// Relayout makes room for what changed its size.
func (f *Frame) Relayout() { widgets.Relayout(f.Page) }

// Title returns a page's heading with a sentence below it.
func (f *Frame) Title(title, text string) fyne.CanvasObject {
	return widgets.Column(widgets.Gap8, widgets.NewText(title, widgets.Heading()), widgets.NewText(text, widgets.Muted()))
}
