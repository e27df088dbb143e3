package kit

import (
	"strings"
	"unicode"
)

// missing stands for a character no font of the kit has.
const missing = '\u25A1'

// shown returns a name as the kit's fonts can print it: emoji left out, which
// say nothing that the letters don't, and a box for any other character they
// don't have, rather than a wrong one.
func shown(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case isEmoji(r) || unicode.Is(unicode.C, r):
		case printable(r):
			b.WriteRune(r)
		default:
			b.WriteRune(missing)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// isEmoji reports whether r is a picture or a part of one.
func isEmoji(r rune) bool {
	return r >= 0x1F000 && r <= 0x1FBFF || r >= 0x2600 && r <= 0x27BF || r >= 0x2B00 && r <= 0x2BFF ||
		r >= 0xFE00 && r <= 0xFE0F || r == 0x20E3 || r >= 0xE0000 && r <= 0xE01EF
}

// printable reports whether both the kit's text fonts have a character. A test
// holds it to them.
func printable(r rune) bool {
	switch {
	case r >= 0x20 && r < 0x7F, r >= 0xA0 && r < 0x250, // Latin
		r >= 0x300 && r < 0x350, // combining marks
		r >= 0x388 && r < 0x3E2 && r != 0x38B && r != 0x38D && r != 0x3A2, // Greek
		r >= 0x400 && r < 0x530,                              // Cyrillic
		r >= 0x1E00 && r < 0x1F00,                            // Latin, Vietnamese
		r >= 0x2010 && r < 0x2028, r >= 0x2030 && r < 0x205F, // punctuation
		r == '€', r == '№', r == '™':
		return true
	}
	return false
}
