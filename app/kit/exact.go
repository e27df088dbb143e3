package kit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How a value is printed so that nobody has to guess what is on the paper:
//
//   - gaps and line ends never count;
//   - ␣ is a space and ↵ the end of a line inside the value;
//   - ASCII and the letters of the western and Nordic alphabets are themselves;
//   - <U+0416> is the character of that number, <X+FF> a byte that is no
//     character: whatever does not print, or looks like something else.
//
// readExact turns what printExact made into the very same bytes.
const (
	visibleSpace = '␣'
	visibleEnd   = '↵'

	groupSize = 4
)

var (
	escape = regexp.MustCompile(`<([uUxX])\+([0-9a-fA-F]{1,6})>`)
	// fieldMark is what names a line for people: "[s3.bucket]:",
	// "[s3.secret_key!]:", "[passphrase]:".
	fieldMark = regexp.MustCompile(`\[(?:([a-z0-9]+)\.)?([a-z0-9_]{2,})(!)?\]:`)
)

// printExact returns a value's characters as they are printed, one to a string.
func printExact(v string) []string {
	keepBrackets := !fieldMark.MatchString(v)
	var out []string
	for i, r := range v {
		_, size := utf8.DecodeRuneInString(v[i:])
		rest := v[i+size:]
		switch {
		case r == utf8.RuneError && size == 1:
			out = append(out, fmt.Sprintf("<X+%02X>", v[i]))
		case r == ' ':
			out = append(out, string(visibleSpace))
		case r == '\n':
			out = append(out, string(visibleEnd))
		case plain(r) && (r != '<' || !startsEscape(rest)) && (r != '[' || keepBrackets):
			out = append(out, string(r))
		default:
			out = append(out, fmt.Sprintf("<U+%04X>", r))
		}
	}
	return out
}

func startsEscape(rest string) bool {
	return len(rest) > 1 && strings.ContainsRune("uUxX", rune(rest[0])) && rest[1] == '+'
}

// plain reports whether a character may be printed as itself: it is on
// keyboards here and looks like no other.
func plain(r rune) bool {
	switch {
	case r > ' ' && r < 0x7F:
		return true
	case r >= 0xC0 && r <= 0x17E:
		return !strings.ContainsRune("×÷ĸıĿŀŉǀ", r)
	}
	return strings.ContainsRune("§£€", r)
}

// readExact is the reverse of printExact, and takes what a word processor made
// of quotes and dashes.
func readExact(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == visibleSpace:
			return ' '
		case r == visibleEnd:
			return '\n'
		case unicode.IsSpace(r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return straight(r)
	}, s)
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		m := escape.FindStringSubmatch(e)
		n, err := strconv.ParseUint(m[2], 16, 32)
		switch {
		case err != nil:
			return e
		case strings.EqualFold(m[1], "x") && n <= 0xFF:
			return string([]byte{byte(n)})
		case strings.EqualFold(m[1], "u") && utf8.ValidRune(rune(n)):
			return string(rune(n))
		}
		return e
	})
}

// straight undoes smart quotes and dashes. Real ones are printed by number.
func straight(r rune) rune {
	switch {
	case r == '‘' || r == '’' || r == '‚':
		return '\''
	case r == '“' || r == '”' || r == '„':
		return '"'
	case unicode.Is(unicode.Pd, r) || r == minusSign:
		return '-'
	}
	return r
}

// groups returns a value in groups of four characters. What is printed by
// number is a group of its own.
func groups(v string) []string {
	var out []string
	var now []string
	flush := func() {
		if len(now) > 0 {
			out, now = append(out, strings.Join(now, "")), nil
		}
	}
	for _, c := range printExact(v) {
		if utf8.RuneCountInString(c) > 1 {
			flush()
			out = append(out, c)
			continue
		}
		if now = append(now, c); len(now) == groupSize {
			flush()
		}
	}
	flush()
	return out
}

// rows joins pieces to lines of at most width characters, with sep between
// them.
func rows(pieces []string, sep string, width int) []string {
	var out []string
	line, length := "", 0
	for _, p := range pieces {
		n := utf8.RuneCountInString(p)
		if length > 0 && length+len(sep)+n > width {
			out, line, length = append(out, line), "", 0
		}
		if length > 0 {
			line, length = line+sep, length+len(sep)
		}
		line, length = line+p, length+n
	}
	if length > 0 {
		out = append(out, line)
	}
	return out
}

// groupRows returns a value in groups and lines. Lines hold an even number of
// groups, which helps the eye to keep its place.
func groupRows(v string, width int) []string {
	g := groups(v)
	if slices.ContainsFunc(g, func(s string) bool { return utf8.RuneCountInString(s) > groupSize }) {
		return rows(g, " ", width)
	}
	perLine := (width + 1) / (groupSize + 1)
	perLine -= perLine % 2
	var out []string
	for part := range slices.Chunk(g, max(perLine, 1)) {
		out = append(out, rows(part, " ", width)...)
	}
	return out
}

// fingerprint is how a typed passphrase is told from a mistyped one.
func fingerprint(passphrase string) string {
	sum := sha256.Sum256([]byte(passphrase))
	h := hex.EncodeToString(sum[:])
	return h[:4] + h[len(h)-4:]
}
