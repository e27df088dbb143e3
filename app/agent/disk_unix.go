//go:build unix

package agent

import (
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// diskRoom returns the bytes this account may still write at a path, and how
// large its disk is; -1 where that can't be told.
func diskRoom(path string) (free, total int64) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return -1, -1
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize) //nolint:unconvert // types differ between systems
}

// sameDisk reports whether two paths lie on one file system. A path that is not
// there is judged by the folder it would be in.
func sameDisk(a, b string) bool {
	x, okA := device(a)
	y, okB := device(b)
	return okA && okB && x == y
}

func device(path string) (uint64, bool) {
	for {
		var st syscall.Stat_t
		if syscall.Stat(path, &st) == nil {
			return uint64(st.Dev), true //nolint:unconvert // types differ between systems
		}
		up := filepath.Dir(path)
		if up == path {
			return 0, false
		}
		path = up
	}
}
