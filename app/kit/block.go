package kit

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"kvart/app"
)

// The block for programs, version 1:
//
//	-----BEGIN KVART-KIT 1/<seal>/<count>/-----
//	R01: <letters> /<check>
//	…
//	-----END KVART-KIT-----
//
// The letters of all lines in their order are Crockford's base 32 of the
// DEFLATE-compressed payload (payload.go). A line's check is the first two
// letters of the digest of seal, number and letters; the seal is the first eight of
// the digest of the payload. Only letters, digits, colons and slashes count,
// and case does not, so that a block survives mail, quoting and typing. The
// parts of a block split over several codes are numbered P1, P2, … instead.
const (
	blockVersion = 1
	crockford    = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	sealLength   = 8
	checkLength  = 2
	lineLetters  = 52 // of a text's line, in groups of four

	lineMark = 'R'
	partMark = 'P'
)

var letters = base32.NewEncoding(crockford).WithPadding(base32.NoPadding)

// block is a kit as a program reads it.
type block struct {
	seal    string
	letters string
}

func newBlock(k app.Kit) (block, error) {
	payload := encode(k)
	packed, err := pack(payload)
	if err != nil {
		return block{}, err
	}
	return block{seal: sealOf(payload), letters: letters.EncodeToString(packed)}, nil
}

func sealOf(payload []byte) string {
	return digest("kvart-kit seal", string(payload))[:sealLength]
}

func checkOf(seal string, number int, text string) string {
	return digest("kvart-kit line", seal, fmt.Sprint(number), text)[:checkLength]
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return letters.EncodeToString(sum[:])
}

// cuts splits the block's letters into pieces of at most so many.
func (b block) cuts(size int) []string {
	var out []string
	for rest := b.letters; rest != ""; {
		n := min(size, len(rest))
		out, rest = append(out, rest[:n]), rest[n:]
	}
	return out
}

func (b block) begin(count int) string {
	return fmt.Sprintf("BEGIN KVART-KIT %d/%s/%d/", blockVersion, b.seal, count)
}

const blockEnd = "END KVART-KIT"

// lines returns the block as a text holds it.
func (b block) lines() []string {
	pieces := b.cuts(lineLetters)
	out := []string{"-----" + b.begin(len(pieces)) + "-----"}
	for i, p := range pieces {
		out = append(out, fmt.Sprintf("%c%02d: %s /%s", lineMark, i+1, strings.Join(split(p, 4), " "), checkOf(b.seal, i+1, p)))
	}
	return append(out, "-----"+blockEnd+"-----")
}

// parts returns the block as so many codes hold it, each complete in itself.
func (b block) parts(count int) []string {
	pieces := b.cuts((len(b.letters) + count - 1) / count)
	var out []string
	for i, p := range pieces {
		out = append(out, fmt.Sprintf("%s %c%d:%s/%s %s", b.begin(len(pieces)), partMark, i+1, p, checkOf(b.seal, i+1, p), blockEnd))
	}
	return out
}

// split cuts ASCII text into pieces of at most n.
func split(s string, n int) []string {
	var out []string
	for len(s) > n {
		out, s = append(out, s[:n]), s[n:]
	}
	return append(out, s)
}
