//go:build unix

package backup

import (
	"os"
	"syscall"
)

// sameDisk reports whether two folders lie on one file system.
func sameDisk(a, b string) bool {
	devA, okA := device(a)
	devB, okB := device(b)
	return okA && okB && devA == devB
}

func device(path string) (uint64, bool) {
	fi, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(st.Dev), true //nolint:unconvert // types differ between systems
}
