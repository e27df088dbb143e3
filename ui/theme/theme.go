// Package theme is how Kvart looks: its colours, sizes and corners over Fyne's
// own theme, in a light and a dark variant. It knows no screen.
package theme

import (
	"image/color"
	"maps"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/assets"
)

// Names of colours that Fyne's widgets do not ask for, but Kvart's do.
const (
	ColorSurface     fyne.ThemeColorName = "kvartSurface" // cards
	ColorSide        fyne.ThemeColorName = "kvartSide"    // navigation
	ColorLine        fyne.ThemeColorName = "kvartLine"
	ColorMuted       fyne.ThemeColorName = "kvartMuted" // secondary text
	ColorTrack       fyne.ThemeColorName = "kvartTrack" // bars not filled yet
	ColorGoodText    fyne.ThemeColorName = "kvartGoodText"
	ColorGoodTint    fyne.ThemeColorName = "kvartGoodTint"
	ColorWarnText    fyne.ThemeColorName = "kvartWarnText"
	ColorWarnTint    fyne.ThemeColorName = "kvartWarnTint"
	ColorDangerText  fyne.ThemeColorName = "kvartDangerText"
	ColorDangerTint  fyne.ThemeColorName = "kvartDangerTint"
	ColorNeutralText fyne.ThemeColorName = "kvartNeutralText"
	ColorNeutralTint fyne.ThemeColorName = "kvartNeutralTint"
)

// Names of sizes that Fyne's widgets do not ask for, but Kvart's do.
const (
	SizeFigure     fyne.ThemeSizeName = "kvartFigure"     // the numbers on Home
	SizeClock      fyne.ThemeSizeName = "kvartClock"      // the clock of a recovery
	SizeBrand      fyne.ThemeSizeName = "kvartBrand"      // the name beside the mark
	SizeCardRadius fyne.ThemeSizeName = "kvartCardRadius" //
	SizePill       fyne.ThemeSizeName = "kvartPill"       // text of a pill
)

// kvart holds its colours by name: they are asked for with every drawing.
type kvart struct {
	fyne.Theme
	light, dark map[fyne.ThemeColorName]color.Color
}

var _ fyne.Theme = kvart{}

// New returns Kvart's theme. Which variant is shown is the desktop's choice,
// or that of FYNE_THEME.
func New() fyne.Theme {
	return kvart{Theme: fynetheme.DefaultTheme(), light: light().named(), dark: dark().named()}
}

// Fixed returns Kvart's theme in one variant, whatever the desktop chose.
func Fixed(v fyne.ThemeVariant) fyne.Theme { return fixed{New(), v} }

type fixed struct {
	fyne.Theme
	variant fyne.ThemeVariant
}

func (f fixed) Color(n fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	return f.Theme.Color(n, f.variant)
}

// Color implements [fyne.Theme].
func (k kvart) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	named := k.light
	if v == fynetheme.VariantDark {
		named = k.dark
	}
	if c, ok := named[n]; ok {
		return c
	}
	return k.Theme.Color(n, v)
}

// Size implements [fyne.Theme].
func (k kvart) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case fynetheme.SizeNameText:
		return 14
	case fynetheme.SizeNameHeadingText, SizeFigure:
		return 24
	case fynetheme.SizeNameSubHeadingText:
		return 15
	case fynetheme.SizeNameCaptionText, SizePill:
		return 12.5
	case fynetheme.SizeNameInputRadius, fynetheme.SizeNameSelectionRadius:
		return 8
	case fynetheme.SizeNameInnerPadding:
		return 8
	case fynetheme.SizeNamePadding:
		return 4
	case SizeClock:
		return 34
	case SizeBrand:
		return 18
	case SizeCardRadius:
		return 12
	}
	return k.Theme.Size(n)
}

// palette is one variant's colours: those of the design, and what only a
// window needs beside them.
type palette struct {
	assets.Palette
	side, track, disabled, onPrimary, edge color.NRGBA
	warnText, goodTint, warnTint           color.NRGBA
	dangerTint, neutralTint, neutralText   color.NRGBA
	hover, pressed, focus                  color.NRGBA
}

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xFF}
}

func light() palette {
	return palette{
		Palette: assets.LightPalette(),
		side:    rgb(0xFBFAF7), track: rgb(0xE9E7E0), disabled: rgb(0x5F6964), onPrimary: rgb(0xFFFFFF), edge: rgb(0x8B938E),
		// Amber is too pale to be read as text on white.
		warnText: rgb(0x8A5300),
		goodTint: rgb(0xE0EFEA), warnTint: rgb(0xFDF0D9), dangerTint: rgb(0xFBE4E1), neutralTint: rgb(0xEDEBE5), neutralText: rgb(0x565F5A),
		hover: color.NRGBA{A: 0x0C}, pressed: color.NRGBA{A: 0x1A}, focus: color.NRGBA{R: 0x0E, G: 0x6B, B: 0x58, A: 0x30},
	}
}

func dark() palette {
	return palette{
		Palette: assets.DarkPalette(),
		side:    rgb(0x1A201D), track: rgb(0x323B37), disabled: rgb(0x95A09A), onPrimary: rgb(0x0B1512), edge: rgb(0x75807A),
		warnText: rgb(0xF0A93B),
		goodTint: rgb(0x1F3A33), warnTint: rgb(0x3B301B), dangerTint: rgb(0x402724), neutralTint: rgb(0x2A322E), neutralText: rgb(0xB3BDB8),
		hover: color.NRGBA{R: 0xFF, G: 0xFF, B: 0xFF, A: 0x10}, pressed: color.NRGBA{R: 0xFF, G: 0xFF, B: 0xFF, A: 0x22},
		focus: color.NRGBA{R: 0x4D, G: 0xB6, B: 0x9C, A: 0x40},
	}
}

// named returns the colours on which Kvart has an opinion.
func (p palette) named() map[fyne.ThemeColorName]color.Color {
	all := p.own()
	maps.Copy(all, p.fynes())
	return all
}

func (p palette) own() map[fyne.ThemeColorName]color.Color {
	return map[fyne.ThemeColorName]color.Color{
		ColorSurface: p.Surface, ColorSide: p.side, ColorLine: p.Line, ColorMuted: p.Muted, ColorTrack: p.track,
		ColorGoodText: p.Primary, ColorGoodTint: p.goodTint,
		ColorWarnText: p.warnText, ColorWarnTint: p.warnTint,
		ColorDangerText: p.Danger, ColorDangerTint: p.dangerTint,
		ColorNeutralTint: p.neutralTint, ColorNeutralText: p.neutralText,
	}
}

func (p palette) fynes() map[fyne.ThemeColorName]color.Color {
	return map[fyne.ThemeColorName]color.Color{
		fynetheme.ColorNameBackground:          p.Background,
		fynetheme.ColorNameOverlayBackground:   p.Surface,
		fynetheme.ColorNameMenuBackground:      p.Surface,
		fynetheme.ColorNameHeaderBackground:    p.Surface,
		fynetheme.ColorNameForeground:          p.Ink,
		fynetheme.ColorNamePlaceHolder:         p.Muted,
		fynetheme.ColorNameDisabled:            p.disabled,
		fynetheme.ColorNameButton:              p.Surface,
		fynetheme.ColorNameDisabledButton:      p.neutralTint,
		fynetheme.ColorNamePrimary:             p.Primary,
		fynetheme.ColorNameHyperlink:           p.Primary,
		fynetheme.ColorNameSuccess:             p.Primary,
		fynetheme.ColorNameWarning:             p.Warn,
		fynetheme.ColorNameError:               p.Danger,
		fynetheme.ColorNameForegroundOnPrimary: p.onPrimary,
		fynetheme.ColorNameForegroundOnSuccess: p.onPrimary,
		fynetheme.ColorNameForegroundOnError:   p.onPrimary,
		fynetheme.ColorNameForegroundOnWarning: rgb(0x1B2320),
		fynetheme.ColorNameFocus:               p.focus,
		fynetheme.ColorNameHover:               p.hover,
		fynetheme.ColorNamePressed:             p.pressed,
		fynetheme.ColorNameSelection:           p.goodTint,
		fynetheme.ColorNameSeparator:           p.Line,
		fynetheme.ColorNameInputBorder:         p.edge,
		fynetheme.ColorNameInputBackground:     p.Surface,
	}
}
