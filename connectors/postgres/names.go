package postgres

import (
	"crypto/sha256"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Files of a point.
const (
	fileInfo      = "database.json"
	fileRoles     = "00-roles.sql"
	fileSchema    = "10-schema.sql"
	dirData       = "20-data"
	fileSequences = "30-sequences.sql"
	fileObjects   = "40-large-objects.sql"
	fileAfter     = "90-after.sql"
	fileDatabase  = "95-database.sql"
)

// maxFileName is what every file system takes, with room to spare.
const maxFileName = 200

// display returns a name of the server as text: bytes that are none in UTF-8,
// of a database in another encoding, are written as %XX.
func display(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, "%%%02X", name[i])
		} else {
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	return b.String()
}

// fullName names a table for the owner: without the schema everything is in by
// default.
func fullName(schema, name string) string {
	if schema == "public" {
		return display(name)
	}
	return display(schema) + "." + display(name)
}

// fileName returns a name as part of a file's, on any system: what some file
// system does not take, or takes for something else, is written as %XX.
func fileName(name string) string {
	name = display(name)
	whole := norm.NFC.IsNormalString(name) // else two names may be one on a Mac
	var b strings.Builder
	for _, r := range name {
		switch {
		case r < utf8.RuneSelf && (r == '_' || r == '-' || r == ' ' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)),
			r >= utf8.RuneSelf && whole && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		default:
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
	}
	s := b.String()
	if strings.HasSuffix(s, " ") {
		s = strings.TrimSuffix(s, " ") + "%20"
	}
	return s
}

// namer gives every table a file of its own, also where the file system knows
// no upper and lower case. Asked in the same order it gives the same names.
type namer map[string]bool

func (n namer) file(schema, name string) string {
	base := fileName(name)
	if reserved(base) {
		base = "%" + fmt.Sprintf("%02X", base[0]) + base[1:]
	}
	if schema != "public" {
		base += "@" + fileName(schema)
	}
	if len(base) > maxFileName {
		base = strings.ToValidUTF8(base[:maxFileName], "")
	}
	try := base
	for i := 2; n[strings.ToLower(try)]; i++ {
		try = fmt.Sprintf("%s~%d", base, i)
	}
	n[strings.ToLower(try)] = true
	return path.Join(dirData, try+".sql")
}

// reserved reports whether Windows takes a name for a device.
func reserved(name string) bool {
	switch n := strings.ToUpper(name); n {
	case "CON", "PRN", "AUX", "NUL":
		return true
	default:
		return len(n) == 4 && (strings.HasPrefix(n, "COM") || strings.HasPrefix(n, "LPT")) && n[3] >= '0' && n[3] <= '9'
	}
}

// beside returns the name of a database that belongs to a restore of name. It
// is never longer than the server takes, which would cut it.
func beside(name, suffix string) string {
	const longest = 63
	if len(name)+len(suffix) <= longest {
		return name + suffix
	}
	sum := fmt.Sprintf("_%.4x", sha256.Sum256([]byte(name)))
	return strings.ToValidUTF8(name[:longest-len(suffix)-len(sum)], "") + sum + suffix
}
