package reopen

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// Screen opens backups that were made before.
type Screen struct {
	env     screen.Env
	flow    *Flow
	status  app.Status
	forms   app.Forms
	object  fyne.CanvasObject
	scroll  *container.Scroll
	body    *fyne.Container
	foot    *fyne.Container
	trouble *screen.Trouble
	worker  *screen.Worker
	opener  *screen.Opener
	back    *widgets.Button
	next    *widgets.Button
	hint    *widgets.Text
	done    doneView
	drawn   bool // the last page is on the screen
	said    string
}

var _ screen.Screen = (*Screen)(nil)

// New returns the screen at the place where its flow was left.
func New(env screen.Env, f *Flow) *Screen {
	s := &Screen{env: env, flow: f, body: widgets.Column(widgets.Gap16), trouble: screen.NewTrouble(env)}
	f.current = s
	s.worker = screen.NewWorker(env, s.trouble)
	s.worker.OnBusy = s.check
	s.opener = screen.NewOpener(env, s.worker.Ask)
	s.back = widgets.NewButton(env.T("back"), s.leave)
	s.next = widgets.NewPrimary("", s.Enter)
	s.hint = widgets.NewText("", widgets.Caption().Cut())
	s.scroll = widgets.Page(s.trouble.Object(), s.opener.Object(), s.body)
	s.trouble.OnChanged = func() { s.scroll.ScrollToTop(); widgets.Relayout(s.scroll) }
	s.opener.OnChanged = s.trouble.OnChanged
	s.foot = widgets.Inset(32, 20, widgets.Row(widgets.Gap16, []fyne.CanvasObject{s.back}, s.hint, s.next))
	s.object = widgets.Foot(s.scroll, s.foot)
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen].
func (s *Screen) Open(screen.Place) {
	s.trouble.Show(nil, nil)
	s.opener.Close()
	s.show()
	s.load()
}

// load asks for the kinds of sources, whose secrets may have to be asked for.
func (s *Screen) load() {
	s.env.Go(func(ctx context.Context) func() {
		forms, err := s.env.Service.Forms(ctx)
		return func() {
			if s.forms = forms; err != nil {
				s.trouble.Show(err, s.load)
			}
			s.drawn = false
			s.Set(s.status)
		}
	})
}

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	s.status = st
	if !s.flow.opened {
		return
	}
	if v := modelDone(s.env.Words, st, s.flow.asOf, s.env.Now()); !s.drawn || !reflect.DeepEqual(v, s.done) {
		s.done = v
		s.show()
	}
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	switch {
	case s.next.Disabled():
	case !s.flow.opened:
		s.opener.Open(s.flow.request(), func(v app.VaultInfo) {
			s.flow.got(v)
			s.flow.current.Set(s.flow.current.status)
		})
	case s.done.Past:
		s.end(screen.Recover)
	case s.done.Empty:
		s.end(screen.Setup)
	default:
		s.end(screen.Home)
	}
}

// end leaves for another screen; next time it begins anew.
func (s *Screen) end(n screen.Name) {
	*s.flow = Flow{way: withKit, current: s}
	s.drawn = false
	s.env.Show(screen.Place{Screen: n})
}

func (s *Screen) leave() {
	s.flow.kit, s.flow.code = "", ""
	s.end(screen.Home)
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	if s.opener.Close() {
		return true
	}
	s.leave()
	return true
}

func (s *Screen) show() {
	s.drawn = s.flow.opened
	if s.flow.opened {
		s.body.Objects = s.donePage()
	} else {
		s.body.Objects = s.howPage()
	}
	widgets.Relayout(s.scroll)
	s.check()
}

func (s *Screen) check() {
	t := s.env.T
	s.hint.Set("")
	text := t("reopen.open")
	switch {
	case s.worker.Busy():
		s.hint.Set(t("setup.busy"))
	case s.flow.opened && s.done.missing():
		s.hint.Set(t("reopen.later"))
	case !s.flow.opened && !s.flow.complete():
		s.hint.Set(t("reopen.lack." + string(s.flow.way)))
	}
	switch {
	case s.flow.opened && s.done.Past:
		text = t("recover.button.all")
	case s.flow.opened && s.done.Empty:
		text = t("home.button.nosources")
	case s.flow.opened:
		text = t("reopen.home")
	}
	if s.next.Text != text {
		s.next.SetText(text)
	}
	s.next.SetEnabled(!s.worker.Busy() && (s.flow.opened || s.flow.complete()))
	screen.Visible(s.back, !s.flow.opened)
	s.foot.Refresh()
}

func title(title, text string) fyne.CanvasObject {
	return widgets.Column(widgets.Gap8, widgets.NewText(title, widgets.Heading()), widgets.NewText(text, widgets.Muted()))
}

// howPage asks for the kit or the invitation.
func (s *Screen) howPage() []fyne.CanvasObject {
	t := s.env.T
	choice := func(w way) fyne.CanvasObject {
		key := "reopen." + string(w)
		c := widgets.NewChoice(t(key), widgets.Column(widgets.Gap4, widgets.NewText(t(key), widgets.Strong()), widgets.NewText(t(key+".hint"), widgets.Caption())),
			func() { s.flow.way = w; s.trouble.Show(nil, nil); s.opener.Close(); s.show() })
		c.Select(s.flow.way == w)
		return c
	}
	parts := s.kitParts()
	if s.flow.way == withInvitation {
		parts = s.invitationParts()
	}
	return []fyne.CanvasObject{
		title(t("reopen.title"), t("reopen.text")),
		widgets.Grid(widgets.Gap16, 240, 2, choice(withKit), choice(withInvitation)),
		widgets.NewCard(widgets.Column(widgets.Gap12, parts...)),
		widgets.Row(widgets.Gap16, nil, widgets.NewText(t("reopen.neither"), widgets.Caption()),
			widgets.NewQuiet(t("reopen.neither.button"), func() { s.end(screen.Setup) })),
	}
}

func (s *Screen) kitParts() []fyne.CanvasObject {
	text := screen.NewSecretText(s.env, s.flow.kit, func(v string) { s.flow.kit = strings.TrimSpace(v); s.check() })
	text.OnShape = func() { widgets.Relayout(s.scroll) }
	return []fyne.CanvasObject{
		widgets.NewText(s.env.T("reopen.kit.ask"), widgets.Strong()), text.Object(), widgets.NewText(s.env.T("reopen.kit.note"), widgets.Caption()),
	}
}

func (s *Screen) invitationParts() []fyne.CanvasObject {
	t := s.env.T
	rows := []fyne.CanvasObject{widgets.NewText(t("reopen.invitation.file"), widgets.Strong())}
	if s.flow.file != "" {
		rows = append(rows, widgets.NewText(t("form.secret.from", map[string]any{"File": screen.NameFor(s.flow.file)}), widgets.Body().In(widgets.ToneGood.Text())))
	}
	if s.said != "" {
		rows = append(rows, widgets.NewText(s.said, widgets.Body().In(widgets.ToneDanger.Text())))
	}
	return append(rows, widgets.Leading(widgets.NewButton(t("form.file"), s.chooseInvitation)),
		widgets.NewText(t("reopen.invitation.code"), widgets.Strong()),
		widgets.Leading(widgets.Sized(280, 0, widgets.NewEntry(s.flow.code, func(v string) { s.flow.code = strings.TrimSpace(v); s.check() }))),
		widgets.NewText(t("reopen.invitation.note"), widgets.Caption()))
}

func (s *Screen) chooseInvitation() {
	s.env.ChooseFile(func(path string) {
		s.env.Go(func(context.Context) func() {
			b, err := screen.ReadFile(path)
			return func() {
				s.said = ""
				if err != nil || len(b) == 0 {
					s.said = s.env.T("form.file.bad", map[string]any{"File": screen.NameFor(path)})
				} else {
					s.flow.file, s.flow.sealed = path, b
				}
				s.show()
			}
		})
	})
}

// donePage shows what came back, and asks for what could not come back: a
// source's secrets are in no backup.
func (s *Screen) donePage() []fyne.CanvasObject {
	v := s.done
	objects := []fyne.CanvasObject{title(v.Title, v.Text)}
	if v.Past {
		return objects
	}
	var rows []fyne.CanvasObject
	for _, src := range v.Sources {
		if src.Secret {
			if o := s.secretCard(src); o != nil {
				objects = append(objects, o)
				continue
			}
		}
		if len(rows) > 0 {
			rows = append(rows, widgets.Line())
		}
		pill := widgets.NewPill(s.env.T("reopen.back"), widgets.ToneGood)
		if src.Secret {
			pill = widgets.NewPill(s.env.T("reopen.needs"), widgets.ToneWarn)
		}
		rows = append(rows, widgets.Row(widgets.Gap12, nil, widgets.Column(0,
			widgets.NewText(src.Name, widgets.Strong()), widgets.NewText(src.Kind, widgets.Caption())), pill))
	}
	if len(rows) > 0 {
		objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap12, rows...)))
	}
	if !v.Empty {
		objects = append(objects, widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.NewText(s.env.T("reopen.restore"), widgets.Body()),
			widgets.NewButton(s.env.T("remedy.recover"), func() { s.end(screen.Recover) }))))
	}
	return objects
}

func (s *Screen) secretCard(v sourceView) fyne.CanvasObject {
	i := slices.IndexFunc(s.status.Sources, func(src app.SourceStatus) bool { return src.Source.Name == v.Name })
	if i < 0 {
		return nil
	}
	k := slices.IndexFunc(s.forms.Sources, func(k app.KindSpec) bool { return k.Kind == s.status.Sources[i].Source.Kind })
	if k < 0 {
		return nil
	}
	form := screen.NewSourceForm(s.env, s.worker.Ask, s.forms.Sources[k], s.status.Sources[i], func() {})
	form.OnShape(func() { widgets.Relayout(s.scroll) })
	return widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.NewText(s.env.T("source.form.missing", map[string]any{"Name": v.Name}), widgets.Sub()),
		widgets.NewText(s.env.T("source.form.missing.text"), widgets.Muted()), form.Object()))
}
