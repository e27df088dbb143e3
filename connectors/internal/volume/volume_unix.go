//go:build !windows

package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// disconnected reports whether err is of the kind a vanished share or a pulled
// disk answers with.
func disconnected(err error) bool {
	var no syscall.Errno
	return errors.As(err, &no) && slices.Contains([]syscall.Errno{
		unix.ESTALE, unix.EIO, unix.ENOTCONN, unix.EHOSTDOWN, unix.EHOSTUNREACH,
		unix.ENETDOWN, unix.ENETUNREACH, unix.ENODEV, unix.ENXIO, unix.ETIMEDOUT,
	}, no)
}

func full(err error) bool     { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
func busy(err error) bool     { return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.ETXTBSY) }
func readOnly(err error) bool { return errors.Is(err, unix.EROFS) }

func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("write to %s: %w", dir, err)
	}
	return nil
}

// Free returns the bytes this user may still write below path.
func Free(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, fmt.Errorf("ask for free room in %s: %w", path, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// SyncDir makes the names in dir safe from a power cut.
func SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Some network file systems can't sync a folder; their names are as safe
	// as their server makes them.
	if err = f.Sync(); errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// KeepOwner gives path the owner and group of the file fi describes. Only root
// may give files away; for everyone else the file stays their own.
func KeepOwner(path string, fi fs.FileInfo) error {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	err := os.Lchown(path, int(st.Uid), int(st.Gid))
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return err
}
