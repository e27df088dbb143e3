package backup

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// dump returns text like a dump's: rows of a table.
func dump(rows int) []byte {
	var b bytes.Buffer
	r := rand.New(rand.NewPCG(1, 2))
	for i := range rows {
		fmt.Fprintf(&b, "(%d,'kvitto %x',%d),\n", i, r.Uint64(), r.IntN(1000))
	}
	return b.Bytes()
}

func cut(b []byte) (parts [][]byte) {
	bd := newBorders()
	for len(b) > 0 {
		k := bd.next(b)
		parts = append(parts, b[:k])
		b = b[k:]
	}
	return parts
}

func TestBorders_followContent(t *testing.T) {
	t.Parallel()
	text := dump(100_000)
	before := map[string]bool{}
	parts := cut(text)
	for i, p := range parts {
		before[string(p)] = true
		if len(p) > rollingMost || len(p) <= rollingLeast && i < len(parts)-1 {
			t.Errorf("segment %d has %d bytes", i, len(p))
		}
	}
	if avg := len(text) / len(parts); avg < 12<<10 || avg > 28<<10 {
		t.Errorf("segments have %d bytes on average", avg)
	}
	// one row more in the middle moves the borders around it only
	changed := append(append(bytes.Clone(text[:len(text)/2]), "(1,'en ny',2),\n"...), text[len(text)/2:]...)
	fresh := 0
	for _, p := range cut(changed) {
		if !before[string(p)] {
			fresh++
		}
	}
	if fresh == 0 || fresh > 3 {
		t.Errorf("%d of %d segments are new after one row", fresh, len(parts))
	}
}

// Kopia's own splitter loses its way in text that repeats every 32 bytes.
func TestBorders_repetitiveText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	for i := range 20_000 {
		h := fmt.Sprintf("%032x", i*2654435761)
		b.WriteString(h + h + h)
	}
	text := b.Bytes()
	before := map[string]bool{}
	for _, p := range cut(text) {
		before[string(p)] = true
	}
	fresh := 0
	for _, p := range cut(append([]byte("x"), text...)) {
		if !before[string(p)] {
			fresh++
		}
	}
	if fresh > 4 {
		t.Errorf("%d of %d segments are new after one byte at the start", fresh, len(before))
	}
}

func FuzzBorders(f *testing.F) {
	f.Add([]byte("abc"), uint8(3))
	f.Fuzz(func(t *testing.T, seed []byte, times uint8) {
		text := bytes.Repeat(seed, int(times)*97)
		if got := bytes.Join(cut(text), nil); !bytes.Equal(got, text) {
			t.Fatalf("%d bytes became %d", len(text), len(got))
		}
	})
}
