package storage

import "syscall"

// childAttributes make a program outlive neither the guard nor, by the
// terminal's keys, end before it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
