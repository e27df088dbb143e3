package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is an account that owns nothing.
const nobody = 65534

// asNobody runs fn on a thread that belongs to another account. The thread
// ends with it.
func asNobody(fn func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: nobody else gets this thread
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), nobody, ^uintptr(0)); errno != 0 {
			done <- errno
			return
		}
		done <- fn()
	}()
	return <-done
}

// knock connects to a socket and asks who is there.
func knock(socket string) (answer string, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: socket}); err != nil {
		return "", err
	}
	if _, err := unix.SendmsgN(fd, []byte("GET /v1/hello HTTP/1.0\r\n\r\n"), nil, nil, unix.MSG_NOSIGNAL); err != nil {
		return "", err
	}
	buf := make([]byte, 4096)
	n, err := unix.Read(fd, buf)
	return string(buf[:max(n, 0)]), err
}

func TestGuard_keepsOtherAccountsOut(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("KVART-SKIP root: only root can be somebody else")
	}
	s := newShop(t)
	g := s.guard()
	if answer, err := knock(g.socket); err != nil || !strings.Contains(answer, "200 OK") {
		t.Fatalf("own account: %q, %v", answer, err)
	}
	for dir := s.data; strings.HasPrefix(dir, os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() (answer string, err error) {
		err = asNobody(func() (err error) { answer, err = knock(g.socket); return err })
		return answer, err
	}
	if answer, err := ask(); !errors.Is(err, unix.EACCES) {
		t.Errorf("another account: %q, %v", answer, err)
	}
	// and where a file system heeds no modes, the guard looks who it is
	for _, p := range []string{filepath.Dir(g.socket), g.socket} {
		if err := os.Chmod(p, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if answer, err := ask(); answer != "" || errors.Is(err, unix.EACCES) {
		t.Errorf("another account, modes open: %q, %v", answer, err)
	}
	if answer, err := knock(g.socket); err != nil || !strings.Contains(answer, "200 OK") {
		t.Errorf("own account, afterwards: %q, %v", answer, err)
	}
	s.end(g)
}
