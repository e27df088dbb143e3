package ui

import (
	"errors"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// TestWindow_calm: the loop may sleep while the shop is merely safe, and not
// while a clock counts, an answer is waited for or a cursor blinks.
func TestWindow_calm(t *testing.T) {
	incident := uitest.Safe()
	incident.Incident = &app.IncidentBrief{}
	over := uitest.Safe()
	over.Incident = &app.IncidentBrief{Back: time.Now()}
	for name, c := range map[string]struct {
		status app.Status
		change func(r *rig)
		want   bool
	}{
		"safe":              {status: uitest.Safe(), want: true},
		"backing up":        {status: uitest.BackingUp()},
		"incident":          {status: incident},
		"incident, back":    {status: over, want: true},
		"guard lost":        {status: uitest.Safe(), change: func(r *rig) { r.lost(errors.New("gone")) }},
		"waits for answers": {status: uitest.Safe(), change: func(r *rig) { r.asked.Add(1) }},
		"cursor":            {status: uitest.Safe(), change: func(r *rig) { r.focus(widget.NewEntry()) }},
		"button focused":    {status: uitest.Safe(), change: func(r *rig) { r.focus(widget.NewButton("", nil)) }, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.status)
			defer r.Close()
			if c.change != nil {
				c.change(r)
			}
			if got := r.calm(); got != c.want {
				t.Errorf("calm: %t", got)
			}
		})
	}
}

// focus puts an object on the window, and the keyboard on it.
func (r *rig) focus(o interface {
	fyne.CanvasObject
	fyne.Focusable
},
) {
	r.win.SetContent(o)
	r.c.Focus(o)
}

// laid counts how often a page is laid out.
type laid struct {
	of    fyne.Layout
	times int
}

func (l *laid) Layout(o []fyne.CanvasObject, s fyne.Size) { l.times++; l.of.Layout(o, s) }

func (l *laid) MinSize(o []fyne.CanvasObject) fyne.Size { return l.of.MinSize(o) }

// TestHome_staysWhereNothingChanged: a status that says what the last one said
// has nothing laid out, and so nothing painted.
func TestHome_staysWhereNothingChanged(t *testing.T) {
	s := uitest.Safe()
	r := newRig(t, s)
	defer r.Close()
	page, ok := r.screen(screen.Home).Object().(*container.Scroll)
	if !ok {
		t.Fatal("Home does not scroll")
	}
	content, ok := page.Content.(*fyne.Container)
	if !ok {
		t.Fatalf("Home's page holds a %T", page.Content)
	}
	l := &laid{of: content.Layout}
	content.Layout = l
	r.seen(s)
	if l.times != 0 {
		t.Errorf("laid out %d times", l.times)
	}
	s.Now = s.Now.Add(time.Hour)
	if r.seen(s); l.times == 0 {
		t.Error("an hour later nothing was laid out")
	}
}
