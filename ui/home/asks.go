package home

import (
	"context"
	"reflect"
	"slices"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// asks is the part of Home that is about a bad day: the open incident, and
// whether an unusual change was the owner's.
type asks struct {
	s        *Screen
	incident *screen.IncidentCard
	box      *fyne.Container
	shown    []app.Unusual
}

func newAsks(s *Screen) *asks {
	a := &asks{s: s, incident: screen.NewIncidentCard(s.env), box: widgets.Column(widgets.Gap12)}
	a.box.Hide()
	return a
}

func (a *asks) set(st app.Status) {
	a.incident.Set(st, a.s.env.Now())
	if reflect.DeepEqual(a.shown, st.Unusual) {
		return
	}
	a.shown = st.Unusual
	a.box.RemoveAll()
	for _, u := range a.shown {
		a.box.Add(screen.QuestionCard(a.s.env, u, func(yes bool) { a.ask(u, yes) }))
	}
	screen.Visible(a.box, len(a.shown) > 0)
}

// ask asks once more before a yes to what looks like an attack: what was kept
// because of it is let go then.
func (a *asks) ask(u app.Unusual, yes bool) {
	if !yes || u.Level != app.UnusualAlarm {
		a.answer(u, yes)
		return
	}
	t := a.s.env.T
	a.s.confirm.Ask(t("recover.unusual.sure", map[string]any{"Source": u.Source}), t("recover.unusual.sure.text"), t("recover.unusual.sure.yes"),
		func() { a.answer(u, true) })
}

// answer tells the guard; a no leads to what to do when somebody got in.
func (a *asks) answer(u app.Unusual, yes bool) {
	s := a.s
	s.trouble.Show(nil, nil)
	s.env.Go(func(ctx context.Context) func() {
		_, err := s.env.Service.AnswerUnusual(ctx, app.AnswerRequest{Source: string(u.SourceID), Yes: yes})
		return func() {
			s.trouble.Show(err, func() { a.answer(u, yes) })
			if err == nil && !yes {
				s.env.Show(screen.Place{Screen: screen.Recover})
			}
		}
	})
}

// unasked returns the problems but for those that a question is asked about.
func unasked(st app.Status) []app.Problemed {
	return slices.DeleteFunc(slices.Clone(st.Problems), func(p app.Problemed) bool {
		return app.CodeOf(p.Error) == app.CodeUnusual && slices.ContainsFunc(st.Unusual, func(u app.Unusual) bool { return u.Source == p.Source })
	})
}
