// Package kit prints recovery kits and reads them back: the page an owner
// opens the vault with when the shop's computer is gone, the same as text, and
// the invitation that lets another computer of the shop join. It knows what a
// kit says and how it looks, and nothing of how a vault is opened or where
// kits are kept.
//
// A kit says everything twice: in words, to be read, typed and given to stock
// Kopia, and as a block for programs, which holds all of it to the last byte.
// On paper the block is one or more QR codes, in the text it is lines.
package kit

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode"

	"kvart/app"
)

// Press prints kits and reads them. It is safe for concurrent use.
type Press struct {
	storages []app.KindSpec
}

var _ app.KitPress = (*Press)(nil)

// New returns a press. The kinds of storage are where it looks up what a preset
// stands for: without them, a kit whose settings leave the address to a preset
// says no address to people.
func New(storages ...app.KindSpec) *Press { return &Press{storages: storages} }

// What a check code is made of: letters and digits no two of which look alike,
// also in bad handwriting.
const (
	codeLetters = "34679ACDEFHJKMNPQRTVWXY"
	codeLength  = 8
	// codeRounds makes trying passphrases against a code as slow as it can be
	// without an owner who waits for it.
	codeRounds = 50_000
)

// Code implements [app.KitPress]. It is written in two groups of four.
func (*Press) Code(k app.Kit) string {
	digest := sha256.Sum256(encode(k))
	key, err := pbkdf2.Key(sha256.New, string(digest[:]), []byte("kvart-kit code"), codeRounds, 2*codeLength)
	if err != nil { // only for keys and salts that a FIPS module refuses
		key = digest[:]
	}
	var code strings.Builder
	for i := range codeLength {
		if i == codeLength/2 {
			code.WriteByte('-')
		}
		// Two bytes a letter: none is noticeably likelier than another.
		n := int(key[2*i])<<8 | int(key[2*i+1])
		code.WriteByte(codeLetters[n%len(codeLetters)])
	}
	return code.String()
}

// SameCode reports whether two check codes are the same, whatever their case,
// spaces and dashes. No code is the same as none.
func SameCode(a, b string) bool {
	a, b = bareCode(a), bareCode(b)
	return a != "" && a == b
}

// bareCode leaves out what does not count in a code.
func bareCode(code string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Cf, r) || r == minusSign {
			return -1
		}
		return unicode.ToUpper(r)
	}, code)
}

// minusSign is the one dash that Unicode counts among the symbols.
const minusSign = '\u2212'

// check makes sure that a kit can be read back from what is printed of it.
func check(k app.Kit, printed string) error {
	back, err := (*Press)(nil).Parse(app.NewSecret(printed))
	if err != nil {
		return fmt.Errorf("read kit back: %w", err)
	}
	if !bytes.Equal(encode(back), encode(k)) {
		return app.Errorf(app.CodeInternal, "read kit back", "it came back different")
	}
	return nil
}

// needed refuses a kit that would open nothing.
func needed(k app.Kit) error {
	if k.Storage.Kind == "" || k.Passphrase.IsZero() {
		return app.Errorf(app.CodeUsage, "write kit", "a kit needs a storage and a passphrase")
	}
	return nil
}
