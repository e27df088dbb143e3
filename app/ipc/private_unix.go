//go:build unix

package ipc

import (
	"os"
	"syscall"

	"kvart/app"
)

// private makes sure that a folder is this account's and closed to others: in
// a shared temporary folder somebody else could have made it first.
func private(dir string) error {
	if err := own(dir); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return app.Errorf(app.CodeHomeReadOnly, "open socket", "%w", err).With("path", dir)
	}
	return nil
}

// own makes sure that a folder is this account's.
func own(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return app.Errorf(app.CodeHomeReadOnly, "open socket", "%w", err).With("path", dir)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(st.Uid) != os.Getuid() {
		return app.Errorf(app.CodeHomeReadOnly, "open socket", "%s belongs to somebody else", dir).With("path", dir)
	}
	return nil
}
