package widgets

import (
	"strings"

	"fyne.io/fyne/v2"

	"kvart/ui/theme"
)

// Code is text for a machine, to be copied: monospaced, wrapped, with a button
// that says copy and then copied.
func Code(text, copyWords, copied string) *fyne.Container {
	return code(text, text, copyWords, copied)
}

// CodeBegin is [Code] that shows no more than the beginning of a long text; all
// of it is copied.
func CodeBegin(text, copyWords, copied string) *fyne.Container {
	shown := []rune(strings.Join(strings.Fields(text), " "))
	if len(shown) > mostShown {
		shown = append(shown[:mostShown], '…')
	}
	return code(string(shown), text, copyWords, copied)
}

// mostShown is how many letters of a text for a machine are its beginning.
const mostShown = 72

func code(shown, text, copyWords, copied string) *fyne.Container {
	b := NewButton(copyWords, nil)
	b.OnTapped = func() {
		fyne.CurrentApp().Clipboard().SetContent(text)
		b.SetText(copied)
	}
	return Column(Gap8, NewSurface(theme.ColorNeutralTint, Inset(12, 10, NewText(shown, Look{Mono: true}))), Leading(b))
}
