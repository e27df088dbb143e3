package settings

import (
	"strings"

	"kvart/assets"
	"kvart/ui/widgets"
)

// part is one piece of Kvart that others made.
type part struct{ Name, Licence string }

// licences are the parts, and the texts under which they may be used.
type licences struct {
	Intro string
	Parts []part
	texts []licenceText
}

type licenceText struct {
	names []string
	text  string
}

// blockEnd is how long the line of "=" between two texts is.
const blockEnd = 72

// parseLicences reads what [assets.Licences] returns.
func parseLicences(all string) licences {
	blocks := strings.Split(all, "\n"+strings.Repeat("=", blockEnd)+"\n")
	var out licences
	for line := range strings.Lines(blocks[0]) {
		line = strings.TrimSpace(line)
		name, licence, ok := strings.Cut(line, ": ")
		switch {
		case ok:
			out.Parts = append(out.Parts, part{name, licence})
		case line != "" && len(out.Parts) == 0:
			out.Intro = strings.TrimSpace(out.Intro + " " + line)
		}
	}
	for _, b := range blocks[1:] {
		head, text, _ := strings.Cut(strings.TrimSpace(b), "\n\n")
		out.texts = append(out.texts, licenceText{names: strings.Split(head, "\n"), text: strings.TrimSpace(text)})
	}
	return out
}

// Text returns the texts that hold for a part.
func (l licences) Text(p part) string {
	var out []string
	for _, t := range l.texts {
		for _, name := range t.names {
			if p.Name == name || strings.HasPrefix(p.Name, name+" ") {
				out = append(out, flowing(t.text))
			}
		}
	}
	return strings.Join(out, "\n\n")
}

// flowing makes paragraphs of lines that were broken for another width.
func flowing(text string) string {
	var out []string
	for part := range strings.SplitSeq(text, "\n\n") {
		if words := strings.Join(strings.Fields(part), " "); words != "" {
			out = append(out, words)
		}
	}
	return strings.Join(out, "\n\n")
}

// Find returns the parts with a word in their name or licence, in any case of
// letters.
func (l licences) Find(word string) []part {
	word = strings.ToLower(strings.TrimSpace(word))
	var out []part
	for _, p := range l.Parts {
		if strings.Contains(strings.ToLower(p.Name+" "+p.Licence), word) {
			out = append(out, p)
		}
	}
	return out
}

// licencePage shows what Kvart is made of.
type licencePage struct {
	s      *Screen
	all    licences
	word   string
	found  []part
	open   *part // whose text is shown
	list   *widgets.List
	counts *widgets.Text
}

func (s *Screen) openLicences() {
	text, err := assets.Licences()
	if err != nil {
		s.f.Trouble.Show(err, nil)
		return
	}
	p := &licencePage{s: s, all: parseLicences(text)}
	p.found = p.all.Parts
	s.turn(p)
}

func (p *licencePage) enter() {}

func (p *licencePage) check() {}

// back goes from a text to the list, and reports whether it did.
func (p *licencePage) back() bool {
	if p.open == nil {
		return false
	}
	p.open = nil
	p.draw()
	return true
}

func (p *licencePage) search(word string) {
	p.word, p.found = word, p.all.Find(word)
	p.counts.Set(p.s.env.Words.N("settings.licences.count", int64(len(p.found))))
	p.list.Reset()
	p.list.Refresh()
}

func (p *licencePage) draw() {
	s, t := p.s, p.s.env.T
	if p.open != nil {
		s.f.Put(s.f.Title(p.open.Name, p.open.Licence), widgets.NewCard(widgets.Scrolled(shownLicence,
			widgets.NewText(p.all.Text(*p.open), widgets.Look{Size: widgets.Caption().Size}))), widgets.Leading(s.backButton()))
		return
	}
	p.counts = widgets.NewText("", widgets.Caption())
	p.list = widgets.NewList(func() int { return len(p.found) }, func(i int) widgets.ListRow {
		return widgets.ListRow{Name: p.found[i].Name, Detail: p.found[i].Licence}
	}, func(i int) {
		one := p.found[i]
		p.open = &one
		s.f.Page.ScrollToTop()
		p.draw()
	})
	find := widgets.NewEntry(p.word, p.search)
	find.SetPlaceHolder(t("settings.licences.find"))
	s.f.Put(s.f.Title(t("settings.licences"), t("settings.licences.text")), widgets.NewCard(widgets.Column(widgets.Gap8,
		find, p.counts, widgets.Sized(0, shownLicence, p.list))), widgets.Leading(s.backButton()))
	p.search(p.word)
}

// shownLicence is how high list and text are.
const shownLicence float32 = 380
