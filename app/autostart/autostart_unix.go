//go:build !windows && !darwin

package autostart

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kvart/app"
)

const entryName = app.ID

// quote prepares arguments for the library, which puts strconv.Quote around
// each, so that a desktop reads what was meant: the backslashes that its rules
// ask for before $ and ` are there once its own are taken away, and % is
// doubled. What can't be written that way is refused.
func quote(exec []string) ([]string, error) {
	out := make([]string, len(exec))
	for i, arg := range exec {
		for _, r := range arg {
			if r == '"' || !strconv.IsPrint(r) {
				return nil, fmt.Errorf("%q can't stand in a desktop entry", arg)
			}
		}
		out[i] = strings.NewReplacer(`\`, `\\`, "`", "\\`", "$", `\$`, "%", "%%").Replace(arg)
	}
	return out, nil
}

// path returns where the library writes the entry.
func path() string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		dir = filepath.Join(os.Getenv("HOME"), ".config")
	}
	return filepath.Join(dir, "autostart", entryName+".desktop")
}

// hidden reports whether the entry is there but turned off, as the settings of
// desktops do it.
func hidden() bool {
	b, err := os.ReadFile(path())
	if err != nil {
		return false
	}
	group := ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			group = line
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if group == "[Desktop Entry]" && (key == "Hidden" && value == "true" || key == "X-GNOME-Autostart-enabled" && value == "false") {
			return true
		}
	}
	return false
}

// allow does nothing: the entry that was just written says that it is on.
func allow() error { return nil }
