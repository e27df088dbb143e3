package recovery

import (
	"strings"

	"kvart/app"
)

// Markdown writes a paper as Markdown.
func (*Engine) Markdown(p app.Paper) []byte {
	var b strings.Builder
	b.WriteString("# " + escape(p.Title) + "\n\n" + escape(p.Under) + "\n")
	for _, part := range p.Parts {
		b.WriteString("\n## " + escape(part.Heading) + "\n")
		for _, t := range part.Texts {
			b.WriteString("\n" + escape(t) + "\n")
		}
		if len(part.Rows) > 0 {
			b.WriteString("\n| | |\n|---|---|\n")
		}
		for _, r := range part.Rows {
			right := escape(r.Right)
			if r.Bad {
				right = "**" + right + "**"
			}
			for _, m := range r.More {
				right += "<br>" + escape(m)
			}
			b.WriteString("| " + escape(r.Left) + " | " + strings.ReplaceAll(right, "\n", "<br>") + " |\n")
		}
	}
	return []byte(b.String())
}

// escape keeps what people typed from being read as Markdown.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "|", `\|`, "<", "&lt;", ">", "&gt;", "#", `\#`, "[", `\[`).Replace(s)
}
