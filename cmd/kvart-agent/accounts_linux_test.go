package main

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kvart/app"
	"kvart/app/ipc"
)

// Two accounts that need not be known by name.
const asasAccount, uffesAccount = 64001, 64002

// accountShop makes a shop of another account's, as it would be after a first
// start: nothing but its home is named.
func accountShop(t *testing.T, exe, temp string, uid int) *shop {
	t.Helper()
	s := newShop(t)
	s.exe = exe
	s.data = filepath.Join(s.root, ".local", "share", "kvart")
	s.without("KVART_DATA")
	s.set("TMPDIR", temp)
	s.account = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid), NoSetGroups: false}}
	s.small()
	if err := filepath.WalkDir(s.root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, uid)
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// openToAll makes the test's own folders passable, and returns this program where
// every account may run it.
func openToAll(t *testing.T) (exe, temp string) {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	exe, temp = filepath.Join(dir, "kvart-agent"), filepath.Join(dir, "tmp")
	if err := os.WriteFile(exe, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(temp, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(temp, 0o777|fs.ModeSticky); err != nil { // whatever the umask
		t.Fatal(err)
	}
	for at := dir; at != filepath.Dir(at) && at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return exe, temp
}

// TestTwoAccounts: two people with accounts on one computer each have a guard,
// side by side. Neither gets in the other's way, and neither gets in at the
// other's.
func TestTwoAccounts(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("KVART-SKIP accounts: only root can be two other people")
	}
	exe, temp := openToAll(t)
	asa, uffe := accountShop(t, exe, temp, asasAccount), accountShop(t, exe, temp, uffesAccount)
	for _, s := range []*shop{asa, uffe} {
		s.protect()
	}
	asas, uffes := asa.guard(), uffe.guard()
	if asas.socket == uffes.socket {
		t.Fatalf("both at %s", asas.socket)
	}
	for s, g := range map[*shop]*guardProcess{asa: asas, uffe: uffes} {
		s.must([]string{"backup"}, "runs.len", "2")
		if err := g.client.SetSettings(t.Context(), app.Settings{Language: "en", Autostart: true}); err != nil {
			t.Error(err)
		}
		if found := s.names(s.root, "*.desktop"); len(found) != 1 {
			t.Errorf("%s: starts at login: %v", s.root, found)
		}
		s.closed(s.data)
		listensOn(t, g)
	}

	stranger := func(args ...string) {
		t.Helper()
		r := uffe.run(append(args, "--data", asa.data, "--json")...)
		if r.code == exitDone || strings.Contains(r.out+r.err, "Björnbär") || strings.Contains(r.out+r.err, asa.vault) {
			t.Errorf("%v at another's: %d\n%s\n%s", args, r.code, r.out, r.err)
		}
	}
	stranger("status")
	stranger("quit")
	// as on a file system that knows of no rights: who asks is asked who it is
	for at := asas.socket; at != asa.root; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	stranger("status")
	stranger("quit")
	stranger("backup")
	stranger("uninstall", "--yes", "--forget-secrets", "--without-kit")
	asa.answers(asas)
	for at := asas.socket; at != asa.root; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	asa.must([]string{"status"}, "vault.shop", "Björnbär")

	asa.end(asas)
	uffe.answers(uffes)
	uffe.must([]string{"backup"}, "runs.len", "2")
	asa.must([]string{"backup"}, "runs.len", "2") // without its guard, beside the other's
	uffe.end(uffes)
}

// listensOn makes sure that a guard listens nowhere but on its socket: on no port
// that another account's guard could want, or reach.
func listensOn(t *testing.T, g *guardProcess) {
	t.Helper()
	for _, table := range []string{"tcp", "tcp6"} {
		b, err := os.ReadFile(filepath.Join("/proc", "net", table))
		if err != nil {
			t.Skip("KVART-SKIP accounts: no table of connections:", err)
		}
		fds, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(g.Process.Pid), "fd", "*"))
		if err != nil || len(fds) == 0 {
			t.Fatalf("its files: %v, %v", fds, err)
		}
		for _, fd := range fds {
			to, err := os.Readlink(fd)
			inode, isSocket := strings.CutPrefix(to, "socket:[")
			if err != nil || !isSocket {
				continue
			}
			for line := range strings.Lines(string(b)) {
				f := strings.Fields(line)
				if len(f) > 9 && f[3] == "0A" && f[9] == strings.TrimSuffix(inode, "]") {
					t.Errorf("it listens on %s %s", table, f[1])
				}
			}
		}
	}
}

// TestTwoAccounts_sharedTemp: where the socket has to lie in a folder that all
// accounts share, another who is there first is neither spoken to nor let in.
func TestTwoAccounts_sharedTemp(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("KVART-SKIP accounts: only root can be two other people")
	}
	exe, temp := openToAll(t)
	asa := accountShop(t, exe, temp, asasAccount)
	asa.data = filepath.Join(asa.root, strings.Repeat("mycket ", 15), "kvart")
	asa.set("KVART_DATA", asa.data)
	asa.must([]string{"status"})

	// the place as Åsa's programs will look for it
	socket, err := ipc.SocketPath(asa.data, temp)
	if err != nil || !strings.HasPrefix(socket, temp) {
		t.Fatalf("%q, %v", socket, err)
	}
	socket = strings.Replace(socket, "kvart-0-", "kvart-"+strconv.Itoa(asasAccount)+"-", 1)
	dir := filepath.Dir(socket)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	heard := make(chan string, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			heard <- err.Error()
			return
		}
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		heard <- string(b[:n])
	}()
	for _, path := range []string{dir, socket} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, uffesAccount, uffesAccount); err != nil {
			t.Fatal(err)
		}
	}
	asa.must([]string{"status"}) // does its own work
	g := asa.start("--no-tray")
	if err := g.Wait(); err == nil || !strings.Contains(g.out.String(), "("+string(app.CodeHomeReadOnly)+": ") {
		t.Errorf("a guard there: %v\n%s", err, &g.out)
	}
	select {
	case said := <-heard:
		if said != "" {
			t.Errorf("the other was told %q", said)
		}
	case <-time.After(100 * time.Millisecond):
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	g = asa.start("--no-tray")
	c := ipc.Dial(socket, app.Version)
	defer c.Close()
	asa.within(patience, "guard answers", func() bool { _, err := c.Hello(ctx); return err == nil })
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 || info.Sys().(*syscall.Stat_t).Uid != asasAccount {
		t.Errorf("%v, %v", info, err)
	}
	asa.end(g)
}
