package sqlite

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// onShare reports whether a file lies on a network share, whose locks and times
// are its server's and may lie.
func onShare(file string) bool {
	root := filepath.VolumeName(file)
	if strings.HasPrefix(root, `\\`) {
		return true
	}
	name, err := windows.UTF16PtrFromString(root + `\`)
	return err == nil && windows.GetDriveType(name) == windows.DRIVE_REMOTE
}
