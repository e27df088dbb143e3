package nearby

import "strings"

// token is a piece of PHP: a text in quotes, a name, or one character.
type token struct {
	text   string
	quoted bool // a text whose value is known
}

// is reports whether the token is this name or character.
func (t token) is(s string) bool { return !t.quoted && strings.EqualFold(t.text, s) }

// tokens takes PHP apart as far as settings files need: comments are left out,
// and so is everything that isn't text, name or sign. It never fails; nonsense
// makes tokens that mean nothing.
func tokens(src string) (out []token) {
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == '#' && !strings.HasPrefix(src[i:], "#["), strings.HasPrefix(src[i:], "//"):
			i = after(src, i, "\n")
		case strings.HasPrefix(src[i:], "/*"):
			i = after(src, i+2, "*/")
		case c == '\'' || c == '"':
			text, known, n := quotedText(src[i:])
			out = append(out, token{text: text, quoted: known})
			i += n
		case nameByte(c):
			n := 1
			for i+n < len(src) && nameByte(src[i+n]) {
				n++
			}
			out = append(out, token{text: src[i : i+n]})
			i += n
		default:
			if c > ' ' {
				out = append(out, token{text: string(rune(c))})
			}
			i++
		}
	}
	return out
}

// after returns the place behind the next end in src from i on.
func after(src string, i int, end string) int {
	if at := strings.Index(src[i:], end); at >= 0 {
		return i + at + len(end)
	}
	return len(src)
}

func nameByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// quotedText reads the text in quotes that src begins with, and its length.
// known is false for one that PHP would put something into.
func quotedText(src string) (text string, known bool, n int) {
	quote := src[0]
	known = true
	var b strings.Builder
	for i := 1; i < len(src); i++ {
		switch c := src[i]; {
		case c == quote:
			return b.String(), known, i + 1
		case c == '\\' && i+1 < len(src):
			i++
			switch next := src[i]; {
			case next == quote || next == '\\' || next == '$' && quote == '"':
				b.WriteByte(next)
			case quote == '"':
				known = false // a line break and the like: nothing that names anything
			default:
				b.WriteByte(c)
				b.WriteByte(next)
			}
		case c == '$' && quote == '"':
			known = false
		default:
			b.WriteByte(c)
		}
	}
	return "", false, len(src)
}

// defined returns what define() gives each of the wanted names, the first one
// of each. Values that are made by calling something are left out, unless a
// text is there for when that gives nothing.
func defined(all []token, wanted map[string]bool) map[string]string {
	out := map[string]string{}
	for i := 0; i+4 < len(all); i++ {
		if !all[i].is("define") || !all[i+1].is("(") || !all[i+2].quoted || !all[i+3].is(",") || !wanted[all[i+2].text] {
			continue
		}
		if _, again := out[all[i+2].text]; again {
			continue
		}
		if v, ok := value(all[i+4:]); ok {
			out[all[i+2].text] = v
		}
	}
	return out
}

// value reads an argument up to the parenthesis that closes its call.
func value(all []token) (string, bool) {
	depth := 0
	for i, t := range all {
		switch {
		case t.is("("):
			depth++
		case t.is(")") && depth > 0:
			depth--
		case t.is(")"):
			return settled(all[:i])
		case t.is(";"):
			return "", false
		}
	}
	return "", false
}

// settled tells what an expression comes to: a text alone, or the last text of
// a call such as getenv_docker('NAME', 'wordpress') or getenv('NAME') ?: 'shop'.
func settled(expr []token) (string, bool) {
	n := len(expr)
	if n == 1 && expr[0].quoted {
		return expr[0].text, true
	}
	switch {
	case n > 3 && expr[n-1].is(")") && expr[n-2].quoted && expr[n-3].is(","):
		return expr[n-2].text, true
	case n > 3 && expr[n-1].quoted && (expr[n-2].is(":") || expr[n-2].is("?") && expr[n-3].is("?")):
		return expr[n-1].text, true
	}
	return "", false
}

// assigned returns the text a variable is given first.
func assigned(all []token, variable string) string {
	for i := 0; i+2 < len(all); i++ {
		if !all[i].quoted && all[i].text == variable && all[i+1].is("=") && all[i+2].quoted {
			return all[i+2].text
		}
	}
	return ""
}

// entries returns what an array gives each of the wanted keys, as texts or
// numbers.
func entries(all []token, wanted map[string]bool) map[string]string {
	out := map[string]string{}
	for i := 0; i+3 < len(all); i++ {
		if !all[i].quoted || !wanted[all[i].text] || !all[i+1].is("=") || !all[i+2].is(">") || all[i+3].is("null") {
			continue
		}
		if _, again := out[all[i].text]; !again {
			out[all[i].text] = all[i+3].text
		}
	}
	return out
}
