package assets

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kvart/app"
	"kvart/docs/guide"
)

// PageGroup is a part of the guide's contents. Its title is the translation
// keyed "help.group.<code>".
type PageGroup struct {
	Code  string
	Pages []string // their names, as [PageFor] takes them
}

// PageGroups returns the guide's contents, in the order it is read in.
func PageGroups() []PageGroup {
	return []PageGroup{
		{"first", []string{"start", "where", "kit", "the-day"}},
		{"shops", []string{
			"source-woocommerce", "source-shopify", "source-vendure", "source-webhotel", "source-sqlite", "source-folder",
			"source-mysql", "source-postgres", "source-sqlserver",
		}},
		{"storage", []string{
			"storage-folder", "storage-s3", "storage-azure", "storage-gcs", "storage-sftp", "storage-webdav", "storage-rclone", "storage-b2",
		}},
		{"more", []string{"questions", "limits", "privacy", "peak-days", "updates"}},
	}
}

// PartKind is what a part of a page is.
type PartKind string

// The kinds of parts.
const (
	PartHeading PartKind = "heading"
	PartText    PartKind = "text"
	PartBullet  PartKind = "bullet"
	PartNumber  PartKind = "number"  // a numbered item
	PartPicture PartKind = "picture" // a screenshot
	// PartSteps stands for the steps of a [Guide], which the page spells out
	// where it can't draw them.
	PartSteps PartKind = "steps"
)

// Page is one page of the guide.
type Page struct {
	Title string
	Parts []PagePart
}

// PagePart is a paragraph, or something that stands in one's place.
type PagePart struct {
	Kind  PartKind
	Level int // a heading's, from 2
	Spans []Span
	For   string // whose steps: "source.woocommerce"
	Path  string // a picture's, from the page
}

// Text returns the part's words alone.
func (p PagePart) Text() string {
	var b strings.Builder
	for _, s := range p.Spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Span is a run of words that look the same.
type Span struct {
	Text string
	Bold bool
	Mono bool
	Page string // the page the words lead to
}

// PageFor returns a page of the guide in a language.
func PageFor(lang, name string) (Page, error) {
	b, err := guide.Pages.ReadFile(lang + "/" + name + ".md")
	if err != nil {
		return Page{}, fmt.Errorf("read the guide's page: %w", err)
	}
	return parsePage(string(b)), nil
}

// parsePage reads the few things of Markdown that the guide uses: headings,
// paragraphs, items, pictures, bold words, words for a machine, and links from
// page to page. Comments mark what was put in from the steps that the window
// draws; steps themselves are left out.
func parsePage(text string) Page {
	var p Page
	steps := false
	for block := range blocks(text) {
		switch mark, isMark := strings.CutPrefix(block, "<!-- "); {
		case isMark:
			of, isSteps := strings.CutPrefix(strings.TrimSuffix(mark, " -->"), "steps: ")
			if steps = isSteps; steps {
				p.Parts = append(p.Parts, PagePart{Kind: PartSteps, For: of})
			}
		case steps:
		case strings.HasPrefix(block, "# "):
			p.Title = block[2:]
		default:
			p.Parts = append(p.Parts, parsePart(block))
		}
	}
	return p
}

var item = regexp.MustCompile(`^(- |\d+\. )`)

// blocks yields what stands by itself, each on one line.
func blocks(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var block []string
		end := func() bool {
			b := strings.Join(block, " ")
			block = nil
			return b == "" || yield(b)
		}
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			words := strings.TrimSpace(line)
			alone := item.MatchString(line) || strings.HasPrefix(words, "<!--") || strings.HasPrefix(words, "![") || strings.HasPrefix(words, "#")
			if (words == "" || alone) && !end() {
				return
			}
			if words != "" {
				block = append(block, words)
			}
			if alone && !item.MatchString(line) && !end() {
				return
			}
		}
		end()
	}
}

var picture = regexp.MustCompile(`^!\[([^\]]*)\]\(([^)]+)\)$`)

func parsePart(block string) PagePart {
	if m := picture.FindStringSubmatch(block); m != nil {
		return PagePart{Kind: PartPicture, Spans: []Span{{Text: m[1]}}, Path: m[2]}
	}
	if words := strings.TrimLeft(block, "#"); words != block {
		return PagePart{Kind: PartHeading, Level: len(block) - len(words), Spans: spans(strings.TrimSpace(words))}
	}
	mark := item.FindString(block)
	kind := PartText
	switch {
	case mark == "- ":
		kind = PartBullet
	case mark != "":
		kind = PartNumber
	}
	return PagePart{Kind: kind, Spans: spans(block[len(mark):])}
}

var inline = regexp.MustCompile("\\*\\*(.+?)\\*\\*|`([^`]+)`|\\[([^\\]]+)\\]\\(([^)]+)\\)")

// spans divides a paragraph into runs of words that look the same.
func spans(words string) []Span {
	var out []Span
	at := 0
	group := func(m []int, n int) string {
		if m[2*n] < 0 {
			return ""
		}
		return words[m[2*n]:m[2*n+1]]
	}
	for _, m := range inline.FindAllStringSubmatchIndex(words, -1) {
		if m[0] > at {
			out = append(out, Span{Text: words[at:m[0]]})
		}
		at = m[1]
		bold, mono, link := group(m, 1), group(m, 2), group(m, 3)
		switch {
		case bold != "":
			out = append(out, Span{Text: bold, Bold: true})
		case mono != "":
			out = append(out, Span{Text: mono, Mono: true})
		default:
			out = append(out, Span{Text: link, Page: strings.TrimSuffix(group(m, 4), ".md")})
		}
	}
	if at < len(words) {
		out = append(out, Span{Text: words[at:]})
	}
	return out
}

// PageSteps spells a guide's steps out in Markdown, for a page that is read
// where they can't be drawn; shot names the picture of a step.
func PageSteps(w *Words, g Guide, shot func(GuideWay, GuideStep) string) string {
	var b strings.Builder
	for _, way := range g.Ways {
		if title := g.Title(w, way); title != "" {
			b.WriteString("### " + title + "\n\n")
		}
		if way.Note {
			b.WriteString("**" + w.T(g.Key(way)+".note") + "**\n\n")
		}
		for i, s := range way.Steps {
			n := strconv.Itoa(i+1) + ". "
			text := w.T(g.Key(way) + "." + s.Code)
			b.WriteString(n + text + "\n\n")
			indent := strings.Repeat(" ", len(n))
			if s.Copy != "" {
				b.WriteString(indent + "```\n" + indent + strings.ReplaceAll(s.Copy, "\n", "\n"+indent) + "\n" + indent + "```\n\n")
			}
			b.WriteString(indent + "![" + w.T("guide.step", Args{"N": w.Number(int64(i + 1))}) + "](" + shot(way, s) + ")\n\n")
		}
	}
	return b.String()
}

// Title returns what a way is called; "" where it is the only one.
func (g Guide) Title(w *Words, way GuideWay) string {
	switch {
	case g.For == "storage.s3":
		return w.T("storage.s3.preset." + way.Code)
	case len(g.Ways) > 1:
		return w.T(g.Key(way))
	}
	return ""
}

// PagePlaybook spells a playbook's steps out in Markdown.
func PagePlaybook(w *Words, p app.Playbook) string {
	var b strings.Builder
	for i, s := range p.Steps {
		step := "incident.step." + string(s.Code)
		b.WriteString(strconv.Itoa(i+1) + ". " + w.T("help.playbook.step", Args{
			"Step": w.T(step), "Who": w.T("incident.actor." + string(s.Actor)), "Why": w.T(step + ".why"),
		}) + "\n")
	}
	return b.String()
}
