// Command icons draws Kvart's mark in the sizes and forms that the systems ask
// for: PNG files for Linux, an ICO for Windows, an ICNS for macOS.
//
//	icons OUTDIR
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"kvart/app"
	"kvart/assets"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "icons OUTDIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string) error {
	for _, size := range linuxSizes() {
		b, err := mark().PNG(size)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, "hicolor", fmt.Sprintf("%dx%d", size, size), "apps", app.ID+".png")
		if err := write(path, b); err != nil {
			return err
		}
	}
	ico, err := mark().ICO(16, 20, 24, 32, 40, 48, 64, 128, 256)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "kvart.ico"), ico); err != nil {
		return err
	}
	set, err := icns()
	if err != nil {
		return err
	}
	return write(filepath.Join(dir, "Kvart.icns"), set)
}

// linuxSizes are the sizes that icon themes look in, in pixels.
func linuxSizes() []int { return []int{16, 22, 24, 32, 48, 64, 96, 128, 256, 512} }

// mark is the mark of a shop that is safe, on a disc that shows on any colour.
func mark() assets.Mark {
	m := assets.NewMark(assets.MarkSafe)
	m.Plate = true
	return m
}

// icns returns the mark as a macOS icon: a header, and a PNG for each size
// under the name that the system knows it by.
func icns() ([]byte, error) {
	var body bytes.Buffer
	for _, e := range []struct {
		name string
		size int
	}{
		{"icp4", 16},
		{"ic11", 32}, // 16 points on a sharp screen
		{"icp5", 32},
		{"ic12", 64}, // 32 points on a sharp screen
		{"ic07", 128},
		{"ic13", 256}, // 128 points on a sharp screen
		{"ic08", 256},
		{"ic14", 512}, // 256 points on a sharp screen
		{"ic09", 512},
		{"ic10", 1024}, // 512 points on a sharp screen
	} {
		b, err := mark().PNG(e.size)
		if err != nil {
			return nil, err
		}
		body.WriteString(e.name)
		body.Write(binary.BigEndian.AppendUint32(nil, uint32(8+len(b)))) //nolint:gosec // far below 4 GB
		body.Write(b)
	}
	head := binary.BigEndian.AppendUint32([]byte("icns"), uint32(8+body.Len())) //nolint:gosec // far below 4 GB
	return append(head, body.Bytes()...), nil
}

func write(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make folder of %s: %w", path, err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil { //nolint:gosec // an icon is for everybody
		return fmt.Errorf("write icon: %w", err)
	}
	return nil
}
