package tray

import (
	"github.com/getlantern/systray"

	"kvart/assets"
)

// view is the menu on the desktop. Items can't be taken away or moved, only
// hidden, so all of them are there from the start.
type view struct {
	icons *assets.Icons
	icon  *byte // first byte of the icon shown
	name  string

	headline, last, next                                               *item
	backup, wrong, pauseHour, pauseTomorrow, resume, login, open, quit *item
}

func newView(m Menu, icons *assets.Icons) *view {
	v := &view{icons: icons}
	v.headline, v.last, v.next = newItem(m.Headline), newItem(m.Last), newItem(m.Next)
	systray.AddSeparator()
	v.backup, v.wrong = newItem(m.Backup), newItem(m.Wrong)
	systray.AddSeparator()
	v.pauseHour, v.pauseTomorrow, v.resume = newItem(m.PauseHour), newItem(m.PauseTomorrow), newItem(m.Resume)
	systray.AddSeparator()
	v.login, v.open, v.quit = newItem(m.Login), newItem(m.Open), newItem(m.Quit)
	return v
}

// show brings the desktop to m, touching only what differs.
func (v *view) show(m Menu, turn int) {
	v.showIcon(m.Icon, turn)
	if m.Tooltip != v.name {
		systray.SetTooltip(m.Tooltip)
		v.name = m.Tooltip
	}
	for _, i := range []struct {
		item *item
		want Item
	}{
		{v.headline, m.Headline},
		{v.last, m.Last},
		{v.next, m.Next},
		{v.backup, m.Backup},
		{v.wrong, m.Wrong},
		{v.pauseHour, m.PauseHour},
		{v.pauseTomorrow, m.PauseTomorrow},
		{v.resume, m.Resume},
		{v.login, m.Login},
		{v.open, m.Open},
		{v.quit, m.Quit},
	} {
		i.item.show(i.want)
	}
}

// showIcon sets an icon whose bytes live as long as the view does: the library
// keeps a pointer to them after the call.
func (v *view) showIcon(s assets.MarkState, turn int) {
	if b := v.icons.Icon(s, turn); &b[0] != v.icon {
		systray.SetIcon(b)
		v.icon = &b[0]
	}
}

// item is one line and what it shows now.
type item struct {
	*systray.MenuItem
	now Item
}

func newItem(want Item) *item {
	i := &item{MenuItem: systray.AddMenuItem(want.Label, ""), now: Item{Label: want.Label, Enabled: true, Shown: true}}
	i.show(want)
	return i
}

// show changes what differs. A hidden item is left alone: every change of its
// text would show it again.
func (i *item) show(want Item) {
	if !want.Shown {
		if i.now.Shown {
			i.Hide()
			i.now.Shown = false
		}
		return
	}
	if want.Label != i.now.Label {
		i.SetTitle(want.Label)
	}
	if want.Enabled && !i.now.Enabled {
		i.Enable()
	}
	if !want.Enabled && i.now.Enabled {
		i.Disable()
	}
	if !i.now.Shown {
		i.Show()
	}
	i.now = want
}
