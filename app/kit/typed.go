package kit

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"kvart/app"
)

// Names of the lines for people that are not of a storage's fields.
const (
	lineNumber      = "kit"
	lineMade        = "made"
	lineShop        = "shop"
	lineVault       = "vault"
	lineKind        = "kind"
	linePassphrase  = "passphrase"
	lineFingerprint = "fingerprint"
)

// typedLine is one line for people and those that go on with it.
type typedLine struct {
	kind, name string
	secret     bool
	value      []string
}

// readTyped reads the lines for people. It reports whether there was at least
// a passphrase and its fingerprint.
func readTyped(text string) (app.Kit, bool, error) {
	var k app.Kit
	var passphrase, want string
	for _, l := range typedLines(text) {
		joined := strings.Join(l.value, "\n")
		exact := readExact(joined)
		if l.kind != "" {
			if k.Storage.Kind != "" && k.Storage.Kind != app.Kind(l.kind) {
				return app.Kit{}, true, app.Errorf(app.CodeKitUnreadable, "read kit", "fields of two storages are in it")
			}
			k.Storage.Kind = app.Kind(l.kind)
			key := keySetting
			if l.secret {
				key = keySecret
			}
			setNamed(&k, key+l.name, exact)
			continue
		}
		switch l.name {
		case linePassphrase:
			passphrase = joined
		case lineFingerprint:
			want = strings.ToLower(exact)
		default:
			setTyped(&k, l.name, exact)
		}
	}
	if passphrase == "" || want == "" || k.Storage.Kind == "" || len(k.Storage.Settings) == 0 {
		return app.Kit{}, passphrase != "" && want != "", app.Errorf(app.CodeKitUnreadable, "read kit", "storage, passphrase or fingerprint is missing")
	}
	var ok bool
	if k.Passphrase, ok = typedPassphrase(passphrase, want); !ok {
		return app.Kit{}, true, app.Errorf(app.CodeKitUnreadable, "read kit", "the passphrase does not fit its fingerprint")
	}
	return k, true, nil
}

func setTyped(k *app.Kit, name, value string) {
	switch name {
	case lineNumber:
		if n, err := strconv.Atoi(value); err == nil && n > 0 {
			k.Number = n
		}
	case lineMade:
		if t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(value)); err == nil {
			k.Made = t.UTC()
		}
	case lineShop:
		k.Shop = value
	case lineVault:
		k.VaultID = value
	case lineKind:
		k.Storage.Kind = app.Kind(value)
	}
}

// typedPassphrase returns the passphrase that was meant: as printed, where gaps
// don't count, or with the very spaces that were typed. The fingerprint says
// which, and that it is right.
func typedPassphrase(typed, want string) (app.Secret, bool) {
	for _, p := range []string{readExact(typed), strings.TrimSpace(typed), strings.Join(strings.Fields(typed), " ")} {
		if fingerprint(p) == want {
			return app.NewSecret(p), true
		}
	}
	return app.Secret{}, false
}

// typedLines finds the lines for people. A value goes on until an empty line
// or the next one's mark.
func typedLines(text string) []typedLine {
	var out []typedLine
	open, depth := false, 0
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u00a0", " ").Replace(text)
	for line := range strings.SplitSeq(text, "\n") {
		if at := fieldMark.FindStringSubmatchIndex(line); at != nil && !ofCommand(line[:at[0]]) {
			l := typedLine{name: line[at[4]:at[5]], secret: at[6] >= 0, value: []string{line[at[1]:]}}
			if at[2] >= 0 {
				l.kind = line[at[2]:at[3]]
			}
			out, open, depth = append(out, l), true, quoteDepth(line)
			continue
		}
		if line = unquote(line, depth); line == "" {
			open = false
		}
		if open {
			out[len(out)-1].value = append(out[len(out)-1].value, line)
		}
	}
	return out
}

// ofCommand reports whether what stands before a mark is the beginning of a
// command: a value in it may look like a mark.
func ofCommand(before string) bool {
	before = unquote(before, len(before))
	return strings.Contains(before, "=") || strings.HasPrefix(before, "--") || strings.HasPrefix(before, "'") || strings.HasPrefix(before, `"`)
}

// isQuote reports whether mail puts r before lines it quotes.
func isQuote(r rune) bool { return r == '>' || r == '|' }

// quoteDepth counts the quote marks before a line.
func quoteDepth(line string) int {
	n := 0
	for _, r := range line {
		if isQuote(r) {
			n++
		} else if !unicode.IsSpace(r) {
			break
		}
	}
	return n
}

// unquote takes at most so many quote marks off a line: one more may be part
// of a value.
func unquote(line string, depth int) string {
	line = strings.TrimSpace(line)
	for range depth {
		if line == "" || !isQuote(rune(line[0])) {
			break
		}
		line = strings.TrimSpace(line[1:])
	}
	return line
}
