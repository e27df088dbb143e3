package mirror

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

// note is what the marker says.
type note struct {
	Vault string `json:"vault"`
	// Run differs with every run, so that a copy of a vault in the vault's own
	// place is found out.
	Run string `json:"run"`
	// Live is how many bytes the index knew when the copy was last in step.
	Live int64 `json:"live"`
	// Known are the packs that came from the vault. Others were put here by
	// somebody who uses the copy as a vault of its own.
	Known []blob.ID `json:"known"`
	// Gone is since when the vault has let go of objects that are still here.
	Gone map[blob.ID]time.Time `json:"gone,omitempty"`
	// Unsound are objects that were damaged in the vault when they were copied:
	// they are compared every time, for the vault may have been mended.
	Unsound []blob.ID `json:"unsound,omitempty"`
	// Locked is when the locks of everything were last extended.
	Locked time.Time `json:"locked"`
}

// readNote returns the marker's note, nil when there is no marker. One that
// can't be read says only that this was a copy once.
func (s *sync) readNote(ctx context.Context) (*note, error) {
	b, err := readBlob(ctx, s.to.Store, Marker)
	if errors.Is(err, blob.ErrBlobNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read marker: %w", err)
	}
	n := &note{}
	if err := json.Unmarshal(b, n); err != nil {
		return &note{}, nil //nolint:nilerr // a marker that was damaged
	}
	return n, nil
}

// writeNote writes the marker, and takes the time from it: the place's own
// clock, where it has one.
func (s *sync) writeNote(ctx context.Context) error {
	b, err := json.Marshal(s.note)
	if err != nil {
		return fmt.Errorf("encode marker: %w", err)
	}
	if err := s.store(ctx, Marker, b); err != nil {
		return err
	}
	m, err := s.to.Store.GetMetadata(ctx, Marker)
	if err != nil {
		return fmt.Errorf("look at marker: %w", err)
	}
	s.now = m.Timestamp.UTC()
	if s.now.IsZero() {
		s.now = time.Now().UTC()
	}
	return nil
}

// begin finds out what lies at the place.
func (s *sync) begin(ctx context.Context) error {
	n, err := s.readNote(ctx)
	if err != nil {
		return err
	}
	here, err := s.idHere(ctx)
	if err != nil {
		return err
	}
	if err := s.refuse(n, here); err != nil {
		return err
	}
	switch {
	case n == nil:
		n, s.fresh = &note{}, true
	case n.Vault == "":
		s.amnesia = true
	}
	n.Vault, n.Run = s.v.ID, rand.Text()
	if n.Gone == nil {
		n.Gone = map[blob.ID]time.Time{}
	}
	s.note = *n
	return nil
}

// refuse returns an error unless the place holds a copy of this vault, or
// nothing: by its marker, and by the id of the repository there.
func (s *sync) refuse(n *note, here string) error {
	other := func(id string) bool { return id != "" && id != s.v.ID }
	switch {
	case other(here), n != nil && other(n.Vault):
		return app.Errorf(app.CodeVaultOther, "copy vault", "%s holds another vault", s.to.Where).With("where", s.to.Where)
	case n == nil && here != "":
		return s.foreign("the vault's like, but no copy that was made here")
	case n == nil && !s.to.Begin:
		return s.foreign("other data")
	case n != nil && n.Vault == "" && here == "":
		return s.foreign("a marker that can't be read")
	}
	return nil
}

func (s *sync) foreign(what string) error {
	return app.Errorf(app.CodeStorageForeign, "copy vault", "%s holds %s", s.to.Where, what).With("where", s.to.Where)
}

// idHere returns the id of the repository at the place, "" when there is none.
func (s *sync) idHere(ctx context.Context) (string, error) {
	b, err := readBlob(ctx, s.to.Store, formatBlob)
	if errors.Is(err, blob.ErrBlobNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read format blob: %w", err)
	}
	var f struct {
		UniqueID []byte `json:"uniqueID"`
	}
	if json.Unmarshal(b, &f) != nil || len(f.UniqueID) == 0 {
		return "", nil // damaged: it is written anew if the marker says whose it was
	}
	return fmt.Sprintf("%x", f.UniqueID), nil
}

// apart makes sure that the copy does not lie where the vault does.
func (s *sync) apart(ctx context.Context) error {
	b, err := readBlob(ctx, s.v.Store, Marker)
	if errors.Is(err, blob.ErrBlobNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the marker in the vault: %w", err)
	}
	var n note
	if json.Unmarshal(b, &n) == nil && n.Run == s.note.Run {
		return app.Errorf(app.CodeStorageUnsafe, "copy vault", "%s is where the vault lies", s.to.Where).With("where", s.to.Where)
	}
	return nil
}
