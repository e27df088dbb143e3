package ipc

import (
	"os"
	"path/filepath"
	"runtime"
)

// The two programs, as [Program] is asked for them.
const (
	GuardProgram  = "kvart-agent"
	WindowProgram = "kvart"
)

// Program returns where one of the two programs lies, told by this one, whose
// full path is exe. They lie beside each other; on macOS the guard can be an
// application of its own inside the window's.
func Program(exe, name string) string { return program(runtime.GOOS, exe, name) }

func program(system, exe, name string) string {
	dir := filepath.Dir(exe)
	switch system {
	case "windows":
		return filepath.Join(dir, name+".exe")
	case "darwin":
		inside := filepath.Join(filepath.Dir(dir), "Helpers", "KvartAgent.app", "Contents", "MacOS", name)
		if name == WindowProgram {
			// Kvart.app/Contents/Helpers/KvartAgent.app/Contents/MacOS
			inside = filepath.Join(dir, "..", "..", "..", "..", "MacOS", name)
		}
		if _, err := os.Stat(inside); err == nil {
			return inside
		}
	}
	return filepath.Join(dir, name)
}
