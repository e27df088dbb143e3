//go:build !windows

package main

// attachConsole has nothing to do: here every program has what it was given.
func attachConsole() {}
