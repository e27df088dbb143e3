package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"kvart/app"
	"kvart/app/ipc"
	"kvart/app/tray"
	"kvart/assets"
)

// memoryGoal is what the guard's memory is asked to stay under, in bytes; the
// collector works harder near it, and a run that needs more still gets it.
const memoryGoal = 165 << 20

func setupRun(c *command) func(context.Context) error {
	noTray := c.flags.Bool("no-tray", false, "no icon, even with a display")
	open := c.flags.Bool("open", false, "open the window at once")
	return func(ctx context.Context) error {
		debug.SetMemoryLimit(memoryGoal)
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		g, err := newGuard(ctx, c.data, os.Stderr)
		if err != nil {
			if app.CodeOf(err) == app.CodeGuardRunning && *open {
				_, err := startWindow(c.data, "home") // started again: the owner wants to see it
				return err
			}
			return err
		}
		err = c.serve(ctx, stop, g, !*noTray, *open)
		return errors.Join(err, g.close(context.WithoutCancel(ctx)))
	}
}

// serve runs the guard until ctx ends or somebody asks it to quit.
func (c *command) serve(ctx context.Context, stop func(), g *guard, withTray, open bool) error {
	socket, err := ipc.SocketPath(c.data, os.TempDir())
	if err != nil {
		return err
	}
	ln, err := ipc.Listen(socket)
	if err != nil {
		return err
	}
	// the words are for stdout's reader; the log is for everybody else
	withTray = withTray && tray.Available()
	if !withTray {
		fmt.Fprintln(c.out, c.words.T("cli.no_tray"))
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ended(ctx, c.answer(ctx, ln, g, stop)) })
	group.Go(func() error { return ended(ctx, g.agent.Serve(ctx)) })
	fmt.Fprintln(c.out, c.words.T("cli.guarding", assets.Args{"When": c.words.When(g.agent.NextQuarter(), time.Now())}))
	if open {
		g.openWindow(ctx, c.data, "home")
	}
	if withTray {
		// GTK and Cocoa want the main goroutine: it is this one
		if err := c.showTray(ctx, g, stop); err != nil {
			g.log.Logger().WarnContext(ctx, "Tray not shown", "error", err)
		}
		g.agent.SetTray(false)
	}
	return group.Wait()
}

func (c *command) answer(ctx context.Context, ln net.Listener, g *guard, stop func()) error {
	s := ipc.Server{Service: g.agent, Build: app.Version, Quit: stop, Log: g.log.Logger()}
	return s.Serve(ctx, ln)
}

// ended makes the end of ctx no failure.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (c *command) showTray(ctx context.Context, g *guard, stop func()) error {
	icons, err := assets.NewIcons()
	if err != nil {
		return err
	}
	g.agent.SetTray(true)
	return tray.Run(ctx, tray.Options{
		Service: g.agent,
		Words:   c.chosenWords(ctx, g),
		Icons:   icons,
		Open:    func(screen string) { g.openWindow(ctx, c.data, screen) },
		Quit:    stop,
		Log:     g.log.Logger(),
	})
}

// chosenWords returns a function that tells the texts of the language the owner
// chose last. The tray asks at every status; they are read when that changes.
func (c *command) chosenWords(ctx context.Context, g *guard) func() *assets.Words {
	var language string
	words := c.words
	return func() *assets.Words {
		s, err := g.agent.Settings(ctx)
		if err != nil || s.Language == language {
			return words
		}
		if w, err := assets.NewWords(s.Language); err == nil {
			language, words = s.Language, w
		}
		return words
	}
}
