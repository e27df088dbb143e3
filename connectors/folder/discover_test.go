package folder

import (
	"os"
	"path/filepath"
	"testing"
)

func TestConnector_Discover(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "Bilder", "katt.jpg"), "123")
	if err := os.Mkdir(filepath.Join(dir, "Tomt"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := newConnector()
	c.Roots = []string{filepath.Join(dir, "Bilder"), filepath.Join(dir, "Tomt"), filepath.Join(dir, "finns inte"), filepath.Join(dir, "Bilder")}
	found, err := c.Discover(t.Context())
	if err != nil || len(found) != 1 || found[0].Name != "Bilder" || found[0].Bytes != 3 || found[0].Likely {
		t.Errorf("found %+v, %v", found, err)
	}
}
