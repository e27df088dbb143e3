package agent

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// diskRoom returns the bytes this account may still write at a path, and how
// large its disk is; -1 where that can't be told.
func diskRoom(path string) (free, total int64) {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return -1, -1
	}
	var left, all uint64
	if err := windows.GetDiskFreeSpaceEx(p, &left, &all, nil); err != nil {
		return -1, -1
	}
	return int64(left), int64(all)
}

// sameDisk reports whether two paths lie on one volume.
func sameDisk(a, b string) bool {
	return strings.EqualFold(filepath.VolumeName(a), filepath.VolumeName(b))
}
