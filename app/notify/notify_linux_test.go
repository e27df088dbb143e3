package notify

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"kvart/app"
)

// bus starts a session bus of the test's own.
func bus(t *testing.T) {
	t.Helper()
	path, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("KVART-SKIP dbus: no dbus-daemon here:", err)
	}
	conf := filepath.Join(t.TempDir(), "bus.conf")
	if err := os.WriteFile(conf, []byte(`<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--nofork", "--config-file="+conf, "--print-address")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("dbus-daemon: %s", &stderr)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
}

// shown is one call of Notify.
type shown struct {
	App, Icon, Title, Text string
	Replaces               uint32
	Hints                  map[string]dbus.Variant
	Expire                 int32
}

// daemon is a desktop's notification service.
type daemon struct {
	can []string

	mu     sync.Mutex
	next   uint32
	shown  []shown
	closed []uint32
	refuse bool
	hang   chan struct{}
}

func (d *daemon) GetCapabilities() ([]string, *dbus.Error) { return d.can, nil }

func (d *daemon) Notify(name string, replaces uint32, icon, title, text string, _ []string, hints map[string]dbus.Variant, expire int32) (uint32, *dbus.Error) {
	if d.hang != nil {
		<-d.hang
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown = append(d.shown, shown{name, icon, title, text, replaces, hints, expire})
	if replaces != 0 {
		return replaces, nil
	}
	d.next++
	return d.next, nil
}

func (d *daemon) CloseNotification(id uint32) *dbus.Error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = append(d.closed, id)
	if d.refuse {
		return dbus.NewError("org.freedesktop.Notifications.Error", nil)
	}
	return nil
}

// got returns the notices shown and the numbers closed so far.
func (d *daemon) got() ([]shown, []uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.shown), slices.Clone(d.closed)
}

// serve puts the daemon on the bus until the returned function is called.
func (d *daemon) serve(t *testing.T) (stop func()) {
	t.Helper()
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Auth(nil); err != nil {
		t.Fatal(err)
	}
	if err := conn.Hello(); err != nil {
		t.Fatal(err)
	}
	if err := conn.Export(d, object, service); err != nil {
		t.Fatal(err)
	}
	if r, err := conn.RequestName(service, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(r, err)
	}
	stop = sync.OnceFunc(func() { _ = conn.Close() })
	t.Cleanup(stop)
	return stop
}

func notifier(t *testing.T) *Notifier {
	t.Helper()
	n := New(slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func TestNotifier_Notify(t *testing.T) {
	bus(t)
	d := &daemon{can: []string{"body", "body-markup"}, next: 41}
	d.serve(t)
	n := notifier(t)
	for _, notice := range []app.Notice{
		{Cause: "late", Title: "Säkerhetskopiorna är försenade", Text: "<b>Kassa & lager</b>"},
		{Cause: "failed", Title: "Failed", Text: "t", Alarm: true},
		{Cause: "late", Title: "Still late", Text: "t"},
	} {
		if err := n.Notify(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
	}
	notices, _ := d.got()
	if len(notices) != 3 {
		t.Fatalf("%d notices", len(notices))
	}
	first, alarm, again := notices[0], notices[1], notices[2]
	if first.App != "Kvart" || first.Icon != app.ID || first.Title != "Säkerhetskopiorna är försenade" || first.Replaces != 0 || first.Expire != -1 {
		t.Errorf("first: %+v", first)
	}
	if first.Text != "&lt;b&gt;Kassa &amp; lager&lt;/b&gt;" {
		t.Errorf("markup gets through: %q", first.Text)
	}
	if first.Hints["urgency"].Value() != byte(1) || alarm.Hints["urgency"].Value() != byte(2) || alarm.Expire != 0 || alarm.Replaces != 0 {
		t.Errorf("alarm: %+v", alarm)
	}
	if again.Replaces != 42 || again.Title != "Still late" {
		t.Errorf("a notice of the same cause: %+v", again)
	}
	fields, _ := first.Hints["image-data"].Value().([]any)
	if len(fields) != 7 {
		t.Errorf("picture has the wrong form: %v", first.Hints["image-data"].Signature())
	} else if p, ok := fields[6].([]byte); !ok || len(p) != iconSize*iconSize*4 || fields[3] != true {
		t.Errorf("picture has %d bytes, alpha %v", len(p), fields[3])
	}
	if a, b := first.Hints["image-data"].String(), alarm.Hints["image-data"].String(); a == b {
		t.Error("an alarm looks like any notice")
	}
}

func TestNotifier_Notify_plainDaemon(t *testing.T) {
	bus(t)
	d := &daemon{can: []string{"body"}}
	d.serve(t)
	if err := notifier(t).Notify(t.Context(), app.Notice{Cause: "x", Text: "a & b"}); err != nil {
		t.Fatal(err)
	}
	if notices, _ := d.got(); notices[0].Text != "a & b" {
		t.Errorf("text %q", notices[0].Text)
	}
}

func TestNotifier_Resolve(t *testing.T) {
	bus(t)
	d := &daemon{next: 6}
	d.serve(t)
	n := notifier(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(n.Resolve(t.Context(), "late")) // never shown
	must(n.Notify(t.Context(), app.Notice{Cause: "late"}))
	must(n.Resolve(t.Context(), "late"))
	must(n.Resolve(t.Context(), "late"))
	if _, closed := d.got(); len(closed) != 1 || closed[0] != 7 {
		t.Errorf("closed %v", closed)
	}
	must(n.Notify(t.Context(), app.Notice{Cause: "late"}))
	if notices, _ := d.got(); notices[1].Replaces != 0 {
		t.Errorf("replaces %d, which was taken away", notices[1].Replaces)
	}
	d.mu.Lock()
	d.refuse = true // the owner closed it
	d.mu.Unlock()
	must(n.Resolve(t.Context(), "late"))
	if len(n.shown) != 0 {
		t.Errorf("still known: %v", n.shown)
	}
}

// TestNotifier_daemonRestarts makes sure that a number of the old daemon's is
// not used to replace or close what another program shows now.
func TestNotifier_daemonRestarts(t *testing.T) {
	bus(t)
	old := &daemon{next: 4}
	stop := old.serve(t)
	n := notifier(t)
	if err := n.Notify(t.Context(), app.Notice{Cause: "late"}); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := n.Notify(t.Context(), app.Notice{Cause: "late"}); err == nil {
		t.Fatal("shown by nobody")
	}
	next := &daemon{}
	next.serve(t)
	if err := n.Resolve(t.Context(), "late"); err != nil {
		t.Fatal(err)
	}
	if err := n.Notify(t.Context(), app.Notice{Cause: "late"}); err != nil {
		t.Fatal(err)
	}
	if notices, closed := next.got(); len(closed) != 0 || notices[0].Replaces != 0 {
		t.Errorf("the new daemon got %v, %+v", closed, notices)
	}
}

func TestNotifier_noDesktop(t *testing.T) {
	// fails notifies, which is to fail after so long.
	fails := func(t *testing.T, n *Notifier, after time.Duration) {
		t.Helper()
		start := time.Now()
		if err := n.Notify(t.Context(), app.Notice{Cause: "x"}); err == nil {
			t.Error("shown nowhere")
		}
		if d := time.Since(start); d < after-100*time.Millisecond || d > after+time.Second {
			t.Errorf("took %v, want %v", d, after)
		}
	}
	t.Run("no bus", func(t *testing.T) {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "none"))
		fails(t, notifier(t), 0)
	})
	t.Run("no daemon", func(t *testing.T) {
		bus(t)
		fails(t, notifier(t), 0)
	})
	t.Run("a bus that does not answer", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "mute")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+path)
		fails(t, notifier(t), timeout)
	})
	t.Run("a daemon that does not answer", func(t *testing.T) {
		bus(t)
		d := &daemon{hang: make(chan struct{})}
		defer close(d.hang)
		d.serve(t)
		fails(t, notifier(t), timeout)
	})
	t.Run("a caller in a hurry", func(t *testing.T) {
		bus(t)
		d := &daemon{hang: make(chan struct{})}
		defer close(d.hang)
		d.serve(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := notifier(t).Notify(ctx, app.Notice{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestPixels(t *testing.T) {
	p := pixels("alarm")
	if len(p.Pixels) != iconSize*iconSize*4 || p.Stride != iconSize*4 || bytes.Count(p.Pixels, []byte{0}) == len(p.Pixels) {
		t.Errorf("%d bytes, stride %d", len(p.Pixels), p.Stride)
	}
}
