// Command kvart-sign makes the keys that feeds of newer versions are signed
// with, and signs feeds. Whoever releases Kvart uses it; it is not installed.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kvart/app"
	"kvart/app/updates"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "kvart-sign:", err)
		os.Exit(1)
	}
}

const usage = `kvart-sign key --out FILE
  make a pair of keys; the private one into FILE, the public one on stdout
kvart-sign feed --key FILE --version V --serial N --out feed.json [--notes-en TEXT] [--notes-sv TEXT] SYSTEM/ARCH/KIND=FILE…
  write a feed and its signature, feed.json.sig; files lie beside the feed`

func run(args []string, out io.Writer, now time.Time) error {
	if len(args) > 0 {
		switch args[0] {
		case "key":
			return makeKey(args[1:], out)
		case "feed":
			return makeFeed(args[1:], now)
		}
	}
	return errors.New(usage)
}

func makeKey(args []string, out io.Writer) error {
	f := flag.NewFlagSet("key", flag.ContinueOnError)
	file := f.String("out", "", "the private key")
	if err := f.Parse(args); err != nil || *file == "" {
		return errors.Join(err, errors.New(usage))
	}
	public, private, err := updates.NewKey(rand.Reader)
	if err != nil {
		return err
	}
	w, err := os.OpenFile(*file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // never over an earlier key
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, private)
	if err = errors.Join(err, w.Sync(), w.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, public)
	return err
}

func makeFeed(args []string, now time.Time) error {
	f := flag.NewFlagSet("feed", flag.ContinueOnError)
	keyFile := f.String("key", "", "the private key")
	out := f.String("out", "", "the feed")
	feed := updates.Feed{Form: 1, Made: now.UTC().Truncate(time.Second), Notes: map[string]string{}}
	f.StringVar(&feed.Version, "version", "", "the version")
	f.Int64Var(&feed.Serial, "serial", 0, "greater than the last feed's")
	en := f.String("notes-en", "", "what is new, in English")
	sv := f.String("notes-sv", "", "what is new, in Swedish")
	if err := f.Parse(args); err != nil || *keyFile == "" || *out == "" || f.NArg() == 0 {
		return errors.Join(err, errors.New(usage))
	}
	for lang, text := range map[string]string{"en": *en, "sv": *sv} {
		if text != "" {
			feed.Notes[lang] = text
		}
	}
	for _, arg := range f.Args() {
		file, err := fileOf(arg)
		if err != nil {
			return err
		}
		feed.Files = append(feed.Files, file)
	}
	key, err := os.ReadFile(*keyFile)
	if err != nil {
		return err
	}
	doc, err := json.MarshalIndent(feed, "", "  ")
	if err != nil {
		return fmt.Errorf("encode feed: %w", err)
	}
	doc = append(doc, '\n')
	sig, err := updates.Sign(doc, string(key))
	if err != nil {
		return err
	}
	if err := os.WriteFile(*out, doc, 0o644); err != nil { //nolint:gosec // to be published
		return err
	}
	return os.WriteFile(*out+".sig", sig, 0o644) //nolint:gosec // to be published
}

// fileOf describes SYSTEM/ARCH/KIND=FILE.
func fileOf(arg string) (app.ReleaseFile, error) {
	what, path, ok := strings.Cut(arg, "=")
	parts := strings.Split(what, "/")
	if !ok || len(parts) != 3 {
		return app.ReleaseFile{}, fmt.Errorf("%q is not SYSTEM/ARCH/KIND=FILE", arg)
	}
	r, err := os.Open(path)
	if err != nil {
		return app.ReleaseFile{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return app.ReleaseFile{}, fmt.Errorf("read %s: %w", path, err)
	}
	name := filepath.Base(path)
	return app.ReleaseFile{System: parts[0], Arch: parts[1], Kind: parts[2], Name: name, URL: name, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}
