// Package tray shows how the shop stands as an icon with a menu among the
// desktop's own. It decides nothing: it shows a status and passes clicks on.
package tray

import (
	"context"
	"log/slog"
	"time"

	"kvart/app"
	"kvart/assets"
)

// Screens the menu can open the window at.
const (
	ScreenHome     = "home"
	ScreenRecover  = "recover"
	ScreenSettings = "settings"
)

// Guard is the part of [app.Service] that the tray uses.
type Guard interface {
	Watch(ctx context.Context, fn func(app.Status) error) error
	StartBackup(ctx context.Context, sources []string) (app.JobID, error)
	Pause(ctx context.Context, until time.Time) error
	Settings(ctx context.Context) (app.Settings, error)
	SetSettings(ctx context.Context, s app.Settings) error
}

// Options are what the tray needs. All but Exit are required.
type Options struct {
	Service Guard
	Words   func() *assets.Words // in the language of now
	Icons   *assets.Icons
	// Open shows the window at a screen. It may take its time.
	Open func(screen string)
	// Quit is called when the owner chose to quit, before Run returns.
	Quit func()
	// Exit is called on the main goroutine as the last thing. On macOS the
	// process ends right after it: Run does not return there.
	Exit func()
	Log  *slog.Logger
}

// Item is one line of the menu.
type Item struct {
	Label   string
	Enabled bool
	Shown   bool
}

// Menu is everything the tray shows.
type Menu struct {
	Icon    assets.MarkState
	Tooltip string

	// Lines that only tell.
	Headline, Last, Next Item
	// Lines to click.
	Backup, Wrong, PauseHour, PauseTomorrow, Resume, Login, Open, Quit Item
}

// Model returns what the tray shows for a status at a time.
func Model(st app.Status, w *assets.Words, now time.Time) Menu {
	verdict := verdict(st, now)
	paused := paused(st, now)
	headline := headline(st, verdict, w)
	m := Menu{
		Icon:          icon(st, verdict, paused),
		Tooltip:       w.T("tray.name", assets.Args{"Headline": headline}),
		Headline:      Item{Label: headline, Shown: true},
		Last:          Item{Label: last(st, w, now), Shown: true},
		Next:          Item{Label: next(st, w, now), Shown: true},
		Backup:        Item{Label: w.T("tray.backup"), Enabled: st.Vault != nil && st.Job == nil, Shown: true},
		Wrong:         Item{Label: w.T("tray.wrong"), Enabled: true, Shown: true},
		PauseHour:     Item{Label: w.T("tray.pause_hour"), Enabled: st.Vault != nil, Shown: !paused},
		PauseTomorrow: Item{Label: w.T("tray.pause_tomorrow"), Enabled: st.Vault != nil, Shown: !paused},
		Resume:        Item{Label: w.T("tray.resume"), Enabled: true, Shown: paused},
		Login:         Item{Label: w.T("tray.login.on"), Enabled: !st.Now.IsZero(), Shown: true},
		Open:          Item{Label: w.T("tray.open"), Enabled: true, Shown: true},
		Quit:          Item{Label: w.T("tray.quit"), Enabled: true, Shown: true},
	}
	if st.Autostart {
		m.Login.Label = w.T("tray.login.off")
	}
	if st.Job != nil {
		m.Backup.Label = w.T("tray.busy." + string(st.Job.Kind))
	}
	return m
}

// verdict is the status's own, but never a good one when backups have stopped
// coming: the status is then older than it looks.
func verdict(st app.Status, now time.Time) app.Verdict {
	switch st.Verdict {
	case app.VerdictSafe, app.VerdictUnproven:
		overdue := !st.NextBackup.IsZero() && now.Sub(st.NextBackup) > 2*app.QuarterLength
		if overdue && st.Job == nil && !paused(st, now) {
			return app.VerdictLate
		}
		return st.Verdict
	case app.VerdictLate, app.VerdictSuspicious, app.VerdictFailed:
		return st.Verdict
	}
	return app.VerdictUnknown
}

// headline is the verdict in words, or what says more than it: that something
// has happened, or that backups wait because the owner has chosen so.
func headline(st app.Status, v app.Verdict, w *assets.Words) string {
	rest := st.Resting()
	switch {
	case st.Incident.Real():
		return w.T("home.head.incident")
	case v == app.VerdictFailed || v == app.VerdictSuspicious:
	case st.Waiting != nil:
		return w.T("home.head." + string(st.Waiting.Cause))
	case len(rest) > 0:
		key := "home.head.quiet"
		for _, s := range rest {
			if s.State == app.SourcePaused {
				key = "home.head.source"
			}
		}
		return w.N(key, int64(len(rest)), assets.Args{"Source": rest[0].Source.Name})
	}
	return w.T("verdict." + string(v))
}

func paused(st app.Status, now time.Time) bool { return st.PausedUntil.After(now) }

// icon shows trouble first: work under way must not hide that it is needed,
// and neither must a pause.
func icon(st app.Status, v app.Verdict, paused bool) assets.MarkState {
	switch {
	case v == app.VerdictFailed || v == app.VerdictSuspicious || st.Incident.Real():
		return assets.MarkAlarm
	case st.Job != nil:
		return assets.MarkWorking
	case paused || st.Waiting != nil || len(st.Resting()) > 0:
		return assets.MarkPaused
	case v == app.VerdictLate:
		return assets.MarkLate
	case v == app.VerdictSafe:
		return assets.MarkSafe
	}
	return assets.MarkUnknown // what is not proven is not shown as safe
}

func last(st app.Status, w *assets.Words, now time.Time) string {
	if st.LastBackup.IsZero() {
		return w.T("tray.last.none")
	}
	return w.T("tray.last", assets.Args{"When": w.When(st.LastBackup, now)})
}

func next(st app.Status, w *assets.Words, now time.Time) string {
	switch {
	case paused(st, now):
		return w.T("tray.paused", assets.Args{"When": w.When(st.PausedUntil, now)})
	case st.NextBackup.IsZero():
		return w.T("tray.next.none")
	case !st.NextBackup.After(now):
		return w.T("tray.next.soon")
	}
	return w.T("tray.next", assets.Args{"When": w.When(st.NextBackup, now)})
}

// opening is when a pause until tomorrow ends: in time for the shop.
const opening = 6

// tomorrow returns the next time it is six in the morning here.
func tomorrow(now time.Time) time.Time {
	now = now.Local()
	t := time.Date(now.Year(), now.Month(), now.Day(), opening, 0, 0, 0, time.Local)
	if !t.After(now) {
		t = time.Date(now.Year(), now.Month(), now.Day()+1, opening, 0, 0, 0, time.Local)
	}
	return t
}
