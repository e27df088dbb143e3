package agent

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"kvart/app"
)

// documentForm is the form of [Document] this program writes. It grows when
// something is added that an earlier program would drop as it writes: such a
// one refuses the document then, and changes nothing.
const documentForm = 3

// Document is what the owner set up on this computer.
type Document struct {
	Version int `json:"version"`
	// Profile tells this data folder from others of the same account.
	Profile  string       `json:"profile"`
	Vault    *VaultPlace  `json:"vault,omitempty"`
	Sources  []app.Source `json:"sources"`
	Settings app.Settings `json:"settings"`
	// KeepSince is when the owner chose Settings.Keep: of several computers'
	// choices the latest counts.
	KeepSince   time.Time         `json:"keepSince"`
	Kit         KitRecord         `json:"kit"`
	Copies      []Copy            `json:"copies,omitempty"`
	Ready       Ready             `json:"ready"`
	Watch       app.WatchSettings `json:"watch"`
	PausedFrom  time.Time         `json:"pausedFrom"`
	PausedUntil time.Time         `json:"pausedUntil"`
	// Updates is where the owner said to look for newer versions; nil leaves it
	// to whoever packed Kvart.
	Updates *UpdateRecord `json:"updates,omitempty"`
	// FeedSerials are the highest serials seen, by the public key that signs the
	// feed: an older one tells nothing any more.
	FeedSerials map[string]int64 `json:"feedSerials,omitempty"`
}

// VaultPlace says where the vault lies. What it holds says the rest.
type VaultPlace struct {
	ID       string            `json:"id"`
	Shop     string            `json:"shop"`
	Kind     app.Kind          `json:"kind"`
	Settings map[string]string `json:"settings"`
	// Since is when this computer began to use it so, with these keys.
	Since time.Time `json:"since"`
	// Joined reports that another computer made the vault: names of sources may
	// be taken there, so IDs carry this computer's mark.
	Joined bool `json:"joined,omitempty"`
	// AsOf is the moment of the past the vault was opened at, if it was.
	AsOf time.Time `json:"asOf"`
	// Where, OffSite and Lock are as the vault described itself last, for the
	// time in which it can't be asked.
	Where   string           `json:"where,omitempty"`
	OffSite bool             `json:"offSite,omitempty"`
	Lock    app.LockSettings `json:"lock"`
}

// Ready is what the owner prepared for a bad day.
type Ready struct {
	Contacts []app.Contact    `json:"contacts,omitempty"`
	Page     app.PageSettings `json:"page"`
}

// NewDocument returns the document of a computer on which nothing is set up.
func NewDocument() Document {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return Document{Version: documentForm, Profile: hex.EncodeToString(b[:])}
}

// CheckDocument tells a document from something else.
func CheckDocument(d Document) error {
	if d.Version > documentForm {
		return app.Errorf(app.CodeGuardVersion, "read settings", "form %d was written by a newer Kvart", d.Version)
	}
	if d.Version < 1 || d.Profile == "" {
		return errors.New("not a settings file of Kvart's")
	}
	return nil
}

// BringUpToDate gives a document that an earlier program wrote the form of this
// one. What it does not hold yet is as on a new computer.
func BringUpToDate(s Store) error {
	if s.Document().Version == documentForm {
		return nil
	}
	return s.Update(func(d *Document) error { d.Version = documentForm; return nil })
}

// UpdateRecord is what is remembered of where to look for newer versions.
type UpdateRecord struct {
	app.UpdateSettings
	// Serial is of the newest feed seen, as programs before form 3 kept it; see
	// Document.FeedSerials.
	Serial int64 `json:"serial,omitempty"`
}

// source finds a source by name or ID.
func (d Document) source(nameOrID string) (app.Source, error) {
	var names []string
	for _, s := range d.Sources {
		if s.Name == nameOrID || string(s.ID) == nameOrID {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return app.Source{}, app.Errorf(app.CodeSourceUnknown, "find source", "no source %q; there are: %s", nameOrID, strings.Join(names, ", ")).
		With("source", nameOrID).With("choices", strings.Join(names, ", "))
}

// pick finds sources by name or ID; all when none is named.
func (d Document) pick(names []string) ([]app.Source, error) {
	if len(names) == 0 {
		return d.Sources, nil
	}
	var out []app.Source
	for _, n := range names {
		s, err := d.source(n)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// KitRecord is what is remembered of the newest recovery kit. Its check code is
// among the secrets.
type KitRecord struct {
	Number    int       `json:"number"`
	Made      time.Time `json:"made"`
	Confirmed time.Time `json:"confirmed"`
	Void      bool      `json:"void,omitempty"`
}

// Copy is a second place the vault is copied to.
type Copy struct {
	Name     string            `json:"name"`
	Kind     app.Kind          `json:"kind"`
	Settings map[string]string `json:"settings"`
	Where    string            `json:"where"`
	OffSite  bool              `json:"offSite,omitempty"`
}

// newSourceID makes an ID of a name that no source has or, by taken, ever had:
// "Kassan i Gamla stan" becomes "kassan-i-gamla-stan". A mark, if there is one,
// keeps it from what another computer makes of the same name at the same time.
func newSourceID(name, mark string, taken func(app.SourceID) bool) app.SourceID {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // the ring of å, the dots of ö
		default:
			if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
				b.WriteByte('-')
			}
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" || base == stateSource || strings.HasPrefix(base, stateSource+"-") {
		base = "source"
	}
	if len(base) > 40 {
		base = strings.Trim(base[:40], "-")
	}
	if mark != "" {
		base += "-" + mark
	}
	id := app.SourceID(base)
	for n := 2; taken(id); n++ {
		id = app.SourceID(base + "-" + strconv.Itoa(n))
	}
	return id
}
