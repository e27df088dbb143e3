package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestStockKopia_followsTheKit types the commands that the recovery kit prints,
// word by word, into a shell on an empty computer with the Kopia everybody can
// get, and compares what comes back.
func TestStockKopia_followsTheKit(t *testing.T) {
	t.Parallel()
	kopia := os.Getenv("KVART_TEST_KOPIA")
	if kopia == "" {
		t.Skip("KVART-SKIP kopia: KVART_TEST_KOPIA names no stock kopia; make test builds one")
	}
	s := newShop(t)
	s.vault = filepath.Join(s.root, "Eva's säkra $disk")
	want := []byte("a blue cup\n")
	s.write("shop/Bilder/Blå kopp.txt", want)
	pass := s.write("odd", []byte(`it's $HOME "quoted" \ åäö`+"\n"))
	s.must([]string{"vault", "create", "--storage", "folder", "--set", "path=" + s.vault, "--passphrase-file", pass, "--json"})
	s.must([]string{"source", "add", "folder", "--name", "Bilder", "--set", "path=" + s.pics, "--json"})
	s.must([]string{"backup", "--json"})
	kit := filepath.Join(s.root, "kit.txt")
	s.must([]string{"kit", "--text", kit, "--json"})
	text, err := os.ReadFile(kit)
	if err != nil {
		t.Fatal(err)
	}
	commands := printedCommands(string(text))
	if len(commands) != 3 {
		t.Fatalf("the kit prints %d commands: %q", len(commands), commands)
	}
	home := t.TempDir()
	if err := os.Symlink(kopia, filepath.Join(home, "kopia")); err != nil {
		t.Fatal(err)
	}
	shell := func(command string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c := exec.CommandContext(ctx, "sh", "-c", command)
		c.Dir = home
		c.Env = []string{"PATH=" + home + ":" + os.Getenv("PATH"), "HOME=" + home, "KOPIA_CHECK_FOR_UPDATES=false"}
		var errs bytes.Buffer
		c.Stderr = &errs
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, &errs)
		}
		return string(out)
	}
	shell(commands[0])
	id := regexp.MustCompile(`(?m)^\s+\S+ \S+ \S+ (k[0-9a-f]+) `).FindAllStringSubmatch(shell(commands[1]), -1)
	if len(id) == 0 {
		t.Fatalf("no backup in the list:\n%s", shell(commands[1]))
	}
	found := false
	for i, m := range id {
		to := filepath.Join(home, "back", string(rune('a'+i)))
		shell(strings.NewReplacer("ID", m[1], "FOLDER", to).Replace(commands[2]))
		if got, err := os.ReadFile(filepath.Join(to, "Blå kopp.txt")); err == nil {
			found = true
			if !bytes.Equal(got, want) {
				t.Errorf("the picture holds %q", got)
			}
		}
	}
	if !found {
		t.Error("the picture did not come back")
	}
}

// printedCommands returns the commands a kit's text prints, each as its lines.
func printedCommands(text string) (commands []string) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], "kopia ") {
			continue
		}
		command := lines[i]
		for strings.HasSuffix(lines[i], `\`) && i+1 < len(lines) {
			i++
			command += "\n" + lines[i]
		}
		commands = append(commands, command)
	}
	return commands
}
