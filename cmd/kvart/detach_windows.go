package main

import (
	"os/exec"
	"syscall"
)

// detach lets the guard live on without the window, and without a console.
func detach(c *exec.Cmd) {
	const detachedProcess = 0x8
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: detachedProcess | syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}
