package secrets

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// reachable reports why no keychain can be reached. Where there is no session
// bus the library would start one of its own, with no keychain on it and
// nobody to end it.
func reachable() error {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus")); err == nil {
		return nil
	}
	return errors.New("no session bus")
}
