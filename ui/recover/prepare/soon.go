package prepare

import (
	"context"
	"image/color"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

// pageColor is what the page's ground can be, by the code of its words.
type pageColor struct{ code, value string }

func pageColors() []pageColor {
	return []pageColor{{"green", "#0E6B58"}, {"blue", "#1F4E79"}, {"red", "#8C2F26"}, {"dark", "#22272B"}, {"sand", "#B79B6C"}}
}

// Soon is where the "back soon" page is written.
type Soon struct {
	f       *screen.Frame
	status  app.Status
	set     app.PageSettings
	stored  app.PageSettings
	pages   []app.Kind // kinds of source that can show the page
	known   bool
	asked   int
	written string // where it was written just now
	told    string // what was done last

	wrong   *widgets.Text
	preview *fyne.Container
	buttons []*widgets.Button

	// OnBack leads away.
	OnBack func()
}

// NewSoon returns the page before its settings are known.
func NewSoon(f *screen.Frame) *Soon { return &Soon{f: f} }

// Set takes in how things stand.
func (p *Soon) Set(st app.Status) { p.status = st }

// Typed reports whether leaving would lose what was typed.
func (p *Soon) Typed() bool { return p.known && p.set != p.stored }

// Begin reads the settings.
func (p *Soon) Begin() {
	p.known, p.written, p.told = false, "", ""
	p.asked++
	mine := p.asked
	p.f.Turn()
	p.f.Page.ScrollToTop()
	p.draw()
	p.f.Go(func(ctx context.Context) func() {
		set, err := p.f.Service.PageSettings(ctx)
		var forms app.Forms
		if err == nil {
			forms, err = p.f.Service.Forms(ctx)
		}
		return func() {
			if mine != p.asked {
				return
			}
			if err != nil {
				p.f.Trouble.Show(err, p.Begin)
				return
			}
			p.known, p.set, p.stored, p.pages = true, set, set, nil
			for _, k := range forms.Sources {
				if k.Pages {
					p.pages = append(p.pages, k.Kind)
				}
			}
			p.draw()
		}
	})
}

// Open shows the page as it was left.
func (p *Soon) Open() { p.f.Turn(); p.draw() }

// Enter saves.
func (p *Soon) Enter() {
	if p.Typed() && p.wrongWith() == "" {
		p.save(nil, nil, false)
	}
}

// Back leads away.
func (p *Soon) Back() bool {
	p.OnBack()
	return true
}

// wrongWith returns the key of what is wrong with what was typed, "" for nothing.
func (p *Soon) wrongWith() string {
	if p.set.Color != "" && !regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`).MatchString(p.set.Color) {
		return "recover.soon.bad_color"
	}
	return ""
}

// publishers lists the sources that can show the page.
func (p *Soon) publishers() (names []string) {
	for _, s := range p.status.Sources {
		if slices.Contains(p.pages, s.Source.Kind) {
			names = append(names, s.Source.Name)
		}
	}
	return names
}

// save keeps the settings, writes the page, and puts it up or takes it down.
func (p *Soon) save(publish, withdraw []string, show bool) {
	set := p.set
	var file app.PageFile
	p.f.Worker.Ask(func(ctx context.Context) (err error) {
		file, err = p.f.Service.WritePage(ctx, app.PageRequest{Settings: &set, Publish: publish, Withdraw: withdraw})
		return err
	}, func() {
		p.stored, p.written = set, file.Path
		key, name := "recover.soon.saved", ""
		switch {
		case len(publish) > 0:
			key, name = "recover.soon.up", publish[0]
		case len(withdraw) > 0:
			key, name = "recover.soon.down", withdraw[0]
		}
		p.told = p.f.T(key, assets.Args{"Source": name, "Path": file.Path})
		p.draw()
		if show {
			p.f.Trouble.Show(p.f.OpenFile(file.Path), nil)
		}
	}, func() { p.save(publish, withdraw, show) })
}

func (p *Soon) askUp(name string) {
	t := p.f.T
	p.f.Confirm.Ask(t("recover.soon.ask", map[string]any{"Source": name}), t("recover.soon.ask.text"), t("recover.soon.yes"),
		func() { p.save([]string{name}, nil, false) })
}

func (p *Soon) draw() {
	t := p.f.T
	objects := []fyne.CanvasObject{p.f.Title(t("recover.soon"), t("recover.soon.text"))}
	p.wrong = widgets.NewText("", widgets.Body().In(widgets.ToneDanger.Text()))
	p.preview = widgets.Column(0)
	p.buttons = nil
	if p.known {
		objects = append(objects, widgets.Grid(widgets.Gap16, 340, 2, p.form(),
			widgets.NewCard(widgets.Column(widgets.Gap12, widgets.NewText(t("recover.soon.preview"), widgets.Sub()), p.preview))))
		objects = append(objects, p.upCard())
	}
	if p.told != "" {
		objects = append(objects, widgets.NewText(p.told, widgets.Body().In(widgets.ToneGood.Text())))
	}
	save := widgets.NewPrimary(t("recover.soon.save"), func() { p.save(nil, nil, false) })
	show := widgets.NewButton(t("recover.soon.show"), func() { p.save(nil, nil, true) })
	p.buttons = append(p.buttons, save, show)
	p.f.Put(append(objects, widgets.Leading(save, show, widgets.NewButton(t("back"), p.OnBack)))...)
	p.check()
}

// check draws the preview anew and says what is wrong.
func (p *Soon) check() {
	bad := p.wrongWith()
	if bad != "" {
		p.wrong.Set(p.f.T(bad))
	}
	screen.Visible(p.wrong, bad != "")
	for _, b := range p.buttons {
		b.SetEnabled(p.known && bad == "")
	}
	if p.known {
		p.preview.Objects = []fyne.CanvasObject{p.picture()}
	}
	p.f.Relayout()
}

func (p *Soon) form() fyne.CanvasObject {
	t := p.f.T
	field := func(key string, v *string) []fyne.CanvasObject {
		e := widgets.NewEntry(*v, func(s string) { *v = strings.TrimSpace(s); p.check() })
		return []fyne.CanvasObject{widgets.NewText(t("recover.soon."+key), widgets.Caption()), e}
	}
	shop := widgets.NewEntry(p.set.Shop, func(s string) { p.set.Shop = strings.TrimSpace(s); p.check() })
	if p.status.Vault != nil {
		shop.SetPlaceHolder(p.status.Vault.Shop)
	}
	text := widgets.NewLines(p.set.Text, func(s string) { p.set.Text = s; p.check() })
	text.Wrapping = fyne.TextWrapWord
	text.SetMinRowsVisible(4)
	rows := []fyne.CanvasObject{
		widgets.NewText(t("recover.soon.shop"), widgets.Caption()), shop,
		widgets.NewText(t("recover.soon.words"), widgets.Caption()), text,
	}
	rows = append(rows, field("phone", &p.set.Phone)...)
	rows = append(rows, field("mail", &p.set.Mail)...)
	rows = append(rows, widgets.NewText(t("recover.soon.color"), widgets.Caption()), p.colorSelect())
	if p.ownColor() {
		rows = append(rows, field("hex", &p.set.Color)...)
	}
	rows = append(rows, p.wrong, widgets.NewText(t("recover.soon.language"), widgets.Caption()), p.languageSelect())
	return widgets.NewCard(widgets.Column(widgets.Gap4, rows...))
}

// ownColor reports whether the colour is none of those that are offered.
func (p *Soon) ownColor() bool {
	return p.set.Color != "" && !slices.ContainsFunc(pageColors(), func(c pageColor) bool { return strings.EqualFold(c.value, p.set.Color) })
}

func (p *Soon) colorSelect() fyne.CanvasObject {
	var names []string
	at := 0
	for i, c := range pageColors() {
		names = append(names, p.f.T("recover.soon.color."+c.code))
		if strings.EqualFold(c.value, p.set.Color) {
			at = i
		}
	}
	names = append(names, p.f.T("recover.soon.color.own"))
	if p.ownColor() {
		at = len(names) - 1
	}
	return widgets.NewSelect(names, at, func(i int) {
		switch {
		case i >= 0 && i < len(pageColors()):
			p.set.Color = pageColors()[i].value
		case i == len(pageColors()) && !p.ownColor():
			p.set.Color = "#"
		}
		p.draw()
	})
}

func (p *Soon) languageSelect() fyne.CanvasObject {
	codes := append([]string{""}, assets.Languages()...)
	var names []string
	for _, c := range codes {
		key := "recover.soon.language.own"
		if c != "" {
			key = "recover.soon.language." + c
		}
		names = append(names, p.f.T(key))
	}
	return widgets.NewSelect(names, max(slices.Index(codes, p.set.Language), 0), func(i int) {
		if i >= 0 {
			p.set.Language = codes[i]
			p.check()
		}
	})
}

// upCard puts the page up, where that can be done from here.
func (p *Soon) upCard() fyne.CanvasObject {
	t := p.f.T
	names := p.publishers()
	rows := []fyne.CanvasObject{widgets.NewText(t("recover.soon.where"), widgets.Sub())}
	if len(names) == 0 {
		rows = append(rows, widgets.NewText(t("recover.soon.nowhere"), widgets.Body()))
	}
	for _, name := range names {
		up := widgets.NewButton(t("recover.soon.put_up"), func() { p.askUp(name) })
		down := widgets.NewButton(t("recover.soon.take_down"), func() { p.save(nil, []string{name}, false) })
		p.buttons = append(p.buttons, up, down)
		rows = append(rows, widgets.Row(widgets.Gap12, nil, widgets.NewText(name, widgets.Strong()), up, down))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap8, rows...))
}

// picture shows about what customers will see.
func (p *Soon) picture() fyne.CanvasObject {
	w := p.f.Words
	if p.set.Language != "" {
		if own, err := assets.NewWords(p.set.Language); err == nil {
			w = own
		}
	}
	shop, text := p.set.Shop, p.set.Text
	if shop == "" && p.status.Vault != nil {
		shop = p.status.Vault.Shop
	}
	if strings.TrimSpace(text) == "" {
		text = w.T("incident.page.text")
	}
	rows := []fyne.CanvasObject{
		widgets.NewText(shop, widgets.Strong().In(theme.ColorMuted)), widgets.NewText(w.T("incident.page.head"), widgets.Heading()),
		widgets.NewText(text, widgets.Body()),
	}
	if p.set.Phone+p.set.Mail != "" {
		rows = append(rows, widgets.Line(), widgets.NewText(w.T("incident.page.contact"), widgets.Body()),
			widgets.NewText(strings.Trim(p.set.Phone+"  "+p.set.Mail, " "), widgets.Strong()))
	}
	ground := canvas.NewRectangle(colorOf(p.set.Color))
	ground.CornerRadius = 8
	return container.NewStack(ground, widgets.Inset(20, 24, widgets.NewSurface(theme.ColorSurface, widgets.Inset(20, 18, widgets.Column(widgets.Gap8, rows...)))))
}

// colorOf reads a colour; one that can't be read is Kvart's own.
func colorOf(s string) color.Color {
	if v, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32); err == nil && len(s) == 7 {
		return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
	}
	return color.NRGBA{R: 0x0E, G: 0x6B, B: 0x58, A: 255}
}
