package sqlite

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"math"

	"kvart/app"
)

const (
	magic      = "SQLite format 3\x00"
	headSize   = 100
	sampleSize = 4096
)

// header is the first hundred bytes of a database file.
type header [headSize]byte

// pageSize returns the size of a page, 0 when the header makes no sense.
func (h header) pageSize() int {
	n := int(binary.BigEndian.Uint16(h[16:18]))
	if n == 1 {
		n = 65536
	}
	if n < 512 || n&(n-1) != 0 {
		return 0
	}
	return n
}

// wal reports whether the database is in WAL mode.
func (h header) wal() bool { return h[18] == 2 || h[19] == 2 }

// readHeader reads the header of a database of size bytes. A file of no bytes
// is a valid database in which nothing was ever stored.
func readHeader(r io.ReaderAt, size int64) (h header, err error) {
	const op = "sqlite: read header"
	if size == 0 {
		return h, nil
	}
	sample := make([]byte, min(size, sampleSize))
	if n, err := r.ReadAt(sample, 0); err != nil && !(err == io.EOF && n == len(sample)) {
		return h, err
	}
	copy(h[:], sample)
	switch {
	case hasMagic(sample) && len(sample) >= headSize:
		if h.pageSize() == 0 {
			return h, app.Errorf(app.CodeSourceDamaged, op, "the header names no valid page size")
		}
		return h, nil
	case encrypted(sample, size):
		return h, app.Errorf(app.CodeSourceEncrypted, op, "whole pages of random bytes: an encrypted database")
	}
	return h, app.Errorf(app.CodeSourceNotDB, op, "does not begin as a SQLite database")
}

func hasMagic(sample []byte) bool { return bytes.HasPrefix(sample, []byte(magic)) }

// encrypted reports whether a file that is no plain database looks like one
// under encryption: whole pages, random from the first byte on, and not one of
// the compressed formats that look as random.
func encrypted(sample []byte, size int64) bool {
	if len(sample) < 512 || size%512 != 0 {
		return false
	}
	for _, m := range []string{"PK\x03\x04", "\x1f\x8b", "\xff\xd8\xff", "\x89PNG", "7z\xbc\xaf", "%PDF", "BZh", "\xfd7zXZ", "\x28\xb5\x2f\xfd"} {
		if bytes.HasPrefix(sample, []byte(m)) {
			return false
		}
	}
	return entropy(sample) > 7.2
}

// entropy returns the bits of information in a byte of b, at most 8.
func entropy(b []byte) (bits float64) {
	var counts [256]int
	for _, c := range b {
		counts[c]++
	}
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(b))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// regular returns an error when fi can't be a database file.
func regular(fi fs.FileInfo) error {
	if fi.Mode().IsRegular() {
		return nil
	}
	return app.Errorf(app.CodeSourceNotDB, "sqlite: look", "%s is no file", fi.Name())
}
