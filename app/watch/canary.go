package watch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"kvart/app"
)

// CanaryName is the file that Kvart keeps, with the owner's consent, in a
// protected folder. Nobody has a reason to change it.
const CanaryName = "Kvart - please leave - låt ligga.txt"

const canaryText = `This file belongs to Kvart, which backs up this folder.
Nobody needs to change it. If it changes or disappears, Kvart takes that for a
sign that something works its way through the folder, and asks you about it.

Den här filen hör till Kvart, som säkerhetskopierar mappen.
Ingen behöver ändra den. Om den ändras eller försvinner tar Kvart det som ett
tecken på att något går genom mappen, och frågar dig.
`

// PlantCanary puts the file into a folder, in place of one that was touched.
// Nobody else's file of that name is written over.
func (w *Watch) PlantCanary(dir string) error {
	state, err := lookCanary(dir)
	if err != nil {
		return err
	}
	if state == app.CanaryAlive {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	defer root.Close() //nolint:errcheck // it was only opened for one file
	if state == app.CanaryTouched {
		if err := root.Rename(CanaryName, CanaryName+".touched"); err != nil {
			return fmt.Errorf("set touched file aside: %w", err)
		}
	}
	f, err := root.OpenFile(CanaryName, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("plant file: %w", err)
	}
	_, err = f.WriteString(canaryText)
	return errors.Join(err, f.Close())
}

// LiftCanary takes the file away, where it is untouched.
func (w *Watch) LiftCanary(dir string) error {
	state, err := lookCanary(dir)
	if err != nil || state != app.CanaryAlive {
		return err
	}
	return os.Remove(filepath.Join(dir, CanaryName))
}

// LookCanary says how the file in a folder stands. In a folder that can't be
// read nothing is known of it.
func (w *Watch) LookCanary(dir string) app.CanaryState {
	state, err := lookCanary(dir)
	switch {
	case err != nil:
		return app.CanaryUnknown
	case state == app.CanaryNone:
		return app.CanaryTouched // it was planted, and is gone
	}
	return state
}

func lookCanary(dir string) (app.CanaryState, error) {
	if info, err := os.Stat(dir); err != nil {
		return app.CanaryUnknown, fmt.Errorf("look at folder: %w", err)
	} else if !info.IsDir() {
		return app.CanaryUnknown, fmt.Errorf("%s is no folder", dir)
	}
	f, err := os.Open(filepath.Join(dir, CanaryName))
	if errors.Is(err, fs.ErrNotExist) {
		return app.CanaryNone, nil
	}
	if err != nil {
		return app.CanaryUnknown, fmt.Errorf("look at canary: %w", err)
	}
	got, err := io.ReadAll(io.LimitReader(f, int64(len(canaryText))+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return app.CanaryUnknown, fmt.Errorf("read canary: %w", err)
	}
	if string(got) != canaryText {
		return app.CanaryTouched, nil
	}
	return app.CanaryAlive, nil
}
