package assets

import "image/color"

// Palette is the colours of one theme, named by what they are for.
type Palette struct {
	Background color.NRGBA // window
	Surface    color.NRGBA // cards
	Line       color.NRGBA // borders
	Ink        color.NRGBA // text
	Muted      color.NRGBA // secondary text
	Primary    color.NRGBA // safe, primary button, filled quarters
	Warn       color.NRGBA // late, needs attention
	Danger     color.NRGBA // failed, destructive
}

// LightPalette returns the colours of the light theme.
func LightPalette() Palette {
	return Palette{
		Background: rgb(0xF6F5F1),
		Surface:    rgb(0xFFFFFF),
		Line:       rgb(0xE4E1D8),
		Ink:        rgb(0x1B2320),
		Muted:      rgb(0x66706B),
		Primary:    rgb(0x0E6B58),
		Warn:       rgb(0xC77700),
		Danger:     rgb(0xB93428),
	}
}

// DarkPalette returns the colours of the dark theme.
func DarkPalette() Palette {
	return Palette{
		Background: rgb(0x151A18),
		Surface:    rgb(0x1E2522),
		Line:       rgb(0x2D3632),
		Ink:        rgb(0xEDF1EE),
		Muted:      rgb(0x9BA7A1),
		Primary:    rgb(0x4DB69C),
		Warn:       rgb(0xF0A93B),
		Danger:     rgb(0xF07A6C),
	}
}

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xFF}
}
