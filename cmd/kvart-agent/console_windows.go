package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// attachConsole lets a verb speak on the console it was asked on. The guard is
// a program without one, as otherwise a black window would open at login; such
// a program has to ask for the console of who started it. What was redirected
// into a file or a pipe stays so.
func attachConsole() {
	const parent = ^uintptr(0)
	if ok, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("AttachConsole").Call(parent); ok == 0 {
		return // started by the window, at login, or with a console of its own
	}
	for _, std := range []struct {
		file   **os.File
		id     uint32
		name   string
		access uint32
	}{
		{&os.Stdin, windows.STD_INPUT_HANDLE, "CONIN$", windows.GENERIC_READ},
		{&os.Stdout, windows.STD_OUTPUT_HANDLE, "CONOUT$", windows.GENERIC_WRITE},
		{&os.Stderr, windows.STD_ERROR_HANDLE, "CONOUT$", windows.GENERIC_WRITE},
	} {
		if h, err := windows.GetStdHandle(std.id); err == nil && h != 0 {
			if kind, err := windows.GetFileType(h); err == nil && kind != windows.FILE_TYPE_UNKNOWN {
				continue
			}
		}
		h, err := windows.CreateFile(windows.StringToUTF16Ptr(std.name), std.access|windows.GENERIC_READ,
			windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, nil, windows.OPEN_EXISTING, 0, 0)
		if err != nil {
			continue // silent, as it would have been without a console
		}
		*std.file = os.NewFile(uintptr(h), std.name)
	}
}
