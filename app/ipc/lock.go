package ipc

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"kvart/app"
)

// lockFile is what is locked in a data folder.
const lockFile = "guard.lock"

// Lock takes a data folder for this process: one guard, or one command doing
// its own work, at a time. The system lets the lock go when the process ends,
// however it ends. The error is CodeGuardRunning when somebody has it. A folder
// on a network drive is locked on this computer too, since the drive's own locks
// may lie; where it takes no lock at all the error is [app.CodeHomeShare], since
// another computer could write there unnoticed.
func Lock(dataDir string) (unlock func() error, err error) {
	return lock(dataDir, os.TempDir(), app.OnShare(dataDir) == app.KnownYes, take)
}

// taker takes the lock of a file, if nobody has it.
type taker func(file string) (unlock func() error, got bool, err error)

func take(file string) (unlock func() error, got bool, err error) {
	l := flock.New(file)
	got, err = l.TryLock()
	return l.Unlock, got, err
}

func lock(dataDir, temp string, share bool, take taker) (unlock func() error, err error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "lock data folder", "%w", err).With("path", dataDir)
	}
	here := func() error { return nil }
	if share {
		if here, err = lockHere(dataDir, temp, take); err != nil {
			return nil, err
		}
	}
	there, got, err := take(filepath.Join(dataDir, lockFile))
	switch {
	case err != nil && share && !errors.Is(err, os.ErrPermission):
		err = app.Errorf(app.CodeHomeShare, "lock data folder", "%w", err).With("path", dataDir)
	case err != nil:
		err = app.Errorf(app.CodeHomeReadOnly, "lock data folder", "%w", err).With("path", dataDir)
	case !got:
		err = app.Errorf(app.CodeGuardRunning, "lock data folder", "%s is in use", dataDir)
	default:
		return func() error { return errors.Join(there(), here()) }, nil
	}
	return nil, errors.Join(err, here())
}

// lockHere locks a folder on a network drive among the processes of this
// computer.
func lockHere(dataDir, temp string, take taker) (unlock func() error, err error) {
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "lock data folder", "%w", err).With("path", dataDir)
	}
	dir := ownTemp(abs, temp)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "lock data folder", "%w", err).With("path", dir)
	}
	unlock, got, err := take(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "lock data folder", "%w", err).With("path", dir)
	}
	if !got {
		return nil, app.Errorf(app.CodeGuardRunning, "lock data folder", "%s is in use on this computer", dataDir)
	}
	return unlock, nil
}
