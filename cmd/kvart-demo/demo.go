package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// demo is one walk through a bad day.
type demo struct {
	shop        *shop
	agent       string
	data, vault string
	pause       time.Duration
	sales       int
	began       time.Time
}

// say prints a line with the time since the demo began.
func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(os.Stdout, "%7.2f s  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// kvart runs a verb of the guard's and decodes what it prints.
func (d *demo) kvart(ctx context.Context, out any, args ...string) error {
	cmd := exec.CommandContext(ctx, d.agent, append(args, "--data", d.data, "--json")...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kvart-agent %v: %w\n%s%s", args, err, stdout.String(), stderr.String())
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(stdout.Bytes(), out)
}

func (d *demo) run(ctx context.Context) (err error) {
	d.began = time.Now()
	if err := d.setUp(ctx); err != nil {
		return err
	}
	guard := exec.CommandContext(ctx, d.agent, "run", "--no-tray", "--data", d.data)
	if err := begin(guard); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end(guard)) }()
	till, err := d.openTill(ctx)
	if err != nil {
		return err
	}
	before, lastPoint, err := d.trade(ctx)
	if err != nil {
		return errors.Join(err, end(till))
	}
	pictures, err := d.shop.pictures()
	if err != nil {
		return errors.Join(err, end(till))
	}
	time.Sleep(300 * time.Millisecond) // a few sales that no backup has
	if err := end(till); err != nil {
		return err
	}
	all, err := d.shop.sold()
	if err != nil {
		return err
	}
	if err := d.shop.wreck(); err != nil {
		return err
	}
	d.say("Disaster: half of kassa.db is overwritten and all %d pictures are deleted.", len(pictures))
	return d.bringBack(ctx, before, all, pictures, lastPoint)
}

// setUp makes the shop and protects it.
func (d *demo) setUp(ctx context.Context) error {
	if err := d.shop.make(ctx, d.sales); err != nil {
		return err
	}
	info, err := os.Stat(d.shop.till)
	if err != nil {
		return fmt.Errorf("look at till: %w", err)
	}
	d.say("A coffee roaster's shop: %d past sales, till database %.1f MB, %d pictures.", d.sales, float64(info.Size())/1e6, len(beans))
	if err := os.MkdirAll(d.data, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	pass := filepath.Join(filepath.Dir(d.data), "passphrase.txt")
	if err := os.WriteFile(pass, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return fmt.Errorf("write passphrase: %w", err)
	}
	for _, args := range [][]string{
		{"vault", "create", "--storage", "folder", "--set", "path=" + d.vault, "--passphrase-file", pass, "--shop", "Kafferosteriet Björnbär"},
		{"source", "add", "sqlite", "--name", "Kassan", "--set", "path=" + d.shop.till},
		{"source", "add", "folder", "--name", "Bilder", "--set", "path=" + d.shop.images},
	} {
		if err := d.kvart(ctx, nil, args...); err != nil {
			return err
		}
	}
	d.say("Protected: Kassan and Bilder, into an encrypted vault.")
	return nil
}

// openTill starts the till and waits for its first sale.
func (d *demo) openTill(ctx context.Context) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	till := exec.CommandContext(ctx, exe, "--dir", filepath.Dir(d.shop.ledger), "--seed", fmt.Sprint(time.Now().UnixNano()), "sell")
	if err := begin(till); err != nil {
		return nil, err
	}
	for range 100 {
		if l, err := d.shop.sold(); err == nil && len(l) > 1 {
			d.say("The till is open and sells about %d times a second.", time.Second/sellEvery)
			return till, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, errors.Join(errors.New("the till does not sell"), end(till))
}

// trade backs up a few times while the till sells. It returns what was sold
// when the last backup began.
func (d *demo) trade(ctx context.Context) (before []string, point string, err error) {
	for n := range 4 {
		if before, err = d.shop.sold(); err != nil {
			return nil, "", err
		}
		var out struct {
			Runs []struct {
				Source, State, Point string
				BytesUploaded        int64
				Seconds              float64
			}
		}
		if err := d.kvart(ctx, &out, "backup"); err != nil {
			return nil, "", err
		}
		for _, r := range out.Runs {
			d.say("Backup %d  %-7s %-5s %8.1f kB sent in %.2f s", n+1, r.Source, r.State, float64(r.BytesUploaded)/1000, r.Seconds)
			if r.Source == "Kassan" {
				point = r.Point
			}
		}
		if n < 3 {
			select {
			case <-ctx.Done():
				return nil, "", ctx.Err()
			case <-time.After(d.pause):
			}
		}
	}
	return before, point, nil
}

// bringBack restores everything with one command and checks it.
func (d *demo) bringBack(ctx context.Context, before, all []string, pictures map[string][32]byte, point string) error {
	var out struct {
		State   string
		Seconds float64
		Checks  []struct {
			Source, Code, Detail string
			OK                   bool
		}
	}
	start := time.Now()
	if err := d.kvart(ctx, &out, "restore", "--yes"); err != nil {
		return err
	}
	took := time.Since(start)
	d.say("kvart-agent restore --yes: %s in %.2f s.", out.State, took.Seconds())
	for _, c := range out.Checks {
		d.say("  check %-9s %-7s ok=%v  %s", c.Code, c.Source, c.OK, c.Detail)
		if !c.OK {
			return fmt.Errorf("check %s of %s failed: %s", c.Code, c.Source, c.Detail)
		}
	}
	rows, err := d.shop.checkTill(ctx, before, all)
	if err != nil {
		return fmt.Errorf("check till: %w", err)
	}
	if err := d.shop.checkPictures(pictures); err != nil {
		return fmt.Errorf("check pictures: %w", err)
	}
	d.say("Compared row by row: all %d sales rung up before the last backup (%s) are back, %d rows in all; %d sales came after it.", len(before), point, rows, len(all)-len(before))
	d.say("All %d pictures are back, byte for byte.", len(pictures))
	d.say("EVERY ROW IS BACK.")
	return nil
}

// begin starts a process of the demo's, whose log goes to its own folder.
func begin(c *exec.Cmd) error {
	c.Stderr = io.Discard
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	if err := c.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.Path, err)
	}
	return nil
}

// end asks a process to end and waits for it.
func end(c *exec.Cmd) error {
	if err := c.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s: %w", c.Path, err)
	}
	if err := c.Wait(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.Path), err)
	}
	return nil
}
