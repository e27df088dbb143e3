package webhotel

import (
	"errors"
	"net"
	"strings"

	"kvart/app"
)

// Kinds of sites that are known by their files.
const (
	siteWordPress  = "wordpress"
	sitePrestaShop = "prestashop"
)

// login opens a database.
type login struct {
	site               string
	name, user, prefix string
	password           app.Secret
	host, port, socket string
}

// siteFile is where a program keeps its database's log-in.
type siteFile struct {
	path string
	site string
	keys [6]string // name, user, password, host, port, prefix
}

// siteFiles are looked for in this order. WordPress also takes its
// configuration from the folder above.
func siteFiles() []siteFile {
	wp := [6]string{"DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "", "$table_prefix"}
	return []siteFile{
		{"wp-config.php", siteWordPress, wp},
		{"app/config/parameters.php", sitePrestaShop, [6]string{"database_name", "database_user", "database_password", "database_host", "database_port", "database_prefix"}},
		{"config/settings.inc.php", sitePrestaShop, [6]string{"_DB_NAME_", "_DB_USER_", "_DB_PASSWD_", "_DB_SERVER_", "", "_DB_PREFIX_"}},
		{"../wp-config.php", siteWordPress, wp},
	}
}

// errNoSite is a folder in which no program's configuration lies.
var errNoSite = errors.New("no configuration of WordPress or PrestaShop")

// mostConfig bounds what is read of a configuration.
const mostConfig = 1 << 20

// findLogin reads the configuration of the program that lies in a folder. read
// returns an error for which missing is true where there is no such file.
func findLogin(read func(path string) ([]byte, error), missing func(error) bool) (login, error) {
	for _, f := range siteFiles() {
		text, err := read(f.path)
		if err != nil && missing(err) {
			continue
		}
		if err != nil {
			return login{}, err
		}
		found, ok := f.read(string(text))
		if ok {
			return found, nil
		}
		return login{site: f.site}, app.Errorf(app.CodeUsage, "webhotel: read configuration", "%s doesn't say which database in so many words", f.path).
			With("field", fieldDBName)
	}
	return login{}, errNoSite
}

func (f siteFile) read(text string) (l login, ok bool) {
	values := phpValues(text)
	name, user, password := values[f.keys[0]], values[f.keys[1]], values[f.keys[2]]
	l = login{site: f.site, name: name, user: user, password: app.NewSecret(password), port: values[f.keys[4]], prefix: values[f.keys[5]]}
	_, hasPassword := values[f.keys[2]]
	l.setHost(values[f.keys[3]])
	return l, name != "" && user != "" && hasPassword
}

// setHost reads a host as PHP programs write it: "localhost", "db:3307",
// "localhost:/run/mysqld/mysqld.sock", "[::1]:3306".
func (l *login) setHost(host string) {
	switch before, after, _ := strings.Cut(host, ":"); {
	case strings.HasPrefix(after, "/"):
		l.host, l.socket = before, after
	case strings.HasPrefix(host, "["), strings.Count(host, ":") == 1:
		if h, p, err := net.SplitHostPort(host); err == nil {
			l.host, l.port = h, p
			break
		}
		l.host = strings.Trim(host, "[]:")
	default:
		l.host = host
	}
	if l.host == "" {
		l.host = "localhost"
	}
}

// phpValues finds "define('KEY', 'value')", "'key' => 'value'" and
// "$key = 'value'" in a PHP text. Only what stands there in so many words is
// found; what a program would compute is not. The first value of a key counts,
// as it does for define.
func phpValues(text string) map[string]string {
	tokens := phpTokens(text)
	values := map[string]string{}
	for i := range tokens {
		key, value, end := phpPair(tokens[i:])
		if _, ok := values[key]; ok || key == "" {
			continue
		}
		if value.literal && !end.literal && end.text != "" && strings.Contains(",);]", end.text) {
			values[key] = value.text
		}
	}
	return values
}

// phpPair returns what is given a value at the beginning of the tokens, the
// value, and what comes after it.
func phpPair(tokens []phpToken) (key string, value, end phpToken) {
	var t [6]phpToken
	copy(t[:], tokens)
	switch {
	case !t[0].literal && strings.EqualFold(t[0].text, "define") && t[1].text == "(" && t[2].literal && t[3].text == ",":
		return t[2].text, t[4], t[5]
	case t[0].literal && t[1].text == "=>",
		!t[0].literal && strings.HasPrefix(t[0].text, "$") && t[1].text == "=":
		return t[0].text, t[2], t[3]
	}
	return "", value, end
}

// phpToken is a word, a sign or a text in quotes.
type phpToken struct {
	text    string
	literal bool
}

func phpTokens(s string) (tokens []phpToken) {
	for len(s) > 0 {
		switch {
		case strings.HasPrefix(s, "/*"):
			_, s, _ = strings.Cut(s[2:], "*/")
		case strings.HasPrefix(s, "//"), s[0] == '#' && !strings.HasPrefix(s, "#["):
			_, s, _ = strings.Cut(s, "\n")
		case s[0] == '\'' || s[0] == '"':
			var t phpToken
			t, s = phpString(s)
			tokens = append(tokens, t)
		case strings.HasPrefix(s, "=>"):
			tokens, s = append(tokens, phpToken{text: "=>"}), s[2:]
		case isWord(s[0]):
			end := 1
			for end < len(s) && isWord(s[end]) {
				end++
			}
			tokens, s = append(tokens, phpWord(s[:end])), s[end:]
		case s[0] <= ' ':
			s = s[1:]
		default:
			tokens, s = append(tokens, phpToken{text: s[:1]}), s[1:]
		}
	}
	return tokens
}

func isWord(c byte) bool {
	return c == '$' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// phpWord takes numbers and nothing for literals: a port may be either.
func phpWord(w string) phpToken {
	if strings.EqualFold(w, "null") {
		return phpToken{literal: true}
	}
	return phpToken{text: w, literal: strings.Trim(w, "0123456789") == ""}
}

// phpString reads a text in quotes. In double quotes a $ stands for something
// that is computed.
func phpString(s string) (t phpToken, rest string) {
	quote := s[0]
	t.literal = true
	var b strings.Builder
	i := 1
	for ; i < len(s) && s[i] != quote; i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && (s[i+1] == quote || s[i+1] == '\\' || quote == '"' && s[i+1] == '$'):
			i++
			b.WriteByte(s[i])
		case quote == '"' && (c == '$' || c == '\\'):
			t.literal = false
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	t.text = b.String()
	return t, s[min(i+1, len(s)):]
}
