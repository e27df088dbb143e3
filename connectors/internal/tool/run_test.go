//go:build unix

package tool

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStream(t *testing.T) {
	t.Parallel()
	end := EndsWith("-- dump complete", func(l string) bool { return strings.HasPrefix(l, "--") })
	for _, c := range []struct {
		name, body, out string
		check           func(*testing.T, error)
	}{
		{"complete", `echo data; echo "-- dump complete on Monday"; echo; echo "--"`, "data\n-- dump complete on Monday\n\n--\n", func(t *testing.T, err error) {
			if err != nil {
				t.Error(err)
			}
		}},
		{"fails", `echo data; echo "-- dump complete"; echo "no right" >&2; exit 3`, "data\n-- dump complete\n", func(t *testing.T, err error) {
			var exit *ExitError
			if !errors.As(err, &exit) || exit.Code != 3 || exit.Stderr != "no right" || exit.Program != "kvdump" {
				t.Errorf("got %#v", err)
			}
		}},
		{"killed", `echo data; echo "-- dump complete"; kill -9 $$`, "data\n-- dump complete\n", func(t *testing.T, err error) {
			var exit *ExitError
			if !errors.As(err, &exit) || exit.Code != -1 {
				t.Errorf("got %#v", err)
			}
		}},
		{"cut off", `echo "-- dump complete"; echo data`, "-- dump complete\ndata\n", func(t *testing.T, err error) {
			if !errors.Is(err, ErrTruncated) {
				t.Errorf("got %v", err)
			}
		}},
		{"empty", `:`, "", func(t *testing.T, err error) {
			if !errors.Is(err, ErrTruncated) {
				t.Errorf("got %v", err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := Stream(t.Context(), Command(script(t, t.TempDir(), "kvdump", c.body)), end)
			if err != nil {
				t.Fatal(err)
			}
			out, err := io.ReadAll(r)
			c.check(t, err)
			if string(out) != c.out {
				t.Errorf("got %q", out)
			}
			// What went wrong is not forgotten.
			if _, again := r.Read(make([]byte, 1)); err != nil && !errors.Is(again, err) || again == nil {
				t.Errorf("second read: %v after %v", again, err)
			}
			if err := errors.Join(r.Close(), r.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

// running reports whether any process still has the id that was written to
// file.
func running(t *testing.T, file string) bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err == nil && bytes.Contains(stat, []byte(") Z ")) {
		return false // an orphan nobody has collected yet
	}
	return syscall.Kill(pid, 0) == nil
}

func gone(t *testing.T, file string) {
	t.Helper()
	for range 100 {
		if !running(t, file) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("what the program started still runs")
}

// stubborn starts a grandchild and ignores being asked to end.
const stubborn = `trap '' TERM; sleep 600 & echo $! > "$1"; echo ready; while :; do sleep 1; done`

func TestStream_closedEarly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, err := Stream(t.Context(), Command(script(t, dir, "kvdump", stubborn), filepath.Join(dir, "pid")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 3*grace {
		t.Errorf("closing took %v", took)
	}
	gone(t, filepath.Join(dir, "pid"))
	if _, err := r.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("reading a closed stream: %v", err)
	}
}

func TestStream_contextEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := Stream(ctx, Command(script(t, dir, "kvdump", stubborn), filepath.Join(dir, "pid")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	gone(t, filepath.Join(dir, "pid"))
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Stream(ctx, Command("/bin/true"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("starting too late: %v", err)
	}
}

func TestRun_boundsStderr(t *testing.T) {
	t.Parallel()
	path := script(t, t.TempDir(), "kvload", `cat >/dev/null; echo first >&2; i=0; while [ $i -lt 4000 ]; do echo "notice number $i" >&2; i=$((i+1)); done; echo last >&2; exit 1`)
	cmd := Command(path)
	cmd.Stdin = strings.NewReader("select 1;")
	err := Run(t.Context(), cmd)
	var exit *ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("got %v", err)
	}
	if len(exit.Stderr) > noteBytes+10 || !strings.HasPrefix(exit.Stderr, "first") || !strings.HasSuffix(exit.Stderr, "last") {
		t.Errorf("%d bytes: %.100q", len(exit.Stderr), exit.Stderr)
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	path := script(t, t.TempDir(), "kvdump", `echo "$@"`)
	if out, err := Output(t.Context(), Command(path, "a", "b c"), 100); err != nil || string(out) != "a b c\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := Output(t.Context(), Command(path, "too long"), 3); err == nil {
		t.Error("any amount was taken")
	}
	if _, err := Output(t.Context(), Command(filepath.Join(t.TempDir(), "none")), 3); err == nil {
		t.Error("no program and no error")
	}
}

func TestStream_tail(t *testing.T) {
	t.Parallel()
	path := script(t, t.TempDir(), "kvdump", `i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; echo trailer`)
	var seen []byte
	r, err := Stream(t.Context(), Command(path), func(tail []byte) error { seen = bytes.Clone(tail); return nil })
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	if _, err := io.CopyBuffer(&all, struct{ io.Reader }{r}, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if len(seen) != tailBytes || !bytes.HasSuffix(all.Bytes(), seen) {
		t.Errorf("tail of %d bytes is not the output's", len(seen))
	}
}

// What comes in small pieces is read in larger ones, all of it, and none of it waits
// for what never comes.
func TestStream_smallPieces(t *testing.T) {
	t.Parallel()
	const lines, silent = 20_000, "wrote all"
	body := `i=0; while [ $i -lt ` + strconv.Itoa(lines) + ` ]; do echo "row $i of a dump that is written line by line"; i=$((i+1)); done; echo "` + silent + `"; exec sleep 60`
	r, err := Stream(t.Context(), Command(script(t, t.TempDir(), "kvdump", body)), nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for buf := make([]byte, 256<<10); !bytes.HasSuffix(out, []byte(silent+"\n")); {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, buf[:n]...)
	}
	i := 0
	for line := range strings.Lines(string(out[:len(out)-len(silent)-1])) {
		if want := "row " + strconv.Itoa(i) + " of a dump that is written line by line\n"; line != want {
			t.Fatalf("line %d: %q", i, line)
		}
		i++
	}
	if i != lines {
		t.Errorf("%d lines of %d", i, lines)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
