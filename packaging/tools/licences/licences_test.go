package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kvart/assets"
)

// TestLicences_everyModule holds what the window shows to what the programs
// are made of now.
func TestLicences_everyModule(t *testing.T) {
	t.Parallel()
	text, err := assets.Licences()
	if err != nil {
		t.Fatal(err)
	}
	parts, err := modules(filepath.Join("..", "..", ".."), runtime.GOOS)
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) < 50 {
		t.Fatalf("only %d modules", len(parts))
	}
	for _, p := range parts {
		if err := p.read(); err != nil {
			t.Error(err)
			continue
		}
		if line := "\n" + p.name + " " + p.version + ": " + strings.Join(p.kinds, ", ") + "\n"; !strings.Contains(text, line) {
			t.Errorf("make licences: no line %q", strings.TrimSpace(line))
		}
		for _, l := range p.texts {
			if !strings.Contains(text, l) {
				t.Errorf("make licences: not the whole text of %s", p.name)
			}
		}
	}
}

// TestLicences_mayBeShipped refuses terms that would bind Kvart as a whole:
// they ask for somebody to think first.
func TestLicences_mayBeShipped(t *testing.T) {
	t.Parallel()
	text, err := assets.Licences()
	if err != nil {
		t.Fatal(err)
	}
	list, _, _ := strings.Cut(text, strings.Repeat("=", 72))
	n := 0
	for line := range strings.Lines(list) {
		_, kinds, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		n++
		for _, k := range strings.Split(kinds, ", ") {
			if slices.Contains([]string{"GPL", "LGPL", "AGPL-3.0"}, k) {
				t.Errorf("may not be in Kvart: %s", line)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d parts listed", n)
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Permission is hereby granted, free of charge, to any\n person obtaining a copy … without\nrestriction": "MIT",
		"Redistribution and use in source and binary forms, … used to endorse or promote\n  products derived":   "BSD-3-Clause",
		"Redistribution and use in source and binary forms":                                                     "BSD-2-Clause",
		"                    GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007\n":      "GPL",
		"GNU AFFERO GENERAL PUBLIC LICENSE\n Version 3":                                                         "AGPL-3.0",
		"Apache License\n  Version 2.0, January 2004":                                                           "Apache-2.0",
		"Ask me first.": "",
		"Mozilla Public License Version 2.0 … GNU General Public License, Version 2.0, the GNU Lesser General Public License, Versi": "MPL-2.0",
	} {
		if got := kind(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestPart_read(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"LICENSE.md":        "Permission is hereby granted, free of charge, to any person obtaining a copy\r\nwithout restriction\r\n",
		"c/COPYING":         "altered source versions must be plainly marked",
		"again/LICENSE":     "altered source versions must be plainly marked\n\n",
		"license.go":        "package x",
		"testdata/LICENSE":  "GNU General Public License version 3",
		"NOTICE":            "Made by Åsa.",
		"cmd/tool/COPYING":  "GNU General Public License version 3",
		"licensing/page.md": "GNU General Public License version 3",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := part{name: "x", dir: dir}
	if err := p.read(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.kinds, []string{"MIT", "Zlib"}) || len(p.texts) != 3 || strings.Contains(strings.Join(p.texts, ""), "\r") {
		t.Errorf("%q, texts %q", p.kinds, p.texts)
	}
	bare := part{name: "bare", dir: t.TempDir()}
	if err := bare.read(); err == nil {
		t.Error("a part without a licence is accepted")
	}
}

func TestPack_sameBytes(t *testing.T) {
	t.Parallel()
	one, err := pack([]byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := pack([]byte("text"))
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("%v, %v, %v", one, two, err)
	}
}
