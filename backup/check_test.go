package backup_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup"
	"kvart/backup/vaulttest"
)

const all = int64(1) << 40

func check(t *testing.T, v app.Vault, budget int64) app.CheckReport {
	t.Helper()
	r, err := v.(app.Checker).Check(t.Context(), budget, nil)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	return r
}

// blobFile returns the file in which a folder keeps an object.
func blobFile(t *testing.T, dir, id string) string {
	t.Helper()
	for _, name := range listing(t, dir) {
		if rel, err := filepath.Rel(dir, name); err == nil && strings.ReplaceAll(filepath.ToSlash(rel), "/", "") == id+".f" {
			return name
		}
	}
	t.Fatalf("no %s in %s", id, dir)
	return ""
}

// blobs lists the names of a folder's objects.
func blobs(t *testing.T, dir, prefix string) []string {
	t.Helper()
	var ids []string
	for _, name := range listing(t, dir) {
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := strings.CutSuffix(strings.ReplaceAll(filepath.ToSlash(rel), "/", ""), ".f"); ok && strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// flip damages one byte in the middle of every piece that is chosen.
func flip(t *testing.T, v app.Vault, dir string, choose func(backup.Piece) bool) []string {
	t.Helper()
	pieces, err := backup.Pieces(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	var packs []string
	for _, p := range pieces {
		if !choose(p) {
			continue
		}
		name := blobFile(t, dir, p.Pack)
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[p.Offset+p.Length/2] ^= 0x10
		overwrite(t, name, b)
		if !slices.Contains(packs, p.Pack) {
			packs = append(packs, p.Pack)
		}
	}
	if len(packs) == 0 {
		t.Fatal("nothing to damage")
	}
	slices.Sort(packs)
	return packs
}

// Everything is read in turn, what was not read for longest first, however
// small the budget; what was read is remembered across openings.
func TestVault_CheckReadsEverythingInTurn(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	for i := range 4 {
		if err := save(t, v, vaulttest.File("a", vaulttest.Noise(5000, uint64(i)))); err != nil {
			t.Fatal(err)
		}
	}
	first := check(t, v, 1)
	if first.Packs != 1 || first.Unread <= 0 || !first.Oldest.IsZero() || first.PacksTotal < 8 || first.BytesTotal < 20_000 || len(first.Damaged) != 0 {
		t.Fatalf("first check: %+v", first)
	}
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	v = f.Open(t)
	var r app.CheckReport
	for i := 1; i < first.PacksTotal; i++ {
		if r = check(t, v, 1); r.Packs != 1 {
			t.Fatalf("check %d: %+v", i, r)
		}
	}
	if r.Unread != 0 || r.Oldest.IsZero() || time.Since(r.Oldest) > time.Minute {
		t.Errorf("after reading all: %+v", r)
	}
	if r = check(t, v, all); r.Packs != first.PacksTotal || r.Bytes != r.BytesTotal {
		t.Errorf("whole check: %+v", r)
	}
	if err := os.RemoveAll(f.StateDir); err != nil {
		t.Fatal(err)
	}
	if r = check(t, v, 1); r.Packs != 1 || r.Unread == 0 || !r.Oldest.IsZero() {
		t.Errorf("without its memory: %+v", r)
	}
}

func TestVault_CheckFindsDamageAgainAndAgain(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	for i := range 3 {
		if err := save(t, v, vaulttest.File("a", vaulttest.Noise(5000, uint64(i))), vaulttest.Paged("db", vaulttest.Noise(40960, 9))); err != nil {
			t.Fatal(err)
		}
	}
	check(t, v, all)
	ids := slices.Concat(blobs(t, root(f), "p"), blobs(t, root(f), "q"), blobs(t, root(f), "xn"))
	for _, id := range ids {
		name := blobFile(t, root(f), id)
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, how := range []string{"flipped", "short", "empty", "missing"} {
			bad := slices.Clone(whole)
			switch how {
			case "flipped":
				bad[40] ^= 1 // after a pack's preamble lies its first content
				for i := 64; i < len(bad); i += 256 {
					bad[i] ^= 1
				}
			case "short":
				bad = bad[:60]
			case "empty":
				bad = nil
			}
			overwrite(t, name, bad)
			if how == "missing" {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
			if how == "missing" && id[0] == 'x' {
				break // what no index names was not lost as far as anybody knows
			}
			if r := check(t, v, all); !slices.Equal(r.Damaged, []string{id}) {
				t.Errorf("%s %s: %v", id, how, r.Damaged)
			}
			if how != "flipped" {
				continue
			}
			if r := check(t, v, 1); !slices.Equal(r.Damaged, []string{id}) {
				t.Errorf("%s %s, again with no budget: %v", id, how, r.Damaged)
			}
		}
		overwrite(t, name, whole)
		if r := check(t, v, 1); len(r.Damaged) != 0 {
			t.Fatalf("%s is whole again: %v", id, r.Damaged)
		}
	}
	if len(ids) < 7 {
		t.Errorf("only %v", ids)
	}
}

// A killed run leaves packs that nothing refers to.
func TestVault_CheckLeavesUnknownPacksAlone(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", vaulttest.Noise(5000, 1))); err != nil {
		t.Fatal(err)
	}
	before := check(t, v, all)
	stray := filepath.Join(root(f), "p", "aaa", strings.Repeat("b", 29)+"-s0123456789abcdef12.f")
	if err := os.MkdirAll(filepath.Dir(stray), 0o700); err != nil {
		t.Fatal(err)
	}
	overwrite(t, stray, []byte("half a pack"))
	if r := check(t, v, all); len(r.Damaged) != 0 || r.PacksTotal != before.PacksTotal || r.Unread != 0 {
		t.Errorf("report %+v, before %+v", r, before)
	}
}

func TestVault_CheckReadsBehindCaches(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	item := vaulttest.File("a", vaulttest.Noise(50_000, 1))
	id := vaulttest.Save(t, v, vaulttest.Request("s", item)).Point.ID
	vaulttest.Compare(t, v, id, item) // now it is in the cache
	s.Change(func(key string, b []byte) {
		if strings.HasPrefix(key, "shop/p") || strings.HasPrefix(key, "shop/xn") {
			b[len(b)/2] ^= 1
		}
	})
	r := check(t, v, all)
	if len(r.Damaged) < 2 || !slices.ContainsFunc(r.Damaged, func(id string) bool { return id[0] == 'p' }) ||
		!slices.ContainsFunc(r.Damaged, func(id string) bool { return id[0] == 'x' }) {
		t.Errorf("damaged %v", r.Damaged)
	}
}

func TestVault_CheckStopsWhenStorageGoes(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", vaulttest.Noise(5000, 1))); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(root(f), root(f)+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(root(f), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := v.(app.Checker).Check(t.Context(), all, nil)
	wantCode(t, err, app.CodeVaultMissing)
}
