package settings

import (
	"context"
	"net/url"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// updateView is what the card about newer versions shows.
type updateView struct {
	Hint, Line         string
	Look, Fetch, Ready bool // what can be pressed
}

// updateModel tells what is known of newer versions.
func updateModel(w *assets.Words, st app.UpdateStatus, fetching bool, now time.Time) updateView {
	if st.Settings.Feed == "" {
		return updateView{Hint: w.T("update.off")}
	}
	where := st.Settings.Feed
	if u, err := url.Parse(where); err == nil {
		where = u.Host
	}
	v := updateView{Hint: w.T("update.on", assets.Args{"Where": where}), Look: !fetching}
	switch {
	case fetching:
		v.Line = w.T("update.fetching")
	case st.Newer != nil && st.Path != "":
		v.Line, v.Ready = w.T("update.ready"), true
	case st.Newer != nil && st.Newer.File.Name == "":
		v.Line = w.T("update.foreign", assets.Args{"Newer": st.Newer.Version})
	case st.Newer != nil:
		v.Line, v.Fetch = w.T("update.newer", assets.Args{"Newer": st.Newer.Version}), true
	case st.Checked.IsZero():
		v.Line = w.T("update.unasked")
	default:
		v.Line = w.T("update.none", assets.Args{"Version": st.Version, "When": w.When(st.Checked, now)})
	}
	return v
}

// updates is the card about newer versions. What is fetched is opened only when
// the owner presses so, after it was proven once more.
type updates struct {
	s        *Screen
	status   app.UpdateStatus
	fetching bool
	object   *fyne.Container
}

func newUpdates(s *Screen) *updates {
	return &updates{s: s, object: widgets.Column(0)}
}

// ask asks the guard and shows what it tells.
func (u *updates) ask(question func(context.Context) (app.UpdateStatus, error)) {
	u.s.env.Go(func(ctx context.Context) func() {
		st, err := question(ctx)
		return func() {
			u.s.f.Trouble.Show(err, nil)
			if err == nil {
				u.status = st
				u.draw()
			}
		}
	})
}

func (u *updates) load() { u.ask(u.s.env.Service.Updates) }

// follow looks again when a download began or ended.
func (u *updates) follow(st app.Status) {
	if now := st.Job != nil && st.Job.Kind == app.JobUpdate; now != u.fetching {
		u.fetching = now
		u.load()
	}
}

// fetch fetches the newer version, or proves the one that is there, and then
// does what follows.
func (u *updates) fetch(then func()) {
	u.s.env.Go(func(ctx context.Context) func() {
		id, err := u.s.env.Service.StartUpdate(ctx)
		var j app.Job
		if err == nil {
			j, err = u.s.env.Service.Wait(ctx, id)
		}
		if err == nil && j.Error != nil {
			err = j.Error
		}
		return func() {
			u.s.f.Trouble.Show(err, nil)
			if err == nil {
				then()
			}
		}
	})
}

func (u *updates) open() {
	if path := u.status.Path; path != "" {
		u.s.f.Trouble.Show(u.s.env.OpenFile(path), nil)
	}
}

func (u *updates) draw() {
	t := u.s.env.T
	v := updateModel(u.s.env.Words, u.status, u.fetching, u.s.env.Now())
	var rows, buttons []fyne.CanvasObject
	if v.Line != "" {
		rows = append(rows, widgets.NewText(v.Line, widgets.Body()))
	}
	if v.Fetch {
		buttons = append(buttons, widgets.NewButton(t("update.fetch"), func() { u.fetch(u.load) }))
	}
	if v.Ready {
		buttons = append(buttons, widgets.NewButton(t("update.open"), func() { u.fetch(u.open) }))
	}
	if v.Look {
		buttons = append(buttons, widgets.NewButton(t("update.check"), func() { u.ask(u.s.env.Service.CheckUpdate) }))
	}
	if len(buttons) > 0 {
		rows = append(rows, widgets.Leading(buttons...))
	}
	u.object.Objects = []fyne.CanvasObject{u.s.card(t("update.title"), v.Hint, rows...)}
	u.s.f.Relayout()
}
