package ipc

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"kvart/app"
)

// Lock takes a data folder for this process: one guard, or one command doing
// its own work, at a time. The system lets the lock go when the process ends,
// however it ends. The error is CodeGuardRunning when somebody has it.
func Lock(dataDir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "lock data folder", "%w", err).With("path", dataDir)
	}
	l := flock.New(filepath.Join(dataDir, "guard.lock"))
	got, err := l.TryLock()
	if err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "lock data folder", "%w", err).With("path", dataDir)
	}
	if !got {
		return nil, app.Errorf(app.CodeGuardRunning, "lock data folder", "%s is in use", dataDir)
	}
	return l.Unlock, nil
}
