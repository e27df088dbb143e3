package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

// watchDoc is what "watch show" prints.
type watchDoc struct {
	Settings app.WatchSettings `json:"settings"`
	Status   app.WatchStatus   `json:"status"`
	Unusual  []app.Unusual     `json:"unusual"` // newest first
	Uptime   app.Uptime        `json:"uptime"`
	PeakDays []app.PeakDay     `json:"peakDays"`
}

func setupWatchShow(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			doc, err := watchShown(ctx, s)
			if err != nil {
				return err
			}
			c.watchLines(doc)
			return c.document(doc)
		})
	}
}

func watchShown(ctx context.Context, s app.Service) (doc watchDoc, err error) {
	if doc.Settings, err = s.WatchSettings(ctx); err != nil {
		return doc, err
	}
	st, err := s.Status(ctx)
	if err != nil {
		return doc, err
	}
	doc.Status = st.Watch
	unusual, err := s.Unusuals(ctx)
	if err != nil {
		return doc, err
	}
	doc.Unusual = append([]app.Unusual{}, unusual...) // a list, also when it is empty
	if doc.Uptime, err = s.Uptime(ctx); err != nil {
		return doc, err
	}
	doc.PeakDays, err = s.PeakDays(ctx)
	return doc, err
}

func (c *command) watchLines(doc watchDoc) {
	if f := doc.Status.Storefront; f != nil {
		c.line("%s", c.words.T("cli.watch_shop", assets.Args{"URL": f.URL, "State": c.frontWords(f.Last)}))
		c.domainLine(f.Domain)
	} else if len(doc.Settings.Channels) == 0 {
		c.line("%s", c.words.T("cli.watch_nothing"))
	}
	for _, m := range doc.Uptime.Months {
		if share, known := m.Share(); known {
			c.line("%s", c.words.T("cli.watch_month", assets.Args{"Month": m.Month, "Share": fmt.Sprintf("%.2f %%", 100*share), "Unknown": m.Unknown}))
		}
	}
	for _, o := range doc.Uptime.Outages {
		key, args := "cli.watch_outage", assets.Args{"From": when(o.Begin)}
		if o.End.IsZero() {
			key = "cli.watch_outage_open"
		} else {
			args["To"] = when(o.End)
		}
		c.line("%s", c.words.T(key, args))
	}
	for _, ch := range doc.Status.Channels {
		c.line("%s", c.words.T("cli.watch_channel", assets.Args{"Name": ch.Name, "Kind": string(ch.Kind), "Waiting": ch.Waiting}))
		if ch.Error != nil {
			title, _, _ := assets.ErrorWords(c.words, ch.Error)
			c.line("  %s", title)
		}
	}
	if doc.Settings.Heartbeat != "" {
		c.line("%s", c.words.T("cli.watch_heartbeat", assets.Args{"Where": doc.Settings.Heartbeat}))
	}
	for _, s := range doc.Settings.Canaries {
		c.line("%s", c.words.T("cli.watch_canary", assets.Args{"Source": s}))
	}
	c.peakLines(doc)
	for _, u := range doc.Unusual {
		if u.Open() {
			c.question(u)
		}
	}
}

func (c *command) domainLine(d *app.DomainStatus) {
	if d == nil {
		return
	}
	args := assets.Args{"Name": d.Name, "When": ""}
	if !d.Until.IsZero() {
		args["When"] = d.Until.Local().Format("2006-01-02")
	}
	c.line("%s", c.words.T("cli.watch_domain", args))
}

func (c *command) peakLines(doc watchDoc) {
	if len(doc.PeakDays) > 0 {
		p := doc.PeakDays[0]
		c.line("%s", c.words.T("cli.watch_peak", assets.Args{"Day": assets.PeakName(c.words, p), "When": p.From.Format("2006-01-02")}))
	}
	if until := doc.Status.DenseUntil; !until.IsZero() {
		c.line("%s", c.words.T("cli.watch_dense", assets.Args{"When": when(until)}))
	}
}

// question prints what is asked about a source.
func (c *command) question(u app.Unusual) {
	c.line("%s", c.words.T("cli.watch_question", assets.Args{"Source": u.Source, "When": when(u.At)}))
	for _, r := range u.Reasons {
		c.line("  %s", c.words.T("unusual."+string(r.Code), assets.Args{"kind": r.Kind, "count": r.Count, "of": r.Of}))
	}
}

func (c *command) frontWords(p app.StorefrontProbe) string {
	switch p.State {
	case app.StorefrontUp:
		return c.words.T("cli.watch_up", assets.Args{"Ms": p.Millis})
	case app.StorefrontDown:
		return c.words.T("cli.watch_down")
	}
	return c.words.T("cli.watch_unknown")
}

// watchFlags are what "watch set" changes; what is not named stays.
type watchFlags struct {
	shop, word, country, remove      string
	channel, kind, host, user, from  string
	tls                              string
	port                             int
	to, days, canaries, withoutGuard list
	secret                           pairs
	clear                            list
	peakPace, domain                 string
}

func (f *watchFlags) register(c *command) {
	f.secret = pairs{}
	fl := c.flags
	fl.StringVar(&f.shop, "shop", "", "address that customers use; \"off\" ends watching it")
	fl.StringVar(&f.word, "word", "", "a word that is always on that page")
	fl.StringVar(&f.channel, "channel", "", "name of a way to be alerted, to add or change")
	fl.StringVar(&f.kind, "kind", "", "its kind: mail, ntfy, slack or webhook")
	fl.StringVar(&f.host, "host", "", "mail server")
	fl.IntVar(&f.port, "port", 0, "its port")
	fl.StringVar(&f.tls, "tls", "", "starttls or tls")
	fl.StringVar(&f.user, "user", "", "who logs in there")
	fl.StringVar(&f.from, "from", "", "sender")
	fl.Var(&f.to, "to", "receiver; may be given several times")
	fl.StringVar(&f.remove, "remove-channel", "", "name of a way that is to go")
	fl.Var(&f.canaries, "canary", "folder, by its source's name, in which Kvart may keep a file of its own")
	fl.Var(&f.withoutGuard, "no-canary", "folder in which it may not any more")
	fl.StringVar(&f.country, "country", "", "whose peak days: se, no, dk, fi, is")
	fl.Var(&f.days, "day", "a peak day of your own: NAME=05-02 or NAME=2026-05-02..2026-05-04; NAME= takes it away")
	fl.Var(f.secret, "secret", "heartbeat=FILE, url=FILE, password=FILE or token=FILE of the channel")
	fl.StringVar(&f.peakPace, "peak-pace", "", "on or off: back up every five minutes over peak days")
	fl.StringVar(&f.domain, "domain", "", "on or off: ask its registry once a day when the shop's domain expires")
	fl.Var(&f.clear, "forget", "heartbeat, or a secret of the channel")
}

func setupWatchSet(c *command) func(context.Context) error {
	var f watchFlags
	f.register(c)
	return func(ctx context.Context) error {
		secrets, err := f.secrets()
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			set, err := s.WatchSettings(ctx)
			if err != nil {
				return err
			}
			if err := f.apply(&set); err != nil {
				return err
			}
			if set, err = s.SetWatch(ctx, app.WatchRequest{Settings: set, Secrets: secrets}); err != nil {
				return err
			}
			c.result(set, "%s", c.words.T("cli.watch_set"))
			return nil
		})
	}
}

// secrets reads the secrets; those of a channel are kept under its name.
func (f *watchFlags) secrets() (app.Secrets, error) {
	read, err := secretsFrom(f.secret)
	if err != nil {
		return nil, err
	}
	for _, key := range f.clear {
		read[key] = app.Secret{}
	}
	out := app.Secrets{}
	for key, s := range read {
		if key != app.HeartbeatKey {
			if f.channel == "" {
				return nil, app.Errorf(app.CodeUsage, "read flags", "secret %q is of no channel", key).With("field", "channel")
			}
			key = f.channel + "." + key
		}
		out[key] = s
	}
	return out, nil
}

func (f *watchFlags) apply(s *app.WatchSettings) error {
	switch {
	case f.shop == "off":
		s.Storefront = nil
	case f.shop != "":
		s.Storefront = &app.StorefrontSettings{URL: f.shop, Word: f.word}
	case f.word != "" && s.Storefront != nil:
		s.Storefront = &app.StorefrontSettings{URL: s.Storefront.URL, Word: f.word}
	}
	if f.country != "" {
		s.Country = f.country
	}
	if err := turn("peak-pace", f.peakPace, &s.NoPeakPace); err != nil {
		return err
	}
	if err := turn("domain", f.domain, &s.NoDomain); err != nil {
		return err
	}
	if f.channel != "" {
		f.applyChannel(s)
	}
	s.Channels = slices.DeleteFunc(s.Channels, func(c app.Channel) bool { return c.Name == f.remove })
	for _, n := range f.canaries {
		if !slices.Contains(s.Canaries, n) {
			s.Canaries = append(s.Canaries, n)
		}
	}
	s.Canaries = slices.DeleteFunc(s.Canaries, func(n string) bool { return slices.Contains(f.withoutGuard, n) })
	for _, d := range f.days {
		name, span, ok := strings.Cut(d, "=")
		if !ok {
			return app.Errorf(app.CodeUsage, "read flags", "%q is not NAME=DAY", d).With("field", "day")
		}
		s.OwnDays = slices.DeleteFunc(s.OwnDays, func(o app.OwnDay) bool { return o.Name == name })
		if from, to, _ := strings.Cut(span, ".."); from != "" {
			s.OwnDays = append(s.OwnDays, app.OwnDay{Name: name, From: from, To: to})
		}
	}
	return nil
}

// turn reads a switch whose setting says that it is off; "" leaves it.
func turn(name, word string, off *bool) error {
	switch word {
	case "":
	case "on", "off":
		*off = word == "off"
	default:
		return app.Errorf(app.CodeUsage, "read flags", "%q is neither on nor off", word).With("field", name).With("choices", "on, off")
	}
	return nil
}

func (f *watchFlags) applyChannel(s *app.WatchSettings) {
	i := slices.IndexFunc(s.Channels, func(c app.Channel) bool { return c.Name == f.channel })
	if i < 0 {
		s.Channels = append(s.Channels, app.Channel{Name: f.channel})
		i = len(s.Channels) - 1
	}
	c := &s.Channels[i]
	for _, set := range []struct {
		flag string
		to   *string
	}{{f.host, &c.Host}, {f.user, &c.User}, {f.from, &c.From}, {f.tls, &c.TLS}} {
		if set.flag != "" {
			*set.to = set.flag
		}
	}
	if f.kind != "" {
		c.Kind = app.ChannelKind(f.kind)
	}
	if f.port != 0 {
		c.Port = f.port
	}
	if len(f.to) > 0 {
		c.To = f.to
	}
}

func setupWatchTest(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if len(c.args) > 0 {
				for _, name := range c.args {
					if err := s.TestAlert(ctx, name); err != nil {
						return err
					}
					c.line("%s", c.words.T("cli.watch_sent", assets.Args{"Name": name}))
				}
				return c.document(map[string]any{"state": app.JobDone})
			}
			p, err := s.TestStorefront(ctx)
			if err != nil {
				return err
			}
			c.result(p, "%s", c.frontWords(p))
			if p.Error != nil {
				return c.quietly(p.Error)
			}
			return nil
		})
	}
}

func setupAnswer(c *command) func(context.Context) error {
	source := c.flags.String("source", "", "source that the question is about")
	return func(ctx context.Context) error {
		word, err := c.arg("yes|no")
		if err != nil {
			return err
		}
		if word != "yes" && word != "no" {
			return app.Errorf(app.CodeUsage, "read arguments", "%q is neither yes nor no", word).With("field", "answer").With("choices", "yes, no")
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			name, err := askedAbout(ctx, s, *source)
			if err != nil {
				return err
			}
			u, err := s.AnswerUnusual(ctx, app.AnswerRequest{Source: name, Yes: word == "yes"})
			if err != nil {
				return err
			}
			c.result(u, "%s", c.words.T("cli.answered_"+word))
			return nil
		})
	}
}

// askedAbout returns the source that a question is about: the one that was
// named, or the only one there is.
func askedAbout(ctx context.Context, s app.Service, name string) (string, error) {
	if name != "" {
		return name, nil
	}
	st, err := s.Status(ctx)
	if err != nil {
		return "", err
	}
	switch len(st.Unusual) {
	case 0:
		return "", app.Errorf(app.CodeNothingAsked, "answer", "nothing is asked")
	case 1:
		return st.Unusual[0].Source, nil
	}
	var names []string
	for _, u := range st.Unusual {
		names = append(names, u.Source)
	}
	return "", app.Errorf(app.CodeUsage, "answer", "%s questions are open", strconv.Itoa(len(names))).With("field", "source").With("choices", strings.Join(names, ", "))
}

// when is a moment as scripts and people can both read it.
func when(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }
