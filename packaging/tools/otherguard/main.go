// Command otherguard answers as a guard of another version would, until it is
// asked to end: tests hold the window against it.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"kvart/app"
	"kvart/app/ipc"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stranger is never reached: a guard refuses windows of another version before.
type stranger struct{ app.Service }

func run(ctx context.Context, data string) error {
	socket, err := ipc.SocketPath(data, os.TempDir())
	if err != nil {
		return err
	}
	l, err := ipc.Listen(socket)
	if err != nil {
		return err
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	s := ipc.Server{Service: stranger{}, Build: "0.0.1", Quit: quit, Log: slog.New(slog.DiscardHandler)}
	return s.Serve(ctx, l)
}
