package app

import (
	"context"
	"time"
)

// Keys of what opens a vault on a new computer, among [Secrets].
const (
	KitKey        = "kit"             // a recovery kit's text
	InvitationKey = "invitation_code" // what opens an invitation
)

// Kit is what a recovery kit holds: everything that opens the vault on an empty
// computer.
type Kit struct {
	Number     int
	Made       time.Time
	Expires    time.Time // of an invitation; zero for a kit
	Shop       string
	VaultID    string
	Storage    StorageSpec
	Passphrase Secret
	// Blobs are the small objects of the vault without which no passphrase
	// opens it, as [KitSource] gives them.
	Blobs map[string][]byte
}

// KitPress prints kits and reads them.
type KitPress interface {
	// Code is the check code printed on the kit, which the owner types back:
	// it differs for any other content and number.
	Code(k Kit) string
	// PDF returns the page to print, in a language.
	PDF(k Kit, language string) (Secret, error)
	// Text returns the same to be read by a program or typed.
	Text(k Kit, language string) (Secret, error)
	// Parse reads a kit's text, also one with other line ends, indented, or
	// with text around it; [CodeKitUnreadable] when it is not one.
	Parse(text Secret) (Kit, error)
	// Seal makes an invitation of a kit and the code that opens it.
	Seal(k Kit) (sealed []byte, code Secret, err error)
	// Unseal opens an invitation: [CodeInvitationWrong] for another code,
	// [CodeInvitationOld] after k.Expires by this computer's clock.
	Unseal(sealed []byte, code Secret, now time.Time) (Kit, error)
}

// KitSource is implemented by every [Vault] of a [VaultProvider].
type KitSource interface {
	// KitBlobs returns the small objects a kit has to hold.
	KitBlobs(ctx context.Context) (map[string][]byte, error)
}

// KitState tells how the recovery kit stands.
type KitState struct {
	Number    int       `json:"number"` // of the newest kit; 0 when none was made
	Made      time.Time `json:"made"`
	Confirmed time.Time `json:"confirmed"` // when its code was typed back
	// Void reports that the storage, its keys or the passphrase changed since
	// it was made: it opens nothing any more, or not everything.
	Void bool `json:"void,omitempty"`
}

// Good reports whether the owner holds a kit that opens the vault.
func (k KitState) Good() bool { return k.Number > 0 && !k.Confirmed.IsZero() && !k.Void }

// KitFormat is how a kit is written.
type KitFormat string

// Formats of a kit.
const (
	KitPDF  KitFormat = "pdf"
	KitText KitFormat = "text"
)

// KitRequest says where to write a kit. The guard writes it: a kit holds
// secrets, which the window never sees.
type KitRequest struct {
	// Files maps each wanted format to the absolute path to write it to. An
	// existing file is only written over when Overwrite is set.
	Files     map[KitFormat]string `json:"files"`
	Overwrite bool                 `json:"overwrite,omitempty"`
}

// Invitation is what lets another computer of the shop join.
type Invitation struct {
	Path    string    `json:"path"`
	Expires time.Time `json:"expires"`
	// Code opens the file. It is shown once, to be read out or written down.
	Code string `json:"code"`
}

// KitService looks after the recovery kit.
type KitService interface {
	// MakeKit writes a new kit. It makes all older ones void in the owner's
	// eyes only when something in them had changed.
	MakeKit(ctx context.Context, r KitRequest) (KitState, error)
	// ConfirmKit takes the check code off the newest kit; [CodeKitCode] when
	// it is another's.
	ConfirmKit(ctx context.Context, code string) (KitState, error)
	// Invite writes an invitation for another computer of the shop to path.
	Invite(ctx context.Context, path string) (Invitation, error)
}
