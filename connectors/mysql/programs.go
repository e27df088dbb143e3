package mysql

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/tool"
)

// role is what a program is needed for. Its names are tried in their order:
// MariaDB's own first, then those it shares with MySQL.
type role []string

func roleDump() role   { return role{"mariadb-dump", "mysqldump"} }
func roleLoad() role   { return role{"mariadb", "mysql"} }
func roleServer() role { return role{"mariadbd", "mysqld"} }

// folders are where the vendors' and the usual packages put their programs,
// when not in PATH.
func (c *Connector) folders() []string {
	return append(append([]string(nil), c.Programs...), usualFolders(runtime.GOOS, os.Getenv)...)
}

func usualFolders(system string, env func(string) string) []string {
	switch system {
	case "windows":
		var out []string
		for _, root := range []string{env("ProgramFiles"), env("ProgramFiles(x86)"), env("ProgramW6432")} {
			if root != "" {
				out = append(out, root+`\MariaDB *\bin`, root+`\MySQL\MySQL Server *\bin`, root+`\Ampps\mysql\bin`)
			}
		}
		for _, drive := range []string{`C:`, `D:`} {
			out = append(out, drive+`\xampp\mysql\bin`, drive+`\laragon\bin\mysql\*\bin`, drive+`\laragon\bin\mariadb\*\bin`,
				drive+`\wamp64\bin\mysql\*\bin`, drive+`\wamp64\bin\mariadb\*\bin`, drive+`\wamp\bin\mysql\*\bin`, drive+`\wamp\bin\mariadb\*\bin`,
				drive+`\MAMP\bin\mysql\bin`)
		}
		return out
	case "darwin":
		return []string{
			"/opt/homebrew/bin", "/usr/local/bin", "/opt/homebrew/opt/mysql*/bin", "/opt/homebrew/opt/mariadb*/bin",
			"/usr/local/opt/mysql*/bin", "/usr/local/opt/mariadb*/bin", "/usr/local/mysql*/bin",
			"/Applications/MAMP/Library/bin", "/Applications/MAMP/Library/bin/mysql*/bin",
			"/Applications/XAMPP/xamppfiles/bin", "/Applications/XAMPP/xamppfiles/sbin",
			env("HOME") + "/Library/Application Support/Herd/config/mysql/*/bin",
		}
	}
	return []string{
		"/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/local/bin", "/usr/local/sbin", "/usr/local/mysql/bin",
		"/usr/local/mariadb/bin", "/opt/lampp/bin", "/opt/lampp/sbin", "/opt/mariadb*/bin", "/opt/mysql*/bin", "/snap/bin",
	}
}

// program finds a program for the session's server: of the same vendor, since
// the dumps of one are not always understood by the other, and not older than
// the server. The newest is taken.
func (c *Connector) program(ctx context.Context, s *session, r role) (tool.Program, error) {
	found, err := tool.Find(ctx, r, c.folders())
	if err != nil {
		return tool.Program{}, fmt.Errorf("mysql: %w", err)
	}
	return c.choose(found, s, r)
}

func (c *Connector) choose(found []tool.Program, s *session, r role) (tool.Program, error) {
	const op = "mysql: find program"
	name := r.name(s.maria)
	var old *tool.Program
	for _, p := range found {
		switch {
		case ofMaria(p) != s.maria:
		case tool.Compare(p.Version, series(s.version, s.maria)) >= 0:
			return p, nil
		case old == nil:
			old = &p
		}
	}
	hint := installHint(runtime.GOOS, s.maria, look)
	if old != nil {
		return tool.Program{}, app.Errorf(app.CodeProgramOld, op, "%s is of %s, the server of %s", old.Path, old.Version, s.banner).
			With("program", name).With("version", old.Version).With("needs", series(s.version, s.maria)).With("path", old.Path).With("hint", hint)
	}
	return tool.Program{}, app.Errorf(app.CodeProgramMissing, op, "no %s for a server of %s", name, s.banner).
		With("program", name).With("hint", hint)
}

func (r role) name(maria bool) string {
	if maria {
		return r[0]
	}
	return r[1]
}

func ofMaria(p tool.Program) bool { return strings.Contains(strings.ToLower(p.Banner), "mariadb") }

// series is the first version of those that dump each other's servers: of
// MariaDB the first two numbers count, of MySQL the first.
func series(version string, maria bool) string {
	parts := strings.SplitN(version, ".", 3)
	if maria && len(parts) > 1 {
		return parts[0] + "." + parts[1]
	}
	return parts[0]
}

func look(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// installHint returns the one command that installs the programs here; for
// Windows, where there is none that is always there, winget's.
func installHint(system string, maria bool, has func(string) bool) string {
	pick := func(mariadb, mysql string) string {
		if maria {
			return mariadb
		}
		return mysql
	}
	switch system {
	case "windows":
		return pick("winget install MariaDB.Server", "winget install Oracle.MySQL")
	case "darwin":
		return pick("brew install mariadb", "brew install mysql-client")
	}
	for _, m := range []struct{ program, command, mariadb, mysql string }{
		{"apt-get", "sudo apt-get install ", "mariadb-client", "mysql-client"},
		{"dnf", "sudo dnf install ", "mariadb", "mysql"},
		{"zypper", "sudo zypper install ", "mariadb-client", "mysql-community-server-client"},
		{"pacman", "sudo pacman -S ", "mariadb-clients", "mysql-clients"},
		{"apk", "sudo apk add ", "mariadb-client", "mysql-client"},
	} {
		if has(m.program) {
			return m.command + pick(m.mariadb, m.mysql)
		}
	}
	return pick("https://mariadb.org/download", "https://dev.mysql.com/downloads")
}

// command returns a command for one of the client programs, told by an option
// file how to reach the server. remove takes the file away.
func (s *session) command(p tool.Program, dir string, ignore []string, args ...string) (cmd *exec.Cmd, remove func() error, err error) {
	file, remove, err := s.options(dir, ignore)
	if err != nil {
		return nil, nil, err
	}
	// --defaults-file and not --defaults-extra-file: an option of the owner's
	// own, such as "where" or "compact", would make it another dump.
	cmd = tool.Command(p.Path, append([]string{"--defaults-file=" + file}, args...)...)
	// MySQL's would else prefer what mysql_config_editor has kept.
	cmd.Env = append(cmd.Env, "MYSQL_TEST_LOGIN_FILE="+filepath.Join(filepath.Dir(file), "none"))
	return cmd, remove, nil
}
