// Command kvart-agent is the guard: it backs the shop up every quarter of an
// hour and brings it back. It is also the command line, for servers, scripts
// and tests; this package only wires and prints.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	attachConsole()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}
