package app

import (
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"
)

func shareOf(dir string) Known {
	root := filepath.VolumeName(dir)
	if local := strings.HasPrefix(root, `\\?\`) && !strings.HasPrefix(strings.ToUpper(root), `\\?\UNC\`); strings.HasPrefix(root, `\\`) && !local {
		return KnownYes
	}
	name, err := syscall.UTF16PtrFromString(root + `\`)
	if err != nil {
		return KnownNo
	}
	const remote = 4 // DRIVE_REMOTE
	kind, _, _ := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDriveTypeW").Call(uintptr(unsafe.Pointer(name)))
	if kind == remote {
		return KnownYes
	}
	return KnownNo
}
