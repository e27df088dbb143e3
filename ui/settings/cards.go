package settings

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// alertsCard lists the ways to reach the owner away from this computer.
func (s *Screen) alertsCard() fyne.CanvasObject {
	t := s.env.T
	c := []fyne.CanvasObject{}
	if len(s.vm.Channels) == 0 {
		c = append(c, widgets.NewText(t("settings.alerts.none"), widgets.Body()))
	}
	for i, r := range s.vm.Channels {
		words := widgets.Column(2, widgets.NewText(r.Name, widgets.Strong()),
			widgets.NewText(t("settings.channel.where", assets.Args{"Kind": r.Kind, "Where": r.Where}), widgets.Caption()), widgets.NewText(r.Text, widgets.Caption()))
		if r.Wrong != "" {
			words.Add(widgets.NewText(r.Wrong, widgets.Caption().In(widgets.ToneDanger.Text())))
		}
		if said, ok := s.tested[r.Name]; ok {
			words.Add(widgets.NewText(said.Words, widgets.Body().In(said.Tone.Text())))
		}
		c = append(c, widgets.Line(), widgets.Row(widgets.Gap12, nil, words, widgets.NewPill(r.Pill, r.Tone)), widgets.Leading(
			widgets.NewButton(t("settings.channel.test", assets.Args{"Name": r.Name}), func() { s.testChannel(r.Name) }),
			widgets.NewButton(t("settings.channel.edit", assets.Args{"Name": r.Name}), func() { s.openChannel(&s.watch.Channels[i]) }),
			widgets.NewButton(t("settings.channel.remove", assets.Args{"Name": r.Name}), func() { s.askRemove(r.Name) })))
	}
	c = append(c, widgets.Leading(widgets.NewButton(t("settings.channel.add"), func() { s.openChannel(nil) })))
	return s.card(t("settings.alerts"), t("settings.alerts.hint"), c...)
}

// testChannel sends a test and tells what came of it.
func (s *Screen) testChannel(name string) {
	delete(s.tested, name)
	s.f.Worker.Ask(func(ctx context.Context) error { return s.env.Service.TestAlert(ctx, name) }, func() {
		s.tested[name] = told{s.env.T("settings.channel.tested"), widgets.ToneGood}
		s.redraw()
	}, func() { s.testChannel(name) })
}

// redraw draws the page that is shown.
func (s *Screen) redraw() {
	if s.leaf != nil {
		s.leaf.draw()
		return
	}
	s.draw()
}

func (s *Screen) askRemove(name string) {
	t, args := s.env.T, assets.Args{"Name": name}
	s.f.Confirm.Ask(t("settings.channel.remove.ask", args), t("settings.channel.remove.text"), t("settings.channel.remove.yes"), func() {
		s.changeWatch(nil, func(set *app.WatchSettings) {
			set.Channels = slices.DeleteFunc(slices.Clone(set.Channels), func(c app.Channel) bool { return c.Name == name })
		}, s.refresh)
	})
}

// frontCard tells how the watched shop stands.
func (s *Screen) frontCard() fyne.CanvasObject {
	t, v := s.env.T, s.vm.Front
	head := widgets.Row(widgets.Gap12, nil, widgets.NewText(t("settings.front"), widgets.Sub()), widgets.NewPill(v.Pill, v.Tone))
	rows := []fyne.CanvasObject{head, widgets.NewText(t("settings.front.hint"), widgets.Caption())}
	if v.URL != "" {
		rows = append(rows, widgets.NewText(v.URL, widgets.Strong()))
	}
	rows = append(rows, widgets.NewText(v.Text, widgets.Body()))
	for _, e := range v.Wrong {
		rows = append(rows, widgets.NewText(e, widgets.Body().In(widgets.ToneDanger.Text())))
	}
	if s.looked != nil {
		rows = append(rows, widgets.NewText(s.looked.Words, widgets.Body().In(s.looked.Tone.Text())))
	}
	for _, m := range v.Months {
		rows = append(rows, widgets.Columns([]float32{30, 70}, widgets.NewText(m.Title, widgets.Muted()), widgets.NewText(m.Value, widgets.Body())))
	}
	for _, o := range v.Downs {
		rows = append(rows, widgets.NewText(o, widgets.Caption()))
	}
	buttons := []fyne.CanvasObject{widgets.NewButton(t("ready.do.shop"), s.openFront)}
	if v.Set {
		buttons = []fyne.CanvasObject{widgets.NewButton(t("settings.front.look"), s.lookFront), widgets.NewButton(t("settings.front.change"), s.openFront)}
	}
	return widgets.NewCard(widgets.Column(widgets.Gap8, append(rows, widgets.Leading(buttons...))...))
}

// lookFront looks at the shop now. A shop that is down is told, not failed.
func (s *Screen) lookFront() {
	var p app.StorefrontProbe
	s.f.Worker.Ask(func(ctx context.Context) (err error) {
		p, err = s.env.Service.TestStorefront(ctx)
		return err
	}, func() {
		said := probeTold(s.env.Words, p, s.env.Now())
		if p.Error != nil {
			title, _, next := assets.ErrorWords(s.env.Words, p.Error)
			said.Words = s.env.T("settings.front.wrong", assets.Args{"What": title, "Next": next})
		}
		s.looked = &said
		s.redraw()
	}, s.lookFront)
}

func (s *Screen) heartbeatCard() fyne.CanvasObject {
	t := s.env.T
	buttons := []fyne.CanvasObject{widgets.NewButton(t("settings.beat.change"), s.openBeat)}
	if s.watch.Heartbeat != "" {
		buttons = append(buttons, widgets.NewButton(t("settings.beat.stop"), func() {
			s.changeWatch(app.Secrets{app.HeartbeatKey: app.Secret{}}, func(*app.WatchSettings) {}, s.refresh)
		}))
	}
	return s.card(t("settings.beat"), t("settings.beat.hint"),
		widgets.NewText(s.vm.Heartbeat.Words, widgets.Body().In(s.vm.Heartbeat.Tone.Text())), widgets.Leading(buttons...))
}

// noticesCard asks which notices are shown on this computer.
func (s *Screen) noticesCard() fyne.CanvasObject {
	t := s.env.T
	var checks []fyne.CanvasObject
	for _, k := range app.NoticeKinds() {
		if !k.Mutable() {
			continue
		}
		checks = append(checks, widgets.NewCheck(t("settings.notices."+string(k)), !slices.Contains(s.settings.Muted, k), func(on bool) {
			s.change(func(set *app.Settings) {
				set.Muted = slices.DeleteFunc(slices.Clone(set.Muted), func(o app.NoticeKind) bool { return o == k })
				if !on {
					set.Muted = append(set.Muted, k)
				}
			})
		}))
	}
	return s.card(t("settings.notices"), t("settings.notices.hint"), widgets.NewText(t("settings.notices.always"), widgets.Body()),
		widgets.Grid(widgets.Gap8, 320, 2, checks...))
}

// powerCard asks what becomes of backups on battery and on a metered line.
func (s *Screen) powerCard() fyne.CanvasObject {
	t, v := s.env.T, s.vm.Power
	var words []string
	for _, r := range app.PowerRules() {
		key := string(r)
		if r == app.PowerGoOn {
			key = "goon"
		}
		words = append(words, t("settings.power.rule."+key))
	}
	ask := func(key, now string, at int, set func(*app.Settings, app.PowerRule)) fyne.CanvasObject {
		pick := widgets.NewSelect(words, at, func(i int) {
			if i >= 0 && i != at {
				s.change(func(v *app.Settings) { set(v, app.PowerRules()[i]) })
			}
		})
		return widgets.Column(widgets.Gap4, widgets.NewText(t("settings.power."+key), widgets.Strong()), widgets.NewText(now, widgets.Caption()), pick)
	}
	rows := []fyne.CanvasObject{widgets.Grid(widgets.Gap16, 300, 2,
		ask("battery", v.Battery, v.OnBattery, func(set *app.Settings, r app.PowerRule) { set.OnBattery = r }),
		ask("metered", v.Metered, v.OnMetered, func(set *app.Settings, r app.PowerRule) { set.OnMetered = r }))}
	if v.Waiting != "" {
		rows = append(rows, widgets.NewText(v.Waiting, widgets.Body().In(widgets.ToneWarn.Text())))
	}
	return s.card(t("settings.power"), t("settings.power.hint"), rows...)
}

func (s *Screen) helpCard() fyne.CanvasObject {
	t := s.env.T
	return s.card(t("settings.help"), t("settings.help.hint"), widgets.Leading(
		widgets.NewButton(t("settings.support.open"), s.openSupport), widgets.NewButton(t("settings.logs.open"), s.openLogs)))
}

// openLogs shows the folder of the logs.
func (s *Screen) openLogs() {
	var b app.SupportBundle
	s.f.Worker.Ask(func(ctx context.Context) (err error) {
		b, err = s.env.Service.Support(ctx)
		return err
	}, func() {
		if err := s.env.OpenFile(b.Logs); err != nil {
			s.f.Trouble.Show(err, s.openLogs)
		}
	}, s.openLogs)
}

// labelled is an entry with what it is for above it and, where there is more to
// say, below.
func labelled(env screen.Env, key string, e fyne.CanvasObject) fyne.CanvasObject {
	rows := []fyne.CanvasObject{widgets.NewText(env.T(key), widgets.Strong()), e}
	if env.Words.Has(key + ".hint") {
		rows = append(rows, widgets.NewText(env.T(key+".hint"), widgets.Caption()))
	}
	return widgets.Column(widgets.Gap4, rows...)
}
