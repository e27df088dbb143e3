package ui

import (
	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// Stop is a page of the window that a picture is taken of.
type Stop struct {
	Name  string // of the picture
	place screen.Place
	press []string // what is pressed there, in turn: keys of words, or the words
}

// Stops returns the pages of a tour through the demo's shop, or nil: what there
// is to see depends on how the shop stands.
func Stops(tour string) []Stop {
	at := func(n screen.Name) screen.Place { return screen.Place{Screen: n} }
	part := func(n screen.Name, p screen.Part) screen.Place { return screen.Place{Screen: n, Part: p} }
	recover, history := at(screen.Recover), screen.Place{Screen: screen.History, Source: "Kassan"}
	switch tour {
	case "empty":
		return []Stop{
			{"01-home-empty", at(screen.Home), nil},
			{"08-setup-1-what", at(screen.Setup), nil},
			{"08-setup-2-where", at(screen.Setup), []string{"setup.continue"}},
			{"08-setup-reopen", at(screen.Reopen), nil},
		}
	case "safe":
		return []Stop{
			{"01-home", at(screen.Home), nil},
			{"02-sources", at(screen.Sources), nil},
			{"02-sources-detail", screen.Place{Screen: screen.Sources, Source: "Kassan", Part: screen.PartSource}, nil},
			{"02-sources-add", at(screen.Sources), []string{"sources.add"}},
			{"03-history", history, nil},
			{"03-history-month", history, []string{"history.calendar"}},
			{"03-history-browse", history, []string{"artikel"}},
			{"03-history-files", screen.Place{Screen: screen.History, Source: "Bilder"}, nil},
			{"03-history-compare", history, []string{"history.with.now"}},
			{"03-history-find", history, []string{"history.find"}},
			{"04-recover", recover, nil},
			{"04-recover-plan", screen.Place{Screen: screen.Recover, Source: "Kassan"}, nil},
			{"04-recover-deleted", recover, []string{"incident.playbook." + string(app.PlaybookDeleted)}},
			{"04-recover-hacked", recover, []string{"incident.playbook." + string(app.PlaybookHacked)}},
			{"04-recover-contacts", part(screen.Recover, screen.PartContacts), nil},
			{"04-recover-soon", recover, []string{"recover.soon"}},
			{"04-recover-drills", recover, []string{"recover.drills.button"}},
			{"04-recover-papers", recover, []string{"recover.papers.button"}},
			{"05-safety", at(screen.Safety), nil},
			{"05-safety-kit", screen.Place{Screen: screen.Safety, Kit: true}, nil},
			{"05-safety-peak", part(screen.Safety, screen.PartPeak), nil},
			{"05-safety-capacity", part(screen.Safety, screen.PartCapacity), nil},
			{"05-safety-copy", at(screen.Safety), []string{"safety.copy.add"}},
			{"06-settings", at(screen.Settings), nil},
			{"06-settings-alerts", part(screen.Settings, screen.PartAlerts), nil},
			{"06-settings-keep", part(screen.Settings, screen.PartKeep), nil},
			{"06-settings-support", at(screen.Settings), []string{"settings.support.open"}},
			{"07-help", at(screen.Help), nil},
			{"07-help-page", screen.Place{Screen: screen.Help, Page: "start"}, nil},
		}
	case "begun":
		return []Stop{{"01-home-kit", at(screen.Home), nil}}
	case "paused":
		return []Stop{{"01-home-paused", at(screen.Home), nil}}
	case "unusual":
		return []Stop{{"01-home-unusual", at(screen.Home), nil}, {"04-recover-unusual", recover, nil}}
	case "going":
		return []Stop{{"01-home-going", at(screen.Home), nil}, {"04-recover-going", recover, nil}}
	case "back":
		return []Stop{{"04-recover-back", recover, nil}}
	case "alone":
		return []Stop{{"01-home-alone", at(screen.Home), nil}}
	}
	return nil
}

// Fit gives the window the size that pictures have.
func (w *Window) Fit(wide, high float32) { w.win.Resize(fyne.NewSize(wide, high)) }

// Visit goes to a stop, without what is pressed there.
func (w *Window) Visit(s Stop) {
	const deepest = 8 // pages below a screen's first one
	for range deepest {
		if w.current != s.place.Screen || w.status == nil || w.trouble != nil || !w.screen(w.current).Back() {
			break
		}
	}
	w.show(s.place)
}

// Presses returns what is pressed at a stop, in turn.
func (s Stop) Presses() []string { return s.press }

// Press presses what has these words, or the words of this key, and reports
// whether it was there.
func (w *Window) Press(words string) bool {
	if w.words.Has(words) {
		words = w.words.T(words)
	}
	return widgets.Press(w.win.Content(), words)
}

// Busy reports whether the window waits for something that it asked for.
func (w *Window) Busy() bool { return w.asked.Load() > 0 }
