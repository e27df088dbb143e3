package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"kvart/assets"
	"kvart/ui/theme"
)

// TestSketch_staysInItsFrame: nothing is drawn outside the picture, and words
// that don't fit are cut and known to be.
func TestSketch_staysInItsFrame(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New())
	for _, f := range []assets.GuideFrame{assets.FrameBrowser, assets.FrameKvart, assets.FrameTerminal, assets.FrameLetter, assets.FrameFolder, assets.FrameDisk} {
		k := NewSketch(Scene{Frame: f, Menu: []string{"Settings", "A menu with a name that is far too long to fit anywhere"}, Fields: []string{"Name"}, Ticks: []string{"Tick"}, Button: "Press", Lines: []string{"run it"}})
		for _, width := range []float32{SketchWidth, 420} {
			k.Resize(fyne.NewSize(width, k.MinSize().Height))
			texts := 0
			for _, o := range test.WidgetRenderer(k).Objects() {
				to := o.Position().Add(o.Size())
				if o.Position().X < 0 || o.Position().Y < 0 || to.X > width+1 || to.Y > k.MinSize().Height+1 {
					t.Errorf("%s at %v: %T from %v to %v", f, width, o, o.Position(), to)
				}
				if _, ok := o.(*canvas.Text); ok {
					texts++
				}
			}
			if texts == 0 {
				t.Errorf("%s says nothing", f)
			}
		}
		if (f == assets.FrameBrowser) != (len(Cut(k.scene, SketchWidth)) > 0) && f != assets.FrameKvart {
			t.Errorf("%s: cut %q", f, Cut(k.scene, SketchWidth))
		}
	}
}
