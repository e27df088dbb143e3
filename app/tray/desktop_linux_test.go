package tray

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// patience is how long a test waits for what it expects of a slow computer.
const patience = 20 * time.Second

// desktop is a display, a session bus and, on it, the test as the one that
// shows tray icons.
type desktop struct {
	env   []string
	conn  *dbus.Conn
	items chan dbus.ObjectPath
	owner chan string
}

func newDesktop(t *testing.T) *desktop {
	t.Helper()
	d := &desktop{items: make(chan dbus.ObjectPath, 8), owner: make(chan string, 8)}
	display := ":" + startTool(t, "Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp")
	conf := filepath.Join(t.TempDir(), "bus.conf")
	if err := os.WriteFile(conf, []byte(`<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`), 0o600); err != nil {
		t.Fatal(err)
	}
	address := startTool(t, "dbus-daemon", "--nofork", "--config-file="+conf, "--print-address")
	d.env = []string{"DISPLAY=" + display, "WAYLAND_DISPLAY=", "GDK_BACKEND=x11", "NO_AT_BRIDGE=1", "DBUS_SESSION_BUS_ADDRESS=" + address}

	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	d.conn = conn
	const name, path = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
	if err := conn.Export(watcher{d}, path, name); err != nil {
		t.Fatal(err)
	}
	if err := conn.Export(watcher{d}, path, "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	if r, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(r, err)
	}
	return d
}

// startTool starts a program that serves until the test is over, and returns
// the first line it prints.
func startTool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("KVART-SKIP tray:", err)
	}
	cmd := exec.Command(path, args...)
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
			t.Logf("%s: %s", name, &stderr)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return strings.TrimSpace(line)
}

// watcher is org.kde.StatusNotifierWatcher, which programs tell of their icons.
type watcher struct{ d *desktop }

func (w watcher) RegisterStatusNotifierItem(path string, sender dbus.Sender) *dbus.Error {
	w.d.owner <- string(sender)
	w.d.items <- dbus.ObjectPath(path)
	return nil
}

func (watcher) Get(_, name string) (dbus.Variant, *dbus.Error) {
	if name == "IsStatusNotifierHostRegistered" {
		return dbus.MakeVariant(true), nil
	}
	return dbus.MakeVariant(int32(0)), nil
}

func (watcher) GetAll(string) (map[string]dbus.Variant, *dbus.Error) {
	return map[string]dbus.Variant{"IsStatusNotifierHostRegistered": dbus.MakeVariant(true)}, nil
}

// trayIcon is the tray icon of a program under test.
type trayIcon struct {
	t    *testing.T
	item dbus.BusObject
	menu dbus.BusObject
}

// icon waits for a program to show its icon.
func (d *desktop) icon(t *testing.T) *trayIcon {
	t.Helper()
	var path dbus.ObjectPath
	select {
	case path = <-d.items:
	case <-time.After(patience):
		t.Fatal("no icon was shown")
	}
	owner := <-d.owner
	ic := &trayIcon{t: t, item: d.conn.Object(owner, path)}
	v, err := ic.item.GetProperty("org.kde.StatusNotifierItem.Menu")
	if err != nil {
		t.Fatal(err)
	}
	ic.menu = d.conn.Object(owner, v.Value().(dbus.ObjectPath))
	return ic
}

func (ic *trayIcon) property(name string) string {
	ic.t.Helper()
	v, err := ic.item.GetProperty("org.kde.StatusNotifierItem." + name)
	if err != nil {
		ic.t.Fatal(err)
	}
	return fmt.Sprint(v.Value())
}

// line is one item of the menu as the desktop sees it.
type line struct {
	id      int32
	label   string
	enabled bool
}

// lines returns the visible items in their order, separators as "-".
func (ic *trayIcon) lines() []line {
	ic.t.Helper()
	var revision uint32
	var root struct {
		ID       int32
		Props    map[string]dbus.Variant
		Children []dbus.Variant
	}
	err := ic.menu.Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root)
	if err != nil {
		ic.t.Fatal(err)
	}
	var out []line
	for _, c := range root.Children {
		fields := c.Value().([]any)
		props := fields[1].(map[string]dbus.Variant)
		if v, ok := props["visible"]; ok && v.Value() == false {
			continue
		}
		l := line{id: fields[0].(int32), enabled: true}
		if v, ok := props["label"]; ok {
			l.label = v.Value().(string)
		}
		if v, ok := props["type"]; ok && v.Value() == "separator" {
			l.label = "-"
		}
		if v, ok := props["enabled"]; ok && v.Value() == false {
			l.enabled = false
		}
		out = append(out, l)
	}
	return out
}

// find waits for an item.
func (ic *trayIcon) find(label string, enabled bool) line {
	ic.t.Helper()
	var seen []line
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		seen = ic.lines()
		for _, l := range seen {
			if l.label == label && l.enabled == enabled {
				return l
			}
		}
	}
	ic.t.Fatalf("no item %q, enabled %v, in %+v", label, enabled, seen)
	return line{}
}

// lacks fails when the menu shows an item.
func (ic *trayIcon) lacks(label string) {
	ic.t.Helper()
	for _, l := range ic.lines() {
		if l.label == label {
			ic.t.Errorf("the menu shows %q", label)
		}
	}
}

func (ic *trayIcon) click(label string) {
	ic.t.Helper()
	id := ic.find(label, true).id
	err := ic.menu.Call("com.canonical.dbusmenu.Event", 0, id, "clicked", dbus.MakeVariant(""), uint32(0)).Err
	if err != nil {
		ic.t.Fatal(err)
	}
}
