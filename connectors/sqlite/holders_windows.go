package sqlite

import (
	"errors"

	"golang.org/x/sys/windows"
)

// holder reports whether a program has one of files open, by asking for each
// of them alone: that fails while anybody has it and changes nothing. Windows
// does not say who it is.
func holder(files ...string) (string, error) {
	for _, file := range files {
		name, err := windows.UTF16PtrFromString(file)
		if err != nil {
			return "", err
		}
		h, err := windows.CreateFile(name, windows.GENERIC_READ, 0, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
		switch {
		case errors.Is(err, windows.ERROR_SHARING_VIOLATION), errors.Is(err, windows.ERROR_LOCK_VIOLATION):
			return "another program", nil
		case err != nil:
			continue // not there, or not ours to read
		}
		if err := windows.CloseHandle(h); err != nil {
			return "", err
		}
	}
	return "", nil
}
