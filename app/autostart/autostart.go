// Package autostart makes the guard start when its owner logs in. It knows how
// each system is told, and nothing of what the guard does.
package autostart

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/emersion/go-autostart"

	"kvart/app"
)

// Autostart is the guard's entry among the programs that start at login.
type Autostart struct{ exec []string }

// New returns the entry that runs exec: a full path and its arguments.
func New(exec []string) *Autostart { return &Autostart{exec: slices.Clone(exec)} }

// Enabled reports whether the guard starts at login. An entry that the owner
// turned off with the desktop's own tools counts as off.
func (a *Autostart) Enabled() bool {
	return a.entry(nil).IsEnabled() && !hidden()
}

// Set turns the start at login on or off. Turning on writes the entry anew, so
// that it follows a program that has moved. Turning off what is off is fine.
func (a *Autostart) Set(on bool) error {
	if !on {
		if err := a.entry(nil).Disable(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("turn off start at login: %w", err)
		}
		return nil
	}
	if len(a.exec) == 0 || !filepath.IsAbs(a.exec[0]) {
		return fmt.Errorf("turn on start at login: %q is no full path", a.exec)
	}
	exec, err := quote(a.exec)
	if err != nil {
		return fmt.Errorf("turn on start at login: %w", err)
	}
	if err := a.entry(exec).Enable(); err != nil {
		return fmt.Errorf("turn on start at login: %w", err)
	}
	return allow()
}

// entry returns a fresh value for each call: the library's Enable quotes Exec
// in place, and quoting it twice makes an entry that starts nothing.
func (a *Autostart) entry(exec []string) *autostart.App {
	return &autostart.App{Name: entryName, DisplayName: app.Name, Icon: app.ID, Exec: exec}
}
