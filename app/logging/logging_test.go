package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"kvart/app"
)

// TestMain plays a program that crashes, for TestOpen_crash.
func TestMain(m *testing.M) {
	if dir := os.Getenv("KVART_TEST_CRASH"); dir != "" {
		if _, err := Open(dir, slog.LevelInfo, nil); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		panic("the shop burned down")
	}
	os.Exit(m.Run())
}

func open(t *testing.T, dir string, stderr io.Writer) *Log {
	t.Helper()
	l, err := Open(dir, slog.LevelInfo, stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLog_writesJSON(t *testing.T) {
	dir := t.TempDir()
	var human bytes.Buffer
	l := open(t, filepath.Join(dir, "deep", "er"), &human)
	l.Logger().With("source", "kassan").Info("Backed up", "bytes", 212)
	l.Logger().Debug("Not kept")

	var got map[string]any
	line := read(t, dir, "deep", "er", FileName)
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	if got["msg"] != "Backed up" || got["source"] != "kassan" || got["bytes"] != 212.0 || got["time"] == nil {
		t.Errorf("got %v", got)
	}
	if r := l.Recent(); len(r) != 1 || r[0]+"\n" != line {
		t.Errorf("recent %q", r)
	}
	if h := human.String(); !strings.Contains(h, `msg="Backed up" source=kassan bytes=212`) || strings.Contains(h, "T") {
		t.Errorf("human reads %q", h)
	}
	if runtime.GOOS != "windows" {
		if st, err := os.Stat(filepath.Join(dir, "deep", "er", FileName)); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", st.Mode(), err)
		}
	}
}

type login struct {
	User     string
	Password string
	Deep     []map[string]any
}

func TestLog_hidesByKey(t *testing.T) {
	dir := t.TempDir()
	var human bytes.Buffer
	l := open(t, dir, &human)
	const s = "hunter22"
	log := l.Logger()
	log.Info("m", "password", s, "dbPassword", s, "secret_key", s, "X-Auth-Token", s, "Authorization", "Bearer "+s, "key", s, "apikey", s)
	log.WithGroup("secret").Info("m", "a", s)
	log.With("passphrase", s).Info("m")
	log.Info("m", slog.Group("s3", "accessKey", s, "endpoint", "seen-endpoint"))
	log.Info("m", "login", login{User: "seen-user", Password: s, Deep: []map[string]any{{"token": s, "n": 12345678901234567}}})
	log.Info("m", "keychain", "seen-keychain", "monkeys", "seen-monkeys", "wrapped", app.NewSecret(s))
	for name, text := range map[string]string{"file": read(t, dir, FileName), "stderr": human.String(), "memory": strings.Join(l.Recent(), "\n")} {
		if strings.Contains(text, s) {
			t.Errorf("%s holds the secret:\n%s", name, text)
		}
		for _, want := range []string{"seen-user", "seen-endpoint", "seen-keychain", "seen-monkeys", "12345678901234567"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %s:\n%s", name, want, text)
			}
		}
	}
}

type grumpy struct{ error }

func (grumpy) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

func TestLog_Hide(t *testing.T) {
	for _, secret := range []string{"kassa-lösen", `a"b\c<d>&e`, "line\nbreak\tand tab", "50%/x y?=+", "\x01odd\x7f\u2028"} {
		t.Run(secret, func(t *testing.T) {
			dir := t.TempDir()
			var human bytes.Buffer
			l := open(t, dir, &human)
			log := l.Logger()
			log.Info("before", "note", secret)
			l.Hide(secret)
			mark := len(read(t, dir, FileName))
			seen := human.Len()
			log.Info("in the message " + secret)
			log.Info("m", "error", fmt.Errorf("dial %q: %w", secret, errors.New(secret)))
			log.Info("m", "error", app.Errorf(app.CodeStorageDenied, "s3: open", "denied for %q", secret).With("who", secret))
			log.Info("m", slog.Group("g", slog.Group("h", "v", secret)))
			log.Info("m", "v", map[string]any{"x": []string{secret}}, "list", []string{"a", secret}, secret, 1)
			log.Info("m", "v", grumpy{errors.New(secret)})
			for _, text := range []string{read(t, dir, FileName)[mark:], human.String()[seen:], strings.Join(l.Recent(), "\n")} {
				for _, form := range forms(secret) {
					if strings.Contains(text, form) {
						t.Errorf("%q is in:\n%s", form, text)
					}
				}
				if strings.Count(text, hiddenText) < 5 {
					t.Errorf("too little is hidden in:\n%s", text)
				}
			}
		})
	}
	l := open(t, t.TempDir(), nil)
	l.Hide("")
	l.Hide("kv")
	l.Logger().Info("Kvart is kvart")
	if r := l.Recent(); !strings.Contains(r[0], "Kvart is kvart") {
		t.Errorf("got %q", r)
	}
}

func TestLog_rotates(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	l.file.limit = 2000
	for i := range 100 {
		l.Logger().Info("Line", "n", i, "pad", strings.Repeat("x", 100))
	}
	var all string
	for i := fileCount - 1; i >= 0; i-- {
		name := l.file.numbered(i)
		if st, err := os.Stat(name); err != nil || st.Size() > 2000 || st.Size() < 1 {
			t.Fatalf("%s: %v, %v", name, st, err)
		}
		all += read(t, name)
	}
	if _, err := os.Stat(l.file.numbered(fileCount)); !os.IsNotExist(err) {
		t.Errorf("a file too many: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(all), "\n")
	for i, line := range lines {
		if want := fmt.Sprintf(`"n":%d,`, 100-len(lines)+i); !strings.Contains(line, want) {
			t.Fatalf("line %d of %d is %q, want %s", i, len(lines), line, want)
		}
	}
	if l.Dropped() != 0 {
		t.Errorf("dropped %d", l.Dropped())
	}
}

// TestLog_rotationBlocked stands for a file that another program holds open.
func TestLog_rotationBlocked(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, nil)
	l.file.limit = 500
	for i := 1; i < fileCount; i++ {
		if err := os.MkdirAll(filepath.Join(l.file.numbered(i), "in the way"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		l.Logger().Info("Line", "n", i)
	}
	if got := strings.Count(read(t, dir, FileName), "\n"); got != 20 || l.Dropped() != 0 {
		t.Errorf("%d lines, %d dropped", got, l.Dropped())
	}
}

func TestLog_diskFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("KVART-SKIP devfull: no /dev/full here:", err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	l := open(t, dir, nil)
	l.Logger().Info("Lost one")
	l.Logger().Info("Lost two")
	if l.Dropped() != 2 || len(l.Recent()) != 2 {
		t.Fatalf("%d dropped, %d in memory", l.Dropped(), len(l.Recent()))
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l.Logger().Info("Room again")
	l.Logger().Info("Going on")
	lines := strings.Split(strings.TrimSpace(read(t, path)), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "Room again") || !strings.Contains(lines[1], `"lost":2`) || !strings.Contains(lines[2], "Going on") {
		t.Errorf("got %q", lines)
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestLog_Recent_keepsTheLast(t *testing.T) {
	l := open(t, t.TempDir(), nil)
	for i := range recentCount + 7 {
		l.Logger().Info("Line", "n", i)
	}
	l.Logger().Info(strings.Repeat("å", 5000))
	r := l.Recent()
	if len(r) != recentCount || !strings.Contains(r[0], `"n":8}`) || len(r[recentCount-1]) > longLine+3 {
		t.Errorf("%d lines from %q to %d bytes", len(r), r[0], len(r[len(r)-1]))
	}
}

func TestLog_concurrent(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, io.Discard)
	l.file.limit = 20_000
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				l.Logger().Info("Line", "g", g, "i", i)
				l.Hide(fmt.Sprintf("secret-%d-%d", g, i))
				l.Recent()
			}
		})
	}
	wg.Wait()
	if got := strings.Count(strings.Join(l.Recent(), "\n"), `"Line"`); got != 400 {
		t.Errorf("%d lines", got)
	}
}

func TestOpen_crash(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KVART_TEST_CRASH="+dir)
	if err := cmd.Run(); err == nil {
		t.Fatal("it did not crash")
	}
	if got := read(t, dir, CrashName); !strings.Contains(got, "the shop burned down") || !strings.Contains(got, "goroutine") {
		t.Fatalf("crash file holds %q", got)
	}
	l := open(t, dir, nil)
	if r := l.Recent(); len(r) != 1 || !strings.Contains(r[0], "crashed the last time") {
		t.Errorf("recent %q", r)
	}
	if got := read(t, dir, CrashName+".1"); !strings.Contains(got, "the shop burned down") {
		t.Errorf("the crash was not kept: %q", got)
	}
	if got := read(t, dir, CrashName); got != "" {
		t.Errorf("the new crash file holds %q", got)
	}
}

func TestOpen_folderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "log"), slog.LevelInfo, nil); err == nil {
		t.Error("a log in a file")
	}
	for err, want := range map[error]app.Code{os.ErrPermission: app.CodeHomeReadOnly, io.ErrUnexpectedEOF: app.CodeInternal} {
		if got := app.CodeOf(openError("x", err)); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
