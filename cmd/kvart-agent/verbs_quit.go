package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"kvart/app"
	"kvart/app/ipc"
)

// quitPatience is how long a guard may take to bring to an end what it does.
const quitPatience = 2 * time.Minute

// setupQuit ends the guard of a data folder and waits until it is gone: what
// installs, updates or removes Kvart has its files for itself then. Where none
// runs there is nothing to do.
func setupQuit(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := c.endGuard(ctx); err != nil {
			return err
		}
		return c.document(struct{}{})
	}
}

// endGuard ends the guard of the data folder, if one runs, and returns once it
// is gone.
func (c *command) endGuard(ctx context.Context) error {
	if _, err := os.Stat(c.data); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	socket, err := ipc.SocketPath(c.data, os.TempDir())
	if err != nil {
		return err
	}
	client := ipc.Dial(socket, app.Version)
	defer client.Close()
	for deadline := time.Now().Add(quitPatience); ; {
		// asked anew each time: one that is starting does not answer yet
		if err := client.Quit(ctx); err != nil && app.CodeOf(err) != app.CodeGuardOffline {
			return err
		}
		unlock, err := ipc.Lock(c.data)
		if err == nil {
			return unlock()
		}
		if app.CodeOf(err) != app.CodeGuardRunning || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return app.Errorf(app.CodeCanceled, "wait for guard", "%w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
