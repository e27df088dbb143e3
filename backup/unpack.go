package backup

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/kopia/kopia/repo/compression"
)

// unpackWhole has Kopia unpack what zstd packed by pieces, for all vaults. What is
// stored in segments comes back in tens of thousands of small pieces, and Kopia
// unpacks each as a stream. Knowing the whole piece, the same library takes three
// quarters of the time or less: it needs no window between blocks, and its loop in
// assembly wants room for all of the result at once (seqdec_amd64.go in
// github.com/klauspost/compress/zstd).
var unpackWhole = sync.OnceFunc(func() {
	for id, c := range compression.ByHeaderID {
		switch compression.HeaderIDToName[id] {
		case "zstd", "zstd-fastest", "zstd-better-compression", "zstd-best-compression":
			compression.ByHeaderID[id] = wholePieces{c}
		}
	}
})

// wholePieces unpacks at once what Compressor packed. What Kopia gives it has
// been decrypted, and so is known to be as it was stored.
type wholePieces struct{ compression.Compressor }

// piecesRoom is what one piece needs while it is unpacked.
type piecesRoom struct {
	packed bytes.Buffer
	plain  []byte
}

const (
	// headerBytes before each piece name what packed it.
	headerBytes = 4
	// roomKept is the largest room for a piece that waits for the next one: a
	// large piece is rare and its room is better given back.
	roomKept = 1 << 20
)

var (
	// decoder unpacks as many pieces at a time as there are processors.
	decoder = sync.OnceValues(func() (*zstd.Decoder, error) { return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0)) })
	rooms   = sync.Pool{New: func() any { return new(piecesRoom) }}
)

func (c wholePieces) Decompress(output io.Writer, input io.Reader, withHeader bool) (err error) {
	d, err := decoder()
	if err != nil {
		return fmt.Errorf("set up unpacking: %w", err)
	}
	room := rooms.Get().(*piecesRoom) //nolint:errcheck // the pool holds nothing else
	defer func() {
		if room.packed.Cap()+cap(room.plain) <= roomKept {
			rooms.Put(room)
		}
	}()
	if withHeader {
		var header [headerBytes]byte
		if _, err := io.ReadFull(input, header[:]); err != nil {
			return fmt.Errorf("read what packed it: %w", err)
		}
		if id := compression.HeaderID(binary.BigEndian.Uint32(header[:])); id != c.HeaderID() {
			return fmt.Errorf("packed by %x, not %x", id, c.HeaderID())
		}
	}
	room.packed.Reset()
	if _, err := room.packed.ReadFrom(input); err != nil {
		return fmt.Errorf("read packed piece: %w", err)
	}
	if room.plain, err = d.DecodeAll(room.packed.Bytes(), room.plain[:0]); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	if _, err := output.Write(room.plain); err != nil {
		return fmt.Errorf("take over what was unpacked: %w", err)
	}
	return nil
}
