package postgres

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/tool"
)

const dumpProgram = "pg_dump"

// programFolders are where installers put the programs, beside PATH: a guard
// that the system starts has a PATH with little in it.
func programFolders() []string {
	switch runtime.GOOS {
	case "windows":
		var dirs []string
		for _, env := range []string{"ProgramFiles", "ProgramW6432", "ProgramFiles(x86)"} {
			if root := os.Getenv(env); root != "" {
				dirs = append(dirs, filepath.Join(root, "PostgreSQL", "*", "bin"))
			}
		}
		return dirs
	case "darwin":
		return []string{
			"/opt/homebrew/opt/postgresql@*/bin", "/opt/homebrew/opt/libpq/bin", "/opt/homebrew/bin",
			"/usr/local/opt/postgresql@*/bin", "/usr/local/opt/libpq/bin", "/usr/local/bin",
			"/Applications/Postgres.app/Contents/Versions/*/bin", "/Library/PostgreSQL/*/bin", "/opt/local/lib/postgresql*/bin",
		}
	}
	return []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/lib/postgresql*/bin", "/opt/postgresql*/bin", "/usr/local/bin"}
}

// find returns the installed programs of one name, the newest first.
func (c *Connector) find(ctx context.Context, name string) ([]tool.Program, error) {
	folders := c.Folders
	if folders == nil {
		folders = programFolders()
	}
	all, err := tool.Find(ctx, []string{name}, folders)
	if err != nil {
		return nil, err
	}
	found := all[:0]
	for _, p := range all {
		// Debian's wrapper chooses among the programs by the arguments; they
		// are in the list themselves.
		if real, err := filepath.EvalSymlinks(p.Path); err == nil && filepath.Base(real) != "pg_wrapper" {
			found = append(found, p)
		}
	}
	return found, nil
}

// program returns the pg_dump for the server of a link, which must be able to
// make as sure of the server as we do ourselves.
func (l *link) program(ctx context.Context, server string) (tool.Program, error) {
	p, err := l.c.program(ctx, server)
	if err == nil && l.tls == tlsVerify && l.ca == "" && majorOf(p.Version) < 16 && l.socket == "" {
		err = app.Errorf(app.CodeUsage, "postgres: find pg_dump", "%s %s needs the authority's certificate in a file", p.Path, p.Version).With("field", fieldCA)
	}
	return p, err
}

// program returns the pg_dump for a server: the server's own version where it
// is installed, since a newer one may write what this server does not read
// back, else the newest, which must not be older than the server.
func (c *Connector) program(ctx context.Context, server string) (tool.Program, error) {
	const op = "postgres: find pg_dump"
	found, err := c.find(ctx, dumpProgram)
	if err != nil {
		return tool.Program{}, app.Errorf(app.CodeCanceled, op, "%w", err)
	}
	return choose(found, server)
}

func choose(found []tool.Program, server string) (tool.Program, error) {
	const op = "postgres: find pg_dump"
	want := majorOf(server)
	if len(found) == 0 {
		return tool.Program{}, app.Errorf(app.CodeProgramMissing, op, "no %s found", dumpProgram).
			With("program", dumpProgram).With("hint", installHint(want))
	}
	for _, p := range found {
		if majorOf(p.Version) == want {
			return p, nil
		}
	}
	newest := found[0]
	if majorOf(newest.Version) < want {
		return tool.Program{}, app.Errorf(app.CodeProgramOld, op, "%s is %s, the server %s", newest.Path, newest.Version, server).
			With("program", dumpProgram).With("version", newest.Version).With("needs", strconv.Itoa(want)).With("hint", installHint(want))
	}
	return newest, nil
}

// majorOf returns the first number of a version.
func majorOf(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}

// installHint is the one command that installs the programs on this system.
func installHint(major int) string {
	switch runtime.GOOS {
	case "windows":
		return fmt.Sprintf("winget install PostgreSQL.PostgreSQL.%d", major)
	case "darwin":
		return fmt.Sprintf("brew install postgresql@%d", major)
	}
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		release = nil // then the commonest family it is
	}
	return linuxHint(release, major)
}

func linuxHint(release []byte, major int) string {
	var ids string
	for line := range bytes.Lines(release) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		if key == "ID" || key == "ID_LIKE" {
			ids += " " + strings.Trim(value, `"`)
		}
	}
	switch {
	case strings.Contains(ids, "fedora"), strings.Contains(ids, "rhel"):
		return "sudo dnf install postgresql"
	case strings.Contains(ids, "suse"):
		return fmt.Sprintf("sudo zypper install postgresql%d", major)
	case strings.Contains(ids, "arch"):
		return "sudo pacman -S postgresql"
	case strings.Contains(ids, "alpine"):
		return fmt.Sprintf("sudo apk add postgresql%d-client", major)
	}
	return fmt.Sprintf("sudo apt install postgresql-client-%d", major)
}
