package theme

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// luminance is the relative luminance of WCAG 2.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	lin := func(v uint32) float64 {
		f := float64(v) / 0xFFFF
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
}

func contrast(a, b color.Color) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// The tests of this package are not parallel: Fyne makes its default theme when it
// is first asked for, without a lock.
func TestTheme_textCanBeRead(t *testing.T) {
	ground := []fyne.ThemeColorName{fynetheme.ColorNameBackground, ColorSurface, ColorSide}
	pairs := map[fyne.ThemeColorName][]fyne.ThemeColorName{
		fynetheme.ColorNameForeground:          append([]fyne.ThemeColorName{ColorGoodTint, ColorNeutralTint}, ground...),
		fynetheme.ColorNamePlaceHolder:         ground,
		fynetheme.ColorNameForegroundOnPrimary: {fynetheme.ColorNamePrimary},
		fynetheme.ColorNameForegroundOnError:   {fynetheme.ColorNameError},
		fynetheme.ColorNameDisabled:            {fynetheme.ColorNameBackground, ColorSurface},
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
				if c := contrast(th.Color(text, v), th.Color(g, v)); c < 4.5 {
					t.Errorf("variant %d: %s on %s has contrast %.2f", v, text, g, c)
				}
			}
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
