package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// part is something by others that the programs are made of.
type part struct {
	name, version string
	dir           string // where its licences lie; "" when texts holds them already
	texts         []string
	kinds         []string // short names of its licences, sorted
}

// modules returns what both programs are made of on any of systems, sorted.
// root is the project's folder.
func modules(root string, systems ...string) ([]part, error) {
	tags, err := os.ReadFile(filepath.Join(root, "packaging", "tags.txt"))
	if err != nil {
		return nil, fmt.Errorf("with which tags the programs are built: %w", err)
	}
	found := map[string]part{}
	for _, system := range systems {
		// the architecture decides nothing here: no module is for one alone
		cmd := exec.Command("go", "list", "-deps", "-tags", strings.TrimSpace(string(tags)),
			"-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", "kvart/cmd/kvart", "kvart/cmd/kvart-agent")
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=1")
		out, err := cmd.Output()
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = fmt.Errorf("%w\n%s", err, exit.Stderr)
			}
			return nil, fmt.Errorf("list what %s needs: %w", system, err)
		}
		for line := range strings.Lines(string(out)) {
			if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 {
				found[f[0]] = part{name: f[0], version: f[1], dir: f[2]}
			}
		}
	}
	parts := make([]part, 0, len(found))
	for _, p := range found {
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.name, b.name) })
	return parts, nil
}

// goItself is the language's own library, which is in every program.
func goItself() (part, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return part{}, fmt.Errorf("find Go: %w", err)
	}
	p := part{name: "Go", version: strings.TrimPrefix(runtime.Version(), "go")}
	for _, name := range []string{"LICENSE", "PATENTS"} {
		b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), name))
		if err != nil {
			return part{}, fmt.Errorf("read Go's licence: %w", err)
		}
		p.texts = append(p.texts, tidy(b))
	}
	return p, nil
}

// emoji is a font that Fyne ships without the words its licence asks for.
func emoji() part {
	return part{name: "Emoji One Color", version: "(in Fyne)", kinds: []string{"CC-BY-4.0"}, texts: []string{
		"Emoji One Color, a font with emoji by Emoji One (https://www.emojione.com), put together by Adobe.\n" +
			"Creative Commons Attribution 4.0 International: https://creativecommons.org/licenses/by/4.0/\n",
	}}
}

// licenceFile is how the files are called that say under which terms something
// is given.
var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright|notice|patents|ofl)([-_.].*)?$`)

// read finds a part's licences and names them. A part without any is an error:
// it may not be passed on.
func (p *part) read() error {
	if p.dir != "" {
		if err := filepath.WalkDir(p.dir, p.visit); err != nil {
			return fmt.Errorf("read licences of %s: %w", p.name, err)
		}
	}
	for _, text := range p.texts {
		if k := kind(text); k != "" && !slices.Contains(p.kinds, k) {
			p.kinds = append(p.kinds, k)
		}
	}
	slices.Sort(p.kinds)
	if len(p.kinds) == 0 {
		return fmt.Errorf("%s %s: no licence that is known in %s", p.name, p.version, p.dir)
	}
	return nil
}

// visit takes up the text of a file that says under which terms something is
// given. What is in no program is left out.
func (p *part) visit(path string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if d.IsDir() {
		if n := d.Name(); path != p.dir && (n == "testdata" || n == "cmd" || n[0] == '.' || n[0] == '_') {
			return fs.SkipDir
		}
		return nil
	}
	if !licenceFile.MatchString(d.Name()) || slices.Contains([]string{".go", ".yml", ".yaml"}, filepath.Ext(path)) {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if text := tidy(b); !slices.Contains(p.texts, text) {
		p.texts = append(p.texts, text)
	}
	return nil
}

// tidy makes texts comparable that differ only in how their lines end.
func tidy(b []byte) string {
	text := strings.ReplaceAll(strings.ToValidUTF8(string(b), "?"), "\r\n", "\n")
	return strings.Trim(text, "\n") + "\n"
}
