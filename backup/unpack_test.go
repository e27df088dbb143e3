package backup

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/kopia/kopia/repo/compression"
)

// pieceOf returns n bytes that pack well in part.
func pieceOf(n int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		if b[i] = "sold two cups of coffee, "[i%25]; random.IntN(4) == 0 {
			b[i] = byte(random.Uint32())
		}
	}
	return b
}

func TestWholePieces_unpackWhatKopiaPacks(t *testing.T) {
	t.Parallel()
	New(slog.Default())
	for _, name := range []compression.Name{"zstd", "zstd-fastest", "zstd-better-compression", "zstd-best-compression"} {
		c, ok := compression.ByHeaderID[compression.ByName[name].HeaderID()].(wholePieces)
		if !ok {
			t.Fatalf("%s is unpacked as a stream", name)
		}
		var group sync.WaitGroup
		for _, size := range []int{0, 1, 4095, segmentBytes, 300_000, 9 << 20} {
			group.Go(func() {
				plain := pieceOf(size)
				var packed, back bytes.Buffer
				if err := compression.ByName[name].Compress(&packed, bytes.NewReader(plain)); err != nil {
					t.Error(err)
					return
				}
				for range 2 { // the second time into a room that was used
					back.Reset()
					if err := c.Decompress(&back, bytes.NewReader(packed.Bytes()), true); err != nil || !bytes.Equal(back.Bytes(), plain) {
						t.Errorf("%s, %d bytes: %d bytes back, %v", name, size, back.Len(), err)
					}
				}
				back.Reset()
				if err := compression.DecompressByHeader(&back, &packed); err != nil || !bytes.Equal(back.Bytes(), plain) {
					t.Errorf("%s, %d bytes, by its header: %d bytes back, %v", name, size, back.Len(), err)
				}
			})
		}
		group.Wait()
	}
}

func TestWholePieces_badPiece(t *testing.T) {
	t.Parallel()
	New(slog.Default())
	c := compression.ByHeaderID[compression.ByName[compressor].HeaderID()]
	var packed bytes.Buffer
	if err := c.Compress(&packed, bytes.NewReader(pieceOf(segmentBytes))); err != nil {
		t.Fatal(err)
	}
	whole := packed.Bytes()
	bad := map[string][]byte{
		"packed by another":  append([]byte{0, 0, 0x99, 0x99}, whole[4:]...),
		"more at the end":    append(bytes.Clone(whole), "more"...),
		"no piece, only who": append(bytes.Clone(whole[:4]), "coffee"...),
	}
	for _, keep := range []int{0, 3, 5, 12, len(whole) / 2, len(whole) - 1} {
		bad[fmt.Sprintf("cut after %d bytes", keep)] = whole[:keep]
	}
	for _, at := range []int{4, 20, len(whole) / 2, len(whole) - 2} {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 0x10
		bad[fmt.Sprintf("byte %d is another", at)] = flipped
	}
	for what, b := range bad {
		var back bytes.Buffer
		if err := c.Decompress(&back, bytes.NewReader(b), true); err == nil {
			t.Errorf("%s: %d bytes back, and no error", what, back.Len())
		} else if back.Len() > 0 {
			t.Errorf("%s: %d bytes of it were given out", what, back.Len())
		}
	}
}
