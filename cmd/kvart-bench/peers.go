//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// peer is a stock Kopia or a restic with a repository of its own.
type peer struct {
	name string
	repo string
	make func(ctx context.Context, args ...string) *exec.Cmd
}

func (p *peer) timed(ctx context.Context, args ...string) (cost, error) {
	return timed(p.make(ctx, args...))
}

// stored runs a command and counts what it stores.
func (p *peer) stored(ctx context.Context, args ...string) (cost, error) {
	return growing(p.repo, func() (cost, error) { return p.timed(ctx, args...) })
}

// kopia makes a repository of stock Kopia's, as its own "repository create"
// leaves it. Its own upkeep, which would fall into a measurement, is off.
func (b *bench) kopia(ctx context.Context, name string) (*peer, error) {
	dir := filepath.Join(b.dir, name)
	p := &peer{name: "kopia", repo: filepath.Join(dir, "repo")}
	if err := os.MkdirAll(p.repo, 0o700); err != nil {
		return nil, fmt.Errorf("make repository: %w", err)
	}
	p.make = func(ctx context.Context, args ...string) *exec.Cmd {
		c := command(ctx, filepath.Join(b.bin, "kopia"), append(args, "--config-file", filepath.Join(dir, "config"), "--log-dir", filepath.Join(dir, "log"), "--no-progress")...)
		c.Env = append(os.Environ(), "KOPIA_PASSWORD=bench", "KOPIA_CHECK_FOR_UPDATES=false")
		return c
	}
	for _, args := range [][]string{
		{"repository", "create", "filesystem", "--path", p.repo, "--cache-directory", filepath.Join(dir, "cache")},
		{"maintenance", "set", "--enable-quick=false", "--enable-full=false"},
	} {
		if _, err := p.timed(ctx, args...); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// restic makes a repository of restic's.
func (b *bench) restic(ctx context.Context, name string) (*peer, error) {
	dir := filepath.Join(b.dir, name)
	p := &peer{name: "restic", repo: filepath.Join(dir, "repo")}
	if err := os.MkdirAll(p.repo, 0o700); err != nil {
		return nil, fmt.Errorf("make repository: %w", err)
	}
	p.make = func(ctx context.Context, args ...string) *exec.Cmd {
		c := command(ctx, filepath.Join(b.bin, "restic"), append(args, "--quiet", "--cache-dir", filepath.Join(dir, "cache"))...)
		c.Env = append(os.Environ(), "RESTIC_PASSWORD=bench", "RESTIC_REPOSITORY="+p.repo)
		return c
	}
	_, err := p.timed(ctx, "init")
	return p, err
}
