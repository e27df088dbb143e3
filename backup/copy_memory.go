package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"kvart/app"
)

const copiesName = "copies.json"

// copyKey names a copy's place without telling where it is.
func copyKey(s app.StorageSpec) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q", s.Kind)
	for _, k := range slices.Sorted(maps.Keys(s.Settings)) {
		fmt.Fprintf(h, "%q%q", k, s.Settings[k])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// copiesMade is which places held a copy once.
func (v *Vault) copiesMade() map[string]bool {
	made := map[string]bool{}
	b, err := os.ReadFile(filepath.Join(v.dir, copiesName))
	if err != nil || json.Unmarshal(b, &made) != nil || made == nil {
		return map[string]bool{}
	}
	return made
}

// knowsCopy reports whether a copy was made at the place before.
func (v *Vault) knowsCopy(s app.StorageSpec) bool { return v.copiesMade()[copyKey(s)] }

func (v *Vault) rememberCopy(s app.StorageSpec) error {
	made := v.copiesMade()
	if made[copyKey(s)] {
		return nil
	}
	made[copyKey(s)] = true
	b, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("encode %s: %w", copiesName, err)
	}
	if err := writeFile(filepath.Join(v.dir, copiesName), b); err != nil {
		return stateDirError(err)
	}
	return nil
}
