package kit

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"kvart/app"
)

// textWidth is how long the lines of a kit's text may be: mail leaves them
// alone.
const textWidth = 76

// Text implements [app.KitPress].
func (p *Press) Text(k app.Kit, language string) (app.Secret, error) {
	s, err := newSheet(k, language, p.storages)
	if err != nil {
		return app.Secret{}, err
	}
	b, err := newBlock(k)
	if err != nil {
		return app.Secret{}, err
	}
	t := &textPage{}
	s.writeText(t)
	t.paragraph("", s.w.T("kit.text.block"))
	t.lines("", b.lines())
	t.paragraph("", s.w.T("kit.code.text"))
	t.lines("", []string{s.w.T("kit.code") + ": " + s.code})
	text := t.b.String()
	if err := check(k, text); err != nil {
		return app.Secret{}, err
	}
	return app.NewSecret(text), nil
}

// writeText writes what people read.
func (s *sheet) writeText(t *textPage) {
	t.heading("=", s.title)
	t.paragraph("", s.made+" "+s.w.T("kit.void"))
	t.paragraph("", s.w.T("kit.purpose"))
	t.paragraph("", s.w.T("kit.keep"))

	t.heading("-", s.w.T("kit.steps"))
	for i, step := range s.steps() {
		t.paragraph(fmt.Sprintf("%d. ", i+1), step[0]+". "+step[1])
	}

	t.heading("-", s.w.T("kit.where"))
	t.paragraph("", s.kind)
	t.field(s.reserved(lineKind, string(s.kit.Storage.Kind), false), "")
	for _, f := range s.fields {
		t.field(f, s.w.T("kit.too_long"))
	}

	t.heading("-", s.w.T("kit.line.passphrase"))
	t.field(s.reserved(linePassphrase, s.kit.Passphrase.Reveal(), true), "")
	t.field(s.fingerprintLine(), "")
	t.paragraph("", append([]string{s.w.T("kit.fingerprint")}, s.rules...)...)

	s.writeCommand(t)

	t.heading("-", s.w.T("kit.text.more"))
	t.field(s.reserved(lineShop, s.kit.Shop, false), "")
	t.field(s.reserved(lineVault, s.kit.VaultID, false), "")
	t.field(s.reserved(lineNumber, fmt.Sprint(s.kit.Number), false), "")
	t.field(s.reserved(lineMade, s.madeStamp(), false), "")

	t.heading("-", s.w.T("kit.phones"))
	for _, who := range s.phones() {
		t.lines("", []string{who + ": "})
	}
}

func (s *sheet) writeCommand(t *textPage) {
	t.heading("-", s.w.T("kit.command"))
	if s.command == nil {
		t.paragraph("", s.w.T("kit.command.none"))
		return
	}
	t.paragraph("", append([]string{s.w.T("kit.command.text")}, s.files...)...)
	t.lines("", shellLines(s.command, textWidth))
	for _, c := range s.followUp {
		t.lines("", shellLines(c, textWidth))
	}
	t.paragraph("", s.restoreSentence())
}

// textPage writes paragraphs with an empty line after each.
type textPage struct{ b strings.Builder }

func (t *textPage) lines(indent string, lines []string) {
	for _, l := range lines {
		t.b.WriteString(strings.TrimRight(indent+l, " ") + "\n")
	}
	t.b.WriteByte('\n')
}

func (t *textPage) heading(rule, text string) {
	lines := wrap(text, textWidth)
	longest := 0
	for _, l := range lines {
		longest = max(longest, utf8.RuneCountInString(l))
	}
	t.lines("", append(lines, strings.Repeat(rule, longest)))
}

// paragraph writes sentences as one paragraph that hangs from its first mark.
func (t *textPage) paragraph(mark string, sentences ...string) {
	lines := wrap(strings.Join(sentences, " "), textWidth-len(mark))
	for i := range lines {
		if i == 0 {
			lines[i] = mark + lines[i]
		} else {
			lines[i] = strings.Repeat(" ", len(mark)) + lines[i]
		}
	}
	t.lines("", lines)
}

// field writes a line for people, or two and more for a long value.
func (t *textPage) field(f field, tooLong string) {
	const indent = 4
	head := f.label + ":"
	if f.mark != "" {
		head = f.label + " [" + f.mark + "]:"
	}
	switch {
	case f.value == "":
		return
	case f.tooLong:
		t.paragraph("", f.label+": "+tooLong)
		return
	}
	value := f.rows(textWidth - indent)
	if room := textWidth - utf8.RuneCountInString(head) - 1; len(value) == 1 && utf8.RuneCountInString(value[0]) <= room {
		t.lines("", []string{head + " " + value[0]})
		return
	}
	lines := wrap(head, textWidth)
	for _, v := range value {
		lines = append(lines, strings.Repeat(" ", indent)+v)
	}
	t.lines("", lines)
}

// wrap breaks a text into lines of at most width characters, between words
// where it can.
func wrap(text string, width int) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+w)+1 > width {
			out, line = append(out, line), ""
		}
		if line != "" {
			line += " "
		}
		line += w
		for utf8.RuneCountInString(line) > width {
			r := []rune(line)
			out, line = append(out, string(r[:width])), string(r[width:])
		}
	}
	return append(out, line)
}
