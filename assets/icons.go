package assets

import (
	"bytes"
	"embed"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

//go:embed icon.png
var icon embed.FS

// AppIcon returns Kvart's icon as a PNG of 512 pixels.
func AppIcon() ([]byte, error) { return icon.ReadFile("icon.png") }

// Turns is how many pictures one turn of the working mark has.
const Turns = 12

// TrayIcon returns the mark of a state as the system's tray wants it: an ICO
// on Windows, else a PNG. turn counts the pictures of the working mark.
func TrayIcon(s MarkState, turn int) ([]byte, error) {
	m := NewMark(s)
	m.Plate = true
	if s == MarkWorking {
		m.Turn = float64(turn) / Turns
	}
	return encodeTray(m)
}

// Icons holds every tray icon. The system may read an icon long after it was
// handed over, so the bytes live as long as the Icons do and never change.
type Icons struct{ frames map[MarkState][][]byte }

// NewIcons draws all tray icons.
func NewIcons() (*Icons, error) {
	ic := &Icons{frames: map[MarkState][][]byte{}}
	for _, s := range MarkStates() {
		n := 1
		if s == MarkWorking {
			n = Turns
		}
		for i := range n {
			b, err := TrayIcon(s, i)
			if err != nil {
				return nil, fmt.Errorf("draw %s: %w", s, err)
			}
			ic.frames[s] = append(ic.frames[s], b)
		}
	}
	return ic, nil
}

// Icon returns a state's icon: the same bytes each time. An unknown state
// looks unknown.
func (ic *Icons) Icon(s MarkState, turn int) []byte {
	f := ic.frames[s]
	if len(f) == 0 {
		f = ic.frames[MarkUnknown]
	}
	return f[(turn%len(f)+len(f))%len(f)]
}

// PNG returns the mark as a PNG.
func (m Mark) PNG(size int) ([]byte, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, DrawMark(size, m)); err != nil {
		return nil, fmt.Errorf("encode mark: %w", err)
	}
	return b.Bytes(), nil
}

// ICO returns the mark as a Windows icon of several sizes, each at most 256.
func (m Mark) ICO(sizes ...int) ([]byte, error) {
	const header, entry = 6, 16
	var dir, body bytes.Buffer
	le := binary.LittleEndian
	dir.Write(le.AppendUint16(le.AppendUint16(le.AppendUint16(nil, 0), 1), uint16(len(sizes))))
	for _, size := range sizes {
		if size <= 0 || size > 256 {
			return nil, fmt.Errorf("encode icon: size %d", size)
		}
		at := header + entry*len(sizes) + body.Len()
		dib := bitmap(DrawMark(size, m), size)
		body.Write(dib)
		// an entry has one byte for a size, and writes 256 as 0
		dir.Write([]byte{uint8(size), uint8(size), 0, 0, 1, 0, 32, 0})
		dir.Write(le.AppendUint32(le.AppendUint32(nil, uint32(len(dib))), uint32(at)))
	}
	return append(dir.Bytes(), body.Bytes()...), nil
}

// bitmap returns a picture as icons hold it: a header that counts the height
// twice, the rows from the bottom up, and an empty mask, as alpha decides.
// Older programs read no PNG inside an icon.
func bitmap(img image.Image, size int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 40)
	b = le.AppendUint32(le.AppendUint32(b, uint32(size)), uint32(2*size))
	b = le.AppendUint16(le.AppendUint16(b, 1), 32)
	b = append(b, make([]byte, 24)...)
	for y := size - 1; y >= 0; y-- {
		for x := range size {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			b = append(b, c.B, c.G, c.R, c.A)
		}
	}
	return append(b, make([]byte, (size+31)/32*4*size)...)
}
