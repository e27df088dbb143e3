package storage

import "syscall"

// createNoWindow keeps a console program from showing one.
const createNoWindow = 0x08000000

// childAttributes keep a program that the guard uses out of the owner's sight.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: createNoWindow}
}
