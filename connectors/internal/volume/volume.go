// Package volume answers what connectors ask of the disk a path lies on: is it
// still there, has it room, may it be written, is what was written safe.
package volume

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"kvart/app"
)

// Error turns what the file system said about a source's path into an
// [app.Error] of the code that fits. It returns nil for nil and leaves an
// [app.Error] as it is.
func Error(op, path string, err error) error {
	var known *app.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	code := app.CodeSourceUnreadable
	switch {
	case disconnected(err):
		code = app.CodeSourceShareGone
	case errors.Is(err, fs.ErrNotExist):
		code = app.CodeSourceMissing
		if !exists(filepath.Dir(path)) {
			code = app.CodeSourceShareGone
		}
	}
	return (&app.Error{Code: code, Op: op, Err: err}).With("path", path)
}

// Gone reports whether err means that the disk or share is no longer there.
func Gone(err error) bool { return err != nil && disconnected(err) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Unplugged returns the mount point or drive that path should lie on and that
// is not there, "" when there is nothing to miss. Restoring to such a path
// would fill the disk below the mount point and leave the real one as it was.
func Unplugged(path string) string {
	root := mountRoot(filepath.Clean(path))
	if root == "" || exists(root) {
		return ""
	}
	return root
}

// mountRoot returns where the removable or network volume that path lies on is
// mounted by convention, "" for a path on the computer's own disk.
func mountRoot(path string) string {
	if runtime.GOOS == "windows" {
		if v := filepath.VolumeName(path); v != "" {
			return v + `\`
		}
		return ""
	}
	for prefix, depth := range map[string]int{"/mnt/": 1, "/media/": 2, "/run/media/": 2, "/Volumes/": 1} {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok {
			continue
		}
		parts := strings.SplitN(rest, "/", depth+1)
		if len(parts) > depth {
			return prefix + strings.Join(parts[:depth], "/")
		}
	}
	return ""
}

// Existing returns path or its nearest ancestor that exists.
func Existing(path string) string {
	for path = filepath.Clean(path); !exists(path); {
		up := filepath.Dir(path)
		if up == path {
			break
		}
		path = up
	}
	return path
}

// Blockers tells what keeps need bytes from being written into dir, which need
// not exist yet.
func Blockers(dir string, need int64) []*app.Error {
	const op = "look at target"
	if root := Unplugged(dir); root != "" {
		return []*app.Error{app.Errorf(app.CodeSourceShareGone, op, "%s is not there", root).With("path", root)}
	}
	var out []*app.Error
	at := Existing(dir)
	if err := writable(at); err != nil {
		out = append(out, (&app.Error{Code: app.CodeTargetReadOnly, Op: op, Err: err}).With("path", at))
	}
	if free, err := Free(at); err == nil && free < need {
		out = append(out, app.Errorf(app.CodeTargetFull, op, "%d bytes free in %s, %d needed", free, at, need).With("path", at))
	}
	return out
}

// TargetError turns a failure to write below path into an [app.Error] of the
// code that fits.
func TargetError(op, path string, err error) error {
	var known *app.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	code := app.CodeInternal
	switch {
	case full(err):
		code = app.CodeTargetFull
	case disconnected(err):
		code = app.CodeSourceShareGone
	case busy(err):
		code = app.CodeTargetInUse
	case errors.Is(err, fs.ErrPermission), readOnly(err):
		code = app.CodeTargetReadOnly
	}
	return (&app.Error{Code: code, Op: op, Err: err}).With("path", path)
}
