package app

import (
	"path/filepath"
	"testing"
)

func TestShareKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		magic   uint32
		subtype string
		want    Known
	}{
		"NFS": {magicNFS, "", KnownYes}, "Windows share": {magicSMB2, "", KnownYes}, "old Windows share": {magicCIFS, "", KnownYes}, "ext4": {0xef53, "", KnownNo},
		"tmpfs": {0x01021994, "", KnownNo}, "SSH": {magicFUSE32, "fuse.sshfs", KnownYes}, "a cloud's": {magicFUSE32, "fuse.rclone", KnownYes}, "the file manager's": {magicFUSE32, "fuse.gvfsd-fuse", KnownYes},
		"encrypted home": {magicFUSE32, "fuse.gocryptfs", KnownNot}, "a Windows disk": {magicFUSE32, "fuseblk", KnownNot}, "one that doesn't say": {magicFUSE32, "", KnownNot},
	} {
		if got := shareKind(c.magic, func() string { return c.subtype }); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestFileSystem(t *testing.T) {
	t.Parallel()
	const mounts = `25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 25 0:35 / /home rw shared:20 - nfs4 nas:/home rw
41 40 0:36 / /home/asa/Mina\040dokument rw - fuse.sshfs asa@nas:/ rw
42 25 0:37 / /mnt rw master:3 - ext4 /dev/sdb1 rw
43 42 0:38 / /mnt rw - fuse.rclone moln: rw
broken line
`
	for path, want := range map[string]string{
		"/": "ext4", "/srv/x": "ext4", "/home": "nfs4", "/home/asa": "nfs4", "/homework": "ext4", "/home/asa/Mina dokument/kassa": "fuse.sshfs", "/mnt/x": "fuse.rclone",
	} {
		if got := fileSystem(mounts, path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestOnShare(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "not", "there")} {
		if got := OnShare(dir); got == KnownYes {
			t.Errorf("%s: %q", dir, got)
		}
	}
}
