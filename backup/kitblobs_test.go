package backup

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

// file is where a blob of the folder vault lies.
func (s *shop) file(name string) string {
	return filepath.Join(s.spec.Settings["path"], name+".f")
}

func (s *shop) read(name string) []byte {
	s.t.Helper()
	b, err := os.ReadFile(s.file(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *shop) remove(names ...string) {
	s.t.Helper()
	for _, name := range names {
		if err := os.Remove(s.file(name)); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestProvider_PutsFormatBlobsBack(t *testing.T) {
	t.Parallel()
	const format, locks = "kopia.repository", "kopia.blobcfg"
	tests := []struct {
		name string
		gone []string
		kit  bool // the kit's blobs are given
		kept bool // this computer has opened the vault before
		id   bool // and knows which it is
		want app.Code
	}{
		{"all from the kit", []string{format, locks}, true, false, false, ""},
		{"the format blob from the kit", []string{format}, true, false, true, ""},
		{"the lock's blob from the kit", []string{locks}, true, false, true, ""},
		{"all from this computer's copy", []string{format, locks}, false, true, true, ""},
		{"this computer doesn't know which vault", []string{format}, false, true, false, app.CodeVaultMissing},
		{"nobody has them", []string{format, locks}, false, false, true, app.CodeVaultMissing},
		{"no lock's blob is no harm", []string{locks}, false, false, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := shopInFolder(t)
			v := s.create("kassan", time.Now)
			item := vaulttest.File("a", []byte("1"))
			id := s.save(v, "kassa", item).ID
			blobs, err := v.KitBlobs(t.Context())
			if err != nil || !bytes.Equal(blobs[format], s.read(format)) || !bytes.Equal(blobs[locks], s.read(locks)) {
				t.Fatalf("kit blobs %v, %v", blobs, err)
			}
			s.remove(tt.gone...)
			computer := app.ComputerID("nya")
			if tt.kept {
				computer = "kassan"
			}
			setup := s.setup(computer)
			if tt.kit {
				setup.Blobs = blobs
			}
			if tt.id {
				setup.ExpectID = v.id
			}
			again, err := provide(time.Now).Open(t.Context(), setup)
			s.wantCode(err, tt.want)
			if err != nil {
				return
			}
			s.opened(again, nil)
			vaulttest.Compare(t, again, id, item)
			for _, name := range tt.gone {
				if (tt.kit || tt.kept) && !bytes.Equal(s.read(name), blobs[name]) {
					t.Errorf("%s was put back wrongly", name)
				}
			}
			if left, err := filepath.Glob(filepath.Join(setup.StateDir, "*", pastPrefix+"*")); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

// A kit of another vault, or of an older passphrase, is not put anywhere.
func TestProvider_PutsBackNothingForeign(t *testing.T) {
	t.Parallel()
	s, other := shopInFolder(t), shopInFolder(t)
	v := s.create("kassan", time.Now)
	s.save(v, "kassa")
	foreign := other.create("kassan", time.Now)
	other.save(foreign, "kassa")
	theirs, err := foreign.KitBlobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old, err := v.KitBlobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.ChangePassphrase(t.Context(), app.NewSecret(nextPassphrase)); err != nil {
		t.Fatal(err)
	}
	try := func(passphrase string, blobs map[string][]byte, want app.Code) {
		t.Helper()
		before, err := filepath.Glob(filepath.Join(s.spec.Settings["path"], "*"))
		if err != nil {
			t.Fatal(err)
		}
		setup := s.setup("nya")
		setup.Passphrase, setup.Blobs = app.NewSecret(passphrase), blobs
		again, err := provide(time.Now).Open(t.Context(), setup)
		s.wantCode(err, want)
		if err == nil {
			s.opened(again, nil)
		}
		if after, err := filepath.Glob(filepath.Join(s.spec.Settings["path"], "*")); err != nil || !slices.Equal(before, after) {
			t.Errorf("it held %v, now %v, %v", before, after, err)
		}
	}
	// Nothing is missing: the kit's are not looked at.
	try(nextPassphrase, theirs, "")
	try(nextPassphrase, old, "")
	kept := s.read("kopia.blobcfg")
	s.remove("kopia.blobcfg")
	try(nextPassphrase, old, "") // under the old key it would lock all out
	s.remove("kopia.repository")
	try(vaulttest.Passphrase, theirs, app.CodeVaultMissing)
	try(nextPassphrase, theirs, app.CodeWrongPassphrase)
	if err := os.WriteFile(s.file("kopia.blobcfg"), kept, 0o600); err != nil {
		t.Fatal(err)
	}
	try(vaulttest.Passphrase, old, app.CodeVaultMissing) // beside the new lock's blob it opens nothing
}

func TestProvider_OtherFoldersStayAsTheyAre(t *testing.T) {
	t.Parallel()
	s, other := shopInFolder(t), shopInFolder(t)
	foreign := other.create("kassan", time.Now)
	blobs, err := foreign.KitBlobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.spec.Settings["path"], "semester.jpg"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	setup := s.setup("nya")
	setup.Blobs = blobs
	_, err = provide(time.Now).Open(t.Context(), setup)
	s.wantCode(err, app.CodeVaultMissing)
	if names, err := filepath.Glob(filepath.Join(s.spec.Settings["path"], "*")); err != nil || len(names) != 1 {
		t.Errorf("left %v, %v", names, err)
	}
}

// An attacker who has the keys deletes all there is to be seen.
func TestProvider_OpensAsItWas(t *testing.T) {
	t.Parallel()
	now := time.Now().Add(-time.Hour).Truncate(time.Second)
	server := &s3test.Server{Versions: true, Now: func() time.Time { return now }}
	s := shopInBucket(t, server)
	v := s.create("kassan", time.Now)
	db := vaulttest.Paged("db", vaulttest.Noise(1<<20, 1))
	first := s.save(v, "kassa", db).ID
	now = now.Add(10 * time.Minute)
	second := s.save(v, "kassa").ID
	blobs, err := v.KitBlobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(10 * time.Minute)
	server.DeleteAll()
	for _, expect := range []string{"", v.id} {
		setup := s.setup("nya")
		setup.ExpectID, setup.Blobs = expect, blobs
		_, err := provide(time.Now).Open(t.Context(), setup)
		s.wantCode(err, app.CodeVaultHidden)
		at, bad := time.Parse(time.RFC3339Nano, app.AsError(err).Args["at"])
		if bad != nil {
			t.Fatal(bad)
		}
		setup.Storage.AsOf = at
		past := s.opened(provide(time.Now).Open(t.Context(), setup))
		points := vaulttest.Points(t, past, app.PointFilter{})
		if len(points) != 2 || points[0].ID != second || points[1].ID != first {
			t.Errorf("points %+v", points)
		}
		vaulttest.Compare(t, past, first, db)
		if err := past.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if left, err := filepath.Glob(filepath.Join(setup.StateDir, "*", pastPrefix+"*")); err != nil || len(left) > 0 {
			t.Errorf("left %v, %v", left, err)
		}
	}
	earlier := s.setup("nya")
	earlier.Storage.AsOf = now.Add(-15 * time.Minute)
	past := s.opened(provide(time.Now).Open(t.Context(), earlier))
	if points := vaulttest.Points(t, past, app.PointFilter{}); len(points) != 1 || points[0].ID != first {
		t.Errorf("points between the two %+v", points)
	}
	if visible := server.Visible(); len(visible) != 0 {
		t.Errorf("looking at the past wrote %v", visible)
	}
}
