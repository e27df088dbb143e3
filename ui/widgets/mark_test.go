package widgets

import (
	"image"
	"testing"

	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"kvart/assets"
	"kvart/ui/theme"
)

// TestMark_drawsAnewOnlyWhatShows: what is the same is no new picture.
func TestMark_drawsAnewOnlyWhatShows(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New())
	m := NewMark(48, assets.NewMark(assets.MarkSafe))
	drawn := func(fill float64) image.Image {
		m.Set(assets.Mark{State: assets.MarkSafe, Fill: fill})
		return test.WidgetRenderer(m).Objects()[0].(*canvas.Image).Image
	}
	first := drawn(0.5)
	if drawn(0.5) != first {
		t.Error("the same is drawn anew")
	}
	if drawn(0.6) == first {
		t.Error("what is fuller looks the same")
	}
}
