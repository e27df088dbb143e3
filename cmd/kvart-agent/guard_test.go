//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kvart/app"
	"kvart/app/ipc"
)

// guardProcess is a guard as its own process.
type guardProcess struct {
	*exec.Cmd
	client *ipc.Client
	socket string
	out    output // stdout and stderr
}

// output collects what a running process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements [io.Writer].
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start starts a guard and waits for nothing.
func (s *shop) start(args ...string) *guardProcess {
	s.Helper()
	socket, err := ipc.SocketPath(s.data, filepath.Join(s.root, "tmp"))
	if err != nil {
		s.Fatal(err)
	}
	g := &guardProcess{Cmd: s.command(context.Background(), append([]string{"run"}, args...)...), client: ipc.Dial(socket, app.Version), socket: socket}
	g.Stdout, g.Stderr = &g.out, &g.out
	if err := g.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		g.client.Close()
		if g.ProcessState == nil {
			_ = g.Process.Kill() // only where the test failed
			_ = g.Wait()
		}
	})
	return g
}

// guard starts a guard and returns it once it answers.
func (s *shop) guard(args ...string) *guardProcess {
	s.Helper()
	g := s.start(append([]string{"--no-tray"}, args...)...)
	s.answers(g)
	return g
}

func (s *shop) answers(g *guardProcess) {
	s.Helper()
	defer func() {
		if s.Failed() {
			s.Logf("the guard said:\n%s", &g.out)
		}
	}()
	s.within(patience, "guard answers", func() bool {
		_, err := g.client.Hello(context.Background())
		return err == nil
	})
}

// within waits until done reports true.
func (s *shop) within(limit time.Duration, what string, done func() bool) {
	s.Helper()
	for deadline := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// end ends a guard as a system does when it shuts down.
func (s *shop) end(g *guardProcess) {
	s.Helper()
	if err := g.Process.Signal(syscall.SIGTERM); err != nil {
		s.Fatal(err)
	}
	kill := time.AfterFunc(patience, func() { _ = g.Process.Kill() }) // fails Wait
	err := g.Wait()
	kill.Stop()
	if err != nil {
		s.Errorf("the guard did not end well: %v\n%s", err, &g.out)
	}
}

// idle waits until the guard has nothing to do, for long enough that a run, a
// chore or a drill would have begun.
func (s *shop) idle(g *guardProcess) {
	s.Helper()
	quiet := 0
	s.within(patience, "guard is idle", func() bool {
		st, err := g.client.Status(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		if quiet++; st.Job != nil {
			quiet = 0
		}
		return quiet > 10
	})
}

func TestGuard_onlyOneServes(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.protect()
	both := []*guardProcess{s.start("--no-tray"), s.start("--no-tray")}
	ended := make(chan int, len(both))
	for i, g := range both {
		go func() { _ = g.Wait(); ended <- i }() // how it ended is looked at below
	}
	var refused, serving *guardProcess
	select {
	case i := <-ended:
		refused, serving = both[i], both[1-i]
	case <-time.After(patience):
		t.Fatal("two guards on one data folder")
	}
	if code := refused.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(refused.out.String(), "(guard_running: ") {
		t.Errorf("exit code %d\n%s", code, &refused.out)
	}
	s.answers(serving)
	if h, err := serving.client.Hello(t.Context()); err != nil || h.PID != serving.Process.Pid {
		t.Errorf("%+v, %v answers, not %d", h, err, serving.Process.Pid)
	}
	r := s.run("run", "--no-tray") // and later ones
	if r.code != exitFailed || !strings.Contains(r.err, "(guard_running: ") {
		t.Errorf("later: %+v", r)
	}
	s.must([]string{"backup"}, "runs.len", "2")
	s.must([]string{"status"}, "verdict", "safe", "guard", "true")
	if err := serving.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the guard does not end")
	}
	s.must([]string{"status"}, "verdict", "safe", "guard", "false")
	s.closed(s.data)
}

// Whatever is asked beside a guard is answered by it: it has the data folder.
func TestGuard_answersVerbs(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	g := s.guard()
	s.must([]string{"status"}, "guard", "true", "verdict", "unknown", "vault", "<nil>")
	s.protect()
	s.must([]string{"backup"}, "runs.len", "2", "runs.0.state", "done")
	r := s.must([]string{"status"}, "guard", "true", "verdict", "safe", "sources.1.state", "safe")
	next, err := time.Parse(time.RFC3339, s.dig(r, "sources.0.nextBackup"))
	if d := time.Until(next); err != nil || d <= 0 || d > app.QuarterLength {
		t.Errorf("next backup in %v, %v", d, err)
	}
	s.must([]string{"pause", "30"})
	r = s.must([]string{"status"})
	if next, err = time.Parse(time.RFC3339, s.dig(r, "sources.0.nextBackup")); err != nil || time.Until(next) < 29*time.Minute {
		t.Errorf("paused for 30 minutes, next backup at %v, %v", next, err)
	}
	s.must([]string{"pause", "off"})
	if got := s.run("cat", "--source", "Bilder", "Blå kopp åäö.jpg"); got.out != "en kopp" {
		t.Errorf("cat: %+v", got)
	}
	s.fails("source_unknown", []string{"backup", "--source", "Lager"})
	s.write("shop/kassa.db", []byte("this was a database once"))
	s.must([]string{"restore", "--source", "Kassan", "--to", "there", "--yes"}, "state", "done")
	if got := s.sql(filepath.Join(s.root, "there", "kassa.db"), "SELECT count(*) FROM sale"); got != "2" {
		t.Errorf("restored %s rows, to the folder meant where the command was given", got)
	}
	s.end(g)
}

func TestGuard_endsInTimeAndLeavesEverything(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.protect()
	g := s.guard()
	s.idle(g)
	kept := func(dir string) map[string]bool {
		names := map[string]bool{}
		for _, f := range s.names(dir, "*") {
			if info, err := os.Lstat(f); err == nil && !info.IsDir() && !strings.HasSuffix(f, "-wal") && !strings.HasSuffix(f, "-shm") {
				names[f] = true
			}
		}
		return names
	}
	before := kept(s.root)
	points := s.must([]string{"points"}).out
	s.end(g)
	after := kept(s.root)
	for f := range before {
		if !after[f] && f != g.socket {
			t.Errorf("gone with the guard: %s", f)
		}
	}
	if after[g.socket] {
		t.Errorf("%s is left behind", g.socket)
	}
	if got := s.must([]string{"points"}).out; got != points {
		t.Errorf("points before %s\nafter %s", points, got)
	}
	s.must([]string{"status"}, "guard", "false", "verdict", "safe")

	// in the middle of a run, which is then simply done again
	s.sql(s.db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO sale (gen, page) SELECT 1, randomblob(3900) FROM n")
	g = s.guard()
	if _, err := g.client.StartBackup(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	s.end(g)
	s.must([]string{"backup"}, "runs.len", "2")
	s.must([]string{"vault", "verify"}, "damaged.len", "0")
	s.must([]string{"status"}, "verdict", "safe")
}

func TestGuard_withoutDisplayOrBus(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join("/run/user", fmt.Sprint(os.Getuid()), "bus")); err == nil {
		t.Skip("KVART-SKIP bus: this account has a session bus")
	}
	s := newShop(t) // with neither DISPLAY nor WAYLAND_DISPLAY nor DBUS_SESSION_BUS_ADDRESS
	s.without("KVART_SECRETS")
	s.small()
	s.protect()
	g := s.start()
	s.answers(g)
	s.within(patience, "guard says that there is no tray", func() bool {
		return strings.Contains(g.out.String(), "without a tray icon") && nextBackup.MatchString(g.out.String())
	})
	s.must([]string{"backup"}, "runs.len", "2")
	s.must([]string{"status"}, "secrets", "file", "guard", "true", "verdict", "safe")
	st, err := g.client.Status(t.Context())
	if err != nil || st.TrayShown {
		t.Errorf("tray shown: %v, %v", st.TrayShown, err)
	}
	s.end(g)
	s.must([]string{"status"}, "secrets", "file", "guard", "false")
	s.closed(s.data)
}

// A session bus that does not answer is no reason to wait or to fail.
func TestGuard_withABusThatIsDead(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.without("KVART_SECRETS")
	s.set("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(s.root, "no bus"))
	s.small()
	s.protect()
	s.must([]string{"backup"}, "runs.len", "2")
	s.must([]string{"status"}, "secrets", "file", "verdict", "safe")
}

func TestGuard_longDataFolder(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.data = filepath.Join(s.root, strings.Repeat("mycket lång ", 10), strings.Repeat("å", 40))
	s.set("KVART_DATA", s.data)
	s.small()
	s.protect()
	for range 2 { // the second finds what the first left
		g := s.guard()
		if strings.HasPrefix(g.socket, s.data) || len(g.socket) > 103 {
			t.Fatalf("socket at %s", g.socket)
		}
		s.closed(filepath.Dir(g.socket))
		s.must([]string{"status"}, "guard", "true")
		s.must([]string{"backup"}, "runs.len", "2")
		s.end(g)
		if _, err := os.Lstat(g.socket); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("socket left behind: %v", err)
		}
	}
	left, err := os.ReadDir(filepath.Join(s.root, "tmp"))
	if err != nil || len(left) > 1 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
	s.must([]string{"status"}, "guard", "false", "verdict", "safe")
}

// A socket that a killed guard left, and a lock file, stop nobody.
func TestGuard_afterAKilledOne(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.protect()
	g := s.guard()
	if err := g.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = g.Wait() // killed: that is an error
	s.must([]string{"status"}, "guard", "false")
	s.must([]string{"backup"}, "runs.len", "2")
	g = s.guard()
	s.must([]string{"status"}, "guard", "true", "verdict", "safe")
	s.end(g)
}

func TestGuard_refusesAnotherVersion(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	g := s.guard()
	other := ipc.Dial(g.socket, "0.0.1-other")
	defer other.Close()
	if _, err := other.Status(t.Context()); app.CodeOf(err) != app.CodeGuardVersion {
		t.Errorf("status: %v", err)
	}
	if _, err := other.StartBackup(t.Context(), nil); app.CodeOf(err) != app.CodeGuardVersion {
		t.Errorf("backup: %v", err)
	}
	if h, err := other.Hello(t.Context()); err != nil || h.Build != app.Version {
		t.Errorf("hello: %+v, %v", h, err)
	}
	if err := other.Quit(t.Context()); err != nil {
		t.Errorf("quit: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- g.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("asked to quit: %v", err)
		}
	case <-time.After(patience):
		t.Error("asked to quit, and still there")
	}
}

// nextBackup is what a guard that starts says: it once named the year 1.
var nextBackup = regexp.MustCompile(`Next backup (today|tomorrow) \d\d:\d\d`)
