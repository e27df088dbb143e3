// Command sbom writes what finished programs are made of, as CycloneDX 1.5
// JSON. It reads the programs themselves, not what was meant to go into them.
//
//	sbom OUT.json PROGRAM...
//
// SOURCE_DATE_EPOCH gives the time that is written, in seconds since 1970.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "sbom OUT.json PROGRAM...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:], os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// document is as much of CycloneDX as is told here.
type document struct {
	Format     string       `json:"bomFormat"`
	Spec       string       `json:"specVersion"`
	Serial     string       `json:"serialNumber"`
	Version    int          `json:"version"`
	Metadata   metadata     `json:"metadata"`
	Components []component  `json:"components"`
	Depends    []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp,omitempty"`
	Component component `json:"component"`
}

type component struct {
	Type     string    `json:"type"` // application, library or file
	Ref      string    `json:"bom-ref"`
	Name     string    `json:"name"`
	Version  string    `json:"version,omitempty"`
	PURL     string    `json:"purl,omitempty"`
	Hashes   []hash    `json:"hashes,omitempty"`
	Licences []licence `json:"licenses,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type licence struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

// dependency tells what a program is made of.
type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

func run(out string, programs []string, epoch string) error {
	terms, err := licences()
	if err != nil {
		return err
	}
	d := document{Format: "CycloneDX", Spec: "1.5", Version: 1}
	d.Metadata.Component = component{Type: "application", Ref: "kvart", Name: app.Name, Version: app.Version, Licences: named("Apache-2.0")}
	if epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
		}
		d.Metadata.Timestamp = time.Unix(seconds, 0).UTC().Format(time.RFC3339)
	}
	modules := map[string]component{}
	for _, p := range programs {
		if err := d.add(p, modules, terms); err != nil {
			return err
		}
	}
	for _, m := range modules {
		d.Components = append(d.Components, m)
	}
	slices.SortFunc(d.Components, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("encode what programs are made of: %w", err)
	}
	// named after what it says, so that the same programs give the same bytes
	sum := sha256.Sum256(b)
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	d.Serial = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	if b, err = json.MarshalIndent(d, "", "  "); err != nil {
		return fmt.Errorf("encode what programs are made of: %w", err)
	}
	if err := os.WriteFile(out, append(b, '\n'), 0o644); err != nil { //nolint:gosec // meant to be read by everybody
		return fmt.Errorf("write what programs are made of: %w", err)
	}
	return nil
}

// add tells of a program, and puts what it is made of into modules.
func (d *document) add(path string, modules map[string]component, terms map[string][]string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read program %s: %w", path, err)
	}
	sum, err := digest(path)
	if err != nil {
		return err
	}
	file := component{
		Type: "file", Name: filepath.Base(path), Version: app.Version,
		Ref: "file:" + filepath.Base(path), Hashes: []hash{{"SHA-256", sum}},
	}
	d.Components = append(d.Components, file)
	golang := library("stdlib", strings.TrimPrefix(info.GoVersion, "go"), named("BSD-3-Clause"))
	modules[golang.Ref] = golang
	needs := []string{golang.Ref}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		ids, ok := terms[m.Path+" "+m.Version]
		if !ok {
			return fmt.Errorf("%s %s in %s is not among the licences: make licences", m.Path, m.Version, path)
		}
		c := library(m.Path, m.Version, named(ids...))
		modules[c.Ref] = c
		needs = append(needs, c.Ref)
	}
	slices.Sort(needs)
	d.Depends = append(d.Depends, dependency{Ref: file.Ref, DependsOn: needs})
	return nil
}

func library(path, version string, l []licence) component {
	purl := "pkg:golang/" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/") + "@" + url.QueryEscape(version)
	return component{Type: "library", Ref: purl, Name: path, Version: version, PURL: purl, Licences: l}
}

func named(ids ...string) []licence {
	out := make([]licence, len(ids))
	for i, id := range ids {
		out[i].License.ID = id
	}
	return out
}

func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read program: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read program %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// licences reads the list that the packages carry: "module version" to the
// short names of its licences.
func licences() (map[string][]string, error) {
	text, err := assets.Licences()
	if err != nil {
		return nil, err
	}
	terms := map[string][]string{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "====") {
			break
		}
		if part, kinds, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			terms[part] = strings.Split(kinds, ", ")
		}
	}
	return terms, nil
}
