package vaulttest

import (
	"testing"
	"time"

	"kvart/app"
)

const otherPassphrase = "staple battery horse"

func testKitBlobs(t *testing.T, f *Fixture) {
	v := f.Create(t)
	item := File("a", []byte("1"))
	id := Save(t, v, Request("s", item)).Point.ID
	blobs, err := ability[app.KitSource](t, v).KitBlobs(t.Context())
	if err != nil || len(blobs) == 0 {
		t.Fatalf("kit blobs %v, %v", blobs, err)
	}
	for name, b := range blobs {
		if len(b) == 0 || len(b) > 10_000 {
			t.Errorf("%s has %d bytes", name, len(b))
		}
	}
	s := f.Setup()
	s.Blobs, s.StateDir, s.ExpectID = blobs, t.TempDir(), describe(t, v).ID
	again, err := f.Provider.Open(t.Context(), s)
	if err != nil {
		t.Fatalf("open with the kit's blobs: %v", err)
	}
	closeLater(t, again)
	Compare(t, again, id, item)
}

func testPast(t *testing.T, f *Fixture) {
	v := f.Create(t)
	item := File("a", []byte("1"))
	id := Save(t, v, Request("s", item)).Point.ID
	s := f.Setup()
	s.Storage.AsOf = time.Now().Add(time.Minute)
	_, err := f.Provider.Create(t.Context(), s)
	wantCode(t, err, app.CodeUsage)
	past, err := f.Provider.Open(t.Context(), s)
	if err != nil {
		wantCode(t, err, app.CodeUsage) // it keeps no versions
		return
	}
	closeLater(t, past)
	Compare(t, past, id, item)
	if info := describe(t, past); !info.AsOf.Equal(s.Storage.AsOf) {
		t.Errorf("described as of %v", info.AsOf)
	}
	if r, err := past.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil); err != nil || r.Points != 1 || len(r.Damaged) != 0 {
		t.Errorf("verify: %+v, %v", r, err)
	}
	_, proof := ability[app.LockProver](t, past).ProveLock(t.Context())
	for _, err := range []error{
		trySave(t, past, "s"), past.Pin(t.Context(), id, true), past.Maintain(t.Context(), app.DefaultRetention()),
		ability[app.Roster](t, past).Replace(t.Context(), app.NoComputer),
		ability[app.PassphraseChanger](t, past).ChangePassphrase(t.Context(), app.NewSecret(otherPassphrase)), proof,
	} {
		wantCode(t, err, app.CodeVaultPast)
	}
	if err := trySave(t, v, "s"); err != nil {
		t.Errorf("the present: %v", err)
	}
}

func testPassphrase(t *testing.T, f *Fixture) {
	v := f.Create(t)
	item := File("a", []byte("1"))
	id := Save(t, v, Request("s", item)).Point.ID
	change := ability[app.PassphraseChanger](t, v)
	wantCode(t, change.ChangePassphrase(t.Context(), app.NewSecret("too short")), app.CodeWeakPassphrase)
	if err := change.ChangePassphrase(t.Context(), app.NewSecret(otherPassphrase)); err != nil {
		t.Fatalf("change passphrase: %v", err)
	}
	Save(t, v, Request("s", File("a", []byte("2"))))
	Compare(t, v, id, item)
	_, err := f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeWrongPassphrase)
	s := f.Setup()
	s.Passphrase, s.StateDir = app.NewSecret(otherPassphrase), t.TempDir()
	again, err := f.Provider.Open(t.Context(), s)
	if err != nil {
		t.Fatalf("open with the new passphrase: %v", err)
	}
	closeLater(t, again)
	Compare(t, again, id, item)
}

func testNoLock(t *testing.T, f *Fixture) {
	v := f.Create(t)
	info := describe(t, v)
	if info.Lock != (app.LockSettings{}) || !info.AsOf.IsZero() || info.IndexBlobs == 0 || info.Free < -1 {
		t.Errorf("described as %+v", info)
	}
	_, err := ability[app.LockProver](t, v).ProveLock(t.Context())
	wantCode(t, err, app.CodeLockNone)
}
