package widgets

import (
	"fyne.io/fyne/v2"

	"kvart/ui/theme"
)

// Code is text for a machine, to be copied: monospaced, wrapped, with a button
// that says copy and then copied.
func Code(text, copyWords, copied string) *fyne.Container {
	b := NewButton(copyWords, nil)
	b.OnTapped = func() {
		fyne.CurrentApp().Clipboard().SetContent(text)
		b.SetText(copied)
	}
	return Column(Gap8, NewSurface(theme.ColorNeutralTint, Inset(12, 10, NewText(text, Look{Mono: true}))), Leading(b))
}
