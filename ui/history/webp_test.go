package history

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// webp returns a picture from testdata: both kinds are of the test pictures of
// golang.org/x/image.
func webp(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// riff returns a WebP file of parts, each led by the four letters of its kind.
func riff(parts ...string) []byte {
	body := "WEBP"
	for _, p := range parts {
		body += p[:4] + string(binary.LittleEndian.AppendUint32(nil, uint32(len(p)-4))) + p[4:]
		if len(p)%2 == 1 {
			body += "\x00"
		}
	}
	return []byte("RIFF" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body)
}

func TestUnpack_webp(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]int{"lossy.webp": {72, 48}, "lossless.webp": {54, 72}} {
		p, err := unpack(webp(t, name), 72, 72)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b := p.Bounds(); b.Dx() != want[0] || b.Dy() != want[1] {
			t.Errorf("%s is shown as %v", name, b)
		}
		seen := map[[4]uint32]bool{}
		for x := range p.Bounds().Dx() {
			r, g, b, a := p.At(x, p.Bounds().Dy()/2).RGBA()
			seen[[4]uint32{r, g, b, a}] = true
		}
		if len(seen) < 2 {
			t.Errorf("%s shows nothing", name)
		}
	}
}

// TestUnpack_hostileWebP: a file that asks for more room than its head says, has
// fewer points of transparency than of colour, or ends too early gives no
// picture and harms nothing.
func TestUnpack_hostileWebP(t *testing.T) {
	t.Parallel()
	lossy := webp(t, "lossy.webp")
	frame := string(lossy[12:16]) + string(lossy[20:])
	const (
		small = "VP8X\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" // 1 by 1
		clear = "VP8X\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00" // with transparency
		alpha = "ALPH\x00\xff"
		giant = "VP8L\x2f\xff\xff\xff\x0f" // 16384 by 16384
	)
	for name, b := range map[string][]byte{
		"larger than its head":  riff(small, giant),
		"giant":                 riff(giant),
		"giant head":            riff("VP8X\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff", frame),
		"too few of alpha":      riff(clear, alpha, frame),
		"no picture":            riff(small),
		"a part that is longer": append(riff("VP8X"+strings.Repeat("\x00", 10)), "VP8L\xff\xff\xff\xff\x2f"...),
		"an odd part":           riff(small, "ICCP\x00", "VP8L\x2f"),
		"cut in its head":       lossy[:25],
		"cut":                   lossy[:len(lossy)/2],
		"only a name":           []byte("RIFF\x00\x00\x00\x00WEBP"),
	} {
		if p, err := unpack(b, 72, 72); err == nil {
			t.Errorf("%s gives %v", name, p.Bounds())
		}
	}
}

// FuzzUnpack: nothing that is not a picture ends the program.
func FuzzUnpack(f *testing.F) {
	for _, name := range []string{"lossy.webp", "lossless.webp"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := unpack(b, 72, 72)
		if err == nil && (p.Bounds().Dx() > 72 || p.Bounds().Dy() > 72) {
			t.Errorf("%v", p.Bounds())
		}
	})
}
