package autostart

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain runs the tests in a process of their own whose folder for settings
// is a temporary one: the library reads the variable when it is loaded.
func TestMain(m *testing.M) {
	if os.Getenv("KVART_TEST_AUTOSTART") != "" {
		os.Exit(m.Run())
	}
	os.Exit(reexec())
}

func reexec() int {
	dir, err := os.MkdirTemp("", "kvart-autostart")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), "KVART_TEST_AUTOSTART=1", "HOME="+dir, "XDG_CONFIG_HOME="+filepath.Join(dir, "åäö config"))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// parse reads a desktop entry's value for key as a desktop does.
func parse(t *testing.T, key string) string {
	t.Helper()
	b, err := os.ReadFile(path())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	if lines[0] != "[Desktop Entry]" {
		t.Fatalf("entry begins with %q", lines[0])
	}
	for _, line := range lines {
		if k, v, ok := strings.Cut(line, "="); ok && k == key {
			return unescape(t, v)
		}
	}
	t.Fatalf("no %s in\n%s", key, b)
	return ""
}

// unescape undoes the escapes of every string in a desktop entry.
func unescape(t *testing.T, v string) string {
	t.Helper()
	var out strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] != '\\' {
			out.WriteByte(v[i])
			continue
		}
		i++
		at := -1
		if i < len(v) {
			at = strings.IndexByte(`sntr\`, v[i])
		}
		if at < 0 {
			t.Fatalf("no such escape in %q at %d", v, i)
		}
		out.WriteByte(" \n\t\r\\"[at])
	}
	return out.String()
}

// arguments splits a command line by the quoting rules of Exec.
func arguments(t *testing.T, line string) []string {
	t.Helper()
	var args []string
	for line != "" {
		if line[0] != '"' {
			t.Fatalf("an argument is not quoted: %q", line)
		}
		var arg strings.Builder
		i := 1
		for ; i < len(line) && line[i] != '"'; i++ {
			switch c := line[i]; {
			case c == '\\' && i+1 < len(line) && strings.IndexByte("\"`$\\", line[i+1]) >= 0:
				i++
				arg.WriteByte(line[i])
			case c == '\\' || c == '`' || c == '$':
				t.Fatalf("%q stands bare in %q", c, line)
			case c == '%':
				if i++; i >= len(line) || line[i] != '%' {
					t.Fatalf("a field code in %q", line)
				}
				arg.WriteByte('%')
			default:
				arg.WriteByte(c)
			}
		}
		if i >= len(line) {
			t.Fatalf("an open quote in %q", line)
		}
		args = append(args, arg.String())
		line = strings.TrimPrefix(line[i+1:], " ")
	}
	return args
}

func on(t *testing.T, a *Autostart) {
	t.Helper()
	if err := a.Set(true); err != nil {
		t.Fatal(err)
	}
	if !a.Enabled() {
		t.Fatal("turned on, and yet off")
	}
}

func TestAutostart_Set(t *testing.T) {
	for _, args := range [][]string{
		{"/opt/kvart/kvart-agent", "run"},
		{"/opt/Kvart åäö/100% \\ bra/$HOME `ls`/it's; a & b|c", "run", "--data", "/tmp/a b%20c", "", "#~<>?*()"},
	} {
		a := New(args)
		if err := a.Set(false); err != nil {
			t.Fatal(err)
		}
		if a.Enabled() {
			t.Fatal("on before it was turned on")
		}
		for range 3 { // the library quotes in place: again must not quote again
			on(t, a)
			if got := arguments(t, parse(t, "Exec")); !slices.Equal(got, args) {
				t.Fatalf("starts %q, want %q", got, args)
			}
		}
		if parse(t, "Name") != "Kvart" || parse(t, "Type") != "Application" || parse(t, "Icon") == "" {
			t.Error("the entry is not ours")
		}
		validate(t)
		for range 2 {
			if err := a.Set(false); err != nil {
				t.Fatal(err)
			}
			if a.Enabled() {
				t.Fatal("turned off, and yet on")
			}
		}
	}
}

func validate(t *testing.T) {
	t.Helper()
	tool, err := exec.LookPath("desktop-file-validate")
	if err != nil {
		t.Log("not validated:", err)
		return
	}
	if out, err := exec.Command(tool, path()).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s%v", out, err)
	}
}

func TestAutostart_turnedOffByTheDesktop(t *testing.T) {
	a := New([]string{"/opt/kvart/kvart-agent", "run"})
	on(t, a)
	entry, err := os.ReadFile(path())
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		string(entry):                    true,
		string(entry) + "Hidden=true\n":  false,
		string(entry) + "Hidden=false\n": true,
		strings.Replace(string(entry), "Autostart-enabled=true", "Autostart-enabled = false", 1): false,
		string(entry) + "[Desktop Action x]\nHidden=true\n":                                      true,
	} {
		if err := os.WriteFile(path(), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := a.Enabled(); got != want {
			t.Errorf("%v, want %v, for\n%s", got, want, text)
		}
	}
	if err := os.WriteFile(path(), append(entry, "Hidden=true\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	on(t, a)
}

func TestAutostart_refuses(t *testing.T) {
	if err := New(nil).Set(false); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"kvart-agent"}, {`/a "b"`}, {"/a\nb"}, {"/a", "x\u00a0y"}, {"/a", "\x00"}} {
		a := New(args)
		if err := a.Set(true); err == nil || a.Enabled() {
			t.Errorf("%q is accepted", args)
		}
	}
}

func TestNew_keepsItsOwnCopy(t *testing.T) {
	args := []string{"/opt/kvart", "run"}
	a := New(args)
	args[1] = "crash"
	on(t, a)
	if got := arguments(t, parse(t, "Exec")); got[1] != "run" {
		t.Errorf("starts %q", got)
	}
}
