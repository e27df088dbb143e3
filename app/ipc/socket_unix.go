//go:build unix

package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"kvart/app"
)

// Connect reaches who listens at a path of [SocketPath]'s. Somebody of another
// account who listens there is not spoken to: in a shared temporary folder
// anybody can be the first to make a folder. Root speaks to everybody.
func Connect(ctx context.Context, path string) (net.Conn, error) {
	root := os.Getuid() == 0
	if dir := filepath.Dir(path); !root {
		if err := own(dir); err != nil {
			return nil, err
		}
	}
	c, err := (&net.Dialer{Timeout: connectPatience}).DialContext(ctx, "unix", path)
	if err != nil || root || ownPeer(c) {
		return c, err
	}
	return nil, errors.Join(fmt.Errorf("who listens on %s is of another account", path), c.Close())
}

// Listen opens the socket at a path of [SocketPath]'s, replacing one that
// nobody answers on. The folder it lies in is closed to other accounts.
func Listen(path string) (net.Listener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "open socket", "%w", err).With("path", dir)
	}
	if err := private(dir); err != nil {
		return nil, err
	}
	if c, err := net.DialTimeout("unix", path, 2*time.Second); err == nil {
		return nil, errors.Join(app.Errorf(app.CodeGuardRunning, "open socket", "somebody answers on %s", path), c.Close())
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, app.Errorf(app.CodeHomeReadOnly, "open socket", "%w", err).With("path", path)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "open socket", "%w", err).With("path", path)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(app.Errorf(app.CodeHomeReadOnly, "open socket", "%w", err).With("path", path), ln.Close())
	}
	return ln, nil
}
