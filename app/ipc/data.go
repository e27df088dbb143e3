package ipc

import (
	"os"
	"path/filepath"
	"runtime"

	"kvart/app"
)

// DefaultData returns the guard's state folder where nobody names one:
// KVART_DATA, or the system's own place for a program's data.
func DefaultData() (string, error) {
	if d := os.Getenv("KVART_DATA"); d != "" {
		return d, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", app.Errorf(app.CodeHomeReadOnly, "find home folder", "%w", err)
	}
	switch runtime.GOOS {
	case "windows":
		if d := os.Getenv("LOCALAPPDATA"); d != "" {
			return filepath.Join(d, app.Name), nil
		}
		return filepath.Join(home, "AppData", "Local", app.Name), nil
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", app.Name), nil
	}
	if d := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "kvart"), nil
	}
	return filepath.Join(home, ".local", "share", "kvart"), nil
}
