package ipc

import (
	"os"
	"path/filepath"
	"testing"
)

func TestProgram(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	bundle := filepath.Join(root, "Kvart.app", "Contents", "MacOS")
	helper := filepath.Join(root, "Kvart.app", "Contents", "Helpers", "KvartAgent.app", "Contents", "MacOS")
	bin := filepath.Join(root, "bin")
	for _, path := range []string{filepath.Join(bundle, "kvart"), filepath.Join(helper, "kvart-agent")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ system, exe, name, want string }{
		{"linux", filepath.Join(bin, "kvart"), GuardProgram, filepath.Join(bin, "kvart-agent")},
		{"windows", filepath.Join(bin, "kvart-agent.exe"), WindowProgram, filepath.Join(bin, "kvart.exe")},
		{"darwin", filepath.Join(bin, "kvart"), GuardProgram, filepath.Join(bin, "kvart-agent")},
		{"darwin", filepath.Join(bin, "kvart-agent"), WindowProgram, filepath.Join(bin, "kvart")},
		{"darwin", filepath.Join(bundle, "kvart"), GuardProgram, filepath.Join(helper, "kvart-agent")},
		{"darwin", filepath.Join(helper, "kvart-agent"), WindowProgram, filepath.Join(bundle, "kvart")},
	} {
		if got := program(tt.system, tt.exe, tt.name); got != tt.want {
			t.Errorf("%s: %s beside %s is %s, want %s", tt.system, tt.name, tt.exe, got, tt.want)
		}
	}
}
