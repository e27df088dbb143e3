//go:build unix

package tool

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// ownGroup makes the program the leader of a process group, so that it can be
// ended with all that it starts, and a Ctrl-C at a terminal is ours to handle.
func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &unix.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

// endGroup ends the group. What is gone already needs no ending.
func endGroup(cmd *exec.Cmd, force bool) {
	sig := unix.SIGTERM
	if force {
		sig = unix.SIGKILL
	}
	_ = unix.Kill(-cmd.Process.Pid, sig)
}

// lowPriority lets the shop's own programs go first. That it can't be had is
// no reason not to run.
func lowPriority(pid int) { _ = unix.Setpriority(unix.PRIO_PGRP, pid, 10) }
