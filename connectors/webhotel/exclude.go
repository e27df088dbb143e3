package webhotel

import (
	"path"
	"strings"

	"kvart/app"
)

// excludes are the patterns of the field "exclude", one a line:
//
//	*.tmp        every file or folder whose name matches, at any depth
//	cache/       every folder of that name, with all that is in it
//	/top/only    that path, counted from the site's folder
//	drafts/*.pdf also counted from the site's folder, having a slash inside
//	# remark     nothing, as are empty lines
//
// * matches any characters but a slash, ? one character, [ab] and [a-z] one of
// several, and a backslash takes a character as it is. Leaving out a folder
// leaves out everything below it.
type excludes []pattern

type pattern struct {
	parts    []string // of the path, from the top; one means at any depth unless anchored
	anchored bool
	dirOnly  bool
}

func parseExcludes(lines string) (excludes, error) {
	var ex excludes
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
				return nil, app.Errorf(app.CodeUsage, "webhotel: settings", "%q is no pattern", line).
					With("field", fieldExclude).With("value", line)
			}
		}
		ex = append(ex, p)
	}
	return ex, nil
}

// match reports whether the file or folder at a slash-separated path is left
// out by its own name. Whoever walks down does not enter folders that are.
func (ex excludes) match(name string, dir bool) bool {
	if strings.HasPrefix(path.Base(name), newPrefix) {
		return true // a restore's own, not in place yet
	}
	parts := strings.Split(name, "/")
	for _, p := range ex {
		if (dir || !p.dirOnly) && p.match(parts) {
			return true
		}
	}
	return false
}

// below reports whether the path or any folder above it is left out.
func (ex excludes) below(name string, dir bool) bool {
	for i := range len(name) {
		if name[i] == '/' && ex.match(name[:i], true) {
			return true
		}
	}
	return ex.match(name, dir)
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
