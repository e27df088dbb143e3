package main

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	small, err := os.ReadFile(filepath.Join(dir, "hicolor", "22x22", "apps", "se.kvart.Kvart.png"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(small)); err != nil || c.Width != 22 || c.Height != 22 {
		t.Errorf("the small icon is %v, %v", c, err)
	}
	ico, err := os.ReadFile(filepath.Join(dir, "kvart.ico"))
	if err != nil {
		t.Fatal(err)
	}
	if n := binary.LittleEndian.Uint16(ico[4:]); n != 9 {
		t.Errorf("the Windows icon has %d sizes", n)
	}
}

// TestIcns walks the file as the system does: by the lengths it gives.
func TestIcns(t *testing.T) {
	t.Parallel()
	b, err := icns()
	if err != nil {
		t.Fatal(err)
	}
	if string(b[:4]) != "icns" || int(binary.BigEndian.Uint32(b[4:])) != len(b) {
		t.Fatalf("header %q of %d bytes", b[:8], len(b))
	}
	sizes := map[string]int{}
	for at := 8; at < len(b); {
		n := int(binary.BigEndian.Uint32(b[at+4:]))
		if n < 8 || at+n > len(b) {
			t.Fatalf("an entry of %d bytes at %d", n, at)
		}
		c, err := png.DecodeConfig(bytes.NewReader(b[at+8 : at+n]))
		if err != nil || c.Width != c.Height {
			t.Fatalf("%q: %v, %v", b[at:at+4], c, err)
		}
		sizes[string(b[at:at+4])] = c.Width
		at += n
	}
	if sizes["ic10"] != 1024 || sizes["ic07"] != 128 || len(sizes) != 10 {
		t.Errorf("sizes %v", sizes)
	}
}
