package folder

import (
	"os"
	"path/filepath"
	"testing"

	"kvart/app"
	"kvart/connectors/internal/nearby"
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

func TestConnector_Discover_sites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "kaffe", "wp-config.php"), "<?php define('DB_NAME', 'kaffe'); define('DB_PASSWORD', 'hemligt');")
	put(t, filepath.Join(dir, "kaffe", "wp-content", "plugins", "woocommerce", "woocommerce.php"), "<?php")
	put(t, filepath.Join(dir, "kaffe", "wp-content", "uploads", "kaffe.jpg"), "1234567")
	put(t, filepath.Join(dir, "skor", "app", "config", "parameters.php"), "<?php return ['parameters' => ['database_name' => 'skor']];")
	put(t, filepath.Join(dir, "skor", "config", "defines.inc.php"), "<?php")
	put(t, filepath.Join(dir, "blogg", "wp-config.php"), "<?php")
	put(t, filepath.Join(dir, "blogg", "wp-content", "x"), "")
	c := newConnector()
	found, err := c.discover(t.Context(), nil, nearby.Finder{WebRoots: []string{dir}})
	if err != nil || len(found) != 3 {
		t.Fatalf("found %+v, %v", found, err)
	}
	if f := found[1]; f.Name != "kaffe wp-content" || !f.Likely || f.Bytes != 12 || f.Settings["path"] != filepath.Join(dir, "kaffe", "wp-content") {
		t.Errorf("found %+v", f)
	}
	if f := found[2]; f.Name != "skor" || !f.Likely || f.Settings["path"] != filepath.Join(dir, "skor") {
		t.Errorf("found %+v", f)
	}
	if f := found[0]; f.Likely {
		t.Errorf("a blog is ticked: %+v", f)
	}
	for _, f := range found {
		if err := c.Spec().CheckSettings(f.Settings, nil); err != nil {
			t.Errorf("%s can't be added: %v", f.Name, err)
		}
		if _, err := c.Check(t.Context(), app.Access{Source: app.Source{Settings: f.Settings}}); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}
