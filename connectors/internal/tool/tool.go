// Package tool finds and runs the programs a database's vendor ships, such as
// pg_dump and mysqldump. It sees to it that none of them gets a secret in its
// arguments or its environment, that none outlives what it was started for,
// and that no output counts as complete unless its program ended well. It
// knows no connector and no database.
package tool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Program is a program that is there and runs.
type Program struct {
	Path    string
	Version string // "15.6"
	Banner  string // what it says of itself, one line
}

// askTime is how long a program may take to tell its version: scanners on
// Windows hold a program up the first time it runs.
const askTime = 15 * time.Second

// Find returns the programs called one of names, in the folders of PATH and in
// folders, which may hold patterns as of [filepath.Match]: the newest first,
// of equal ones the one found first. What does not run or tells no version is
// left out. Names have no ".exe".
func Find(ctx context.Context, names, folders []string) ([]Program, error) {
	var found []Program
	var seen []string
	for _, path := range candidates(names, folders) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("find %s: %w", strings.Join(names, ", "), err)
		}
		real, err := filepath.EvalSymlinks(path)
		if err != nil || slices.Contains(seen, real) {
			continue
		}
		p, err := ask(ctx, path)
		if err != nil {
			continue // a broken installation is as good as none
		}
		seen = append(seen, real)
		found = append(found, p)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find %s: %w", strings.Join(names, ", "), err)
	}
	slices.SortStableFunc(found, func(a, b Program) int { return Compare(b.Version, a.Version) })
	return found, nil
}

// candidates lists files that could be the programs, PATH's first. A relative
// folder in PATH is not looked into: what lies there is anybody's.
func candidates(names, folders []string) (paths []string) {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range folders {
		match, err := filepath.Glob(pattern)
		if err != nil {
			continue // a folder with brackets in its name is none of the usual ones
		}
		dirs = append(dirs, match...)
	}
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			continue
		}
		for _, name := range names {
			path := filepath.Join(dir, name)
			if runtime.GOOS == "windows" {
				path += ".exe"
			}
			fi, err := os.Stat(path)
			if err == nil && fi.Mode().IsRegular() && (runtime.GOOS == "windows" || fi.Mode().Perm()&0o111 != 0) && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

func ask(ctx context.Context, path string) (Program, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	out, err := Output(ctx, Command(path, "--version"), 4096)
	if err != nil {
		return Program{}, err
	}
	banner, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	version := versionIn(banner)
	if version == "" {
		return Program{}, fmt.Errorf("%s tells no version: %q", path, banner)
	}
	return Program{Path: path, Version: version, Banner: strings.TrimSpace(banner)}, nil
}

// versionIn finds a version: of "mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB"
// it is the distribution's that counts.
func versionIn(banner string) string {
	number := regexp.MustCompile(`[0-9]+(\.[0-9]+)*`)
	if _, after, ok := strings.Cut(banner, "Distrib "); ok {
		if v := number.FindString(after); v != "" {
			return v
		}
	}
	// Not the digit of a name like "mysql8": a word of its own.
	for _, word := range strings.Fields(banner) {
		if word[0] >= '0' && word[0] <= '9' {
			return number.FindString(word)
		}
	}
	return ""
}

// Compare compares two versions number by number; a part that is missing
// counts as 0.
func Compare(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if n := part(as, i) - part(bs, i); n != 0 {
			return n
		}
	}
	return 0
}

func part(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, err := strconv.Atoi(parts[i])
	if err != nil {
		return 0
	}
	return n
}

// Command returns a command that runs with low priority, as its own process
// group and with [Environment]. It is run by [Output], [Run] or [Stream].
func Command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Env = Environment()
	ownGroup(cmd)
	return cmd
}

// Environment returns the part of this process's environment that a vendor's
// program may see: nothing that points it at another server, option file or
// password, and messages in English, so that they can be told apart.
func Environment() []string {
	keep := []string{
		"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
		"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
		"PROGRAMDATA", "PROGRAMFILES", "COMPUTERNAME", "COMSPEC", "PATHEXT",
	}
	env := []string{"LC_ALL=C", "LANGUAGE="}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		if slices.Contains(keep, name) {
			env = append(env, kv)
		}
	}
	return env
}

// SecretFile writes a file only this user can read, in a new folder below dir
// ("" is the system's own), and returns its path. remove takes it away again;
// it may be called twice.
func SecretFile(dir, name, content string) (path string, remove func() error, err error) {
	dir, err = os.MkdirTemp(dir, "kvart-") // 0700
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for a secret: %w", err)
	}
	remove = func() error { return os.RemoveAll(dir) }
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return "", nil, errors.Join(fmt.Errorf("write %s: %w", name, err), remove())
	}
	return path, remove, nil
}
