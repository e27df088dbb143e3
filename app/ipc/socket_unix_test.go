//go:build unix

package ipc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

func TestListen_closedToOthers(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, fake{}, "1")
	for p, want := range map[string]os.FileMode{socket: 0o600, filepath.Dir(socket): 0o700} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
}

func TestListen_replacesASocketNobodyAnswersOn(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "k")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := filepath.Join(dir, "s")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: p, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false) // as a killed guard leaves it
	old.Close()
	ln, err := Listen(p)
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}

func TestSocketPath(t *testing.T) {
	t.Parallel()
	short, err := SocketPath("/home/åsa/.local/share/kvart", "/tmp")
	if err != nil || short != "/home/åsa/.local/share/kvart/run/guard.sock" {
		t.Errorf("short: %q, %v", short, err)
	}
	long := "/home/" + strings.Repeat("mycket/", 20)
	p, err := SocketPath(long, "/tmp")
	if err != nil || !strings.HasPrefix(p, "/tmp/kvart-") || len(p) > maxSocketPath {
		t.Errorf("long: %q, %v", p, err)
	}
	if other, err := SocketPath(long+"x", "/tmp"); err != nil || other == p {
		t.Errorf("two folders share %q, %v", other, err)
	}
	if _, err := SocketPath(long, "/"+strings.Repeat("t", 100)); app.CodeOf(err) != app.CodeSocketTooLong {
		t.Errorf("both too long: %v", err)
	}
}

// troubled is a listener that fails a few times between two who come.
type troubled struct {
	net.Listener
	mu    sync.Mutex
	fails int
}

func (l *troubled) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails > 0 {
		l.fails--
		return nil, &net.OpError{Op: "accept", Net: "pipe", Err: errors.New("no room for one more")}
	}
	l.fails = 3
	return l.Listener.Accept()
}

// Whoever can't be let in for the moment is let in later: the guard goes on
// serving until it is told to end.
func TestServer_Serve_acceptFails(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "k")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := filepath.Join(dir, "s")
	ln, err := Listen(p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &Server{Service: fake{}, Build: "1", Quit: func() {}, Log: slog.New(slog.DiscardHandler)}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, &troubled{Listener: ln, fails: 2}) }()
	for range 3 {
		c := Dial(p, "1")
		if _, err := c.Hello(t.Context()); err != nil {
			t.Errorf("hello: %v", err)
		}
		c.Close()
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("served until %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it serves on though it was told to end")
	}
}
