package kit

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// shellWord writes a word for a POSIX shell, quoted where it needs it. What
// can't be printed as itself is written by number.
func shellWord(s string) string {
	quote := s == ""
	for i, r := range s {
		if r == utf8.RuneError || r != ' ' && !plain(r) {
			return shellPrintf(s)
		}
		bare := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("-_+./:,@%", r) || r == '=' && i > 0
		quote = quote || !bare
	}
	if !quote {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// shellPrintf writes a word byte by byte. Line ends at its very end get lost.
func shellPrintf(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c == '%':
			b.WriteString("%%")
		case c >= ' ' && c < 0x7F && c != '\'' && c != '\\':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return `"$(printf '` + b.String() + `')"`
}

// shellLines writes words as one command on lines of at most width characters.
// A word that is longer than a line goes on at the start of the next.
func shellLines(words []string, width int) []string {
	const goesOn = ` \`
	var out []string
	line := ""
	for _, w := range words {
		q := shellWord(w)
		if line == "" {
			line = q
			continue
		}
		if utf8.RuneCountInString(line+q)+1+len(goesOn) <= width {
			line += " " + q
			continue
		}
		out, line = append(out, line+goesOn), ""
		pieces := shellPieces(w, width-2-len(goesOn))
		for i, p := range pieces {
			if i == 0 {
				p = "  " + p
			}
			if i < len(pieces)-1 {
				out = append(out, p+`\`)
			} else {
				line = p
			}
		}
	}
	return append(out, line)
}

// shellPieces cuts a word into pieces that are quoted on their own and at most
// width characters long then.
func shellPieces(w string, width int) []string {
	var out []string
	start, last := 0, ""
	for i := range w {
		_, size := utf8.DecodeRuneInString(w[i:])
		end := i + size
		q := shellWord(w[start:end])
		if utf8.RuneCountInString(q) > width && last != "" {
			out, start = append(out, last), i
			q = shellWord(w[start:end])
		}
		last = q
	}
	return append(out, last)
}
