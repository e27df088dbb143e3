package history

import "encoding/binary"

// wholeWebP reports whether every picture in a WebP file is as large as its head
// says. Its parts tell their sizes once more, and the decoder makes room for
// what the part says: a file of a hundred bytes could ask for a gigabyte.
func wholeWebP(b []byte, wide, high int) bool {
	const head, chunkHead = 12, 8 // "RIFF", size, "WEBP"; kind of the part, size
	for at := head; at+chunkHead <= len(b); {
		kind, size := string(b[at:at+4]), binary.LittleEndian.Uint32(b[at+4:])
		at += chunkHead
		if int64(size) > int64(len(b)-at) {
			return false
		}
		part := b[at : at+int(size)]
		var w, h int
		switch kind {
		case "VP8 ":
			w, h = sizeVP8(part)
		case "VP8L":
			w, h = sizeVP8L(part)
		default:
			at += int(size) + int(size%2) // parts begin at even places
			continue
		}
		return w == wide && h == high // the decoder reads no further either
	}
	return false
}

// sizeVP8 returns how large a lossy picture says it is, 0 for none.
func sizeVP8(b []byte) (wide, high int) {
	if len(b) < 10 { // the frame's tag, a start code, two sizes of 14 bits
		return 0, 0
	}
	return int(binary.LittleEndian.Uint16(b[6:])) & 0x3FFF, int(binary.LittleEndian.Uint16(b[8:])) & 0x3FFF
}

// sizeVP8L returns how large a lossless picture says it is, 0 for none.
func sizeVP8L(b []byte) (wide, high int) {
	if len(b) < 5 { // a magic byte, two sizes of 14 bits, each less by one
		return 0, 0
	}
	bits := binary.LittleEndian.Uint32(b[1:])
	return int(bits&0x3FFF) + 1, int(bits>>14&0x3FFF) + 1
}
