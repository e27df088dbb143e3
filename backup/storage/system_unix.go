//go:build unix

package storage

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// FreeBytes returns the bytes this user may still write at path, -1 when that
// is not known.
func FreeBytes(path string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // types differ between systems
}

func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
