package assets

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// guides holds one file per kind of source or storage, named like the
// translation of its title: "source.woocommerce.json".
//
//go:embed guides/*.json
var guides embed.FS

// Guide tells how to get what a form asks for, step by step. Its words are
// translations keyed "guide.<for>.<way>.<step>".
type Guide struct {
	For string `json:"for"` // "source.woocommerce", "storage.s3"
	// Ways are different ways to get it, the easiest first. Where a kind has
	// presets, there is one for each, with the preset's key as code.
	Ways []GuideWay `json:"ways"`
}

// GuideWay is one way. Where there are several, its title is the translation
// keyed "guide.<for>.<code>".
type GuideWay struct {
	Code string `json:"code"`
	// Note reports that there is something to know before taking this way: the
	// translation of its title's key with ".note".
	Note  bool        `json:"note,omitempty"`
	Steps []GuideStep `json:"steps"`
}

// GuideStep is one step, with a picture.
type GuideStep struct {
	Code string `json:"code"`
	// Open is a page of the owner's own site, in which "{url}" and "{shop}" stand
	// for what is filled in.
	Open string `json:"open,omitempty"`
	// Copy is text for a machine, to be copied.
	Copy    string       `json:"copy,omitempty"`
	Picture GuidePicture `json:"picture"`
}

// GuideFrame is what a picture is a picture of.
type GuideFrame string

// The frames.
const (
	FrameBrowser  GuideFrame = "browser"
	FrameKvart    GuideFrame = "kvart" // the form that the guide belongs to
	FrameTerminal GuideFrame = "terminal"
	FrameLetter   GuideFrame = "letter"
	FrameFolder   GuideFrame = "folder"
	FrameDisk     GuideFrame = "disk"
)

// GuidePicture is what is drawn. Labels that begin with "@" are translations
// keyed "guide.word.…"; others are called so in every language.
type GuidePicture struct {
	Frame  GuideFrame `json:"frame"`
	Menu   []string   `json:"menu,omitempty"` // the path to choose, its end last
	Fields []string   `json:"fields,omitempty"`
	Ticks  []string   `json:"ticks,omitempty"`
	Button string     `json:"button,omitempty"` // to be pressed
	Lines  []string   `json:"lines,omitempty"`  // of a terminal
}

// Guideless lists what needs no guide: choosing a file or a folder is all there
// is to do.
func Guideless() []string { return []string{"source.sqlite", "source.folder"} }

// GuideFor returns the guide of a kind: area is "source" or "storage". False
// means that there is none.
func GuideFor(area, kind string) (Guide, bool, error) {
	b, err := guides.ReadFile("guides/" + area + "." + kind + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return Guide{}, false, nil
	}
	if err != nil {
		return Guide{}, false, fmt.Errorf("read guide: %w", err)
	}
	g, err := parseGuide(b)
	if err != nil {
		return Guide{}, false, fmt.Errorf("read guide of %s.%s: %w", area, kind, err)
	}
	return g, true, nil
}

// GuideOf is [GuideFor] by [Guide.For]; none is an error.
func GuideOf(of string) (Guide, error) {
	area, kind, _ := strings.Cut(of, ".")
	g, ok, err := GuideFor(area, kind)
	if err == nil && !ok {
		err = fmt.Errorf("there is no guide of %s", of)
	}
	return g, err
}

func parseGuide(b []byte) (g Guide, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return g, d.Decode(&g)
}

// Way returns the way with a code.
func (g Guide) Way(code string) (GuideWay, bool) {
	for _, w := range g.Ways {
		if w.Code == code {
			return w, true
		}
	}
	return GuideWay{}, false
}

// Key returns the key of the words of a way.
func (g Guide) Key(w GuideWay) string { return "guide." + g.For + "." + w.Code }

// Label returns what a label of a picture says.
func (w *Words) Label(label string) string {
	if key, ok := strings.CutPrefix(label, "@"); ok {
		return w.T("guide.word." + key)
	}
	return label
}
