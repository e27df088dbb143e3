package webhotel

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"kvart/app"
)

// applier brings the files' part of a point to a target.
type applier struct {
	c          *Connector
	j          *job
	p          app.Progress
	mayReplace bool // what is in the way was saved
	have       map[string]entry

	mu      sync.Mutex
	touched map[string]bool // folders in which something was made
}

func (a *applier) run(ctx context.Context) error {
	have, temp, err := a.j.present(ctx)
	if err != nil {
		return err
	}
	if a.have = have; have == nil {
		a.have = map[string]entry{}
		if len(a.j.list) == 0 {
			return nil // an undo of what was not there, done before
		}
		if err := a.root(ctx); err != nil {
			return err
		}
	}
	levels := byDepth(a.j.list)
	for _, dirs := range levels {
		if err := a.each(ctx, dirs, a.folder); err != nil {
			return err
		}
	}
	if err := a.each(ctx, a.j.list, a.bring); err != nil {
		return err
	}
	for _, p := range temp {
		if err := a.drop(ctx, p, false); err != nil {
			return err
		}
	}
	if err := a.removeCreated(ctx); err != nil {
		return err
	}
	// Last and from below, since writing into a folder moves its time and a mode
	// may forbid it.
	for _, dirs := range slices.Backward(levels) {
		if err := a.each(ctx, dirs, a.finish); err != nil {
			return err
		}
	}
	return nil
}

// byDepth returns the folders of a list, those of each depth together.
func byDepth(list []entry) (levels [][]entry) {
	for _, e := range list {
		if !e.mode.IsDir() {
			continue
		}
		depth := strings.Count(e.path, "/")
		for len(levels) <= depth {
			levels = append(levels, nil)
		}
		levels[depth] = append(levels[depth], e)
	}
	return levels
}

// each runs fn for every entry, several at once.
func (a *applier) each(ctx context.Context, list []entry, fn func(context.Context, entry) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := make(chan entry)
	var work sync.WaitGroup
	for range min(a.j.o.pool.many(), len(list)) {
		work.Go(func() {
			for e := range jobs {
				if ctx.Err() != nil {
					continue
				}
				if err := fn(ctx, e); err != nil {
					cancel(fmt.Errorf("restore %s: %w", e.path, err))
				}
			}
		})
	}
	for _, e := range list {
		jobs <- e
	}
	close(jobs)
	work.Wait()
	return context.Cause(ctx)
}

// bring brings a file or a link.
func (a *applier) bring(ctx context.Context, e entry) error {
	switch {
	case e.mode.IsRegular():
		return a.file(ctx, e)
	case e.mode&fs.ModeSymlink != 0:
		return a.link(ctx, e)
	}
	return nil
}

// touch notes that something was made in the folder p lies in.
func (a *applier) touch(p string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.touched == nil {
		a.touched = map[string]bool{}
	}
	a.touched[path.Dir(p)] = true
}

func (a *applier) isTouched(p string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.touched[p]
}

// finish gives a folder its mode and time.
func (a *applier) finish(ctx context.Context, e entry) error {
	there, ok := a.j.at(a.have, e.path)
	if ok && there.mode == e.mode && there.sameTime(e) && !a.isTouched(e.path) {
		return nil
	}
	return a.settle(ctx, e)
}

func (a *applier) do(ctx context.Context, fn func(link) error) error { return a.j.o.pool.do(ctx, fn) }
