package tray

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
)

// TestMain plays a program with a tray when a test asks it to: the tray wants
// the main goroutine, which tests don't get.
func TestMain(m *testing.M) {
	if os.Getenv("KVART_TEST_TRAY") == "" {
		os.Exit(m.Run())
	}
	if err := program(); err != nil {
		fmt.Println("FAILED", err)
		os.Exit(1)
	}
	fmt.Println("ENDED")
}

// guard is a fake service of function fields.
type guard struct {
	watch  func(context.Context, func(app.Status) error) error
	backup func(context.Context, []string) (app.JobID, error)
	pause  func(context.Context, time.Time) error
	set    func(context.Context, app.Settings) error
}

func (g guard) Watch(ctx context.Context, fn func(app.Status) error) error { return g.watch(ctx, fn) }

func (g guard) StartBackup(ctx context.Context, s []string) (app.JobID, error) {
	return g.backup(ctx, s)
}
func (g guard) Pause(ctx context.Context, until time.Time) error { return g.pause(ctx, until) }

func (g guard) Settings(context.Context) (app.Settings, error) {
	return app.Settings{Language: "en", UploadLimit: 7, Autostart: true}, nil
}

func (g guard) SetSettings(ctx context.Context, s app.Settings) error { return g.set(ctx, s) }

// The tray takes the whole service.
var _ = func(s app.Service) Guard { return s }

// program shows a tray. It reads statuses from standard input and tells on
// standard output what it is asked to do.
func program() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	icons, err := assets.NewIcons()
	if err != nil {
		return err
	}
	var lang atomic.Pointer[assets.Words]
	speak := func(tag string) error {
		w, err := assets.NewWords(tag)
		lang.Store(w)
		return err
	}
	if err := speak("en"); err != nil {
		return err
	}
	lines := make(chan string)
	go func() {
		for s := bufio.NewScanner(os.Stdin); s.Scan(); {
			lines <- s.Text()
		}
	}()
	g := guard{
		watch: func(ctx context.Context, fn func(app.Status) error) error {
			for {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case line := <-lines:
					var st app.Status
					if err := json.Unmarshal([]byte(line), &st); err != nil {
						return err // also how a test breaks the watch
					}
					if err := errors.Join(speak(st.Language), fn(st)); err != nil {
						return err
					}
				}
			}
		},
		backup: func(ctx context.Context, sources []string) (app.JobID, error) {
			fmt.Println("BACKUP", len(sources))
			<-ctx.Done() // a guard that does not answer
			return "", ctx.Err()
		},
		pause: func(_ context.Context, until time.Time) error {
			fmt.Println("PAUSE", until.Format(time.RFC3339))
			return nil
		},
		set: func(_ context.Context, s app.Settings) error {
			if os.Getenv("KVART_TEST_NO_LOGIN") != "" {
				return app.Errorf(app.CodeAutostart, "change settings", "not allowed")
			}
			fmt.Println("SET", s.Autostart, s.Language, s.UploadLimit)
			return nil
		},
	}
	return Run(ctx, Options{
		Service: g, Words: lang.Load, Icons: icons,
		Open: func(screen string) { fmt.Println("OPEN", screen) },
		Quit: func() { fmt.Println("QUIT") },
		Exit: func() { fmt.Println("EXIT") },
		Log:  slog.New(slog.DiscardHandler),
	})
}

// process is a running program of a test.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Writer
	lines chan string
	tmp   string // where the tray keeps its icon
}

func run(t *testing.T, env ...string) *process {
	t.Helper()
	p := &process{t: t, tmp: t.TempDir(), lines: make(chan string, 100)}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), append(env, "KVART_TEST_TRAY=1", "TMPDIR="+p.tmp)...)
	p.cmd.Stderr = os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	return p
}

func (p *process) tell(st app.Status) {
	p.t.Helper()
	b, err := json.Marshal(st)
	if err != nil {
		p.t.Fatal(err)
	}
	p.say(string(b))
}

func (p *process) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// says waits for the next line and returns what follows want in it.
func (p *process) says(want string) string {
	p.t.Helper()
	select {
	case line := <-p.lines:
		rest, ok := strings.CutPrefix(line, want)
		if !ok {
			p.t.Fatalf("the program said %q, want %q", line, want)
		}
		return strings.TrimSpace(rest)
	case <-time.After(patience):
		p.t.Fatalf("the program never said %q", want)
	}
	return ""
}

// ends waits for the program to end well and leave nothing behind.
func (p *process) ends() {
	p.t.Helper()
	p.says("EXIT")
	p.says("ENDED")
	if err := p.cmd.Wait(); err != nil {
		p.t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(p.tmp, "*")); err != nil || len(left) > 0 {
		p.t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRun(t *testing.T) {
	d := newDesktop(t)
	p := run(t, d.env...)
	ic := d.icon(t)

	ic.find("Kvart can't vouch for your shop yet", false)
	ic.find("Back up now", false)
	ic.lacks("Resume backups")

	safe := status(app.VerdictSafe)
	safe.LastBackup, safe.NextBackup = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	p.tell(safe)
	ic.find("Your shop is safe", false)
	var labels []string
	for _, l := range ic.lines() {
		labels = append(labels, l.label)
	}
	if want := []string{
		"Your shop is safe", labels[1], labels[2], "-", "Back up now", "Something is wrong…", "-",
		"Pause for 1 hour", "Pause until tomorrow", "-", "Start guarding when I log in", "Open Kvart", "Quit (backups stop)",
	}; !slices.Equal(labels, want) {
		t.Errorf("the menu reads %q", labels)
	}
	if got := ic.property("Title"); got != "Kvart" {
		t.Errorf("the icon is called %q", got)
	}

	ic.click("Pause for 1 hour")
	until, err := time.Parse(time.RFC3339, p.says("PAUSE"))
	if left := time.Until(until); err != nil || left < 55*time.Minute || left > time.Hour {
		t.Errorf("paused for %v, %v", left, err)
	}
	rest := safe
	rest.PausedUntil = until
	p.tell(rest)
	ic.find("Resume backups", true)
	ic.lacks("Pause for 1 hour")
	ic.lacks("Pause until tomorrow")
	ic.click("Resume backups")
	if got := p.says("PAUSE"); !strings.HasPrefix(got, "0001-01-01") {
		t.Errorf("resumed with %s", got)
	}
	p.tell(safe)
	ic.click("Pause until tomorrow")
	p.says("PAUSE")
	ic.lacks("Resume backups")

	// Only that changes, and what is as it should be already is left alone.
	safe.Now, safe.Autostart = time.Now(), true
	p.tell(safe)
	ic.click("Don't start when I log in")
	if got := p.says("SET"); got != "false en 7" {
		t.Errorf("settings %s", got)
	}
	safe.Autostart = false
	p.tell(safe)
	ic.find("Start guarding when I log in", true)

	// The guard does not answer this one; the window has to open all the same.
	ic.click("Back up now")
	p.says("BACKUP 0")
	ic.click("Something is wrong…")
	p.says("OPEN recover")
	ic.click("Open Kvart")
	p.says("OPEN home")

	safe.Language = "sv"
	p.tell(safe)
	ic.find("Din butik är i tryggt förvar", false)
	ic.find("Säkerhetskopiera nu", true)

	ic.click("Avsluta (säkerhetskopieringen stannar)")
	p.says("QUIT")
	p.ends()
}

func TestRun_animates(t *testing.T) {
	d := newDesktop(t)
	p := run(t, d.env...)
	ic := d.icon(t)
	pictures := func(during time.Duration) int {
		seen := map[string]bool{}
		for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
			seen[ic.property("IconName")] = true
		}
		return len(seen)
	}
	busy := status(app.VerdictSafe, working(app.JobBackup))
	p.tell(busy)
	ic.find("Backing up…", false)
	if n := pictures(3 * time.Second); n < 4 || n > 14 {
		t.Errorf("%d pictures in three seconds of work", n)
	}
	busy.Job = nil
	p.tell(busy)
	ic.find("Back up now", true)
	time.Sleep(2 * frameTime)
	if n := pictures(time.Second); n != 1 {
		t.Errorf("%d pictures in a second without work", n)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.ends()
}

// TestRun_lostGuard breaks the watch: the tray forgets that the shop was safe
// and sees the guard again later.
func TestRun_lostGuard(t *testing.T) {
	d := newDesktop(t)
	p := run(t, d.env...)
	ic := d.icon(t)
	p.tell(status(app.VerdictFailed))
	ic.find("Your shop isn't being backed up", false)
	p.say("not a status")
	ic.find("Kvart can't vouch for your shop yet", false)
	p.tell(status(app.VerdictFailed))
	ic.find("Your shop isn't being backed up", false)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.ends()
}

// TestRun_loginRefused: the system does not let start at login be changed, which
// the settings tell.
func TestRun_loginRefused(t *testing.T) {
	d := newDesktop(t)
	p := run(t, append(slices.Clone(d.env), "KVART_TEST_NO_LOGIN=1")...)
	ic := d.icon(t)
	ic.find("Start guarding when I log in", false) // nothing is known yet
	safe := status(app.VerdictSafe)
	safe.Now, safe.Autostart = time.Now(), true
	p.tell(safe)
	ic.click("Don't start when I log in")
	if got := p.says("OPEN"); got != "settings" {
		t.Errorf("opened %s", got)
	}
	ic.click("Quit (backups stop)")
	p.says("QUIT")
	p.ends()
}

// TestRun_noDisplay makes sure that a display that is gone does not end the
// process, and the backups with it.
func TestRun_noDisplay(t *testing.T) {
	p := run(t, "DISPLAY=:29999", "WAYLAND_DISPLAY=", "GDK_BACKEND=x11")
	if got := p.says("FAILED"); !strings.Contains(got, "display") {
		t.Errorf("failed with %q", got)
	}
	p = run(t, "DISPLAY=", "WAYLAND_DISPLAY=")
	if got := p.says("FAILED"); !strings.Contains(got, "no desktop") {
		t.Errorf("failed with %q", got)
	}
}

func TestAvailable(t *testing.T) {
	for _, tt := range []struct {
		x, wayland string
		want       bool
	}{{"", "", false}, {":0", "", true}, {"", "wayland-0", true}} {
		t.Setenv("DISPLAY", tt.x)
		t.Setenv("WAYLAND_DISPLAY", tt.wayland)
		if got := Available(); got != tt.want {
			t.Errorf("%q, %q: %v", tt.x, tt.wayland, got)
		}
	}
}
