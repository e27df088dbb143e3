package app

import (
	"net/url"
	"regexp"
	"strings"
)

// What secrets look like where no secrets belong. Each is written for what is
// pasted out of a host's pages: one too many costs some typing, one too few lies
// in a file in the clear.
var (
	// "postgres://asa:word@host", whatever is in the word.
	passwordInAddress = regexp.MustCompile(`//[^/?#]*:.*@`)
	// "https://token@host": web addresses have no user who is not a secret.
	userInWebAddress = regexp.MustCompile(`(?i)\b(?:https?|wss?|webdavs?|davs?)://[^/?#@]+@`)
	// "asa:word@tcp(host:3306)/shop", "asa:word@host".
	passwordInDSN = regexp.MustCompile(`(?:^|[\s=,;"'(])[^\s:/@=,;"']+:/?[^/\s@][^\s@]*@[\w(\[]`)
	// "asa/word@//host", as Oracle's tools have it.
	passwordInOracle = regexp.MustCompile(`^[^\s:/@]+/[^\s/@]+@/?/?[\w.-]+`)
	// "Password=word;", "?token=word", "secret_access_key: word".
	namedSecret = regexp.MustCompile(`(?i)(?:^|[^a-z])[\w.-]*(?:pass(?:word|wd|phrase|wort)?|pwd|l(?:\x{f6}|o)senord|secret|token|credential|signature|` +
		`(?:api|access|account|private|consumer|shared|master|auth|license)[ _.-]?(?:access[ _.-]?)?key)\w*["']?\s*[=:]\s*["']?[^\s;&,"']`)
	// "?key=word", "&sig=word": short names count in the query of an address only.
	shortNamedSecret = regexp.MustCompile(`(?i)[?&;#](?:key|sig|auth|code|sas|jwt|pw|pat|sessionid|sid|hmac|session)=[^\s&]`)
	// "Authorization: Bearer word".
	bearer = regexp.MustCompile(`(?i)\b(?:bearer|basic)\s+[\w+/=.~-]{8,}`)
	// Keys that say themselves what they are.
	knownKey = regexp.MustCompile(`\b(?:(?:shp(?:at|ca|pa|ss)|[sr]k_live|[sr]k_test|c[ks]|gh[pousr]|github_pat|whsec|dop_v1|kvart_kit)_\w{16,}|xox[abeprs]-[\w-]{10,}|` +
		`(?:AKIA|ASIA)[A-Z0-9]{16}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)|-----BEGIN [A-Z ]*PRIVATE KEY|PuTTY-User-Key-File`)
)

// HoldsSecret reports whether a text looks as if a password, a key or a token
// were in it: an address with a user's, a database's connection string, the
// query of an address, or a key of a well-known make.
func HoldsSecret(v string) bool {
	if looksSecret(v) {
		return true
	}
	plain, err := url.QueryUnescape(v)
	return err == nil && plain != v && looksSecret(plain)
}

func looksSecret(v string) bool {
	for _, like := range []*regexp.Regexp{passwordInAddress, userInWebAddress, namedSecret, shortNamedSecret, bearer, knownKey} {
		if like.MatchString(v) {
			return true
		}
	}
	if isPath(v) {
		return false // "C:\\Users\\asa@butik", "/srv/asa@butik"
	}
	return passwordInDSN.MatchString(v) || passwordInOracle.MatchString(v)
}

// isPath reports whether a text is an absolute path, of whichever system.
func isPath(v string) bool {
	drive := len(v) > 2 && v[1] == ':' && (v[2] == '\\' || v[2] == '/')
	return drive || strings.HasPrefix(v, "/") || strings.HasPrefix(v, `\\`)
}

// CheckPlain returns a [CodeUsage] error when a text among new settings looks as
// if a secret were in it, which would lie in a file in the clear. The error's
// arg "field" says which; it does not repeat the value. Settings that are in use
// already are not asked about: a vault opens however it was set up.
func (k KindSpec) CheckPlain(settings map[string]string) error {
	for key, v := range settings {
		if f, ok := k.Field(key); ok && f.Type == FieldText && HoldsSecret(v) {
			return Errorf(CodeUsage, "check settings", "what was entered as %q holds a secret, which has a field of its own", key).With("field", key)
		}
	}
	return nil
}

// unlessSecret returns a text, or nothing where a secret seems to be in it.
func unlessSecret(v string) string {
	if HoldsSecret(v) {
		return ""
	}
	return v
}
