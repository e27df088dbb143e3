package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"time"

	"kvart/app"
	"kvart/app/ipc"
)

// windowPatience is how long a window may take to draw its first frame.
const windowPatience = 30 * time.Second

// openWindow opens the window, and tells the owner when it does not come:
// where the graphics driver fails the window's program goes on without one.
func (g *guard) openWindow(ctx context.Context, data, screen string) {
	log := g.log.Logger()
	first, err := startWindow(data, screen)
	if err != nil {
		log.WarnContext(ctx, "Window not opened", "error", err)
		g.agent.TellNoWindow(ctx)
		return
	}
	go func() {
		select {
		case shown := <-first:
			if shown {
				return
			}
		case <-time.After(windowPatience):
		case <-ctx.Done():
			return
		}
		log.WarnContext(ctx, "Window drew nothing")
		g.agent.TellNoWindow(ctx)
	}()
}

// startWindow starts the window's program, which lies beside this one. The
// channel tells once whether it drew its first frame or ended without.
func startWindow(data, screen string) (first <-chan bool, err error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, app.Errorf(app.CodeInternal, "find own program", "%w", err)
	}
	window := exec.Command(ipc.Program(exe, ipc.WindowProgram), "--data", data, "--screen", screen, "--report")
	out, err := window.StdoutPipe()
	if err != nil {
		return nil, app.Errorf(app.CodeInternal, "open window", "%w", err)
	}
	if err := window.Start(); err != nil {
		return nil, app.Errorf(app.CodeInternal, "open window", "%w", err)
	}
	shown := make(chan bool, 1)
	go func() {
		r := bufio.NewReader(out)
		_, err := r.ReadString('\n')
		shown <- err == nil
		_, _ = io.Copy(io.Discard, r) // a full pipe would stop the window
		_ = window.Wait()             // so that no dead process is left behind
	}()
	return shown, nil
}
