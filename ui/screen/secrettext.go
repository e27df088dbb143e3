package screen

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// mostText is how long a file may be that is read whole, in bytes.
const mostText = 1 << 20

// ReadFile reads a small file of the owner's.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, app.Errorf(app.CodeSourceUnreadable, "read chosen file", "%w", err).With("path", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, mostText+1))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, app.Errorf(app.CodeSourceUnreadable, "read chosen file", "%w", err).With("path", path)
	}
	if len(b) > mostText {
		return nil, fmt.Errorf("read chosen file: %s holds more than %d bytes", path, mostText)
	}
	return b, nil
}

// SecretText asks for a secret of many lines: pasted, typed, or a file chosen.
// What was there before, or came from a file, is not shown.
type SecretText struct {
	env     Env
	value   string
	from    string // the file it was read from
	said    string // why a file was not taken
	box     *fyne.Container
	changed func(string)

	// OnShape is called when the parts changed, so that the page makes room.
	OnShape func()
}

// NewSecretText returns the question; changed is called with every value.
func NewSecretText(env Env, value string, changed func(string)) *SecretText {
	s := &SecretText{env: env, value: value, box: widgets.Column(widgets.Gap8), changed: changed}
	s.draw()
	return s
}

// Object returns what to place on the page.
func (s *SecretText) Object() fyne.CanvasObject { return s.box }

func (s *SecretText) draw() {
	t := s.env.T
	choose := widgets.NewButton(t("form.file"), s.choose)
	if s.value != "" {
		words := t("form.secret.set")
		if s.from != "" {
			words = t("form.secret.from", map[string]any{"File": NameFor(s.from)})
		}
		s.box.Objects = []fyne.CanvasObject{
			widgets.NewText(words, widgets.Strong().In(widgets.ToneGood.Text())),
			widgets.Leading(widgets.NewButton(t("form.secret.again"), func() { s.take("", "") }), choose),
		}
	} else {
		e := widgets.NewLines("", func(v string) { s.value = v; s.changed(v) })
		e.SetMinRowsVisible(5)
		s.box.Objects = []fyne.CanvasObject{e, widgets.Leading(choose)}
	}
	if s.said != "" {
		s.box.Add(widgets.NewText(s.said, widgets.Caption().In(widgets.ToneDanger.Text())))
	}
	s.box.Refresh()
	if s.OnShape != nil {
		s.OnShape()
	}
}

// take takes a value that is not to be shown, or none.
func (s *SecretText) take(value, from string) {
	s.value, s.from, s.said = value, from, ""
	s.changed(value)
	s.draw()
}

func (s *SecretText) choose() {
	s.env.ChooseFile(func(path string) {
		s.env.Go(func(context.Context) func() {
			b, err := ReadFile(path)
			return func() {
				if err != nil || !utf8.Valid(b) || strings.TrimSpace(string(b)) == "" {
					s.said = s.env.T("form.file.bad", map[string]any{"File": NameFor(path)})
					s.draw()
					return
				}
				s.take(string(b), path)
			}
		})
	})
}
