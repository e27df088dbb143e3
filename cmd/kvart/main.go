// Command kvart is the window: it shows what the guard says and asks it to do
// things. It holds no state; closing or killing it harms nothing. This package
// only wires.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"
)

// toEnd is how long the window may take to end once it is told to.
const toEnd = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	context.AfterFunc(ctx, func() {
		if hangs(ended, toEnd, os.Stderr) {
			os.Exit(1)
		}
	})
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	close(ended)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// hangs waits until the window has ended, and reports true when it has not within
// a while: its loop can hang in a graphics driver, where nothing that is put into
// it is heard. What it hangs in is written down for whoever looks for it.
func hangs(ended <-chan struct{}, within time.Duration, log io.Writer) bool {
	select {
	case <-ended:
		return false
	case <-time.After(within):
	}
	fmt.Fprintf(log, "the window was told to end and did not within %s:\n", within)
	if err := pprof.Lookup("goroutine").WriteTo(log, 2); err != nil {
		fmt.Fprintln(log, err)
	}
	return true
}
