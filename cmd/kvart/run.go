package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	fyneapp "fyne.io/fyne/v2/app"

	"kvart/app"
	"kvart/app/ipc"
	"kvart/ui"
)

// guardStart is how long a guard may take to answer after it was started.
const guardStart = 20 * time.Second

// drawn is what the window prints, where asked to, once its first frame is on the screen: where
// the graphics driver fails Fyne goes on without a window and without a word,
// and the guard, which waits for this, tells the owner.
const drawn = "drawn"

// options are what the command line says.
type options struct {
	data, screen, shots, tour string
	startGuard, report        bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	flags := flag.NewFlagSet("kvart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.data, "data", "", "the guard's state folder; empty asks the guard's own default")
	flags.StringVar(&o.screen, "screen", "home", "home, sources, history, recover, safety or settings")
	flags.StringVar(&o.shots, "screenshots", "", "write a picture of every page of a tour into this folder and end")
	flags.StringVar(&o.tour, "tour", "safe", "what there is to see for --screenshots: safe, empty, begun, paused, unusual, going, back or alone")
	flags.BoolVar(&o.startGuard, "start-guard", true, "start the guard when it is not running")
	flags.BoolVar(&o.report, "report", false, "print a line once the first frame is on the screen")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if o.data == "" {
		var err error
		if o.data, err = ipc.DefaultData(); err != nil {
			return err
		}
	}
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return errors.New("there is no display to open a window on; the guard works without: kvart-agent run")
	}
	socket, err := ipc.SocketPath(o.data, os.TempDir())
	if err != nil {
		return err
	}
	client := ipc.Dial(socket, app.Version)
	defer client.Close()
	if o.startGuard {
		// failing here is told in the window, which offers to try again
		if err := startGuard(ctx, client, o.data); err != nil {
			fmt.Fprintln(stderr, err)
		}
	}
	return show(ctx, o, client, stdout, stderr)
}

// show opens the window, or raises the one that is open.
func show(ctx context.Context, o options, client *ipc.Client, stdout, stderr io.Writer) error {
	only, err := ipc.Listen(filepath.Join(o.data, "run", "window.sock"))
	switch {
	case app.CodeOf(err) == app.CodeGuardRunning:
		if o.report {
			fmt.Fprintln(stdout, drawn) // by the window that is open
		}
		return raise(ctx, o)
	case err != nil:
		// two windows harm nothing: each is only a view
		fmt.Fprintln(stderr, err)
	default:
		defer func() { _ = only.Close() }() // ends with the process anyway
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := fyneapp.NewWithID(app.ID)
	w := ui.New(a, ui.Options{
		Context: ctx, Service: client, Build: app.Version, Screen: o.screen,
		StartGuard: func(ctx context.Context) error { return startGuard(ctx, client, o.data) },
		FirstFrame: func() {
			if o.report {
				fmt.Fprintln(stdout, drawn)
			}
		},
		Events: desktop{},
		Log:    slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	w.OnClosed(a.Quit)
	stop := context.AfterFunc(ctx, func() { w.Do(a.Quit) })
	if only != nil {
		go raised(only, w)
	}
	w.Show()
	observe(ctx, a, w)
	if o.shots != "" {
		go photograph(ctx, w, o, a.Quit, stderr)
	}
	a.Run()
	stop() // after the loop has ended nothing may be asked of it
	cancel()
	w.Wait()
	return nil
}

// raise asks the window that is open to come to the front.
func raise(ctx context.Context, o options) error {
	c, err := ipc.Connect(ctx, filepath.Join(o.data, "run", "window.sock"))
	if err != nil {
		return fmt.Errorf("reach the open window: %w", err)
	}
	_, err = io.WriteString(c, o.screen)
	return errors.Join(err, c.Close())
}

// raised goes to the screen that a second start asks for, until the window
// closes. One word a connection, read in bounded time.
func raised(l net.Listener, w *ui.Window) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // the window closed
		}
		if err := c.SetReadDeadline(time.Now().Add(2 * time.Second)); err == nil {
			if b, err := io.ReadAll(io.LimitReader(c, 32)); err == nil {
				w.Do(func() { w.SetScreen(string(b)) })
			}
		}
		_ = c.Close() // nothing was written to it
	}
}

// startGuard makes sure that a guard of this version runs, and waits until it
// answers. One of another version is asked to finish and is started anew.
func startGuard(ctx context.Context, client *ipc.Client, data string) error {
	h, err := client.Hello(ctx)
	if err == nil && h.Build == app.Version {
		return nil
	}
	if err == nil {
		if err := client.Quit(ctx); err != nil {
			return err
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	cmd := exec.Command(ipc.Program(exe, ipc.GuardProgram), "run", "--data", data)
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return app.Errorf(app.CodeGuardOffline, "start guard", "%w", err)
	}
	died := make(chan error, 1)
	go func() { died <- cmd.Wait() }()
	return await(ctx, client, died)
}

// await waits until the guard answers, or dies for another reason than that
// one was running already.
func await(ctx context.Context, client *ipc.Client, died <-chan error) error {
	deadline := time.After(guardStart)
	for {
		if h, err := client.Hello(ctx); err == nil && h.Build == app.Version {
			return nil
		}
		select {
		case <-ctx.Done():
			return app.Errorf(app.CodeCanceled, "start guard", "%w", ctx.Err())
		case err := <-died:
			died = nil // an older one may still hold the folder: wait for who answers
			if err == nil {
				continue
			}
			if h, helloErr := client.Hello(ctx); helloErr == nil && h.Build == app.Version {
				return nil
			}
			return app.Errorf(app.CodeGuardOffline, "start guard", "%w", err)
		case <-deadline:
			return app.Errorf(app.CodeGuardOffline, "start guard", "no answer in %s", guardStart)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
