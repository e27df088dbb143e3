// Command kvart-demo makes a small Swedish coffee roaster's shop, sells in it
// while Kvart backs it up, wrecks it, has it brought back and checks every
// row. Everything happens in one folder; nothing else is touched.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kvart-demo:", err)
		os.Exit(1)
	}
}

// run does one of the demo's parts: all of it, only making the shop, or only
// selling, which the demo does in a process of its own as a till would.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("kvart-demo", flag.ContinueOnError)
	dir := flags.String("dir", "demo", "the demo's folder")
	agent := flags.String("agent", "", "kvart-agent; default: beside this program")
	sales := flags.Int("sales", 20000, "sales made before the demo begins")
	pause := flags.Duration("pause", 3*time.Second, "time between two backups")
	seed := flags.Uint64("seed", 1, "of the shop's data")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	abs, err := filepath.Abs(*dir)
	if err != nil {
		return fmt.Errorf("find folder: %w", err)
	}
	shop := newShop(abs, *seed)
	switch flags.Arg(0) {
	case "make":
		return shop.make(ctx, *sales)
	case "sell":
		return shop.sell(ctx)
	case "":
		if *agent == "" {
			exe, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find own program: %w", err)
			}
			*agent = filepath.Join(filepath.Dir(exe), "kvart-agent")
		}
		d := demo{shop: shop, agent: *agent, data: filepath.Join(abs, "data"), vault: filepath.Join(abs, "vault"), pause: *pause, sales: *sales}
		return d.run(ctx)
	}
	return fmt.Errorf("no part %q; there are: make, sell, or none for all", flags.Arg(0))
}
