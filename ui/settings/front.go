package settings

import (
	"context"
	"net/url"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// front is the page on which the shop's address is given.
type front struct {
	s        *Screen
	url      string
	word     string
	noDomain bool
	said     *widgets.Text
	save     *widgets.Button
}

func (s *Screen) openFront() {
	p := &front{s: s, noDomain: s.watch.NoDomain}
	if w := s.watch.Storefront; w != nil {
		p.url, p.word = w.URL, w.Word
	}
	s.looked = nil
	s.turn(p)
}

// typed reports whether leaving would lose what was typed.
func (p *front) typed() bool {
	was := app.StorefrontSettings{}
	if w := p.s.watch.Storefront; w != nil {
		was = *w
	}
	return p.url != was.URL || p.word != was.Word
}

// address returns the address as it is kept: customers seldom type https://.
func (p *front) address() string {
	a := strings.TrimSpace(p.url)
	if a != "" && !strings.Contains(a, "://") {
		a = "https://" + a
	}
	return a
}

// lack returns the key of what is missing, "" for nothing.
func (p *front) lack() string {
	u, err := url.Parse(p.address())
	if err != nil || u.Scheme != "https" || !strings.Contains(u.Hostname(), ".") || u.User != nil {
		return "settings.front.lack"
	}
	return ""
}

func (p *front) enter() {
	if p.save != nil && !p.save.Disabled() {
		p.store()
	}
}

func (p *front) check() {
	lack := p.lack()
	words := p.s.env.T("settings.front.url.hint")
	if lack != "" && strings.TrimSpace(p.url) != "" {
		words = p.s.env.T(lack)
	}
	p.said.Set(words)
	p.save.SetEnabled(lack == "" && !p.s.f.Worker.Busy())
	p.s.f.Relayout()
}

// store keeps the address and looks at it, so that the owner sees what customers
// would.
func (p *front) store() {
	set := app.StorefrontSettings{URL: p.address(), Word: strings.TrimSpace(p.word)}
	p.s.changeWatch(nil, func(w *app.WatchSettings) { w.Storefront, w.NoDomain = &set, p.noDomain }, func() {
		p.s.leaf = nil
		p.s.goList()
		if o, ok := p.s.parts[screen.PartStorefront]; ok {
			widgets.ScrollTo(p.s.f.Page, o)
		}
		p.s.lookFront()
	})
}

func (p *front) remove() {
	p.s.changeWatch(nil, func(w *app.WatchSettings) { w.Storefront = nil }, p.s.goList)
}

func (p *front) draw() {
	s, t := p.s, p.s.env.T
	p.said = widgets.NewText("", widgets.Caption())
	p.save = widgets.NewPrimary(t("settings.front.save"), p.store)
	address := widgets.NewEntry(p.url, func(v string) { p.url = v; p.check() })
	address.SetPlaceHolder(t("settings.front.url.example"))
	word := widgets.NewEntry(p.word, func(v string) { p.word = v; p.check() })
	domain := widgets.NewCheck(t("settings.front.domain"), !p.noDomain, func(on bool) { p.noDomain = !on; p.check() })
	buttons := []fyne.CanvasObject{p.save}
	if s.watch.Storefront != nil {
		buttons = append(buttons, widgets.NewButton(t("settings.front.stop"), p.remove))
	}
	s.f.Put(s.f.Title(t("settings.front"), t("settings.front.hint")), widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.Column(widgets.Gap4, widgets.NewText(t("settings.front.url"), widgets.Strong()), address, p.said),
		labelled(s.env, "settings.front.word", word), domain, widgets.NewText(t("settings.front.domain.hint"), widgets.Caption()))),
		widgets.Leading(append(buttons, s.backButton())...))
	p.check()
}

// beat is the page on which the heartbeat's address is given.
type beat struct {
	s       *Screen
	address string
	save    *widgets.Button
}

func (s *Screen) openBeat() { s.turn(&beat{s: s}) }

func (p *beat) enter() {
	if p.save != nil && !p.save.Disabled() {
		p.store()
	}
}

func (p *beat) check() {
	p.save.SetEnabled(strings.HasPrefix(strings.TrimSpace(p.address), "https://") && !p.s.f.Worker.Busy())
}

func (p *beat) store() {
	secret := app.NewSecret(strings.TrimSpace(p.address))
	p.s.changeWatch(app.Secrets{app.HeartbeatKey: secret}, func(*app.WatchSettings) {}, p.s.goList)
}

func (p *beat) draw() {
	s, t := p.s, p.s.env.T
	p.save = widgets.NewPrimary(t("settings.beat.save"), p.store)
	e := widgets.NewPassword(func(v string) { p.address = v; p.check() })
	s.f.Put(s.f.Title(t("settings.beat"), t("settings.beat.hint")), widgets.NewCard(labelled(s.env, "settings.beat.url", e)),
		widgets.Leading(p.save, s.backButton()))
	p.check()
}

// support is the page that shows what would be sent to who helps.
type support struct {
	s      *Screen
	bundle *app.SupportBundle // nil until it was made
	open   int                // the file that is shown
	saved  string
	save   *widgets.Button
}

func (s *Screen) openSupport() {
	p := &support{s: s}
	s.turn(p)
	p.load()
}

func (p *support) load() {
	var b app.SupportBundle
	p.s.f.Worker.Ask(func(ctx context.Context) (err error) {
		b, err = p.s.env.Service.Support(ctx)
		return err
	}, func() {
		if p.s.leaf == leaf(p) {
			p.bundle = &b
			p.draw()
		}
	}, p.load)
}

func (p *support) enter() {
	if p.save != nil && !p.save.Disabled() {
		p.store()
	}
}

func (p *support) check() {
	if p.save != nil {
		p.save.SetEnabled(p.bundle != nil && !p.s.f.Worker.Busy())
	}
}

// store saves what is shown, and nothing else: it is not made anew.
func (p *support) store() {
	name := p.s.env.T("settings.support.file", map[string]any{"Day": p.s.env.Now().Local().Format("2006-01-02")})
	p.s.env.SaveFile(name, func(path string) {
		p.s.f.Worker.Ask(func(context.Context) error {
			b, err := p.bundle.Zip(p.s.env.Now())
			if err != nil {
				return err
			}
			return screen.WriteFile(path, b)
		}, func() {
			p.saved = path
			if p.s.leaf == leaf(p) {
				p.draw()
			}
		}, p.store)
	})
}

func (p *support) draw() {
	s, t := p.s, p.s.env.T
	objects := []fyne.CanvasObject{s.f.Title(t("settings.support"), t("settings.support.text"))}
	if p.bundle == nil {
		s.f.Put(append(objects, widgets.NewText(t("setup.busy"), widgets.Muted()), widgets.Leading(s.backButton()))...)
		return
	}
	p.save = widgets.NewPrimary(t("settings.support.save"), p.store)
	var tabs []fyne.CanvasObject
	for i, f := range p.bundle.Files {
		b := widgets.NewButton(f.Name, func() { p.open = i; p.draw() })
		b.SetEnabled(i != p.open)
		tabs = append(tabs, b)
	}
	shown := widgets.NewText(p.bundle.Files[p.open].Text, widgets.Look{Mono: true, Size: widgets.Caption().Size})
	objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap12, widgets.Leading(tabs...), widgets.Scrolled(shownSupport, shown))))
	if p.saved != "" {
		objects = append(objects, widgets.NewText(t("settings.support.saved", map[string]any{"Path": p.saved}), widgets.Body().In(widgets.ToneGood.Text())))
	}
	s.f.Put(append(objects, widgets.Leading(p.save, s.backButton()))...)
	p.check()
}

// shownSupport is how high the text is at most.
const shownSupport = 330
