package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"  // pictures of products
	_ "image/jpeg" // pictures of products
	_ "image/png"  // pictures of products
	"io"
	"strings"

	_ "golang.org/x/image/webp" // pictures of products

	"kvart/app"
)

// Bounds of pictures: what comes out of a backup may be anything.
const (
	keptPictures  = 200
	pictureBytes  = 12 << 20
	picturePixels = 24 << 20
	thumbSide     = 72 // twice what a row shows, for fine screens
	previewWide   = 1200
	previewHigh   = 900
)

// picture is a small picture of a record.
type picture = image.Image

// pictureOf returns a record's picture as soon as it is here.
func (s *Screen) pictureOf(r app.Record) image.Image {
	if r.Picture == "" || s.st.Point == nil {
		return nil
	}
	p, ok := s.pictures.Value(keyOf(s.st.Source, s.st.Point.ID, r.Picture))
	if !ok {
		return nil
	}
	return p
}

func (s *Screen) fetchPicture(ctx context.Context, key string) (picture, error) {
	return readPicture(ctx, s.env.Service, ofKey(key), thumbSide, thumbSide)
}

// keyOf names a file of a point; ofKey reads such a name.
func keyOf(source string, point app.PointID, at string) string {
	return strings.Join([]string{source, string(point), at}, "\n")
}

func ofKey(key string) app.PathRequest {
	source, rest, _ := strings.Cut(key, "\n")
	point, at, _ := strings.Cut(rest, "\n")
	return app.PathRequest{Source: source, Point: app.PointID(point), Path: at}
}

// errPicture says that a file is no picture that can be shown.
var errPicture = errors.New("not a picture that can be shown")

// readPicture reads a picture of a point and makes it fit. It is read and
// unpacked outside the window's goroutine.
func readPicture(ctx context.Context, svc app.HistoryService, r app.PathRequest, wide, high int) (image.Image, error) {
	f, err := svc.Cat(ctx, r)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, pictureBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(b) > pictureBytes {
		return nil, errPicture
	}
	return unpack(b, wide, high)
}

// unpack unpacks a picture and makes it fit. What comes out of a backup may have
// been made to harm: that a decoder gives up on it ends no more than the
// picture.
func unpack(b []byte, wide, high int) (out image.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("unpack picture: %v: %w", r, errPicture)
		}
	}()
	c, kind, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("read head of picture: %w", err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > picturePixels/c.Height {
		return nil, errPicture
	}
	if kind == "webp" && !wholeWebP(b, c.Width, c.Height) {
		return nil, errPicture
	}
	full, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("unpack picture: %w", err)
	}
	return fit(full, wide, high), nil
}

// fit makes a picture so small that it lies within bounds; each point of it is
// the mean of up to nine.
func fit(full image.Image, wide, high int) image.Image {
	b := full.Bounds()
	scale := max(float64(b.Dx())/float64(wide), float64(b.Dy())/float64(high), 1)
	w, h := max(int(float64(b.Dx())/scale), 1), max(int(float64(b.Dy())/scale), 1)
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			out.Set(x, y, mean(full, b, float64(x)*scale, float64(y)*scale, scale))
		}
	}
	return out
}

func mean(full image.Image, b image.Rectangle, x, y, scale float64) color.Color {
	const n = 3
	var r, g, bl, a uint32
	for i := range n {
		for j := range n {
			px := b.Min.X + min(int(x+scale*(float64(i)+0.5)/n), b.Dx()-1)
			py := b.Min.Y + min(int(y+scale*(float64(j)+0.5)/n), b.Dy()-1)
			cr, cg, cb, ca := full.At(px, py).RGBA()
			r, g, bl, a = r+cr, g+cg, bl+cb, a+ca
		}
	}
	return color.RGBA64{R: uint16(r / (n * n)), G: uint16(g / (n * n)), B: uint16(bl / (n * n)), A: uint16(a / (n * n))}
}
