//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

// shopServer is a server with the shop's database on it.
type shopServer interface {
	// create makes the database, or makes it anew, empty.
	create(ctx context.Context) error
	// query runs statements in the database.
	query(ctx context.Context, statements ...string) error
	// load loads rows into a table.
	load(ctx context.Context, table string, rows io.Reader) error
	types() (text, id string)
	// dump is the vendor's own way to write the database to its output.
	dump(ctx context.Context) *exec.Cmd
	// save writes a dump to a file as the vendor's loader takes it, and bringBack
	// loads that into an empty database.
	save(ctx context.Context, file string) (cost, error)
	bringBack(ctx context.Context, file string) (cost, error)
	// source is what "source add" is called with.
	source() []string
	// lose drops the database.
	lose(ctx context.Context) error
	settle(ctx context.Context) error
	stop() error
}

// shopPart measures a shop's database on one kind of server.
type shopPart struct {
	*bench
	name, dumper, loader string
	bytes                float64 // aimed at, of what the dump stores
	server               shopServer
	data                 *shopData
	round                int
	k                    *kvart
	restic               *peer
}

// addRows loads new rows of a table.
func (p *shopPart) addRows(ctx context.Context, t *shopTable, from, to int) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(p.data.stream(w, t, from, to)) }()
	err := p.server.load(ctx, t.name, r)
	return errors.Join(err, r.Close())
}

func (p *shopPart) fill(ctx context.Context) error {
	if err := p.server.create(ctx); err != nil {
		return err
	}
	text, id := p.server.types()
	for i := range p.data.tables {
		t := &p.data.tables[i]
		if err := p.server.query(ctx, t.create(text, id)); err != nil {
			return err
		}
		if err := p.addRows(ctx, t, 1, t.rows); err != nil {
			return err
		}
		for n, columns := range t.indexes {
			if err := p.server.query(ctx, fmt.Sprintf("CREATE INDEX %s_%d ON %s (%s)", t.name, n, t.name, columns)); err != nil {
				return err
			}
		}
	}
	return p.server.settle(ctx)
}

// quarter trades in the tables named, all when none is.
func (p *shopPart) quarter(ctx context.Context, only ...string) error {
	p.round++
	for i := range p.data.tables {
		t := &p.data.tables[i]
		if len(only) > 0 && !slices.Contains(only, t.name) {
			continue
		}
		added, statements := p.data.trade(t, p.round)
		if err := p.server.query(ctx, statements...); err != nil {
			return err
		}
		if err := p.addRows(ctx, t, t.rows+1, t.rows+added); err != nil {
			return err
		}
		t.rows += added
	}
	return p.server.settle(ctx)
}

func (p *shopPart) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, p.server.stop()) }()
	p.data = newShopData(p.scale, p.seed)
	p.say("%s: making a shop of %.0f MB", p.name, 500*p.scale)
	if err := p.fill(ctx); err != nil {
		return err
	}
	if p.k, err = p.kvart(ctx, p.name+"-kvart", p.server.source()...); err != nil {
		return err
	}
	if p.restic, err = p.bench.restic(ctx, p.name+"-restic"); err != nil {
		return err
	}
	if err := p.k.watch(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.k.rest()) }()
	if err := p.backups(ctx); err != nil {
		return err
	}
	if err := p.restores(ctx); err != nil {
		return err
	}
	return errors.Join(p.k.rest(), os.RemoveAll(p.k.dir), os.RemoveAll(filepath.Dir(p.restic.repo)))
}

// dumped is the peer's way: the dump streamed into restic.
func (p *shopPart) dumped(ctx context.Context) (cost, error) {
	return growing(p.restic.repo, func() (cost, error) {
		return piped(p.server.dump(ctx), p.restic.make(ctx, "backup", "--stdin", "--stdin-filename", p.name+".sql"))
	})
}

func (p *shopPart) both(ctx context.Context) (ours, theirs cost, err error) {
	if ours, _, err = p.k.backup(ctx, "done"); err != nil {
		return ours, theirs, err
	}
	theirs, err = p.dumped(ctx)
	return ours, theirs, err
}

func (p *shopPart) backups(ctx context.Context) error {
	with := p.dumper + " into restic"
	ours, theirs, err := p.both(ctx)
	if err != nil {
		return err
	}
	p.table.note(p.name+", first backup, time", inSeconds, with, ours.seconds, theirs.seconds)
	p.table.note(p.name+", first backup, stored", inMB, with, mb(ours.stored), mb(theirs.stored))
	for _, q := range []struct {
		what   string
		tables []string
		time   float64
	}{
		{"quarter, every table changed", nil, 0.7},
		{"quarter, two tables changed", []string{"wp_postmeta", "wp_options"}, 1. / 3},
	} {
		p.say("%s: %s", p.name, q.what)
		if err := p.quarter(ctx, q.tables...); err != nil {
			return err
		}
		if ours, theirs, err = p.both(ctx); err != nil {
			return err
		}
		p.table.against(p.name+", "+q.what+", stored", inMB, with, mb(ours.stored), mb(theirs.stored), p.bytes)
		p.table.against(p.name+", "+q.what+", time", inSeconds, with, ours.seconds, theirs.seconds, q.time)
		p.table.note(p.name+", "+q.what+", peak memory", inMB, "restic alone", mb(ours.memory), mb(theirs.memory))
	}
	idle, err := p.k.idle(ctx)
	p.table.alone(p.name+", idle quarter", inMillis, idle*1000, 200)
	return err
}

// restoreRounds are measured, Kvart's and the vendor's in turn: a restore takes
// so long that a computer's other work falls on one of them and not the other.
const restoreRounds = 3

// restores loses the database and brings it back, with one verb and with the
// vendor's program.
func (p *shopPart) restores(ctx context.Context) error {
	file := filepath.Join(p.dir, p.name+".dump")
	if _, err := p.server.save(ctx, file); err != nil {
		return err
	}
	p.say("%s: restores", p.name)
	var ours, theirs []float64
	for range restoreRounds {
		a, b, err := p.restoreBoth(ctx, file)
		if err != nil {
			return err
		}
		p.say("%s: restored in %.2f s, by %s in %.2f s", p.name, a.seconds, p.loader, b.seconds)
		ours, theirs = append(ours, a.seconds), append(theirs, b.seconds)
	}
	p.table.against(p.name+", restore of the lost database, checked", inSeconds, p.loader, median(ours), median(theirs), 0.7)
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("remove dump: %w", err)
	}
	return nil
}

// restoreBoth loses the database twice: Kvart brings it back, then the vendor's
// loader.
func (p *shopPart) restoreBoth(ctx context.Context, file string) (ours, theirs cost, err error) {
	if p.k.guard == nil {
		if err := p.k.watch(ctx); err != nil {
			return ours, theirs, err
		}
	}
	if err := p.server.lose(ctx); err != nil {
		return ours, theirs, err
	}
	if ours, err = p.k.restore(ctx); err != nil {
		return ours, theirs, err
	}
	// A guard at rest practises restores, which must not slow down the peer.
	if err := p.k.rest(); err != nil {
		return ours, theirs, err
	}
	if err := p.server.create(ctx); err != nil {
		return ours, theirs, err
	}
	syscall.Sync()
	theirs, err = p.server.bringBack(ctx, file)
	return ours, theirs, err
}
