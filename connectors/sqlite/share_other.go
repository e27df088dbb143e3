//go:build !linux && !windows && !darwin

package sqlite

// onShare can't tell here.
func onShare(string) bool { return false }
