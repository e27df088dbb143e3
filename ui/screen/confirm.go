package screen

import (
	"fyne.io/fyne/v2"

	"kvart/ui/widgets"
)

// Confirm is a place on a screen where a question can be asked. A dialog of
// Fyne's opens without focus and answers neither Enter nor Escape; a card on
// the screen does.
type Confirm struct {
	env  Env
	box  *fyne.Container
	asks bool

	// OnChanged is called when a question came or went, so that the page makes
	// room.
	OnChanged func()
}

// NewConfirm returns a place without a question.
func NewConfirm(env Env) *Confirm {
	c := &Confirm{env: env, box: widgets.Column(0)}
	c.box.Hide()
	return c
}

// Object returns what to place on the screen; it is hidden while nothing is
// asked.
func (c *Confirm) Object() fyne.CanvasObject { return c.box }

// Ask asks; yes is called when the owner agrees.
func (c *Confirm) Ask(title, text, yesText string, yes func()) {
	agree := widgets.NewDanger(yesText, func() { c.Close(); yes() })
	no := widgets.NewButton(c.env.T("confirm.no"), func() { c.Close() })
	c.box.Objects = []fyne.CanvasObject{widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.NewText(title, widgets.Sub()), widgets.NewText(text, widgets.Body()),
		widgets.Leading(agree, no))).Emphasise()}
	c.asks = true
	c.box.Show()
	c.changed()
	// A key that is held down repeats: it must not agree by that.
	widgets.Focus(no)
}

// Close takes the question away and reports whether there was one.
func (c *Confirm) Close() bool {
	asked := c.asks
	c.asks = false
	c.box.RemoveAll()
	c.box.Hide()
	if asked {
		c.changed()
	}
	return asked
}

func (c *Confirm) changed() {
	if c.OnChanged != nil {
		c.OnChanged()
	}
}
