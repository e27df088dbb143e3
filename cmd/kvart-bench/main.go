//go:build unix

// Command kvart-bench measures what a shop's databases cost: kvart-agent as it
// is shipped, against the programs somebody would use instead, one after the
// other on the same data and the same disk. What an online shop costs it measures
// against the time that the shop's own limits force. Only what it makes itself is
// touched; it takes all of it away again, also when it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kvart-bench:", err)
		os.Exit(1)
	}
}

// The parts of the measurement.
const (
	partTill     = "till"
	partMariaDB  = "mariadb"
	partPostgres = "postgres"
	partShopify  = "shopify"
	partWoo      = "woocommerce"
)

// bench is one run of the program.
type bench struct {
	bin        string // our programs and the peers'
	dir        string // everything lies in it
	scale      float64
	seed       uint64
	table      report
	env        []string // of the guards made from now on
	shop, home string   // name of the shops made from now on, and the folder of their guard; "" for the usual ones
	// shopDir is the folder that the whole shop lies in, and report the file that
	// its bad day's report is written to, where the caller chooses.
	shopDir, report string
	log             io.Writer
}

func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	flags := flag.NewFlagSet("kvart-bench", flag.ContinueOnError)
	bin := flags.String("bin", "bin", "where kvart-agent, kopia and restic are")
	scale := flags.Float64("scale", 1, "of the sizes: 0.1 is a quick run")
	only := flags.String("only", partTill+","+partMariaDB+","+partPostgres, "what to measure")
	seed := flags.Uint64("seed", 1, "of the data")
	tmp := flags.String("tmp", "/var/tmp", "folder with room for about eight times the data; not in memory")
	hold := flags.String("till", "", "be the till of this database until stopped; used by the program itself")
	fake := flags.String("fake", "", "be this fake shop until standard input ends; used by the program itself")
	b := &bench{log: log}
	flags.StringVar(&b.shopDir, "shop-folder", "", "of "+partRecovery+": a new folder for the shop; its path is in the report")
	flags.StringVar(&b.report, "report", "", "of "+partRecovery+": PDF to write the incident's report to")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return fmt.Errorf("read flags: %w", err)
	}
	if *hold != "" {
		return sellUntil(ctx, *hold, out)
	}
	if *scale <= 0 || *scale > 10 {
		return fmt.Errorf("a scale of %v makes no sense", *scale)
	}
	if *fake != "" {
		return beFake(ctx, *fake, *scale, os.Stdin, out)
	}
	b.scale, b.seed = *scale, *seed
	if b.bin, err = filepath.Abs(*bin); err != nil {
		return fmt.Errorf("find programs: %w", err)
	}
	if b.dir, err = os.MkdirTemp(*tmp, "kvart-bench-"); err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	// A server of another user's lies in it.
	if err := os.Chmod(b.dir, 0o711); err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	// Also what was measured before something failed.
	defer b.table.print(out)
	parts := strings.Split(*only, ",")
	for _, p := range []struct {
		name string
		run  func(context.Context) error
	}{{partTill, b.till}, {partMariaDB, b.mariadb}, {partPostgres, b.postgres}, {partShopify, b.shopify}, {partWoo, b.woo}, {partRecovery, b.recovery}} {
		if !slices.Contains(parts, p.name) {
			continue
		}
		if err := p.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// say tells how far the run has come.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.log, format+"\n", args...) }
