package app

import (
	"os"
	"slices"
	"strings"
	"syscall"
)

// Numbers of file systems, from <linux/magic.h>.
const (
	magicNFS, magicSMB, magicCIFS, magicSMB2, magicNCP         = 0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x564c
	magicAFS, magicKAFS, magicCoda, magic9P, magicCeph         = 0x5346414f, 0x6b414653, 0x73757245, 0x01021997, 0x00c36400
	magicOCFS2, magicGFS2, magicLustre, magicGPFS, magicFUSE32 = 0x7461636f, 0x01161970, 0x0bd00bd0, 0x47504653, 0x65735546
)

func shareOf(dir string) Known {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return KnownNo
	}
	return shareKind(uint32(st.Type), func() string {
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			return ""
		}
		return fileSystem(string(mounts), dir)
	})
}

// shareKind tells file systems of other computers from those of this one;
// subtype names one that a program of its own serves: "fuse.sshfs".
func shareKind(magic uint32, subtype func() string) Known {
	switch {
	case slices.Contains([]uint32{
		magicNFS, magicSMB, magicCIFS, magicSMB2, magicNCP, magicAFS, magicKAFS, magicCoda, magic9P, magicCeph, magicOCFS2, magicGFS2, magicLustre, magicGPFS,
	}, magic):
		return KnownYes
	case magic != magicFUSE32:
		return KnownNo
	}
	if slices.Contains([]string{
		"sshfs", "rclone", "davfs", "davfs2", "webdavfs", "smbnetfs", "gvfsd-fuse", "kio-fuse", "glusterfs", "ceph", "ceph-fuse", "s3fs", "s3ql", "goofys", "mount-s3",
		"gcsfuse", "blobfuse", "blobfuse2", "google-drive-ocamlfuse", "onedriver", "curlftpfs", "curlftpfs_0_9", "nfs", "moosefs", "mfs", "juicefs", "lizardfs", "onedrive", "pcloud", "insync",
	}, strings.TrimPrefix(strings.ToLower(subtype()), "fuse.")) {
		return KnownYes
	}
	return KnownNot
}

// fileSystem returns the kind of file system that a path lies on, as the kernel's
// list of them has it.
func fileSystem(mounts, path string) (kind string) {
	longest := -1
	for line := range strings.Lines(mounts) {
		head, tail, ok := strings.Cut(line, " - ")
		fields, kinds := strings.Fields(head), strings.Fields(tail)
		if !ok || len(fields) < 5 || len(kinds) == 0 {
			continue
		}
		at := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
		if inside := at == "/" || path == at || strings.HasPrefix(path, at+"/"); inside && len(at) >= longest { // the last of several at one place
			longest, kind = len(at), kinds[0]
		}
	}
	return kind
}
