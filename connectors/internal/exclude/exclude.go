// Package exclude holds the patterns by which a source of files leaves some of
// them out.
package exclude

import (
	"path"
	"strings"

	"kvart/app"
)

// Patterns are those of a field, one a line:
//
//	*.tmp        every file or folder whose name matches, at any depth
//	cache/       every folder of that name, with all that is in it
//	/top/only    that path, counted from the source's folder
//	drafts/*.pdf also counted from the source's folder, having a slash inside
//	# remark     nothing, as are empty lines
//
// * matches any characters but a slash, ? one character, [ab] and [a-z] one of
// several, and a backslash takes a character as it is. Leaving out a folder
// leaves out everything below it.
type Patterns struct {
	list []pattern
	own  string
}

type pattern struct {
	parts    []string // of the path, from the top; one means at any depth unless anchored
	anchored bool
	dirOnly  bool
}

// Own leaves out nothing but names that begin with prefix: a restore's files
// that are not in place yet.
func Own(prefix string) Patterns { return Patterns{own: prefix} }

// Parse reads the patterns of a field, which come to those of [Own]. A pattern
// that is none is a [app.CodeUsage] error of op.
func Parse(op, field, lines, own string) (Patterns, error) {
	ex := Own(own)
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var p pattern
		text := line
		text, p.dirOnly = strings.CutSuffix(text, "/")
		text, p.anchored = strings.CutPrefix(text, "/")
		p.parts = strings.Split(text, "/")
		p.anchored = p.anchored || len(p.parts) > 1
		for _, part := range p.parts {
			if _, err := path.Match(part, ""); err != nil || part == "" {
				return Patterns{}, app.Errorf(app.CodeUsage, op, "%q is no pattern", line).
					With("field", field).With("value", line)
			}
		}
		ex.list = append(ex.list, p)
	}
	return ex, nil
}

// Match reports whether the file or folder at a slash-separated path is left
// out by its own name. Whoever walks down does not enter folders that are.
func (ex Patterns) Match(name string, dir bool) bool {
	if ex.own != "" && strings.HasPrefix(path.Base(name), ex.own) {
		return true
	}
	parts := strings.Split(name, "/")
	for _, p := range ex.list {
		if (dir || !p.dirOnly) && p.match(parts) {
			return true
		}
	}
	return false
}

// Below reports whether the path or any folder above it is left out.
func (ex Patterns) Below(name string, dir bool) bool {
	for i := range len(name) {
		if name[i] == '/' && ex.Match(name[:i], true) {
			return true
		}
	}
	return ex.Match(name, dir)
}

func (p pattern) match(parts []string) bool {
	if !p.anchored {
		parts = parts[len(parts)-1:]
	}
	if len(parts) != len(p.parts) {
		return false
	}
	for i, part := range p.parts {
		if ok, err := path.Match(part, parts[i]); err != nil || !ok {
			return false
		}
	}
	return true
}
