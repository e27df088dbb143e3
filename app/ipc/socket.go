package ipc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
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
// or, where that path is too long for a socket or on a network drive, which
// holds none, in a folder of its own below temp that only this account can open.
func SocketPath(dataDir, temp string) (string, error) {
	return socketPath(dataDir, temp, app.OnShare(dataDir) == app.KnownYes)
}

func socketPath(dataDir, temp string, share bool) (string, error) {
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return "", app.Errorf(app.CodeHomeReadOnly, "find socket", "%w", err).With("path", dataDir)
	}
	if p := filepath.Join(abs, "run", "guard.sock"); !share && len(p) <= maxSocketPath {
		return p, nil
	}
	p := filepath.Join(ownTemp(abs, temp), "s")
	if len(p) > maxSocketPath {
		return "", app.Errorf(app.CodeSocketTooLong, "find socket", "%s and %s are both longer than %d bytes", abs, p, maxSocketPath).With("path", abs)
	}
	return p, nil
}

// ownTemp returns a folder for what belongs to a data folder and can't lie in
// it.
func ownTemp(abs, temp string) string {
	sum := sha256.Sum256([]byte(abs))
	return filepath.Join(temp, fmt.Sprintf("kvart-%d-%s", os.Getuid(), hex.EncodeToString(sum[:6])))
}

// ownListener accepts connections of this account only. The folder's mode
// keeps others out already; this holds where a file system ignores modes. Who
// can't be let in for the moment, such as when the system has no room for one
// more, is waited for: nothing but a listener that is closed ends it, since a
// guard that nobody reaches for a while has to be reached again by itself.
type ownListener struct {
	net.Listener
	log *slog.Logger
}

// longestPause is how long Accept rests at most after one that failed.
const longestPause = time.Second

// Accept implements [net.Listener].
func (l ownListener) Accept() (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; {
		c, err := l.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, err
		case err != nil:
			l.log.Warn("Nobody let in", "error", err, "pause", pause)
			time.Sleep(pause)
			pause = min(2*pause, longestPause)
		case ownPeer(c):
			return c, nil
		default:
			if err := c.Close(); err != nil {
				l.log.Debug("Stranger not sent away", "error", err)
			}
		}
	}
}
