//go:build unix

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// kvart is a guard with a vault in a folder.
type kvart struct {
	b           *bench
	data, vault string
	dir         string
	env         []string // more than the benchmark's own
	guard       *exec.Cmd
	said        sync.WaitGroup
}

// ran is what a verb says of a backup.
type ran struct {
	Runs []struct {
		Source, State string
		BytesUploaded int64
		Seconds       float64
	}
}

// kvart makes a vault with one source.
func (b *bench) kvart(ctx context.Context, name string, source ...string) (*kvart, error) {
	dir := cmp.Or(b.home, filepath.Join(b.dir, name))
	k := &kvart{b: b, dir: dir, env: b.env, data: filepath.Join(dir, "data"), vault: filepath.Join(dir, "vault")}
	if err := os.MkdirAll(k.data, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	pass := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(pass, []byte("correct horse battery staple 17\n"), 0o600); err != nil {
		return nil, fmt.Errorf("write passphrase: %w", err)
	}
	for _, args := range [][]string{
		{"vault", "create", "--storage", "folder", "--set", "path=" + k.vault, "--passphrase-file", pass, "--shop", cmp.Or(b.shop, "Bench")},
		append([]string{"source", "add"}, source...),
	} {
		if err := k.do(ctx, nil, args...); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// verb is a command of the guard's.
func (k *kvart) verb(ctx context.Context, args ...string) *exec.Cmd {
	name := args[:1]
	if len(args) > 1 && (args[0] == "vault" || args[0] == "source") {
		name = args[:2]
	}
	rest := append([]string{"--data", k.data}, args[len(name):]...)
	return k.command(ctx, append(name[:len(name):len(name)], rest...)...)
}

func (k *kvart) command(ctx context.Context, args ...string) *exec.Cmd {
	c := command(ctx, filepath.Join(k.b.bin, "kvart-agent"), args...)
	c.Env = append(os.Environ(), k.env...)
	return c
}

// do runs a verb and decodes what it prints.
func (k *kvart) do(ctx context.Context, out any, args ...string) error {
	c := k.verb(ctx, append(args, "--json")...)
	var stdout bytes.Buffer
	c.Stdout = &stdout
	if _, err := timed(c); err != nil {
		return fmt.Errorf("%w\n%s", err, stdout.String())
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

// watch starts the guard, which keeps the vault open as it does in a shop: the
// verbs then talk to it. Its own quarters are put off.
func (k *kvart) watch(ctx context.Context) (err error) {
	if err := k.do(ctx, nil, "pause", "600"); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(k.dir, "guard.log"))
	if err != nil {
		return fmt.Errorf("make log: %w", err)
	}
	k.guard = k.command(ctx, "run", "--no-tray", "--data", k.data)
	k.guard.Stderr = log
	says, err := k.guard.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start guard: %w", err)
	}
	if err := errors.Join(k.guard.Start(), log.Close()); err != nil {
		return fmt.Errorf("start guard: %w", err)
	}
	// It says something once it listens; a verb before that would be the guard.
	if _, err := bufio.NewReader(says).ReadString('\n'); err != nil {
		return errors.Join(fmt.Errorf("the guard does not start: %w", err), k.rest())
	}
	k.said.Go(func() { _, _ = io.Copy(io.Discard, says) }) // or it would wait for a reader
	var st struct{ Guard bool }
	for range 100 {
		if err = k.do(ctx, &st, "status"); err == nil && st.Guard {
			return nil
		}
		if ctx.Err() != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.Join(errors.New("the guard does not answer"), err, k.rest())
}

// rest ends the guard.
func (k *kvart) rest() error {
	if k.guard == nil {
		return nil
	}
	g := k.guard
	k.guard = nil
	if err := g.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end guard: %w", err)
	}
	k.said.Wait()
	if err := g.Wait(); err != nil && g.ProcessState.ExitCode() > 0 {
		return fmt.Errorf("guard: %w", err)
	}
	return nil
}

// backup has the guard back up, and measures the whole of the verb and what
// came to lie in the vault. inRun is what the run itself says it took.
func (k *kvart) backup(ctx context.Context, state string) (c cost, inRun float64, err error) {
	var out ran
	forgetPeak(k.guard.Process.Pid, k.b.log)
	c, err = growing(k.vault, func() (cost, error) {
		start := time.Now()
		err := k.do(ctx, &out, "backup")
		return cost{seconds: time.Since(start).Seconds()}, err
	})
	c.memory = peakOf(k.guard.Process.Pid)
	if err != nil {
		return c, 0, err
	}
	if len(out.Runs) != 1 || out.Runs[0].State != state {
		return c, 0, fmt.Errorf("the backup was to be %q and is %+v", state, out.Runs)
	}
	return c, out.Runs[0].Seconds, nil
}

// idle backs up when nothing happened, a few times, and returns the median of
// what the runs say they took. A server goes on writing for itself a while
// after others stopped, and is not idle until it has.
func (k *kvart) idle(ctx context.Context) (float64, error) {
	var took []float64
	for range 40 {
		var out ran
		if err := k.do(ctx, &out, "backup"); err != nil {
			return 0, err
		}
		if len(out.Runs) == 1 && out.Runs[0].State == "idle" {
			break
		}
		if err := nap(ctx, 3*time.Second); err != nil {
			return 0, err
		}
	}
	for range 5 {
		_, s, err := k.backup(ctx, "idle")
		if err != nil {
			return 0, err
		}
		took = append(took, s)
	}
	return median(took), nil
}

// restore brings the source back and fails unless every check passed.
func (k *kvart) restore(ctx context.Context, args ...string) (cost, error) {
	var out struct {
		State   string
		Seconds float64
		Checks  []struct {
			Code, Detail string
			OK           bool
		}
	}
	syscall.Sync()
	start := time.Now()
	if err := k.do(ctx, &out, append([]string{"restore", "--yes"}, args...)...); err != nil {
		return cost{}, err
	}
	c := cost{seconds: time.Since(start).Seconds(), inRun: out.Seconds}
	for _, check := range out.Checks {
		if !check.OK {
			return c, fmt.Errorf("restored, but %s: %s", check.Code, check.Detail)
		}
	}
	if len(out.Checks) == 0 {
		return c, fmt.Errorf("restored to %q without a check", out.State)
	}
	return c, nil
}
