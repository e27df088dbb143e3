package backup

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kopia/kopia/repo/blob"
)

const checkedName = "checked.json"

// checkMemory is when each stored object was last read in full and found as it
// was written. It is a cache: without it everything is read from the start.
type checkMemory struct {
	Read map[blob.ID]int64 `json:"read"` // Unix seconds
	// Damaged objects are read again at every check.
	Damaged map[blob.ID]bool `json:"damaged,omitempty"`
}

func (v *Vault) checkMemoryFile() string { return filepath.Join(v.dir, checkedName) }

// loadCheckMemory reads the memory; one that can't be read is empty. Times that
// lie in the future count as never, for a clock that ran ahead must not keep
// anything from being read.
func (v *Vault) loadCheckMemory(now time.Time) checkMemory {
	m := checkMemory{}
	b, err := os.ReadFile(v.checkMemoryFile())
	if err != nil || json.Unmarshal(b, &m) != nil {
		m = checkMemory{}
	}
	if m.Read == nil {
		m.Read = map[blob.ID]int64{}
	}
	if m.Damaged == nil {
		m.Damaged = map[blob.ID]bool{}
	}
	for id, at := range m.Read {
		if at > now.Add(time.Hour).Unix() {
			delete(m.Read, id)
		}
	}
	return m
}

// keepCheckMemory writes the memory, without the objects that are gone.
func (v *Vault) keepCheckMemory(m checkMemory, there map[blob.ID]*storedObject) error {
	for id := range m.Read {
		if there[id] == nil {
			delete(m.Read, id)
		}
	}
	for id := range m.Damaged {
		if there[id] == nil {
			delete(m.Damaged, id)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %s: %w", checkedName, err)
	}
	if err := writeFile(v.checkMemoryFile(), b); err != nil {
		return stateDirError(err)
	}
	return nil
}
