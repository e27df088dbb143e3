package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"kvart/app"
)

func bars() []Bar {
	states := []app.QuarterState{app.QuarterDone, app.QuarterIdle, app.QuarterLate, app.QuarterFailed, app.QuarterPaused, app.QuarterNone, app.QuarterRunning, app.QuarterDue}
	var out []Bar
	for _, s := range states {
		out = append(out, Bar{State: s, Words: string(s)})
	}
	return out
}

func TestStrip_keyboard(t *testing.T) {
	test.NewTempApp(t)
	s := NewStrip()
	picked := -1
	s.OnPick = func(i int) { picked = i }
	s.Set(bars(), "rest")
	w := test.NewTempWindow(t, s)
	w.Resize(fyne.NewSize(400, 120))
	if s.Words() != "rest" {
		t.Errorf("says %q", s.Words())
	}
	w.Canvas().Focus(s)
	if s.Words() != "running" {
		t.Errorf("begins at %q, not at the newest that has begun", s.Words())
	}
	for _, step := range []struct {
		key  fyne.KeyName
		want string
	}{{fyne.KeyLeft, "none"}, {fyne.KeyHome, "done"}, {fyne.KeyLeft, "done"}, {fyne.KeyDown, "paused"}, {fyne.KeyUp, "done"}, {fyne.KeyRight, "idle"}, {fyne.KeyEnd, "due"}, {fyne.KeyRight, "due"}} {
		s.TypedKey(&fyne.KeyEvent{Name: step.key})
		if s.Words() != step.want {
			t.Errorf("%s leads to %q, want %q", step.key, s.Words(), step.want)
		}
	}
	s.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if picked != 7 {
		t.Errorf("picked %d", picked)
	}
	s.Set(bars()[:3], "rest")
	if s.Words() != "rest" {
		t.Errorf("a bar that is gone says %q", s.Words())
	}
}

func TestStrip_mouse(t *testing.T) {
	test.NewTempApp(t)
	s := NewStrip()
	s.Set(bars(), "rest")
	w := test.NewTempWindow(t, s)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(400, 120))
	test.MoveMouse(w.Canvas(), fyne.NewPos(175, 10))
	if s.Words() != "failed" {
		t.Errorf("under the mouse is %q", s.Words())
	}
	test.MoveMouse(w.Canvas(), fyne.NewPos(175, 100))
	if s.Words() != "rest" {
		t.Errorf("below the bars is %q", s.Words())
	}
}

// TestStrip_shapes: without colour, good, late, failed, paused and absent
// quarters still differ.
func TestStrip_shapes(t *testing.T) {
	t.Parallel()
	seen := map[shape]app.QuarterState{}
	for _, b := range bars()[:7] {
		sh := shapeOf(b.State)
		sh.color = ""
		if other, ok := seen[sh]; ok {
			t.Errorf("%s looks like %s", b.State, other)
		}
		seen[sh] = b.State
	}
}

func TestColumn_givesWrappedTextItsHeight(t *testing.T) {
	test.NewTempApp(t)
	long := NewText("Backups are encrypted before they leave this computer, and nobody without the passphrase can open them.", Body())
	below := NewText("below", Body())
	c := Column(Gap8, long, below)
	w := test.NewTempWindow(t, c)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(200, 400))
	if h := long.Size().Height; h < 50 {
		t.Errorf("the text is only %v high", h)
	}
	if y, end := below.Position().Y, long.Position().Y+long.Size().Height; y < end {
		t.Errorf("the next begins at %v, before %v", y, end)
	}
}

func TestGrid_columnsByWidth(t *testing.T) {
	t.Parallel()
	g := &grid{gap: 16, narrowest: 220, most: 3}
	for width, want := range map[float32]int{100: 1, 455: 1, 456: 2, 692: 3, 2000: 3} {
		if got := g.columns(width); got != want {
			t.Errorf("%v wide: %d columns, want %d", width, got, want)
		}
	}
}
