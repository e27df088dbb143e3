package postgres

import "bytes"

// mode is where in a statement's text the lexer is.
type mode int

const (
	plain    mode = iota
	inString      // '…'
	inEscape      // E'…'
	inName        // "…"
	inDollar      // $tag$ … $tag$
	inLine        // -- …
	inBlock       // /* … */, nested
)

// lexer finds where a statement ends: at a semicolon outside quotes, comments,
// parentheses and the body of a function written in standard SQL. It follows
// psql's own rules (src/fe_utils/psqlscan.l), with standard_conforming_strings
// on, and works on bytes: in every encoding a database may have, the
// characters it looks for are never part of another one.
type lexer struct {
	mode   mode
	tag    []byte // of inDollar, with its dollars
	from   int    // where the present quote's or comment's contents begin
	depth  int    // of inBlock
	parens int
	inWord bool
	word   int  // where the present word began, while inWord
	inTag  bool // after a dollar that may open a quote
	open   int  // where that dollar is, while inTag
	escEnd int  // just behind the end of an E'…', which a further quote continues

	words  int     // in the statement, so far
	firsts [4]byte // first letters of the first words that a function's creation has
	begins int     // open BEGIN and CASE of a function's body
}

// step takes the last byte of text and reports whether it ends the statement.
func (l *lexer) step(text []byte) bool { //nolint:gocyclo // one case a state
	at := len(text) - 1
	c := text[at]
	switch l.mode {
	case plain:
		return l.plainStep(text, at, c)
	case inString, inName:
		// A doubled quote ends and begins one again, which is as good.
		if c == '\'' && l.mode == inString || c == '"' && l.mode == inName {
			l.mode = plain
		}
	case inEscape:
		if c == '\'' && !escaped(text[l.from:at]) {
			l.mode, l.escEnd = plain, at+1
		}
	case inDollar:
		if c == '$' && at+1-len(l.tag) >= l.from && bytes.HasSuffix(text, l.tag) {
			l.mode = plain
		}
	case inLine:
		if c == '\n' {
			l.mode = plain
		}
	case inBlock:
		l.blockStep(text, at, c)
	}
	return false
}

func (l *lexer) blockStep(text []byte, at int, c byte) {
	if at-1 < l.from {
		return
	}
	switch prev := text[at-1]; {
	case prev == '*' && c == '/':
		l.depth--
		l.from = at + 1 // the slash is not the beginning of another
	case prev == '/' && c == '*':
		l.depth++
		l.from = at + 1
	}
	if l.depth == 0 {
		l.mode = plain
	}
}

// escaped reports whether text ends with an odd number of backslashes.
func escaped(text []byte) bool {
	n := len(text) - len(bytes.TrimRight(text, `\`))
	return n%2 == 1
}

func (l *lexer) plainStep(text []byte, at int, c byte) bool { //nolint:gocyclo // one case a character that begins something
	if l.inTag {
		switch {
		case c == '$':
			l.inTag, l.mode, l.from = false, inDollar, at+1
			l.tag = append(l.tag[:0], text[l.open:at+1]...)
			return false
		case isWord(c) && (at > l.open+1 || !isDigit(c)):
			return false
		}
		l.inTag = false // "$1" and the like
	}
	if l.inWord {
		if isWord(c) || c == '$' {
			return false // "a$b$" is one word, and opens no quote
		}
		l.inWord = false
		l.endWord(text[l.word:at])
		if c == '\'' && at-l.word == 1 && (text[l.word] == 'e' || text[l.word] == 'E') {
			l.mode, l.from = inEscape, at+1
			return false
		}
	}
	switch {
	case isWord(c):
		l.inWord, l.word = true, at
	case c == '\'' && at > 0 && at == l.escEnd:
		l.mode, l.from = inEscape, at+1
	case c == '\'':
		l.mode = inString
	case c == '"':
		l.mode = inName
	case c == '$':
		l.inTag, l.open = true, at
	case c == '-' && at > l.from && text[at-1] == '-':
		l.mode = inLine
	case c == '*' && at > l.from && text[at-1] == '/':
		l.mode, l.depth, l.from = inBlock, 1, at+1
	case c == '(':
		l.parens++
	case c == ')' && l.parens > 0:
		l.parens--
	case c == ';' && l.parens == 0 && l.begins == 0:
		return true
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWord reports whether c may be part of a name. Everything beyond ASCII may.
func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// endWord counts what opens and closes the body of a function in standard SQL,
// whose statements end with semicolons of their own.
func (l *lexer) endWord(word []byte) {
	if isDigit(word[0]) {
		return
	}
	lower := string(bytes.ToLower(word))
	switch lower {
	case "create", "or", "replace", "function", "procedure":
		if l.words < len(l.firsts) {
			l.firsts[l.words] = lower[0]
		}
	}
	l.words++
	if l.parens > 0 || !l.makesFunction() {
		return
	}
	switch {
	case lower == "begin", lower == "case" && l.begins > 0:
		l.begins++
	case lower == "end" && l.begins > 0:
		l.begins--
	}
}

// makesFunction reports whether the statement began with CREATE [OR REPLACE]
// and FUNCTION or PROCEDURE.
func (l *lexer) makesFunction() bool {
	f := l.firsts
	is := func(c byte) bool { return c == 'f' || c == 'p' }
	return f[0] == 'c' && (is(f[1]) || f[1] == 'o' && f[2] == 'r' && is(f[3]))
}
