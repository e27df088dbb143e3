package kit

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kvart/app"
)

// maxText bounds what is looked through for a kit.
const maxText = 1 << 20

// maxCount bounds how many lines or parts a block says it has.
const maxCount = maxPayload*8/5/lineLetters + 1

// Parse implements [app.KitPress]. It takes:
//
//   - the block for programs, out of a text or scanned: its lines or parts in
//     any order, more than once, quoted, indented, wrapped anew, in any case,
//     with anything around and between them, and O for 0, I and L for 1, U for V;
//   - without a whole block, the lines for people, as [Press.Text] writes
//     them, typed or copied: what is in brackets counts, the words before it
//     don't. Such a kit has no blobs, and is taken only when the fingerprint
//     fits the passphrase.
//
// Of several kits of one vault the newest counts.
func (*Press) Parse(text app.Secret) (app.Kit, error) {
	s := text.Reveal()
	if len(s) > maxText {
		return app.Kit{}, app.Errorf(app.CodeKitUnreadable, "read kit", "%d bytes are no kit", len(s))
	}
	k, err := readBlocks(s)
	if err == nil || app.CodeOf(err) == app.CodeGuardVersion {
		return k, err
	}
	typed, ok, typedErr := readTyped(s)
	switch {
	case typedErr == nil:
		return typed, nil
	case ok && errors.Is(err, errNoBlock):
		return app.Kit{}, typedErr
	}
	return app.Kit{}, err
}

var errNoBlock = errors.New("no kit begins in it")

var (
	beginning = regexp.MustCompile(`BEGINKVARTKIT([0-9]{1,9})/([0-9A-Z]{8})/([0-9]{1,6})/`)
	ending    = regexp.MustCompile(`ENDKVARTKIT`)
	aVersion  = regexp.MustCompile(`BEGINKVARTKIT([0-9]{1,9})`)
	piece     = regexp.MustCompile(`([RP])([0-9]{1,6}):([0-9A-Z]+)/([0-9A-Z]{2})`)
)

// blockID tells the blocks of a text apart: those with the same one are parts
// of one block.
type blockID struct {
	seal  string
	count int
}

// found is what was found of a block.
type found struct {
	pieces map[int]string
	mark   string // R or P
	bad    int    // a piece that was there and damaged
}

// readBlocks returns the kit of the blocks in a text.
func readBlocks(text string) (app.Kit, error) {
	s := bare(text)
	starts := beginning.FindAllStringSubmatchIndex(s, -1)
	if len(starts) == 0 {
		return app.Kit{}, noBeginning(s)
	}
	blocks := map[blockID]*found{}
	var order []blockID
	for i, at := range starts {
		if err := checkVersion(s[at[2]:at[3]]); err != nil {
			return app.Kit{}, err
		}
		count, err := strconv.Atoi(s[at[6]:at[7]])
		if err != nil || count < 1 || count > maxCount {
			continue
		}
		id := blockID{seal: meant(s[at[4]:at[5]]), count: count}
		if blocks[id] == nil {
			blocks[id] = &found{pieces: map[int]string{}, mark: string(lineMark)}
			order = append(order, id)
		}
		body := s[at[1]:]
		if i+1 < len(starts) {
			body = s[at[1]:starts[i+1][0]]
		}
		if end := ending.FindStringIndex(body); end != nil {
			body = body[:end[0]]
		}
		blocks[id].collect(id, body)
	}
	return newest(order, blocks)
}

// noBeginning tells a block of a version that begins otherwise from none.
func noBeginning(s string) error {
	if at := aVersion.FindStringSubmatch(s); at != nil {
		if err := checkVersion(at[1]); err != nil {
			return err
		}
		return app.Errorf(app.CodeKitUnreadable, "read kit", "its first line is damaged")
	}
	return app.Errorf(app.CodeKitUnreadable, "read kit", "%w", errNoBlock)
}

func checkVersion(v string) error {
	if n, err := strconv.Atoi(v); err != nil || n > blockVersion {
		return app.Errorf(app.CodeGuardVersion, "read kit", "it is of version %s, this program knows %d", v, blockVersion)
	}
	return nil
}

// collect takes the pieces out of a block's body.
func (f *found) collect(id blockID, body string) {
	for _, m := range piece.FindAllStringSubmatch(body, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil || n < 1 || n > id.count {
			continue
		}
		f.mark = m[1]
		text := meant(m[3])
		if meant(m[4]) == checkOf(id.seal, n, text) {
			f.pieces[n] = text
		} else if f.bad == 0 {
			f.bad = n
		}
	}
}

// kit puts the pieces of a block together.
func (f *found) kit(id blockID) (app.Kit, error) {
	var all strings.Builder
	for n := range id.count {
		p, ok := f.pieces[n+1]
		if !ok {
			return app.Kit{}, f.broken(n + 1)
		}
		all.WriteString(p)
	}
	packed, err := letters.DecodeString(all.String())
	if err != nil {
		return app.Kit{}, app.Errorf(app.CodeKitUnreadable, "read kit", "its letters don't make whole bytes")
	}
	payload, err := unpack(packed)
	if err != nil {
		return app.Kit{}, app.Errorf(app.CodeKitUnreadable, "read kit", "%w", err)
	}
	if sealOf(payload) != id.seal {
		return app.Kit{}, app.Errorf(app.CodeKitUnreadable, "read kit", "it does not fit its seal")
	}
	k, err := decode(payload)
	if err != nil {
		return app.Kit{}, app.Errorf(app.CodeKitUnreadable, "read kit", "%w", err)
	}
	return k, nil
}

// broken names the first piece that is missing or damaged.
func (f *found) broken(n int) error {
	if f.mark == string(partMark) {
		return app.Errorf(app.CodeKitUnreadable, "read kit", "part %d is missing or damaged", n).With("part", fmt.Sprint(n))
	}
	return app.Errorf(app.CodeKitUnreadable, "read kit", "line %d is missing or damaged", n).With("line", fmt.Sprint(n))
}

// newest returns the newest of the kits that are whole, which have to be of one
// vault: whose is meant can't be guessed.
func newest(order []blockID, blocks map[blockID]*found) (app.Kit, error) {
	var best app.Kit
	var have bool
	first := app.Errorf(app.CodeKitUnreadable, "read kit", "its first line is damaged")
	firstErr := error(first)
	for i, id := range order {
		k, err := blocks[id].kit(id)
		switch {
		case err != nil:
			if i == 0 {
				firstErr = err
			}
		case have && k.VaultID != best.VaultID:
			return app.Kit{}, app.Errorf(app.CodeKitUnreadable, "read kit", "kits of two vaults are in it")
		case !have || k.Number > best.Number || k.Number == best.Number && k.Made.After(best.Made):
			best, have = k, true
		}
	}
	if !have {
		return app.Kit{}, firstErr
	}
	return best, nil
}

// bare leaves of a text what counts in a block.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r == ':', r == '/':
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, text)
}

// meant reads what was typed for letters the block's alphabet does not have.
func meant(s string) string {
	return strings.NewReplacer("O", "0", "I", "1", "L", "1", "U", "V").Replace(s)
}
