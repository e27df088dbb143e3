package theme

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// The tests of this package are not parallel: Fyne makes its default theme when it
// is first asked for, without a lock.
func TestTheme_textCanBeRead(t *testing.T) {
	ground := []fyne.ThemeColorName{fynetheme.ColorNameBackground, ColorSurface, ColorSide}
	pairs := map[fyne.ThemeColorName][]fyne.ThemeColorName{
		fynetheme.ColorNameForeground:          append([]fyne.ThemeColorName{ColorGoodTint, ColorNeutralTint}, ground...),
		fynetheme.ColorNamePlaceHolder:         ground,
		fynetheme.ColorNameForegroundOnPrimary: {fynetheme.ColorNamePrimary},
		fynetheme.ColorNameForegroundOnError:   {fynetheme.ColorNameError},
		fynetheme.ColorNameDisabled:            {fynetheme.ColorNameBackground, ColorSurface, fynetheme.ColorNameDisabledButton},
		ColorMuted:                             ground,
		ColorNeutralText:                       {ColorNeutralTint},
		ColorGoodText:                          append([]fyne.ThemeColorName{ColorGoodTint}, ground...),
		ColorWarnText:                          append([]fyne.ThemeColorName{ColorWarnTint}, ground...),
		ColorDangerText:                        append([]fyne.ThemeColorName{ColorDangerTint}, ground...),
	}
	for _, v := range []fyne.ThemeVariant{fynetheme.VariantLight, fynetheme.VariantDark} {
		th := Fixed(v)
		for text, grounds := range pairs {
			for _, g := range grounds {
				if c := Contrast(th.Color(text, v), th.Color(g, v)); c < 4.5 {
					t.Errorf("variant %d: %s on %s has contrast %.2f", v, text, g, c)
				}
			}
		}
	}
}

func TestContrast(t *testing.T) {
	grey := color.NRGBA{R: 0x76, G: 0x76, B: 0x76, A: 0xFF}
	for _, tt := range []struct {
		a, b color.Color
		want float64
	}{{color.Black, color.White, 21}, {color.White, color.White, 1}, {color.White, grey, 4.54}} {
		if got := Contrast(tt.a, tt.b); got < tt.want-0.01 || got > tt.want+0.01 {
			t.Errorf("%v on %v: %.3f, want %.2f", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestTheme_sizes(t *testing.T) {
	th := New()
	for n, want := range map[fyne.ThemeSizeName]float32{
		fynetheme.SizeNameText: 14, fynetheme.SizeNameHeadingText: 24, fynetheme.SizeNameSubHeadingText: 15,
		fynetheme.SizeNameCaptionText: 12.5, SizeCardRadius: 12, fynetheme.SizeNameInputRadius: 8,
	} {
		if got := th.Size(n); got != want {
			t.Errorf("%s is %v, want %v", n, got, want)
		}
	}
	if th.Size(fynetheme.SizeNameScrollBar) == 0 || th.Icon(fynetheme.IconNameHome) == nil || th.Font(fyne.TextStyle{}) == nil {
		t.Error("what Kvart does not care for is not Fyne's own")
	}
}
