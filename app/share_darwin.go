package app

import "syscall"

func shareOf(dir string) Known {
	const local = 0x1000 // MNT_LOCAL
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil || st.Flags&local != 0 {
		return KnownNo
	}
	return KnownYes
}
