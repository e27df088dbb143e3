package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// WriteDocument writes a report or another paper where the owner wants it, whole
// or not at all; one that is there already is replaced. The error is
// [CodeDocument], its args "path" the folder and "reason" what is in the way:
// "denied", "missing", "full", "folder", or "" for anything else.
func WriteDocument(path string, b []byte) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return Errorf(CodeDocument, "write document", "%s is a folder", path).With("path", path).With("reason", "folder")
	}
	f, err := os.CreateTemp(dir, ".kvart-*.tmp") // readable for this account only
	if err != nil {
		return documentError(dir, err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		return nil
	}
	if rest := os.Remove(f.Name()); rest != nil && !errors.Is(rest, fs.ErrNotExist) {
		err = errors.Join(err, rest)
	}
	return documentError(dir, err)
}

func documentError(dir string, err error) error {
	reason := ""
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		reason = "denied"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		reason = "missing"
	case DiskFull(err):
		reason = "full"
	}
	return Errorf(CodeDocument, "write document", "%w", err).With("path", dir).With("reason", reason)
}

// DiskFull reports whether a write failed because there is no room, on the disk
// or in what this account may use of it.
func DiskFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	// as Windows numbers them
	const handleDiskFull, diskFull, quotaExceeded = syscall.Errno(39), syscall.Errno(112), syscall.Errno(1295)
	var no syscall.Errno
	return runtime.GOOS == "windows" && errors.As(err, &no) && (no == handleDiskFull || no == diskFull || no == quotaExceeded)
}
