package tray

// #cgo pkg-config: gtk+-3.0
// #include <gtk/gtk.h>
// static gboolean open_display(void) { return gtk_init_check(NULL, NULL); }
import "C"

import (
	"errors"
	"os"
)

// Available reports whether there is a desktop to show an icon on.
func Available() bool {
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// openDisplay connects to the desktop. The tray's own way of doing so ends the
// process when it fails, and the backups with it.
func openDisplay() error {
	if C.open_display() == 0 {
		return errors.New("the display does not answer")
	}
	return nil
}
