package webhotel

import (
	"crypto/sha256"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// newPrefix begins the names of files that are not in place yet. Web servers
// refuse to hand out what begins with ".ht": a configuration with a password in
// it must not be readable while it is on its way.
const newPrefix = ".htkvart-"

// tempName is the name the file at p is written under, in its own folder. It
// keeps the ending, so that a server treats it as it would the file itself; a
// second attempt finds the first's.
func tempName(p string) string {
	sum := sha256.Sum256([]byte(p))
	ext := path.Ext(p)
	if len(ext) > 20 || ext == path.Base(p) {
		ext = ""
	}
	return path.Join(path.Dir(p), fmt.Sprintf("%s%x%s", newPrefix, sum[:8], ext))
}

// A name on a server is a row of bytes, a path in a point is text. Bytes that
// are no text, such as those of a server that writes Latin-1, become runes of a
// range nobody has letters in, and the same bytes again on the way back.
const rawBase = 0xEF00 // plus the byte, 0x80 to 0xFF

// fromServer makes text of a name.
func fromServer(name string) string {
	if utf8.ValidString(name) && !strings.ContainsFunc(name, isRaw) {
		return name
	}
	var b strings.Builder
	whole := utf8.ValidString(name) // then it holds runes of that range itself
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && n == 1 || whole && r >= utf8.RuneSelf || isRaw(r) {
			for _, c := range []byte(name[i : i+n]) {
				b.WriteRune(rawBase + rune(c))
			}
		} else {
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	return b.String()
}

func isRaw(r rune) bool { return r >= rawBase+0x80 && r <= rawBase+0xFF }

// toServer makes a server's name of text.
func toServer(text string) string {
	if !strings.ContainsFunc(text, isRaw) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isRaw(r) {
			b.WriteByte(byte(r - rawBase))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// readable is a name for people and for this computer's files: bytes that were
// no text are read as Latin-1, which is what they nearly always are.
func readable(text string) string {
	return strings.Map(func(r rune) rune {
		if isRaw(r) {
			return r - rawBase
		}
		return r
	}, text)
}

// isName reports whether a server may call something in a folder that.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}
