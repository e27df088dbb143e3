package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
	"kvart/backup/storage"
	"kvart/backup/vaulttest"
)

const nextPassphrase = "staple battery horse"

// faulty is a storage that fails at the nth change of it: before it takes
// place, or after it did and the answer is lost.
type faulty struct {
	blob.Storage

	at, seen int
	after    bool
	dead     bool // and at everything from then on, as after a crash
}

var errFaulty = errors.New("power cut")

func (f *faulty) change(do func() error) error {
	f.seen++
	switch {
	case f.seen < f.at, f.seen > f.at && !f.dead:
		return do()
	case f.seen == f.at && f.after:
		if err := do(); err != nil {
			return err
		}
	}
	return errFaulty
}

func (f *faulty) gone() bool { return f.dead && f.seen >= f.at }

func (f *faulty) PutBlob(ctx context.Context, id blob.ID, data blob.Bytes, o blob.PutOptions) error {
	return f.change(func() error { return f.Storage.PutBlob(ctx, id, data, o) })
}

func (f *faulty) DeleteBlob(ctx context.Context, id blob.ID) error {
	return f.change(func() error { return f.Storage.DeleteBlob(ctx, id) })
}

func (f *faulty) GetBlob(ctx context.Context, id blob.ID, offset, length int64, out blob.OutputBuffer) error {
	if f.gone() {
		return errFaulty
	}
	return f.Storage.GetBlob(ctx, id, offset, length, out)
}

// inMemory is a storage for the few blobs of a format.
type inMemory struct {
	blob.DefaultProviderImplementation

	blobs map[blob.ID][]byte
}

func (m *inMemory) GetBlob(_ context.Context, id blob.ID, _, _ int64, out blob.OutputBuffer) error {
	b, ok := m.blobs[id]
	if !ok {
		return blob.ErrBlobNotFound
	}
	out.Reset()
	_, err := out.Write(b)
	return err
}

func (m *inMemory) PutBlob(_ context.Context, id blob.ID, data blob.Bytes, _ blob.PutOptions) error {
	b, err := io.ReadAll(data.Reader())
	m.blobs[id] = b
	return err
}

func (m *inMemory) DeleteBlob(_ context.Context, id blob.ID) error {
	delete(m.blobs, id)
	return nil
}

func (m *inMemory) GetMetadata(context.Context, blob.ID) (blob.Metadata, error) {
	return blob.Metadata{}, blob.ErrBlobNotFound
}

func (m *inMemory) ListBlobs(context.Context, blob.ID, func(blob.Metadata) error) error { return nil }
func (m *inMemory) ConnectionInfo() blob.ConnectionInfo                                 { return blob.ConnectionInfo{} }
func (m *inMemory) DisplayName() string                                                 { return "memory" }

// Whatever write of a change fails, exactly one of the passphrases opens the
// vault; the new one if the change said that it was done.
func TestRekey_FailsAnywhere(t *testing.T) {
	t.Parallel()
	made := &inMemory{blobs: map[blob.ID][]byte{}}
	o, err := newRepository(app.LockSettings{Mode: app.LockGovernance, Days: 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := repo.Initialize(t.Context(), made, o, vaulttest.Passphrase); err != nil {
		t.Fatal(err)
	}
	old, next := app.NewSecret(vaulttest.Passphrase), app.NewSecret(nextPassphrase)
	for _, f := range []*faulty{
		{at: 1},
		{at: 1, after: true, dead: true},
		{at: 2},
		{at: 2, after: true},
		{at: 2, dead: true},
		{at: 2, after: true, dead: true},
		{at: 3, dead: true},
		{at: 3, after: true},
	} {
		name := fmt.Sprintf("change %d, after %v, for good %v", f.at, f.after, f.dead)
		st := &inMemory{blobs: maps.Clone(made.blobs)}
		f.Storage = st
		changed := rekey(t.Context(), f, old, next, time.Now)
		if f.seen < f.at {
			t.Errorf("%s: only %d changes are made", name, f.seen)
		}
		var opens []app.Secret
		for _, p := range []app.Secret{old, next} {
			if _, err := format.NewManager(t.Context(), st, "", 0, p.Reveal(), time.Now); err == nil {
				opens = append(opens, p)
			} else if !errors.Is(err, format.ErrInvalidPassword) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(opens) != 1 || changed == nil && opens[0] != next {
			t.Errorf("%s: %v; %d passphrases open it", name, changed, len(opens))
		}
	}
}

// Once the passphrase is changed, nothing that fails later takes it back.
func TestVault_ChangePassphraseFailsLate(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	v := s.create("kassan", time.Now)
	item := vaulttest.File("a", []byte("1"))
	id := s.save(v, "kassa", item).ID
	f := &faulty{Storage: v.loc.Store.Storage, at: 4}
	v.loc.Store.Storage = f
	changed := v.ChangePassphrase(t.Context(), app.NewSecret(nextPassphrase))
	v.loc.Store.Storage = f.Storage
	if changed != nil || f.seen < f.at {
		t.Fatalf("after %d changes: %v", f.seen, changed)
	}
	s.save(v, "kassa")
	setup := s.setup("lagret")
	setup.Passphrase = app.NewSecret(nextPassphrase)
	vaulttest.Compare(t, s.opened(provide(time.Now).Open(t.Context(), setup)), id, item)
}

func TestVault_ChangePassphraseOfTwoAtOnce(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	v := s.create("kassan", time.Now)
	s.save(v, "kassa")
	other := s.open("lagret", time.Now)
	// The other one changes it between this one's reading and writing.
	r := &meanwhile{Storage: v.loc.Store.Storage, do: func() error {
		return other.ChangePassphrase(t.Context(), app.NewSecret(nextPassphrase))
	}}
	v.loc.Store.Storage = r
	first := v.ChangePassphrase(t.Context(), app.NewSecret("a third passphrase"))
	v.loc.Store.Storage = r.Storage
	opens := 0
	for _, p := range []string{vaulttest.Passphrase, nextPassphrase, "a third passphrase"} {
		setup := s.setup("nya")
		setup.Passphrase = app.NewSecret(p)
		if again, err := provide(time.Now).Open(t.Context(), setup); err == nil {
			s.opened(again, nil)
			opens++
		}
	}
	if opens != 1 {
		t.Errorf("%d passphrases open the vault; the change said %v", opens, first)
	}
}

// meanwhile does something before the format blob is written.
type meanwhile struct {
	blob.Storage

	do func() error
}

func (m *meanwhile) PutBlob(ctx context.Context, id blob.ID, data blob.Bytes, o blob.PutOptions) error {
	if do := m.do; do != nil && id == "kopia.repository" {
		m.do = nil
		if err := do(); err != nil {
			return err
		}
	}
	return m.Storage.PutBlob(ctx, id, data, o)
}

// The open vault reads the format blobs again after a quarter of an hour, and
// keeps the copies of this computer in step.
func TestVault_GoesOnAfterChangePassphrase(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	off := time.Duration(0)
	v := s.create("kassan", func() time.Time { return time.Now().Add(off) })
	s.save(v, "kassa")
	other := s.open("lagret", func() time.Time { return time.Now().Add(off) })
	s.save(other, "lager")
	if err := v.ChangePassphrase(t.Context(), app.NewSecret(nextPassphrase)); err != nil {
		t.Fatal(err)
	}
	off = time.Hour
	s.save(v, "kassa")
	_, err := other.Save(t.Context(), []app.SaveRequest{vaulttest.Request("lager")}, nil)
	s.wantCode(err, app.CodeWrongPassphrase)
	blobs, err := v.KitBlobs(t.Context())
	if err != nil || len(blobs) != 2 {
		t.Fatalf("kit blobs %v, %v", blobs, err)
	}
	for name, b := range blobs {
		kept, err := os.ReadFile(filepath.Join(v.dir, name))
		if err != nil || string(kept) != string(b) {
			t.Errorf("the kept %s differs: %v", name, err)
		}
		if stored, err := storage.ReadBlob(t.Context(), v.loc.Base, blob.ID(name)); err != nil || string(stored) != string(b) {
			t.Errorf("the stored %s differs: %v", name, err)
		}
	}
}
