package sqlite

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
)

// withDir is the folder of a point that holds the databases a program attaches
// to the first one.
const withDir = "with"

// mostWith is how many databases SQLite attaches to another.
const mostWith = 10

// member is one database file of a source.
type member struct {
	name string // in a point: "kassa.db", "with/lager.db"
	path string // as it was set up
	file string // where it really lies
}

// members returns the database of a source and those its program attaches to
// it, in the order they were set up.
func members(a app.Access) ([]member, error) {
	first, file, err := source(a)
	if err != nil {
		return nil, err
	}
	out := []member{{name: filepath.Base(first), path: first, file: file}}
	for line := range strings.Lines(a.Source.Settings[fieldWith]) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if !filepath.IsAbs(line) {
			return nil, badWith("%q is no full path", line)
		}
		m := member{path: filepath.Clean(line)}
		m.file = followed(m.path)
		if slices.ContainsFunc(out, func(o member) bool { return o.file == m.file }) {
			return nil, badWith("%s is named twice", m.path)
		}
		m.name = freeName(out, filepath.Base(m.path))
		out = append(out, m)
	}
	if len(out) > mostWith+1 {
		return nil, badWith("%d databases; SQLite attaches no more than %d", len(out)-1, mostWith)
	}
	return out, nil
}

func badWith(format string, args ...any) error {
	return app.Errorf(app.CodeUsage, "sqlite: settings", "%w", fmt.Errorf(format, args...)).With("field", fieldWith)
}

// freeName names an attached database in the point after its file; of several
// of one name the later ones are numbered.
func freeName(taken []member, base string) string {
	ext := filepath.Ext(base)
	for n := 1; ; n++ {
		name := path.Join(withDir, base)
		if n > 1 {
			name = path.Join(withDir, strings.TrimSuffix(base, ext)+"-"+strconv.Itoa(n)+ext)
		}
		if !slices.ContainsFunc(taken, func(o member) bool { return strings.EqualFold(o.name, name) }) {
			return name
		}
	}
}

// withFolder is the folder of attached databases as an item of a capture.
func withFolder(mod time.Time) app.Item {
	return app.Item{Path: withDir, ModTime: mod, Mode: fs.ModeDir | 0o755}
}

// followed follows a symbolic link: SQLite names its journals after the file
// itself, and a restore must replace the file and not the link.
func followed(path string) string {
	if file, err := filepath.EvalSymlinks(path); err == nil {
		return file
	}
	return path // what is wrong with it shows when it is opened
}

// statsOf returns the part of a point's stats that is about one of its
// databases: those of attached ones have its name before the table's.
func statsOf(stats app.Stats, name string) app.Stats {
	out := app.Stats{}
	for key, n := range stats {
		table, ok := strings.CutPrefix(key, statTable)
		attached := strings.HasPrefix(table, withDir+"/") && strings.Contains(table[len(withDir)+1:], "/")
		switch {
		case !ok:
			continue
		case !attached && !strings.HasPrefix(name, withDir+"/"):
			out[key] = n
		case attached:
			if table, ok := strings.CutPrefix(table, name+"/"); ok {
				out[statTable+table] = n
			}
		}
	}
	if n, ok := stats[app.StatDamaged]; ok {
		out[app.StatDamaged] = n
	}
	return out
}
