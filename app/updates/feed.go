package updates

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// form is the form of feeds that this program reads.
const form = 1

// about begins everything that is signed, so that a signature for one purpose
// is none for another.
const about = "kvart update feed\n"

// Feed is the document that tells of a version.
type Feed struct {
	Form    int               `json:"form"`
	Serial  int64             `json:"serial"`
	Made    time.Time         `json:"made"`
	Version string            `json:"version"`
	Notes   map[string]string `json:"notes,omitempty"`
	Files   []app.ReleaseFile `json:"files"`
}

// NewKey returns a new pair of keys, in base64: the public one for settings,
// the private one to sign with.
func NewKey(random io.Reader) (public, private string, err error) {
	pub, priv, err := ed25519.GenerateKey(random)
	if err != nil {
		return "", "", fmt.Errorf("make key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(pub), base64.StdEncoding.EncodeToString(priv.Seed()), nil
}

// ParseKey reads a public key.
func ParseKey(s string) (ed25519.PublicKey, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("a key has %d bytes, not %d", ed25519.PublicKeySize, len(b))
	}
	return b, nil
}

// Sign returns the signature of a feed that is as it should be.
func Sign(doc []byte, private string) ([]byte, error) {
	if _, err := parse(doc); err != nil {
		return nil, err
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(private))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("this is no private key")
	}
	sig := ed25519.Sign(ed25519.NewKeyFromSeed(seed), append([]byte(about), doc...))
	return []byte(base64.StdEncoding.EncodeToString(sig) + "\n"), nil
}

// Open reads a feed whose signature holds; any other is [app.CodeUpdateForged].
func Open(doc, signature []byte, key ed25519.PublicKey) (Feed, error) {
	sig, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(signature)))
	if err != nil || !ed25519.Verify(key, append([]byte(about), doc...), sig) {
		return Feed{}, &app.Error{Code: app.CodeUpdateForged, Op: "prove feed", Err: errors.New("the signature does not hold")}
	}
	f, err := parse(doc)
	if err != nil { // signed, and yet not understood: of a later form
		return Feed{}, app.Errorf(app.CodeUpdateFeed, "read feed", "%w", err)
	}
	return f, nil
}

// plain is what a file may be called: it is written to disk under that name.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}$`)

func parse(doc []byte) (Feed, error) {
	var f Feed
	if err := json.Unmarshal(doc, &f); err != nil {
		return f, fmt.Errorf("read feed: %w", err)
	}
	if f.Form != form || f.Serial < 1 {
		return f, fmt.Errorf("form %d, serial %d", f.Form, f.Serial)
	}
	if _, err := parseVersion(f.Version); err != nil {
		return f, err
	}
	for _, file := range f.Files {
		sum, err := hex.DecodeString(file.SHA256)
		if err != nil || len(sum) != 32 || !plain.MatchString(file.Name) || strings.HasSuffix(file.Name, partEnding) || file.Size < 1 || file.Size > LargestFile {
			return f, fmt.Errorf("%q of %d bytes with sum %q", file.Name, file.Size, file.SHA256)
		}
	}
	return f, nil
}

// release returns what a feed tells a computer, addresses made whole.
func (f Feed) release(at *url.URL, o Options) app.Release {
	r := app.Release{Version: f.Version, Serial: f.Serial, Made: f.Made, Notes: f.Notes}
	best := len(o.Kinds)
	for _, file := range f.Files {
		rank := slices.Index(o.Kinds, file.Kind)
		if file.System != o.System || file.Arch != o.Arch || rank < 0 || rank >= best {
			continue
		}
		to, err := at.Parse(file.URL)
		if err != nil || !private(to) {
			continue
		}
		file.URL = to.String()
		r.File, best = file, rank
	}
	return r
}
