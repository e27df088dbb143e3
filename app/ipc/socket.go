package ipc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"kvart/app"
)

// maxSocketPath is what the tightest of the systems takes: macOS's sockaddr_un
// has 104 bytes with the closing zero.
const maxSocketPath = 103

// connectPatience is how long reaching the other end of a socket may take.
const connectPatience = 5 * time.Second

// SocketPath returns where the guard of a data folder listens: in the folder,
// or, where that path is too long for a socket, in a folder of its own below
// temp that only this account can open.
func SocketPath(dataDir, temp string) (string, error) {
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return "", app.Errorf(app.CodeHomeReadOnly, "find socket", "%w", err).With("path", dataDir)
	}
	if p := filepath.Join(abs, "run", "guard.sock"); len(p) <= maxSocketPath {
		return p, nil
	}
	sum := sha256.Sum256([]byte(abs))
	p := filepath.Join(temp, fmt.Sprintf("kvart-%d-%s", os.Getuid(), hex.EncodeToString(sum[:6])), "s")
	if len(p) > maxSocketPath {
		return "", app.Errorf(app.CodeSocketTooLong, "find socket", "%s and %s are both longer than %d bytes", abs, p, maxSocketPath).With("path", abs)
	}
	return p, nil
}

// ownListener accepts connections of this account only. The folder's mode
// keeps others out already; this holds where a file system ignores modes.
type ownListener struct{ net.Listener }

// Accept implements [net.Listener].
func (l ownListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if ownPeer(c) {
			return c, nil
		}
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return nil, err
		}
	}
}
