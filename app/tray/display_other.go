//go:build !linux

package tray

// Available reports whether there is a desktop to show an icon on. These
// systems always have one.
func Available() bool { return true }

func openDisplay() error { return nil }
