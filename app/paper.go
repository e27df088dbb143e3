package app

import "time"

// Paper is a document for people, before it is laid out.
type Paper struct {
	Title string
	Under string // below the title
	Made  time.Time
	Parts []PaperPart
	// Foot stands at the foot of every page, and Page, with its placeholders
	// {page} and {count}, beside it.
	Foot, Page string
}

// PaperPart is one section: texts first, then rows.
type PaperPart struct {
	Heading string
	Texts   []string
	Rows    []PaperRow
}

// PaperRow is a line in two columns.
type PaperRow struct {
	Left, Right string
	More        []string // small, below the right one
	Bad         bool     // to be seen at once
}

// A Typesetter lays papers out as PDF.
type Typesetter interface {
	Print(p Paper) ([]byte, error)
}
