package backup

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

// What was stored while the clock was a year ahead can be let go when it is
// right again, and whoever maintained then hands it over.
func TestVault_ForgetsWhatAClockAheadWrote(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	ahead := s.create("kassan", clock(400*day))
	var ids []app.PointID
	for range 4 {
		ids = append(ids, s.save(ahead, "kassa").ID)
	}
	if err := ahead.Pin(t.Context(), ids[0], true); err != nil {
		t.Fatal(err)
	}
	v := s.open("lagret", time.Now)
	if err := v.Pin(t.Context(), ids[0], false); err != nil {
		t.Fatal(err)
	}
	if err := v.Pin(t.Context(), ids[1], true); err != nil {
		t.Fatal(err)
	}
	s.save(v, "lager")
	s.maintain(v) // takes over: what is dated in the future tells nothing
	if got := s.maintainer(v); got != "lagret" {
		t.Fatalf("%q maintains", got)
	}
	for range 2 {
		if err := v.Maintain(t.Context(), app.Retention{Latest: 1}); err != nil {
			t.Fatal(err)
		}
	}
	again := s.open("lagret", time.Now)
	points := vaulttest.Points(t, again, app.PointFilter{Source: "kassa"})
	if len(points) != 2 || points[0].ID != ids[3] || points[1].ID != ids[1] || !points[1].Pinned || s.maintainer(again) != "lagret" {
		t.Errorf("points %+v, %q maintains", points, s.maintainer(again))
	}
	if gone, err := again.Expired(t.Context()); err != nil || len(gone) != 2 {
		t.Errorf("expired %v, %v", gone, err)
	}
}

// Notes of what was let go are merged by day, and forgotten only after half a
// year and as many notes.
func TestVault_ExpiredIsRemembered(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	off := time.Duration(0)
	v := s.create("kassan", func() time.Time { return time.Now().Add(off) })
	for range 3 {
		s.save(v, "kassa")
	}
	expire := func(keep int) {
		t.Helper()
		if err := v.expire(t.Context(), app.Retention{Latest: keep}); err != nil {
			t.Fatal(err)
		}
	}
	expire(2)
	expire(1)
	notes, err := notesOf(t.Context(), v.rep)
	if err != nil || len(notes) != 1 || len(notes[0].Points) != 2 {
		t.Fatalf("notes %+v, %v", notes, err)
	}
	off = 400 * day // a clock that jumps forgets nothing
	s.save(v, "kassa")
	expire(1)
	if gone, err := v.Expired(t.Context()); err != nil || len(gone) != 3 {
		t.Errorf("expired %v, %v", gone, err)
	}
}

func TestVault_SweepsIndexCache(t *testing.T) {
	t.Parallel()
	s := shopInBucket(t, &s3test.Server{})
	v := s.create("kassan", time.Now)
	s.save(v, "kassa")
	dir := filepath.Join(v.dir, "cache", indexFolder)
	there, err := filepath.Glob(filepath.Join(dir, "*"+indexSuffix))
	if err != nil || len(there) == 0 {
		t.Fatalf("cached indexes %v, %v", there, err)
	}
	then := time.Now().Add(-2 * day)
	files := map[string]bool{"xn0_gone.sndx": true, "tmp123": true, "xn0_young.sndx": false} // whether they are old
	for name, old := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if old {
			there = append(there, filepath.Join(dir, name))
		}
	}
	for _, name := range there {
		if err := os.Chtimes(name, then, then); err != nil {
			t.Fatal(err)
		}
	}
	s.maintain(v)
	for name, old := range files {
		if _, err := os.Stat(filepath.Join(dir, name)); old != os.IsNotExist(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range there {
		if _, gone := files[filepath.Base(name)]; gone {
			continue
		}
		if _, err := os.Stat(name); err != nil {
			t.Errorf("an index in use: %v", err)
		}
	}
}
