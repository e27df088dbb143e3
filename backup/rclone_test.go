package backup_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// rcloneConfig writes settings of rclone's with a remote of this computer's own
// folders, "here", and skips without the program.
func rcloneConfig(t *testing.T, more ...string) string {
	t.Helper()
	if _, err := exec.LookPath("rclone"); err != nil {
		t.Skip("KVART-SKIP rclone: not installed")
	}
	name := filepath.Join(t.TempDir(), "rclone.conf")
	if err := os.WriteFile(name, []byte("[here]\ntype = local\n"+strings.Join(more, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func rcloneSpec(config, remote string) app.StorageSpec {
	return app.StorageSpec{Kind: "rclone", Settings: map[string]string{"remote": remote, "config": config}}
}

func TestProvider_ConformanceOverRclone(t *testing.T) {
	t.Parallel()
	if os.Getenv("KVART_TEST_RCLONE") == "" {
		t.Skip("KVART-SKIP rclone: KVART_TEST_RCLONE is not set; the lap below does without")
	}
	config := rcloneConfig(t)
	vaulttest.Run(t, provider, func(t *testing.T) app.StorageSpec { return rcloneSpec(config, "here:"+serverDir(t)) })
}

func TestVault_RcloneLap(t *testing.T) {
	t.Parallel()
	lap(t, rcloneSpec(rcloneConfig(t), "here:"+serverDir(t)))
}

// fakeRclone is a program that only prints something.
func fakeRclone(t *testing.T, text string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("KVART-SKIP windows: needs a shell")
	}
	name := filepath.Join(t.TempDir(), "rclone")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestProvider_RcloneRefuses(t *testing.T) {
	t.Parallel()
	nobody := httptest.NewServer(nil)
	nobody.Close()
	dav := httptest.NewServer(newDAV(t))
	t.Cleanup(dav.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fil"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	config := rcloneConfig(t,
		"[off]", "type = webdav", "url = "+nobody.URL,
		"[shut]", "type = webdav", "url = "+dav.URL+"/dav", "user = shop")
	script := func(text string) string { return fakeRclone(t, text) }
	with := func(remote string, kv ...string) app.StorageSpec {
		spec := rcloneSpec(config, remote)
		for i := 0; i < len(kv); i += 2 {
			spec.Settings[kv[i]] = kv[i+1]
		}
		return spec
	}
	tests := []struct {
		name string
		spec app.StorageSpec
		want app.Code
		args string
	}{
		{"no program", with("here:"+dir, "program", filepath.Join(dir, "nope")), app.CodeProgramMissing, "program=rclone"},
		{"another program", with("here:"+dir, "program", script("echo hej")), app.CodeProgramMissing, "program=rclone"},
		{"an old program", with("here:"+dir, "program", script("echo rclone v1.52.3")), app.CodeProgramOld, "version=1.52.3 needs=1.53"},
		{"no remote", with(dir), app.CodeUsage, "field=remote"},
		{"an option", with("--config:x"), app.CodeUsage, "field=remote"},
		{"a remote nobody knows", with("nope:x"), app.CodeUsage, "field=remote"},
		{"no settings", with("here:"+dir, "config", filepath.Join(dir, "nope.conf")), app.CodeUsage, "field=remote"},
		{"no folder", with("here:" + dir + "/saknas"), app.CodeStorageGone, "where=here:" + dir + "/saknas"},
		{"a file", with("here:" + dir + "/fil"), app.CodeUsage, "field=remote"},
		{"nobody there", with("off:x"), app.CodeStorageOffline, "where=off:x"},
		{"wrong password", with("shut:"), app.CodeStorageDenied, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := wantSoon(t, tt.spec, tt.want, 15*time.Second)
			for _, arg := range strings.Fields(tt.args) {
				key, value, _ := strings.Cut(arg, "=")
				if got := e.Args[key]; got != value {
					t.Errorf("%s is %q, want %q", key, got, value)
				}
			}
		})
	}
}

func TestProvider_RcloneMakesTheLastFolderOnly(t *testing.T) {
	t.Parallel()
	config, dir := rcloneConfig(t), t.TempDir()
	f := &vaulttest.Fixture{Provider: provider(t), Spec: rcloneSpec(config, "here:"+dir+"/a/b"), StateDir: t.TempDir()}
	_, err := f.Provider.Create(t.Context(), f.Setup())
	wantCode(t, err, app.CodeStorageGone)
	f.Spec = rcloneSpec(config, "here:"+dir+"/a")
	_, err = f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeStorageGone)
	if _, err := os.Stat(filepath.Join(dir, "a")); !os.IsNotExist(err) {
		t.Errorf("opening made a folder: %v", err)
	}
	f.Create(t)
}

// rcloneChildren returns the programs that serve a remote.
func rcloneChildren(t *testing.T, remote string) []*os.Process {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("KVART-SKIP linux: looks into /proc")
	}
	var found []*os.Process
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lines {
		b, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(b), remote) || !strings.Contains(string(b), "serve") {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(name, "/proc/%d/", &pid); err != nil {
			t.Fatal(err)
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, p)
	}
	return found
}

// The program runs for as long as the vault is open, and is started again when
// it was killed.
func TestVault_RcloneComesAndGoes(t *testing.T) {
	t.Parallel()
	config, dir := rcloneConfig(t), serverDir(t)
	f := &vaulttest.Fixture{Provider: provider(t), Spec: rcloneSpec(config, "here:"+dir), StateDir: t.TempDir()}
	v := f.Create(t)
	first := vaulttest.File("a", []byte("1"))
	id := vaulttest.Save(t, v, vaulttest.Request("s", first)).Point.ID
	children := rcloneChildren(t, dir)
	if len(children) != 1 {
		t.Fatalf("%d programs run", len(children))
	}
	it := vaulttest.File("b", vaulttest.Noise(1<<20, 1))
	open := it.Open
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		if err := children[0].Kill(); err != nil {
			return nil, err
		}
		return open(ctx)
	}
	res := vaulttest.Save(t, v, vaulttest.Request("s", it))
	it.Open = open
	vaulttest.Compare(t, v, res.Point.ID, it)
	vaulttest.Compare(t, v, id, first)
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if left := rcloneChildren(t, dir); len(left) != 0 {
		t.Errorf("%d programs still run", len(left))
	}
	if _, err := f.Provider.Probe(t.Context(), f.Spec); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Provider.Open(ctx, f.Setup())
	wantCode(t, err, app.CodeCanceled)
	if left := rcloneChildren(t, dir); len(left) != 0 {
		t.Errorf("%d programs run after a probe and a canceled opening", len(left))
	}
}

// What the remote itself refuses is known only from the program's words.
func TestVault_RcloneRemoteIsFull(t *testing.T) {
	t.Parallel()
	s := newDAV(t)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	pass, err := exec.CommandContext(t.Context(), "rclone", "obscure", sftpPassword).Output()
	if err != nil {
		t.Skipf("KVART-SKIP rclone: %v", err)
	}
	config := rcloneConfig(t, "[moln]", "type = webdav", "url = "+srv.URL+"/dav", "user = shop", "pass = "+string(pass))
	f := &vaulttest.Fixture{Provider: provider(t), Spec: rcloneSpec(config, "moln:butik"), StateDir: t.TempDir()}
	v := f.Create(t)
	first := vaulttest.File("a", []byte("1"))
	id := vaulttest.Save(t, v, vaulttest.Request("s", first)).Point.ID
	it := vaulttest.File("b", vaulttest.Noise(1<<20, 1))
	it.Optional = true
	s.left.Store(100)
	wantCode(t, save(t, v, it), app.CodeStorageFull)
	s.left.Store(-1)
	open := it.Open
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		s.answer.Store(http.StatusInternalServerError)
		return open(ctx)
	}
	wantCode(t, save(t, v, it), app.CodeStorageOffline)
	s.answer.Store(0)
	it.Open = open
	vaulttest.Compare(t, v, id, first)
	if err := save(t, v, it); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
