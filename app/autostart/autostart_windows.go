package autostart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"unicode/utf16"

	"golang.org/x/sys/windows/registry"

	"kvart/app"
)

// entryName is what Task Manager shows among the programs that start.
const entryName = app.Name

// approved is where Windows remembers what the owner turned off in Task
// Manager: a value per shortcut whose first byte is odd when it is off.
const approved = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\StartupFolder`

const shortcut = entryName + ".lnk"

// longest is how many characters fit into a shortcut's fields.
const longest = 259

// quote prepares arguments for the library, which joins them by blanks.
func quote(exec []string) ([]string, error) {
	out := slices.Clone(exec)
	length := 0
	for i, arg := range out[1:] {
		out[i+1] = syscall.EscapeArg(arg)
		length += len(utf16.Encode([]rune(out[i+1]))) + 1
	}
	entry := filepath.Join(os.Getenv("USERPROFILE"), `AppData\Roaming\Microsoft\Windows\Start Menu\Programs\Startup`, shortcut)
	for _, p := range []string{exec[0], entry} {
		length = max(length, len(utf16.Encode([]rune(p))))
	}
	if length > longest {
		return nil, fmt.Errorf("%q is too long for a shortcut", exec)
	}
	return out, nil
}

func hidden() bool {
	k, err := registry.OpenKey(registry.CURRENT_USER, approved, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer k.Close()
	v, _, err := k.GetBinaryValue(shortcut)
	return err == nil && len(v) > 0 && v[0]&1 == 1
}

// allow takes back what the owner turned off in Task Manager.
func allow() error {
	k, err := registry.OpenKey(registry.CURRENT_USER, approved, registry.SET_VALUE)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		defer k.Close()
		err = k.DeleteValue(shortcut)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("allow start at login: %w", err)
	}
	return nil
}
