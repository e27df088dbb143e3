//go:build !windows

package assets

// osLanguage is asked when the environment names no language. macOS and Linux
// desktops set LANG for programs they start.
func osLanguage() string { return "en" }
