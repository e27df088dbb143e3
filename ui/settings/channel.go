package settings

import (
	"context"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// channel is the page on which a way to reach the owner is added or changed.
type channel struct {
	s     *Screen
	c     app.Channel
	to    string // receivers as they are typed
	port  string
	is    bool // it is there already: its secrets stay where none are typed
	given app.Secrets
	dirty bool   // something was typed since it was stored
	wrong string // the key of what the guard found wrong

	said       *widgets.Text
	test, save *widgets.Button
}

// openChannel opens the page for a channel that is there, or for a new one.
func (s *Screen) openChannel(c *app.Channel) {
	p := &channel{s: s, given: app.Secrets{}}
	if c != nil {
		p.c, p.is = *c, true
		p.to = strings.Join(c.To, ", ")
		if c.Port > 0 {
			p.port = strconv.Itoa(c.Port)
		}
	}
	s.turn(p)
}

// choose begins a channel of a kind, under a name that none has yet.
func (p *channel) choose(k app.ChannelKind) {
	p.c = app.Channel{Kind: k}
	name := p.s.env.T("settings.channel.kind." + string(k))
	p.c.Name = name
	for n := 2; p.taken(p.c.Name); n++ {
		p.c.Name = name + " " + strconv.Itoa(n)
	}
	p.given, p.wrong = app.Secrets{}, ""
	p.draw()
}

func (p *channel) taken(name string) bool {
	return slices.ContainsFunc(p.s.watch.Channels, func(c app.Channel) bool { return c.Name == name })
}

// typed reports whether leaving would lose what was typed.
func (p *channel) typed() bool { return p.dirty }

// touch takes note of something that was typed.
func (p *channel) touch() {
	p.dirty, p.wrong = true, ""
	p.check()
}

// lack returns the key of what is missing, "" for nothing.
func (p *channel) lack() string {
	name := strings.TrimSpace(p.c.Name)
	switch {
	case p.c.Kind == "":
		return "settings.channel.lack.kind"
	case name == "" || strings.ContainsAny(name, "./\\"):
		return "settings.channel.lack.name"
	case !p.is && p.taken(name):
		return "settings.channel.lack.taken"
	case p.c.Kind == app.ChannelMail:
		return p.lackMail()
	case !p.is && p.given["url"].IsZero():
		return "settings.channel.lack.url"
	}
	return ""
}

func (p *channel) lackMail() string {
	port, err := strconv.Atoi(p.port)
	if p.port == "" {
		port, err = 587, nil
	}
	_, from := mail.ParseAddress(p.c.From)
	switch {
	case strings.TrimSpace(p.c.Host) == "":
		return "settings.channel.lack.host"
	case err != nil || port < 1 || port > 65535:
		return "settings.channel.lack.port"
	case from != nil:
		return "settings.channel.lack.from"
	case len(receivers(p.to)) == 0:
		return "settings.channel.lack.to"
	}
	for _, r := range receivers(p.to) {
		if _, err := mail.ParseAddress(r); err != nil {
			return "settings.channel.lack.to"
		}
	}
	return ""
}

// receivers reads addresses that blanks, commas or semicolons lie between.
func receivers(typed string) []string {
	return strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' })
}

func (p *channel) enter() {
	if p.test != nil && !p.test.Disabled() {
		p.store(true)
	}
}

func (p *channel) check() {
	if p.test == nil {
		return
	}
	lack := p.lack()
	words := ""
	switch {
	case p.wrong != "":
		words = p.s.env.T(p.wrong)
	case lack != "":
		words = p.s.env.T(lack)
	}
	p.said.Set(words)
	screen.Visible(p.said, words != "")
	p.test.SetEnabled(lack == "" && !p.s.f.Worker.Busy())
	p.save.SetEnabled(lack == "" && !p.s.f.Worker.Busy())
	p.s.f.Relayout()
}

// wrongKey returns the words for a field the guard found wrong, "" for a failure
// of another sort.
func wrongKey(err error) string {
	e := app.AsError(err)
	if e == nil || e.Code != app.CodeUsage {
		return ""
	}
	field := e.Args["field"]
	if slices.Contains([]string{"name", "url", "host", "port", "user", "password", "from", "to", "tls", "token"}, field) {
		return "settings.channel.wrong." + field
	}
	return ""
}

// store keeps the channel and, if so wished, sends a test by it.
func (p *channel) store(test bool) {
	c := p.c
	c.Name = strings.TrimSpace(c.Name)
	if c.Kind == app.ChannelMail {
		c.To = receivers(p.to)
		c.Port = 0
		if n, err := strconv.Atoi(p.port); err == nil {
			c.Port = n
		}
	}
	secrets := app.Secrets{}
	for k, v := range p.given {
		secrets[c.Name+"."+k] = v
	}
	p.wrong = ""
	var set app.WatchSettings
	p.s.f.Worker.Ask(func(ctx context.Context) (err error) {
		set, err = screen.ChangeWatch(ctx, p.s.env.Service, secrets, func(set *app.WatchSettings) { put(set, c) })
		if p.wrong = wrongKey(err); p.wrong != "" {
			return nil
		}
		return err
	}, func() {
		if p.wrong != "" {
			p.check()
			return
		}
		p.s.watch, p.is, p.c, p.given, p.dirty = &set, true, c, app.Secrets{}, false // the guard has them now
		if test {
			p.try()
			return
		}
		p.leave()
	}, func() { p.store(test) })
}

// put adds a channel, or puts it in the place of the one of its name.
func put(set *app.WatchSettings, c app.Channel) {
	set.Channels = slices.Clone(set.Channels)
	if i := slices.IndexFunc(set.Channels, func(o app.Channel) bool { return o.Name == c.Name }); i >= 0 {
		set.Channels[i] = c
		return
	}
	set.Channels = append(set.Channels, c)
}

// try sends a test. When it fails the page stays, with why: what was typed is
// stored, and can be mended here.
func (p *channel) try() {
	name := p.c.Name
	p.s.f.Worker.Ask(func(ctx context.Context) error { return p.s.env.Service.TestAlert(ctx, name) }, func() {
		p.s.tested[name] = told{p.s.env.T("settings.channel.tested"), widgets.ToneGood}
		p.leave()
	}, p.try)
	if p.s.leaf == leaf(p) {
		p.draw()
	}
}

func (p *channel) leave() {
	if p.s.leaf != leaf(p) {
		return
	}
	p.s.goList()
	if o, ok := p.s.parts[screen.PartAlerts]; ok {
		widgets.ScrollTo(p.s.f.Page, o)
	}
}

func (p *channel) draw() {
	s, t := p.s, p.s.env.T
	p.test = nil
	objects := []fyne.CanvasObject{s.f.Title(t("settings.channel.title"), t("settings.alerts.hint"))}
	if !p.is {
		var kinds []fyne.CanvasObject
		for _, k := range app.ChannelKinds() {
			title := t("settings.channel.kind." + string(k))
			c := widgets.NewChoice(title, widgets.Column(widgets.Gap4, widgets.NewText(title, widgets.Strong()),
				widgets.NewText(t("settings.channel.kind."+string(k)+".hint"), widgets.Caption())), func() { p.choose(k) })
			c.Select(k == p.c.Kind)
			kinds = append(kinds, c)
		}
		objects = append(objects, widgets.Grid(widgets.Gap16, 190, 4, kinds...))
	}
	if p.c.Kind == "" {
		s.f.Put(append(objects, widgets.Leading(s.backButton()))...)
		return
	}
	p.said = widgets.NewText("", widgets.Body().In(widgets.ToneWarn.Text()))
	p.test = widgets.NewPrimary(t("settings.channel.save_test"), func() { p.store(true) })
	p.save = widgets.NewButton(t("settings.channel.save"), func() { p.store(false) })
	s.f.Put(append(objects, widgets.NewCard(widgets.Column(widgets.Gap12, p.fields()...)), p.said,
		widgets.Leading(p.test, p.save, s.backButton()))...)
	p.check()
}

func (p *channel) entry(key, value string, set func(string)) fyne.CanvasObject {
	return labelled(p.s.env, "settings.channel."+key, widgets.NewEntry(value, func(v string) { set(v); p.touch() }))
}

// secret asks for a secret; what is stored already is not shown.
func (p *channel) secret(key, label string) fyne.CanvasObject {
	e := widgets.NewPassword(func(v string) {
		delete(p.given, key)
		if v = strings.TrimSpace(v); v != "" {
			p.given[key] = app.NewSecret(v)
		}
		p.touch()
	})
	if s, ok := p.given[key]; ok {
		e.Text = s.Reveal()
	}
	if p.is {
		e.SetPlaceHolder(p.s.env.T("settings.channel.stays"))
	}
	return labelled(p.s.env, "settings.channel."+label, e)
}

func (p *channel) fields() []fyne.CanvasObject {
	t := p.s.env.T
	var out []fyne.CanvasObject
	if p.is {
		out = append(out, widgets.NewText(p.c.Name, widgets.Sub()))
	} else {
		out = append(out, p.entry("name", p.c.Name, func(v string) { p.c.Name = v }))
	}
	switch p.c.Kind {
	case app.ChannelMail:
		tls := widgets.NewSelect([]string{t("settings.channel.tls.starttls"), t("settings.channel.tls.tls")}, map[bool]int{true: 1}[p.c.TLS == "tls"], func(i int) {
			p.c.TLS = map[int]string{1: "tls"}[i]
			p.check()
		})
		return append(out,
			widgets.Grid(widgets.Gap12, 240, 2, p.entry("to", p.to, func(v string) { p.to = v }), p.entry("from", p.c.From, func(v string) { p.c.From = strings.TrimSpace(v) })),
			widgets.Grid(widgets.Gap12, 190, 3, p.entry("host", p.c.Host, func(v string) { p.c.Host = strings.TrimSpace(v) }),
				p.entry("port", p.port, func(v string) { p.port = strings.TrimSpace(v) }), labelled(p.s.env, "settings.channel.tls", tls)),
			widgets.Grid(widgets.Gap12, 240, 2, p.entry("user", p.c.User, func(v string) { p.c.User = strings.TrimSpace(v) }), p.secret("password", "password")))
	case app.ChannelNtfy:
		return append(out, p.secret("url", "url.ntfy"), p.secret("token", "token"))
	case app.ChannelSlack:
		return append(out, p.secret("url", "url.slack"))
	}
	return append(out, p.secret("url", "url.webhook"))
}
