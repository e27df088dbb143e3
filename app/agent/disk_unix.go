//go:build unix

package agent

import (
	"path/filepath"
	"syscall"
)

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
