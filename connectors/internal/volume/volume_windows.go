package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/windows"
)

// disconnected reports whether err is of the kind a vanished share or a pulled
// disk answers with.
func disconnected(err error) bool {
	var no syscall.Errno
	return errors.As(err, &no) && slices.Contains([]syscall.Errno{
		windows.ERROR_NOT_READY, windows.ERROR_BAD_NETPATH, windows.ERROR_BAD_NET_NAME,
		windows.ERROR_NETNAME_DELETED, windows.ERROR_UNEXP_NET_ERR, windows.ERROR_NETWORK_UNREACHABLE,
		windows.ERROR_DEV_NOT_EXIST, windows.ERROR_IO_DEVICE, windows.ERROR_SEM_TIMEOUT,
		windows.ERROR_HOST_UNREACHABLE, windows.ERROR_NO_NET_OR_BAD_PATH,
	}, no)
}

func full(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

func busy(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}

func readOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

// writable answers from the folder's attributes alone: what its access list
// allows is known only by writing.
func writable(dir string) error {
	fi, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return fmt.Errorf("%s: %w", dir, fs.ErrPermission)
	}
	return nil
}

// Free returns the bytes this user may still write below path.
func Free(path string) (int64, error) {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, fmt.Errorf("ask for free room in %s: %w", path, err)
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(p, &free, nil, nil); err != nil {
		return 0, fmt.Errorf("ask for free room in %s: %w", path, err)
	}
	return int64(free), nil
}

// SyncDir does nothing: NTFS writes its names through its own journal and has
// no call to sync a folder.
func SyncDir(string) error { return nil }

// KeepOwner does nothing: a new file inherits its folder's access list.
func KeepOwner(string, fs.FileInfo) error { return nil }
