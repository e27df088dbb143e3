package backup_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"kvart/app"
	"kvart/backup"
	"kvart/backup/vaulttest"
)

func provider(t *testing.T) app.VaultProvider {
	return backup.New(slog.New(slog.DiscardHandler))
}

func folderSpec(t *testing.T) app.StorageSpec {
	path := filepath.Join(t.TempDir(), "vault")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": path}}
}

func TestProvider_ConformanceInFolder(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, provider, folderSpec)
}

func fixture(t *testing.T) *vaulttest.Fixture {
	return &vaulttest.Fixture{Provider: provider(t), Spec: folderSpec(t), StateDir: t.TempDir()}
}
