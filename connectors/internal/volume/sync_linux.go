package volume

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// SyncsWhole reports whether [SyncAll] does its work, so that thousands of
// small files need not be synced one by one.
const SyncsWhole = true

// SyncAll makes everything on dir's file system safe from a power cut.
func SyncAll(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return errors.Join(fmt.Errorf("sync the disk of %s: %w", dir, err), f.Close())
	}
	return f.Close()
}
