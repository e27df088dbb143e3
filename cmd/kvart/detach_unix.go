//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// detach lets the guard live on when the window's terminal or session ends.
func detach(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
