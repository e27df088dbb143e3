package screen

import (
	"fmt"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

// Clock writes how long something has taken, to be compared with the goal.
func Clock(w *assets.Words, d time.Duration) string {
	s := int(max(d, 0).Seconds())
	switch {
	case s < 100*60:
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	case s < 48*3600:
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return w.Span(d)
}

// ClockLook is how a clock that is compared with the goal looks.
func ClockLook(late bool) widgets.Look {
	l := widgets.Look{Size: theme.SizeClock, Bold: true, OneLine: true, Trailing: true}
	if late {
		return l.In(widgets.ToneWarn.Text())
	}
	return l
}

// Trailing is how the line below such a clock looks.
func Trailing() widgets.Look {
	l := widgets.Caption().Line()
	l.Trailing = true
	return l
}

// Away tells how long the shop has been away in an open incident.
func Away(b app.IncidentBrief, told, now time.Time) time.Duration {
	d := time.Duration(b.Seconds * float64(time.Second))
	if b.Back.IsZero() {
		d += max(now.Sub(told), 0)
	}
	return d
}

// IncidentModel is the open incident in short.
type IncidentModel struct{ Title, Text, Next, Clock string }

// ModelIncident tells the open incident in short.
func ModelIncident(w *assets.Words, st app.Status, now time.Time) IncidentModel {
	b := *st.Incident
	m := IncidentModel{
		Title: w.T("incident.playbook." + string(b.Playbook)), Clock: Clock(w, Away(b, st.Now, now)),
		Text: w.T("recover.card.text", assets.Args{"Done": w.Number(int64(b.Settled)), "Of": w.Number(int64(b.Steps))}),
	}
	step := func(key string, code app.StepCode) {
		title, _, _ := assets.StepWords(w, code)
		m.Next = w.T(key, assets.Args{"Step": title})
	}
	switch {
	case b.Failed != "":
		step("recover.card.failed", b.Failed)
	case b.Running != "":
		step("recover.card.running", b.Running)
	case b.Next != "":
		step("recover.card.next", b.Next)
	}
	return m
}

// IncidentCard leads to the open incident.
type IncidentCard struct {
	*widgets.Card
	env                     Env
	title, text, next, time *widgets.Text
	open                    *widgets.Button
}

// NewIncidentCard returns the card, hidden until there is an incident.
func NewIncidentCard(env Env) *IncidentCard {
	clock := widgets.Sub().Line()
	clock.Trailing = true
	c := &IncidentCard{
		env: env, title: widgets.NewText("", widgets.Sub()), text: widgets.NewText("", widgets.Caption()), next: widgets.NewText("", widgets.Body()),
		time: widgets.NewText("", clock),
	}
	c.open = widgets.NewPrimary(env.T("recover.card.button"), func() { env.Show(Place{Screen: Recover}) })
	c.Card = widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap4, c.title, c.next, c.text), c.time, c.open)).Emphasise()
	c.Hide()
	return c
}

// Set shows how the incident stands; the card is hidden while there is none.
func (c *IncidentCard) Set(st app.Status, now time.Time) {
	Visible(c.Card, st.Incident != nil)
	if st.Incident == nil {
		return
	}
	c.urge(st.Incident.Real())
	m := ModelIncident(c.env.Words, st, now)
	c.title.Set(m.Title)
	c.text.Set(m.Text)
	c.next.Set(m.Next)
	c.time.Set(m.Clock)
	Visible(c.next, m.Next != "")
}

// urge makes the way to the incident the page's primary button, unless it is only
// practised.
func (c *IncidentCard) urge(on bool) {
	want := widget.MediumImportance
	if on {
		want = widget.HighImportance
	}
	if c.open.Importance != want {
		c.open.Importance = want
		c.open.Refresh()
	}
}

// QuestionCard asks whether an unusual change was the owner's.
func QuestionCard(env Env, u app.Unusual, answer func(yes bool)) *widgets.Card {
	t, args := env.T, assets.Args{"Source": u.Source, "When": env.Words.When(u.At, env.Now())}
	tone := widgets.ToneWarn
	if u.Level == app.UnusualAlarm {
		tone = widgets.ToneDanger
	}
	rows := []fyne.CanvasObject{
		widgets.NewText(t("recover.unusual.title", args), widgets.Sub().In(tone.Text())), widgets.NewText(t("recover.unusual.text", args), widgets.Body()),
	}
	for _, why := range assets.UnusualWords(env.Words, u) {
		rows = append(rows, widgets.NewText(t("recover.unusual.reason", assets.Args{"Why": why}), widgets.Strong()))
	}
	kept := t("recover.unusual.kept")
	if !u.GoodTime.IsZero() {
		kept = t("recover.unusual.kept.good", assets.Args{"When": env.Words.When(u.GoodTime, env.Now())})
	}
	rows = append(rows, widgets.NewText(kept, widgets.Muted()), widgets.Inset(0, 4, widgets.Leading(
		widgets.NewButton(t("recover.unusual.yes"), func() { answer(true) }), widgets.NewButton(t("recover.unusual.no"), func() { answer(false) }))))
	return widgets.NewCard(widgets.Column(widgets.Gap8, rows...)).Emphasise()
}
