//go:build unix && !linux

package storage

import "syscall"

// childAttributes keep the terminal's keys from a program that the guard uses.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
