package nearby

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mostConfig is how much of a configuration file is read.
const mostConfig = 256 << 10

// endpoints are where a configuration says that a server listens.
type endpoints struct {
	ports   []int
	sockets []string
}

// configured reads the ports and sockets from the option files of MySQL and
// MariaDB that match patterns. Nothing else in them is looked at.
func configured(patterns []string) (found endpoints) {
	for _, file := range existing(patterns) {
		for key, values := range options(readSome(file)) {
			for _, v := range values {
				if n, err := strconv.ParseUint(v, 10, 16); key == "port" && err == nil && n != 0 {
					found.ports = append(found.ports, int(n))
				}
				if key == "socket" && filepath.IsAbs(v) {
					found.sockets = append(found.sockets, v)
				}
			}
		}
	}
	return found
}

// options reads the ports and sockets of an option file, of whatever section.
func options(text []byte) map[string][]string {
	out := map[string][]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		key, v, ok := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if !ok || key != "port" && key != "socket" {
			continue
		}
		v, _, _ = strings.Cut(v, "#")
		out[key] = append(out[key], strings.Trim(strings.TrimSpace(v), `"'`))
	}
	return out
}

// postgresConf reads the port from a postgresql.conf, 0 when it says none.
func postgresConf(file string) int {
	for _, v := range options(readSome(file))["port"] {
		if n, err := strconv.ParseUint(v, 10, 16); err == nil {
			return int(n)
		}
	}
	return 0
}

// optionOf returns the value of an option in a service's command line.
func optionOf(line, option string) string {
	_, rest, ok := strings.Cut(line, option)
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " ")
	if quoted, ok := strings.CutPrefix(rest, `"`); ok {
		value, _, _ := strings.Cut(quoted, `"`)
		return value
	}
	if before, _, ok := strings.Cut(rest, `" `); ok {
		return before // the option as a whole was quoted
	}
	value, _, _ := strings.Cut(rest, " ")
	return strings.TrimSuffix(value, `"`)
}

// readSome reads the beginning of a file, nothing when it can't be read or is
// no file: a pipe by such a name would be waited for.
func readSome(file string) []byte {
	fi, err := os.Stat(file)
	if err != nil || !fi.Mode().IsRegular() {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(f, mostConfig))
	if f.Close() != nil || err != nil {
		return nil
	}
	return text
}

func usualConfigs(system, home string) []string {
	switch system {
	case "windows":
		var out []string
		for _, root := range []string{os.Getenv("ProgramData") + `\MySQL\MySQL Server *`, os.Getenv("ProgramFiles") + `\MariaDB *\data`} {
			out = append(out, root+`\my.ini`)
		}
		for _, drive := range []string{`C:`, `D:`} {
			out = append(out, drive+`\xampp\mysql\bin\my.ini`, drive+`\laragon\bin\mysql\*\my.ini`, drive+`\wamp64\bin\mysql\*\my.ini`,
				drive+`\wamp64\bin\mariadb\*\my.ini`, drive+`\MAMP\conf\mysql\my.ini`)
		}
		return out
	case "darwin":
		return []string{
			"/etc/my.cnf", "/opt/homebrew/etc/my.cnf", "/usr/local/etc/my.cnf", "/Applications/XAMPP/xamppfiles/etc/my.cnf",
			"/Applications/MAMP/conf/my.cnf", filepath.Join(home, ".my.cnf"),
		}
	}
	return []string{
		"/etc/my.cnf", "/etc/my.cnf.d/*.cnf", "/etc/mysql/my.cnf", "/etc/mysql/conf.d/*.cnf", "/etc/mysql/mysql.conf.d/*.cnf",
		"/etc/mysql/mariadb.conf.d/*.cnf", "/opt/lampp/etc/my.cnf", filepath.Join(home, ".my.cnf"),
	}
}
