// Command licences collects the licences of everything by others that Kvart's
// programs are made of, on every system, from the module cache. What it writes
// is shown by the window and lies in every package.
//
//	licences OUT.txt.gz   write it anew, after a change of go.mod
//	licences -            print the text
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "licences OUT.txt.gz|-")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string, stdout io.Writer) error {
	parts, err := modules(".", "linux", "windows", "darwin")
	if err != nil {
		return err
	}
	gopher, err := goItself()
	if err != nil {
		return err
	}
	all := append([]part{gopher, emoji()}, parts...)
	for i := range all {
		if err := all[i].read(); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	if err := write(&text, all); err != nil {
		return err
	}
	if path == "-" {
		_, err := stdout.Write(text.Bytes())
		return err
	}
	packed, err := pack(text.Bytes())
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, packed, 0o644); err != nil { //nolint:gosec // meant to be read by everybody
		return fmt.Errorf("write licences: %w", err)
	}
	return nil
}

// pack compresses without a time or a name, so that the same text gives the
// same bytes.
func pack(text []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("pack licences: %w", err)
	}
	if _, err := z.Write(text); err != nil {
		return nil, fmt.Errorf("pack licences: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack licences: %w", err)
	}
	return out.Bytes(), nil
}
