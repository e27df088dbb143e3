package kit

import (
	"context"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// Maker leads through the three steps: save, print, type back.
type Maker struct {
	env   screen.Env
	ask   screen.Ask
	state app.KitState
	anew  bool   // a new kit is wanted though there is a good one
	saved string // the page, when it was saved just now
	text  bool   // the text is wanted too
	code  string
	wrong error // why the code was not taken
	box   *fyne.Container
	yes   *widgets.Button
	entry *widgets.Entry // of the code

	// Fail shows what went wrong outside the guard.
	Fail func(err error, again func())
	// OnChanged is called when the page changed its shape.
	OnChanged func()
}

// NewMaker returns the page; ask runs what takes a while.
func NewMaker(env screen.Env, ask screen.Ask) *Maker {
	return &Maker{env: env, ask: ask, box: widgets.Column(widgets.Gap16)}
}

// Object returns what to place on the page.
func (m *Maker) Object() fyne.CanvasObject { return m.box }

// Begin starts the page over: with a new kit, or with how the newest stands.
func (m *Maker) Begin(anew bool) {
	m.anew, m.saved, m.code, m.text, m.wrong = anew, "", "", false, nil
	m.draw()
}

// Set shows how the kit stands now.
func (m *Maker) Set(k app.KitState) {
	if k != m.state {
		m.state = k
		m.draw()
	}
}

// Enter fires what the page is for at the moment.
func (m *Maker) Enter() {
	switch {
	case m.canConfirm():
		m.confirm()
	case m.saved == "":
		m.save()
	}
}

// stand tells how the kit stands on this page: one that is to be made anew
// begins with nothing.
func (m *Maker) stand() Stand {
	s := StandOf(m.state)
	if m.anew && m.saved == "" {
		return None
	}
	return s
}

func (m *Maker) draw() {
	t := m.env.T
	stand := m.stand()
	v := Model(m.env.Words, m.state, m.env.Now())
	objects := []fyne.CanvasObject{}
	if stand == Void {
		objects = append(objects, widgets.NewText(v.Text, widgets.Body().In(widgets.ToneDanger.Text())))
	}
	if stand == Good {
		rows := []fyne.CanvasObject{widgets.Row(widgets.Gap12, nil, widgets.NewText(t("makekit.done"), widgets.Sub()), widgets.NewPill(v.Pill, v.Tone))}
		for _, d := range v.Dates {
			rows = append(rows, widgets.NewText(d, widgets.Body()))
		}
		rows = append(rows, widgets.NewText(t("makekit.done.text"), widgets.Muted()))
		if m.saved != "" {
			rows = append(rows, widgets.NewText(t("makekit.delete", map[string]any{"Path": m.saved}), widgets.Body().In(widgets.ToneWarn.Text())))
		}
		rows = append(rows, widgets.Leading(widgets.NewButton(t("makekit.again"), func() { m.Begin(true) })))
		objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap8, rows...)))
	} else {
		objects = append(objects, m.saveCard(stand), m.printCard(), m.codeCard(stand))
	}
	m.box.Objects = objects
	m.box.Refresh()
	if m.OnChanged != nil {
		m.OnChanged()
	}
}

// step is a card with its number.
func (m *Maker) step(n int, key string, done bool, rows ...fyne.CanvasObject) fyne.CanvasObject {
	title := m.env.T("makekit.step", map[string]any{"N": strconv.Itoa(n), "Step": m.env.T("makekit." + key)})
	head := []fyne.CanvasObject{}
	if done {
		head = append(head, widgets.NewPill(m.env.T("makekit.step.done"), widgets.ToneGood))
	}
	all := append([]fyne.CanvasObject{
		widgets.Row(widgets.Gap12, nil, widgets.NewText(title, widgets.Sub()), head...), widgets.NewText(m.env.T("makekit."+key+".text"), widgets.Muted()),
	}, rows...)
	return widgets.NewCard(widgets.Column(widgets.Gap8, all...))
}

func (m *Maker) saveCard(stand Stand) fyne.CanvasObject {
	t := m.env.T
	save := widgets.NewPrimary(t("makekit.save.button"), m.save)
	if m.saved != "" || stand == Unconfirmed {
		save = widgets.NewButton(t("makekit.save.again"), m.save)
	}
	rows := []fyne.CanvasObject{widgets.NewCheck(t("makekit.save.also"), m.text, func(on bool) { m.text = on }), widgets.Leading(save)}
	if m.saved != "" {
		rows = append(rows, widgets.NewText(t("makekit.saved", map[string]any{"Path": m.saved}), widgets.Caption()))
	}
	return m.step(1, "save", m.saved != "" || stand == Unconfirmed, rows...)
}

func (m *Maker) printCard() fyne.CanvasObject {
	b := widgets.NewButton(m.env.T("makekit.print.button"), m.print)
	b.SetEnabled(m.saved != "")
	return m.step(2, "print", false, widgets.Leading(b))
}

func (m *Maker) codeCard(stand Stand) fyne.CanvasObject {
	t := m.env.T
	m.yes = widgets.NewPrimary(t("makekit.code.button"), m.confirm)
	m.yes.SetEnabled(m.canConfirm())
	m.entry = widgets.NewEntry(m.code, func(v string) { m.code = v; m.yes.SetEnabled(m.canConfirm()) })
	if stand == None || stand == Void {
		m.entry.Disable()
	}
	rows := []fyne.CanvasObject{widgets.Leading(widgets.Sized(220, 0, m.entry), m.yes)}
	if m.wrong != nil {
		p := screen.Explain(m.env.Words, m.wrong, "")
		rows = append(rows, widgets.NewText(p.Title, widgets.Strong().In(widgets.ToneDanger.Text())),
			widgets.NewText(p.Meaning, widgets.Body()), widgets.NewText(p.Next, widgets.Muted()))
	}
	return m.step(3, "code", false, rows...)
}

func (m *Maker) canConfirm() bool {
	return m.stand() == Unconfirmed && strings.TrimSpace(m.code) != ""
}

// save lets the owner choose where, and the guard write it there.
func (m *Maker) save() {
	name := m.env.T("makekit.file", map[string]any{"Number": m.state.Number + 1})
	m.env.SaveFile(name, func(path string) { m.write(files(path, m.text)) })
}

func (m *Maker) write(f map[app.KitFormat]string) {
	var k app.KitState
	m.ask(func(ctx context.Context) (err error) {
		k, err = m.env.Service.MakeKit(ctx, app.KitRequest{Files: f})
		return err
	}, func() {
		m.state, m.saved, m.code, m.anew, m.wrong = k, f[app.KitPDF], "", false, nil
		m.draw()
	}, m.save)
}

func (m *Maker) print() {
	if err := m.env.OpenFile(m.saved); err != nil {
		m.Fail(err, m.print)
	}
}

func (m *Maker) confirm() {
	code := strings.TrimSpace(m.code)
	if !m.canConfirm() {
		return
	}
	var k app.KitState
	var wrong error
	m.ask(func(ctx context.Context) error {
		k, wrong = m.env.Service.ConfirmKit(ctx, code)
		return nil
	}, func() {
		// What is wrong is said where it was typed, and can be typed anew there.
		if m.wrong = wrong; wrong == nil {
			m.state, m.code = k, ""
		}
		m.draw()
		if wrong != nil {
			widgets.Focus(m.entry)
		}
	}, nil)
}
