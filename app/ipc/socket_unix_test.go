//go:build unix

package ipc

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
