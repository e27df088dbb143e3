//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is what a piece of work cost.
type cost struct {
	seconds float64
	inRun   float64 // seconds that the guard says it took, after the plan; 0 where not known
	stored  int64   // bytes that came to lie in the storage
	memory  int64   // bytes of the one process at its fullest, 0 where not known
}

// command makes a command that is asked to end, and not killed, when ctx ends.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 15 * time.Second
	return c
}

// timed runs a command to its end.
func timed(c *exec.Cmd) (cost, error) {
	var stderr bytes.Buffer
	if c.Stderr == nil {
		c.Stderr = &stderr
	}
	start := time.Now()
	err := c.Run()
	k := cost{seconds: time.Since(start).Seconds()}
	if c.ProcessState != nil {
		k.memory = peak(c.ProcessState)
	}
	if err != nil {
		err = fmt.Errorf("%s %.200s: %w: %s", filepath.Base(c.Path), strings.Join(c.Args[1:], " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return k, err
}

// peak returns how much memory a process that has ended held at its fullest.
func peak(s *os.ProcessState) int64 {
	u, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}

// piped runs two commands, the first one's output being the second's input.
func piped(from, to *exec.Cmd) (k cost, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return k, fmt.Errorf("make a pipe: %w", err)
	}
	var stderr bytes.Buffer
	from.Stdout, to.Stdin, from.Stderr = w, r, &stderr
	start := time.Now()
	err = from.Start()
	if err = errors.Join(err, w.Close()); err != nil {
		return k, errors.Join(err, r.Close())
	}
	k, err = timed(to)
	// A first command whose reader failed gets no reader any more.
	err = errors.Join(err, r.Close(), from.Wait())
	k.seconds = time.Since(start).Seconds()
	if err != nil {
		err = fmt.Errorf("%s | %s: %w: %s", filepath.Base(from.Path), filepath.Base(to.Path), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return k, err
}

// fromFile runs a command that reads a file.
func fromFile(c *exec.Cmd, path string) (k cost, err error) {
	f, err := os.Open(path)
	if err != nil {
		return k, fmt.Errorf("open input: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c.Stdin = f
	return timed(c)
}

// toFile runs a command that writes a file.
func toFile(c *exec.Cmd, path string) (k cost, err error) {
	f, err := os.Create(path)
	if err != nil {
		return k, fmt.Errorf("make output: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c.Stdout = f
	return timed(c)
}

// size counts the bytes of the files below dir.
func size(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // went meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		fi, err := d.Info()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look at storage: %w", err)
		}
		if err == nil {
			n += fi.Size()
		}
		return nil
	})
	return n, err
}

// growing measures what work stores in dir. Before it, everything that others
// wrote is brought to the disk, so that nobody waits for another's writing.
func growing(dir string, work func() (cost, error)) (cost, error) {
	before, err := size(dir)
	if err != nil {
		return cost{}, err
	}
	syscall.Sync()
	k, err := work()
	if err != nil {
		return k, err
	}
	after, err := size(dir)
	k.stored = after - before
	return k, err
}

// peakOf reads how much memory a running process held at its fullest since
// forgetPeak; 0 where the system does not tell.
func peakOf(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if word, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(word), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}

// processor reads how long a running process has kept a processor busy, in
// seconds; 0 where the system does not tell.
func processor(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// what follows the name, which may hold anything
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, err := strconv.ParseFloat(f[11], 64)
	system, err2 := strconv.ParseFloat(f[12], 64)
	if err != nil || err2 != nil {
		return 0
	}
	return (user + system) / 100
}

// forgetPeak begins a new count; where that can't be had the count goes on, and
// what is measured is never too little.
func forgetPeak(pid int, log io.Writer) {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		fmt.Fprintln(log, "peak memory counts from the start:", err)
	}
}
