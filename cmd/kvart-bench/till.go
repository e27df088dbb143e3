//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// till measures a till's database of 1 GB.
func (b *bench) till(ctx context.Context) (err error) {
	dir := filepath.Join(b.dir, "kassa")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("make till: %w", err)
	}
	file := filepath.Join(dir, "kassa.db")
	b.say("till: making a database of %.0f MB", 1000*b.scale)
	shop := &tillData{file: file, sales: int(tillSales * b.scale), seed: b.seed}
	if err := shop.make(ctx); err != nil {
		return err
	}
	bytes, err := size(dir)
	if err != nil {
		return err
	}
	b.say("till: it has %.0f MB", mb(bytes))
	k, err := b.kvart(ctx, "till-kvart", "sqlite", "--name", "Kassan", "--set", "path="+file)
	if err != nil {
		return err
	}
	kopia, err := b.kopia(ctx, "till-kopia")
	if err != nil {
		return err
	}
	restic, err := b.restic(ctx, "till-restic")
	if err != nil {
		return err
	}
	if err := k.watch(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.rest()) }()
	if err := b.tillFirst(ctx, k, kopia, restic, dir); err != nil {
		return err
	}
	changed, err := shop.quarter(ctx)
	if err != nil {
		return err
	}
	b.say("till: a quarter of trade, %s", changed)
	if err := b.tillQuarter(ctx, k, kopia, restic, dir); err != nil {
		return err
	}
	if err := b.tillRestore(ctx, k, kopia, restic, file); err != nil {
		return err
	}
	for _, mode := range []string{"delete", "wal"} {
		if err := b.tillWaits(ctx, k, shop, mode); err != nil {
			return err
		}
	}
	return errors.Join(k.rest(), os.RemoveAll(k.dir), os.RemoveAll(filepath.Dir(kopia.repo)), os.RemoveAll(filepath.Dir(restic.repo)), os.RemoveAll(dir))
}

func (b *bench) tillFirst(ctx context.Context, k *kvart, kopia, restic *peer, dir string) error {
	ours, _, err := k.backup(ctx, "done")
	if err != nil {
		return err
	}
	theirs, err := kopia.stored(ctx, "snapshot", "create", dir)
	if err != nil {
		return err
	}
	others, err := restic.stored(ctx, "backup", dir)
	if err != nil {
		return err
	}
	b.table.note("till, first backup, time", inSeconds, kopia.name, ours.seconds, theirs.seconds)
	b.table.note("till, first backup, time", inSeconds, restic.name, ours.seconds, others.seconds)
	b.table.note("till, first backup, stored", inMB, kopia.name, mb(ours.stored), mb(theirs.stored))
	b.table.note("till, first backup, stored", inMB, restic.name, mb(ours.stored), mb(others.stored))
	b.table.note("till, first backup, peak memory", inMB, kopia.name, mb(ours.memory), mb(theirs.memory))
	return nil
}

func (b *bench) tillQuarter(ctx context.Context, k *kvart, kopia, restic *peer, dir string) error {
	ours, _, err := k.backup(ctx, "done")
	if err != nil {
		return err
	}
	theirs, err := kopia.stored(ctx, "snapshot", "create", dir)
	if err != nil {
		return err
	}
	others, err := restic.stored(ctx, "backup", dir)
	if err != nil {
		return err
	}
	b.table.against("till, quarter, stored", inMB, kopia.name, mb(ours.stored), mb(theirs.stored), 1./25)
	b.table.against("till, quarter, stored", inMB, restic.name, mb(ours.stored), mb(others.stored), 1./10)
	b.table.against("till, quarter, time", inSeconds, kopia.name, ours.seconds, theirs.seconds, 1./3)
	b.table.against("till, quarter, time", inSeconds, restic.name, ours.seconds, others.seconds, 1./3)
	b.table.alone("till, quarter, peak memory", inMB, mb(ours.memory), 200)
	b.table.note("till, quarter, peak memory", inMB, kopia.name, mb(ours.memory), mb(theirs.memory))
	idle, err := k.idle(ctx)
	b.table.alone("till, idle quarter", inMillis, idle*1000, 100)
	return err
}

// tillRestore brings the newest state into a folder, three times each: what
// comes first would else pay for the others. Ours is measured twice: as "cat",
// which does what the peers' restore does, and as "restore", which also proves
// the database in the end: no peer does that.
func (b *bench) tillRestore(ctx context.Context, k *kvart, kopia, restic *peer, file string) error {
	var ours, proved, theirs, others []float64
	want, err := sumOf(file)
	if err != nil {
		return err
	}
	for range 3 {
		for _, one := range []struct {
			took *[]float64
			work func(to string) (cost, error)
		}{
			{&proved, func(to string) (cost, error) { return k.restore(ctx, "--to", to) }},
			{&ours, func(to string) (cost, error) {
				if err := os.Mkdir(to, 0o700); err != nil {
					return cost{}, fmt.Errorf("make folder: %w", err)
				}
				return toFile(k.verb(ctx, "cat", "--source", "Kassan", filepath.Base(file)), filepath.Join(to, filepath.Base(file)))
			}},
			{&theirs, func(to string) (cost, error) {
				return kopia.timed(ctx, "restore", "--snapshot-time", "latest", filepath.Dir(file), to)
			}},
			{&others, func(to string) (cost, error) {
				return restic.timed(ctx, "restore", "latest:"+filepath.Dir(file), "--target", to)
			}},
		} {
			to := filepath.Join(b.dir, "restored")
			c, err := one.work(to)
			if err != nil {
				return err
			}
			*one.took = append(*one.took, c.seconds)
			have, err := sumOf(filepath.Join(to, filepath.Base(file)))
			if err != nil {
				return err
			}
			if have != want {
				return errors.New("what was restored is not what was backed up")
			}
			if err := os.RemoveAll(to); err != nil {
				return fmt.Errorf("remove: %w", err)
			}
		}
	}
	b.table.against("till, database back in a file", inSeconds, kopia.name, median(ours), median(theirs), 1)
	b.table.note("till, database back in a file", inSeconds, restic.name, median(ours), median(others))
	b.table.note("till, restore, every page and row checked", inSeconds, kopia.name+", unchecked", median(proved), median(theirs))
	return nil
}

func sumOf(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, fmt.Errorf("open: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return sum, fmt.Errorf("read %s: %w", path, err)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// tillWaits lets a till commit every 5 ms in a process of its own while it is
// backed up three times, and takes its longest wait; the same without a backup
// tells what the disk and the computer do to it anyway.
func (b *bench) tillWaits(ctx context.Context, k *kvart, shop *tillData, mode string) error {
	if err := shop.journal(ctx, mode); err != nil {
		return err
	}
	alone, err := b.sells(ctx, shop.file, func() error { return nap(ctx, 5*time.Second) })
	if err != nil {
		return err
	}
	during, err := b.sells(ctx, shop.file, func() error {
		for range 3 {
			if _, _, err := k.backup(ctx, "done"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	limit := 600 * max(b.scale, 0.01)
	if mode == "wal" {
		limit = 10
	}
	b.table.alone("till that sells, "+mode+" journal, longest commit", inMillis, during.Longest, limit)
	b.table.note("till that sells, "+mode+" journal, longest commit", inMillis, "no backup", during.Longest, alone.Longest)
	b.table.note("till that sells, "+mode+" journal, 99.9 % of the commits", inMillis, "no backup", during.Most, alone.Most)
	return nil
}

func nap(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// sells starts a till, does work, and stops the till.
func (b *bench) sells(ctx context.Context, file string, work func() error) (s sold, err error) {
	exe, err := os.Executable()
	if err != nil {
		return s, fmt.Errorf("find own program: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := command(ctx, exe, "--till", file)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, b.log
	if err := c.Start(); err != nil {
		return s, fmt.Errorf("start till: %w", err)
	}
	err = nap(ctx, 500*time.Millisecond)
	if err == nil {
		err = work()
	}
	stop()
	// It ends because it is asked to, and says so by its exit code alone.
	if werr := c.Wait(); err == nil && c.ProcessState.ExitCode() != 0 {
		err = fmt.Errorf("till: %w", werr)
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return s, fmt.Errorf("read what the till says: %w", err)
	}
	if s.Commits < 100 {
		return s, fmt.Errorf("the till sold %d times only", s.Commits)
	}
	return s, nil
}
