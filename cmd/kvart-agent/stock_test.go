package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestStockKopia_restoresWhatKvartStored opens a vault with the Kopia that
// everybody can get, knowing only the folder and the passphrase, and restores
// database and pictures byte for byte. KVART_TEST_KOPIA names that program.
func TestStockKopia_restoresWhatKvartStored(t *testing.T) {
	t.Parallel()
	kopia := os.Getenv("KVART_TEST_KOPIA")
	if kopia == "" {
		t.Skip("KVART-SKIP kopia: KVART_TEST_KOPIA names no stock kopia; make test builds one")
	}
	dir := t.TempDir()
	shop, vault, data, pass := filepath.Join(dir, "shop"), filepath.Join(dir, "vault"), filepath.Join(dir, "data"), filepath.Join(dir, "pass")
	if err := os.MkdirAll(filepath.Join(shop, "Bilder"), 0o700); err != nil {
		t.Fatal(err)
	}
	till := filepath.Join(shop, "kassa.db")
	for _, q := range []string{
		`CREATE TABLE kvitto (id INTEGER PRIMARY KEY, vara TEXT)`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 50000) INSERT INTO kvitto (vara) SELECT hex(randomblob(20)) || 'åäö' FROM n`,
	} {
		if _, err := query(t.Context(), till, q); err != nil {
			t.Fatal(err)
		}
	}
	picture := bytes.Repeat([]byte("kaffe "), 100_000)
	if err := os.WriteFile(filepath.Join(shop, "Bilder", "Blå kopp.jpg"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
	const passphrase = "mycket hemlig lösenfras"
	if err := os.WriteFile(pass, []byte(passphrase), 0o600); err != nil {
		t.Fatal(err)
	}
	t0 := time.Now()
	for _, args := range [][]string{
		{"vault", "create", "--storage", "folder", "--set", "path=" + vault, "--passphrase-file", pass},
		{"source", "add", "sqlite", "--name", "Kassan", "--set", "path=" + till},
		{"source", "add", "folder", "--name", "Bilder", "--set", "path=" + filepath.Join(shop, "Bilder")},
		{"backup"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), append(args, "--data", data, "--json"), stdio{nil, &out, &errs}); code != exitDone {
			t.Fatalf("%v: %d\n%s%s", args, code, out.String(), errs.String())
		}
	}
	t.Logf("backed up in %s", time.Since(t0))
	stock := func(args ...string) []byte {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, kopia, append(args, "--config-file", filepath.Join(dir, "kopia.config"))...)
		cmd.Env = append(os.Environ(), "KOPIA_PASSWORD="+passphrase, "KOPIA_CHECK_FOR_UPDATES=false",
			"KOPIA_CACHE_DIRECTORY="+filepath.Join(dir, "cache"), "KOPIA_LOG_DIR="+filepath.Join(dir, "log"))
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("kopia %v: %v\n%s", args, err, errs.String())
		}
		return out
	}
	stock("repository", "connect", "filesystem", "--path", vault)
	var list []struct {
		ID     string
		Source struct{ Path string }
	}
	if err := json.Unmarshal(stock("snapshot", "list", "--all", "--json"), &list); err != nil {
		t.Fatal(err)
	}
	restored := map[string]string{}
	for _, s := range list {
		to := filepath.Join(dir, "restored", s.ID)
		stock("snapshot", "restore", s.ID, to)
		restored[s.Source.Path] = to
	}
	stock("snapshot", "verify", "--verify-files-percent", "100")
	for source, files := range map[string][2]string{
		"/kassan": {till, "kassa.db"},
		"/bilder": {filepath.Join(shop, "Bilder", "Blå kopp.jpg"), "Blå kopp.jpg"},
	} {
		want, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(restored[source], files[1]))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs: %d bytes, want %d", source, len(got), len(want))
		}
	}
}
