package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// holder returns the name of a program that has one of files open, "" when
// there is none this user may see. Kvart itself does not count.
func holder(files ...string) (string, error) {
	ids := map[string]fs.FileInfo{}
	for _, file := range files {
		fi, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		ids[filepath.Base(file)] = fi
	}
	procs, err := os.ReadDir("/proc")
	if err != nil {
		return "", err
	}
	for _, p := range procs {
		if pid, err := strconv.Atoi(p.Name()); err != nil || pid == os.Getpid() {
			continue
		}
		if holds(filepath.Join("/proc", p.Name(), "fd"), ids) {
			return program(p.Name()), nil
		}
	}
	return "", nil
}

// holds reports whether a process has one of the files open. Processes end and
// belong to others: what can't be read is not known to hold anything.
func holds(dir string, ids map[string]fs.FileInfo) bool {
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, fd := range fds {
		link := filepath.Join(dir, fd.Name())
		to, err := os.Readlink(link)
		if err != nil {
			continue
		}
		// By name first: to ask after a file on a dead share could wait for ever.
		id, ok := ids[filepath.Base(to)]
		if !ok {
			continue
		}
		if fi, err := os.Stat(link); err == nil && os.SameFile(id, fi) {
			return true
		}
	}
	return false
}

// program names a process as its user may know it.
func program(pid string) string {
	if exe, err := os.Readlink(filepath.Join("/proc", pid, "exe")); err == nil {
		return strings.TrimSuffix(filepath.Base(exe), " (deleted)")
	}
	if comm, err := os.ReadFile(filepath.Join("/proc", pid, "comm")); err == nil {
		return strings.TrimSpace(string(comm))
	}
	return "pid " + pid
}
