// Package screen is what every screen of the window is given and gives: where
// it finds words, the guard and the way to other screens, and how it is shown.
// It holds the parts that several screens share: problems, forms, progress. It
// knows no screen by itself.
package screen

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
)

// Async runs work outside the window and then, inside it, what the work
// returned. Nothing is run inside a window that was closed meanwhile.
type Async func(work func(ctx context.Context) (then func()))

// Name names a screen.
type Name string

// The screens.
const (
	Home     Name = "home"
	Sources  Name = "sources"
	History  Name = "history"
	Recover  Name = "recover"
	Safety   Name = "safety"
	Settings Name = "settings"
	Setup    Name = "setup"
	Reopen   Name = "reopen" // with a recovery kit or an invitation
	Help     Name = "help"
)

// Part names a part of a screen that can be led to.
type Part string

// The parts, and whose they are.
const (
	PartContacts   Part = "contacts"   // Recover: whom to call
	PartPeak       Part = "peak"       // Safety: peak days
	PartCapacity   Part = "capacity"   // Safety: how many visitors the shop stands
	PartAlerts     Part = "alerts"     // Settings: ways to be reached
	PartStorefront Part = "storefront" // Settings: the shop's address
	PartKeep       Part = "keep"       // Settings: how long backups are kept
	PartQuiet      Part = "quiet"      // Settings: hours of heavy work
	PartSource     Part = "source"     // Sources: all about one of them
	PartPower      Part = "power"      // Settings: on battery and on a metered line
)

// Place is somewhere in the window: a screen, and what it should show there.
type Place struct {
	Screen Name
	Source string      // name of a source
	Point  app.PointID // one of its points
	Paths  []string    // in the point
	Export string      // folder to restore to, instead of the original place
	// Reconnect opens the setup to open the vault in use anew.
	Reconnect bool
	// Kit opens the part of Safety that is about the recovery kit.
	Kit bool
	// Change opens the form of the source in Sources.
	Change bool
	Part   Part // of the screen; "" for its first page
	// Page is a page of Help, as [assets.PageFor] calls it; "" for the contents.
	Page string
	// From is where Help leads back to; the window fills it in.
	From Name
}

// Env is what a screen works with.
type Env struct {
	Words   *assets.Words
	Service app.Service
	Go      Async
	Show    func(Place)
	// ChooseFile and ChooseFolder let the owner pick a path; done is not
	// called when nothing was picked.
	ChooseFile   func(done func(path string))
	ChooseFolder func(done func(path string))
	// SaveFile lets the owner name a file to be written; nothing lies there
	// when done is called.
	SaveFile func(name string, done func(path string))
	// OpenFile shows a file in the program the system has for it.
	OpenFile func(path string) error
	// OpenURL shows a page in the browser.
	OpenURL func(address string) error
	Now     func() time.Time // the guard's clock
	Build   string
}

// T returns the text of a key.
func (e Env) T(key string, args ...assets.Args) string { return e.Words.T(key, args...) }

// A Resumer is a screen that does something once a guard that was gone is back.
// It is not opened anew then.
type Resumer interface{ Resume() }

// A Screen is one page of the window. All calls come from the window's own
// goroutine.
type Screen interface {
	Object() fyne.CanvasObject
	// Open is called when the screen comes into view.
	Open(p Place)
	// Set is called with every new status, and now and then with the same
	// one when only the time has moved.
	Set(s app.Status)
	// Enter fires the primary button, if there is one.
	Enter()
	// Back goes one step back within the screen and reports whether there
	// was one.
	Back() bool
}
