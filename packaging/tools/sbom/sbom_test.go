package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRun looks into this very test: it is a program with modules too.
func TestRun(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var docs [2][]byte
	for i := range docs {
		out := filepath.Join(t.TempDir(), "sbom.json")
		if err := run(out, []string{self}, "1700000000"); err != nil {
			t.Fatal(err)
		}
		if docs[i], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(docs[0], docs[1]) {
		t.Error("the same program gives other bytes")
	}
	var d document
	if err := json.Unmarshal(docs[0], &d); err != nil {
		t.Fatal(err)
	}
	if d.Metadata.Timestamp != "2023-11-14T22:13:20Z" || !strings.HasPrefix(d.Serial, "urn:uuid:") || len(d.Serial) != len("urn:uuid:")+36 {
		t.Errorf("time %s, serial %s", d.Metadata.Timestamp, d.Serial)
	}
	at := slices.IndexFunc(d.Components, func(c component) bool { return c.Name == "golang.org/x/text" })
	if at < 0 {
		t.Fatalf("no golang.org/x/text in %+v", d.Components)
	}
	c := d.Components[at]
	if !strings.HasPrefix(c.PURL, "pkg:golang/golang.org/x/text@v0.") || len(c.Licences) != 1 || c.Licences[0].License.ID != "BSD-3-Clause" {
		t.Errorf("%+v", c)
	}
	if len(d.Depends) != 1 || !slices.Contains(d.Depends[0].DependsOn, c.Ref) {
		t.Errorf("%+v", d.Depends)
	}
	file := d.Components[0]
	if file.Type != "file" || len(file.Hashes) != 1 || len(file.Hashes[0].Content) != 64 {
		t.Errorf("%+v", file)
	}
}

func TestRun_refuses(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "sbom.json")
	notGo := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(notGo, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no such program": run(out, []string{filepath.Join(t.TempDir(), "none")}, ""),
		"not a program":   run(out, []string{notGo}, ""),
		"not a time":      run(out, nil, "yesterday"),
	} {
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	d := document{}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.add(self, map[string]component{}, nil); err == nil || !strings.Contains(err.Error(), "make licences") {
		t.Errorf("a module without a licence: %v", err)
	}
}
