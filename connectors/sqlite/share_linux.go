package sqlite

import (
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// onShare reports whether a file lies on a network share, whose locks and times
// are its server's and may lie.
func onShare(file string) bool {
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(file), &st); err != nil {
		return false // what is wrong with it shows when it is opened
	}
	const (
		smb2  = 0xfe534d42
		sshfs = 0x65735546 // FUSE: of what kind it doesn't say
	)
	return slices.Contains([]uint32{
		unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, smb2, unix.AFS_SUPER_MAGIC, unix.CODA_SUPER_MAGIC,
		unix.NCP_SUPER_MAGIC, unix.V9FS_MAGIC, unix.CEPH_SUPER_MAGIC, unix.OCFS2_SUPER_MAGIC, sshfs,
	}, uint32(st.Type))
}
