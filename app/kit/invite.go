package kit

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"kvart/app"
)

// An invitation is an age file that a passphrase opens, its code: 60 random
// bits, which scrypt makes slow to guess. In it are invitationHead, a version
// and a packed payload. Stock age opens it with the code as it is written.
const (
	invitationHead    = "kvart-invitation "
	invitationVersion = 1
	maxInvitation     = 1 << 20
	workFactor        = 16 // log2: about half a second on a shop's computer
	maxWorkFactor     = 18 // what a crafted file may cost at most

	invitationGroups = 3
)

// Seal implements [app.KitPress]. The kit has to say when the invitation ends.
func (*Press) Seal(k app.Kit) ([]byte, app.Secret, error) {
	if err := needed(k); err != nil {
		return nil, app.Secret{}, err
	}
	if k.Expires.IsZero() {
		return nil, app.Secret{}, app.Errorf(app.CodeUsage, "seal invitation", "it never ends")
	}
	packed, err := pack(encode(k))
	if err != nil {
		return nil, app.Secret{}, err
	}
	code, err := newInvitationCode()
	if err != nil {
		return nil, app.Secret{}, err
	}
	to, err := age.NewScryptRecipient(code)
	if err != nil {
		return nil, app.Secret{}, fmt.Errorf("seal invitation: %w", err)
	}
	to.SetWorkFactor(workFactor)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, app.Secret{}, fmt.Errorf("seal invitation: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%d\n%s", invitationHead, invitationVersion, packed)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, app.Secret{}, fmt.Errorf("seal invitation: %w", err)
	}
	return out.Bytes(), app.NewSecret(code), nil
}

// newInvitationCode returns three groups of four letters of five bits each.
func newInvitationCode() (string, error) {
	random := make([]byte, invitationGroups*groupSize)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("make invitation code: %w", err)
	}
	for i, r := range random {
		random[i] = crockford[int(r)%len(crockford)] // 256 is a multiple of 32
	}
	return strings.Join(split(string(random), groupSize), "-"), nil
}

// Unseal implements [app.KitPress].
func (*Press) Unseal(sealed []byte, code app.Secret, now time.Time) (app.Kit, error) {
	typed, ok := invitationCode(code.Reveal())
	if !ok {
		return app.Kit{}, app.Errorf(app.CodeInvitationWrong, "open invitation", "no code has this length")
	}
	if len(sealed) > maxInvitation {
		return app.Kit{}, app.Errorf(app.CodeInvitationWrong, "open invitation", "%d bytes are none", len(sealed))
	}
	plain, err := unlock(sealed, typed)
	if err != nil {
		return app.Kit{}, app.Errorf(app.CodeInvitationWrong, "open invitation", "%w", err)
	}
	head, packed, _ := bytes.Cut(plain, []byte("\n"))
	rest, ok := strings.CutPrefix(string(head), invitationHead)
	version, err := strconv.Atoi(rest)
	switch {
	case !ok || err != nil:
		return app.Kit{}, app.Errorf(app.CodeInvitationWrong, "open invitation", "something else is in it")
	case version > invitationVersion:
		return app.Kit{}, app.Errorf(app.CodeGuardVersion, "open invitation", "it is of version %d, this program knows %d", version, invitationVersion)
	}
	payload, err := unpack(packed)
	if err != nil {
		return app.Kit{}, app.Errorf(app.CodeInvitationWrong, "open invitation", "%w", err)
	}
	k, err := decode(payload)
	if err != nil {
		return app.Kit{}, app.Errorf(app.CodeInvitationWrong, "open invitation", "%w", err)
	}
	if now.After(k.Expires) {
		return app.Kit{}, app.Errorf(app.CodeInvitationOld, "open invitation", "it ended on %s", k.Expires.Format(time.RFC3339))
	}
	return k, nil
}

func unlock(sealed []byte, code string) ([]byte, error) {
	id, err := age.NewScryptIdentity(code)
	if err != nil {
		return nil, fmt.Errorf("read code: %w", err)
	}
	id.SetMaxWorkFactor(maxWorkFactor)
	r, err := age.Decrypt(bytes.NewReader(sealed), id)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	return plain, nil
}

// invitationCode returns a typed code as it was written.
func invitationCode(typed string) (string, bool) {
	letters := meant(bareCode(typed))
	if len(letters) != invitationGroups*groupSize || strings.Trim(letters, crockford) != "" {
		return "", false
	}
	return strings.Join(split(letters, groupSize), "-"), true
}
