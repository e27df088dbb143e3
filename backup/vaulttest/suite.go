// Package vaulttest is the conformance suite of [app.VaultProvider]: what every
// vault promises, whatever it is made of.
package vaulttest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"kvart/app"
)

// Passphrase opens the suite's vaults.
const Passphrase = "correct horse battery"

// FirstComputer makes and opens the suite's vaults where nothing else is said.
const FirstComputer app.ComputerID = "kassan"

// Run checks every promise against vaults of provider. It calls spec for each
// new location, which must be empty.
func Run(t *testing.T, provider func(t *testing.T) app.VaultProvider, spec func(t *testing.T) app.StorageSpec) {
	t.Helper()
	tests := []struct {
		name string
		run  func(*testing.T, *Fixture)
	}{
		{"what was saved reads back byte for byte", testRoundTrip},
		{"an unchanged file is not opened again", testUnchanged},
		{"a paged file costs what changed", testPaged},
		{"a paged file is read even when its time stands still", testPagedAlwaysRead},
		{"a failing request stops no other", testOneFails},
		{"a request fails with the code of its source", testFailureCode},
		{"optional files become problems", testOptional},
		{"a source that goes leaves no point with holes", testSourceGoes},
		{"a canceled save keeps nothing", testCancel},
		{"points are ordered by sequence, not by clock", testOrder},
		{"filters narrow the list", testFilter},
		{"a pin keeps a point and its name", testPin},
		{"retention keeps what it says", testRetention},
		{"an unknown point is refused", testUnknownPoint},
		{"a vault opens again", testReopen},
		{"wrong passphrase, wrong vault, no vault", testRefusals},
		{"nothing is made over a vault", testNoOverwrite},
		{"a probe leaves no trace", testProbe},
		{"all points verify", testVerify},
		{"progress adds up", testProgress},
		{"computers are entered by what they store", testRoster},
		{"a computer that was replaced stores nothing", testReplace},
		{"of two guards the later one goes on", testTwoGuards},
		{"racing guards don't all go on", testRacingGuards},
		{"what one computer lets go all of them know", testExpired},
		{"every computer has states of its own", testStates},
		{"a kit's blobs do no harm", testKitBlobs},
		{"the past can only be read", testPast},
		{"a changed passphrase is the only one", testPassphrase},
		{"without a lock there is none to prove", testNoLock},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, &Fixture{Provider: provider(t), Spec: spec(t), StateDir: t.TempDir()})
		})
	}
}

// Fixture is a provider and a location to make a vault in.
type Fixture struct {
	Provider app.VaultProvider
	Spec     app.StorageSpec
	StateDir string
}

// Setup returns what makes or opens the fixture's vault.
func (f *Fixture) Setup() app.VaultSetup {
	return app.VaultSetup{
		Storage: f.Spec, Passphrase: app.NewSecret(Passphrase), Shop: "Åsas bod", StateDir: f.StateDir,
		Computer: app.Computer{ID: FirstComputer, Name: "Datorn " + string(FirstComputer)},
	}
}

// Create makes the fixture's vault and closes it with the test.
func (f *Fixture) Create(t *testing.T) app.Vault {
	t.Helper()
	v, err := f.Provider.Create(t.Context(), f.Setup())
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	closeLater(t, v)
	return v
}

// Open opens the fixture's vault and closes it with the test.
func (f *Fixture) Open(t *testing.T) app.Vault {
	t.Helper()
	v, err := f.Provider.Open(t.Context(), f.Setup())
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	closeLater(t, v)
	return v
}

func closeLater(t *testing.T, v app.Vault) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = v.Close(ctx) // a test may have closed it
	})
}

// Items yields the given items.
func Items(items ...app.Item) iter.Seq2[app.Item, error] {
	return func(yield func(app.Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
	}
}

// Stamp is the time of the suite's files.
func Stamp() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// File is an item with the given bytes.
func File(name string, data []byte) app.Item {
	return app.Item{
		Path: name, Size: int64(len(data)), ModTime: Stamp(), Mode: 0o644,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

// Paged is a database with the given bytes.
func Paged(name string, data []byte) app.Item {
	it := File(name, data)
	it.Pages = 4096
	return it
}

// Noise returns n bytes that don't compress, the same for the same seed.
func Noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	r := rand.NewChaCha8(key)
	if _, err := r.Read(b); err != nil {
		panic(err) // never happens
	}
	return b
}

// Request is a backup of items at [Stamp].
func Request(source app.SourceID, items ...app.Item) app.SaveRequest {
	return app.SaveRequest{Source: source, Name: "Kassa " + string(source), Kind: app.PointBackup, Time: Stamp(), Items: Items(items...)}
}

// Save saves one request, which must succeed.
func Save(t *testing.T, v app.Vault, r app.SaveRequest) app.SaveResult {
	t.Helper()
	res, err := v.Save(t.Context(), []app.SaveRequest{r}, nil)
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	if len(res) != 1 || res[0].Err != nil {
		t.Fatalf("save: %+v", res)
	}
	if !res[0].Point.Verified {
		t.Fatal("a saved point is not verified")
	}
	return res[0]
}

// Points lists the points f lets through.
func Points(t *testing.T, v app.Vault, f app.PointFilter) []app.Point {
	t.Helper()
	points, err := v.Points(t.Context(), f)
	if err != nil {
		t.Fatalf("points: %v", err)
	}
	return points
}

// Compare checks that a point holds exactly the items.
func Compare(t *testing.T, v app.Vault, id app.PointID, items ...app.Item) {
	t.Helper()
	view, err := v.Open(t.Context(), id)
	if err != nil {
		t.Fatalf("open point: %v", err)
	}
	defer func() {
		if err := view.Close(); err != nil {
			t.Errorf("close point: %v", err)
		}
	}()
	if p, ok := view.(app.Prefetcher); ok {
		if err := p.Prefetch(t.Context(), nil); err != nil {
			t.Errorf("prefetch: %v", err)
		}
	}
	want := map[string]app.Item{}
	for _, it := range items {
		want[it.Path] = it
	}
	err = fs.WalkDir(view, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		it, ok := want[name]
		delete(want, name)
		switch {
		case !ok && d.IsDir():
			return nil // implied by a path
		case !ok:
			return fmt.Errorf("%s was not saved", name)
		}
		return compareItem(view, it, d)
	})
	if err != nil {
		t.Errorf("compare: %v", err)
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

func compareItem(view fs.FS, it app.Item, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if info.Mode().Type() != it.Mode.Type() {
		return fmt.Errorf("%s has mode %v, want %v", it.Path, info.Mode(), it.Mode)
	}
	if it.Mode.IsDir() {
		return nil
	}
	got, err := fs.ReadFile(view, it.Path)
	if err != nil {
		return err
	}
	if it.Mode&fs.ModeSymlink != 0 {
		target, err := fs.ReadLink(view, it.Path)
		if err != nil || target != it.Link || string(got) != it.Link {
			return fmt.Errorf("%s leads to %q and reads %q, want %q: %w", it.Path, target, got, it.Link, err)
		}
		return nil
	}
	rc, err := it.Open(context.Background())
	if err != nil {
		return err
	}
	want, err := io.ReadAll(rc)
	if err = errors.Join(err, rc.Close()); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s holds %d bytes, other than the %d saved", it.Path, len(got), len(want))
	}
	if info.Size() != int64(len(want)) || info.Mode().Perm() != it.Mode.Perm() || !info.ModTime().Equal(it.ModTime) {
		return fmt.Errorf("%s: size %d, mode %v, time %v", it.Path, info.Size(), info.Mode(), info.ModTime())
	}
	return nil
}

func wantCode(t *testing.T, err error, want app.Code) {
	t.Helper()
	if got := app.CodeOf(err); got != want {
		t.Errorf("code %q (%v), want %q", got, err, want)
	}
}
