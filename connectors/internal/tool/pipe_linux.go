package tool

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// widen gives a program's output room for wideBytes, and reports whether it could.
func widen(out io.ReadCloser) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	wide := false
	err = raw.Control(func(fd uintptr) {
		n, err := unix.FcntlInt(fd, unix.F_SETPIPE_SZ, wideBytes)
		wide = err == nil && n >= wideBytes
	})
	return err == nil && wide
}
