package screen

import (
	"net/url"
	"regexp"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/assets"
	"kvart/ui/widgets"
)

// GuideBox answers "How do I get this?" about a form: numbered steps with a
// picture each, unfolded when asked for.
type GuideBox struct {
	form   *Form
	guide  assets.Guide
	way    string // its code; "" until one is chosen
	shown  bool
	chosen *widgets.Choice // the way's; drawn anew with every change
	toggle *widgets.Button
	below  *fyne.Container
	links  []*guideLink
	object *fyne.Container
}

// guideLink is a button that opens a page of the owner's own site.
type guideLink struct {
	step   assets.GuideStep
	button *widgets.Button
	lack   *widgets.Text
}

// newGuideBox returns the answer about a form; nil where none is needed.
func newGuideBox(f *Form) *GuideBox {
	g, ok, err := assets.GuideFor(f.area, string(f.spec.Kind))
	if err != nil || !ok {
		return nil // it is built in, and a test reads them all
	}
	b := &GuideBox{form: f, guide: g, below: widgets.Column(widgets.Gap16)}
	if len(f.spec.Presets) == 0 {
		b.way = g.Ways[0].Code
	}
	b.below.Hide()
	b.toggle = widgets.NewButton(f.env.T("guide.how"), b.flip)
	b.object = widgets.Column(widgets.Gap12, widgets.Leading(b.toggle), b.below)
	return b
}

func (b *GuideBox) flip() {
	b.shown = !b.shown
	text := "guide.how"
	if b.shown {
		text = "guide.hide"
	}
	b.toggle.SetText(b.form.env.T(text))
	b.draw()
}

// follow brings the answer up to date with what is filled in.
func (b *GuideBox) follow() {
	if p := b.form.preset; p != nil && p.key() != b.way {
		b.way = p.key()
		b.draw()
	}
	for _, l := range b.links {
		l.check(b.form)
	}
}

func (b *GuideBox) draw() {
	b.links = nil
	b.below.RemoveAll()
	if b.shown {
		for _, o := range b.parts() {
			b.below.Add(o)
		}
	}
	Visible(b.below, b.shown)
	b.form.shape()
}

func (b *GuideBox) parts() []fyne.CanvasObject {
	t := b.form.env.T
	way, ok := b.guide.Way(b.way)
	var out []fyne.CanvasObject
	switch {
	case len(b.form.spec.Presets) > 0 && !ok:
		return []fyne.CanvasObject{widgets.NewText(t("guide.choose"), widgets.Muted())}
	case len(b.form.spec.Presets) == 0 && len(b.guide.Ways) > 1:
		out = append(out, widgets.NewText(t("guide.ways"), widgets.Strong()), b.ways())
	}
	if way.Note {
		out = append(out, widgets.NewText(t(b.guide.Key(way)+".note"), widgets.Body().In(widgets.ToneWarn.Text())))
	}
	var steps []fyne.CanvasObject
	for i, s := range way.Steps {
		steps = append(steps, b.step(i+1, way, s))
	}
	return append(out, widgets.Grid(widgets.Gap24, widgets.SketchWidth, 3, steps...))
}

// ways offers the different ways there are.
func (b *GuideBox) ways() fyne.CanvasObject {
	var cards []fyne.CanvasObject
	for _, w := range b.guide.Ways {
		title := b.form.env.T(b.guide.Key(w))
		c := widgets.NewChoice(title, widgets.NewText(title, widgets.Body()), func() {
			b.way = w.Code
			b.draw()
			focus(b.chosen)
		})
		if c.Select(w.Code == b.way); w.Code == b.way {
			b.chosen = c
		}
		cards = append(cards, c)
	}
	return widgets.Grid(widgets.Gap12, 220, 3, cards...)
}

func (b *GuideBox) step(n int, way assets.GuideWay, s assets.GuideStep) fyne.CanvasObject {
	env := b.form.env
	rows := []fyne.CanvasObject{
		widgets.NewSketch(SceneOf(env.Words, s.Picture)),
		widgets.NewText(env.T("guide.step", assets.Args{"N": env.Words.Number(int64(n))}), widgets.Strong().In(widgets.ToneGood.Text())),
		widgets.NewText(env.T(b.guide.Key(way)+"."+s.Code), widgets.Body()),
	}
	if s.Copy != "" {
		rows = append(rows, widgets.CodeBegin(s.Copy, env.T("copy"), env.T("copied")))
	}
	if s.Open != "" && env.OpenURL != nil {
		l := &guideLink{step: s, lack: widgets.NewText("", widgets.Caption())}
		l.button = widgets.NewButton(env.T("guide.open"), func() { l.open(b.form) })
		l.check(b.form)
		b.links = append(b.links, l)
		rows = append(rows, widgets.Leading(l.button), l.lack)
	}
	return widgets.Column(widgets.Gap8, rows...)
}

// check lets the page be opened once it is known where it is.
func (l *guideLink) check(f *Form) {
	_, missing, ok := siteAddress(l.step.Open, f.values)
	l.button.SetEnabled(ok)
	words := ""
	if field, has := f.spec.Field(missing); has {
		words = f.env.T("guide.open.lack", assets.Args{"Field": f.env.T(f.key(field))})
	}
	l.say(f, words)
}

func (l *guideLink) say(f *Form, words string) {
	changed := l.lack.Words() != words
	l.lack.Set(words)
	Visible(l.lack, words != "")
	if changed {
		f.shape()
	}
}

func (l *guideLink) open(f *Form) {
	address, _, ok := siteAddress(l.step.Open, f.values)
	if !ok {
		return
	}
	if err := f.env.OpenURL(address); err != nil {
		l.say(f, f.env.T("guide.browser", assets.Args{"Address": address}))
	}
}

// SceneOf returns a guide's picture with its labels in the owner's language.
func SceneOf(w *assets.Words, p assets.GuidePicture) widgets.Scene {
	labels := func(in []string) []string {
		var out []string
		for _, l := range in {
			out = append(out, w.Label(l))
		}
		return out
	}
	return widgets.Scene{
		Frame: p.Frame, Menu: labels(p.Menu), Fields: labels(p.Fields), Ticks: labels(p.Ticks), Lines: p.Lines, Button: w.Label(p.Button),
	}
}

// siteAddress returns the address of a page of the owner's own site, or the key
// of the field that has to be filled in first.
func siteAddress(page string, values map[string]string) (address, missing string, ok bool) {
	if strings.HasPrefix(page, "{url}") {
		site, ok := siteOf(values["url"])
		return strings.Replace(page, "{url}", site, 1), missingUnless(ok, "url"), ok
	}
	shop, ok := shopOf(values["shop"])
	return strings.Replace(page, "{shop}", shop, 1), missingUnless(ok, "shop"), ok
}

func missingUnless(ok bool, field string) string {
	if ok {
		return ""
	}
	return field
}

// siteOf returns where a site begins, from its address as people copy it: with
// or without https, from the middle of its own administration. What else an
// address can hold, a user's name among it, is left out.
func siteOf(typed string) (string, bool) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return "", false
	}
	if !strings.Contains(typed, "://") {
		typed = "https://" + typed
	}
	u, err := url.Parse(typed)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !strings.ContainsAny(u.Host, ".:") && u.Hostname() != "localhost" || u.Opaque != "" {
		return "", false
	}
	path := u.EscapedPath()
	for _, inner := range []string{"/wp-admin", "/wp-login.php", "/wp-json", "/remote.php", "/index.php"} {
		if i := strings.Index(path, inner); i >= 0 {
			path = path[:i]
		}
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(path, "/"), true
}

// shopOf returns the address of a shop at Shopify, from its name or from what
// the address of its admin looks like.
func shopOf(typed string) (string, bool) {
	name := strings.ToLower(strings.TrimSpace(typed))
	for _, before := range []string{"https://", "admin.shopify.com/store/"} {
		name = strings.TrimPrefix(name, before)
	}
	name, _, _ = strings.Cut(name, "/")
	name = strings.TrimSuffix(name, ".myshopify.com")
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`).MatchString(name) {
		return "", false
	}
	return name + ".myshopify.com", true
}
