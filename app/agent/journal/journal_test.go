package journal

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kvart/app"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func openTest(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func TestJournal_keepsRunsPointsAndPlacesTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openTest(t, dir)
	now := time.Now().Truncate(time.Millisecond)
	run := Run{Source: "kassan", Quarter: now, Started: now, Ended: now.Add(time.Second), Result: app.RunResult{Source: "Kassan", State: app.RunDone, Point: "p1", BytesUploaded: 7}}
	place := &Place{Marker: "m1", Point: "p1", Captured: now, SafeUntil: now}
	if err := j.AddRun(t.Context(), run, &Verified{Point: "p1", Source: "kassan", Seq: 3, At: now}, place); err != nil {
		t.Fatal(err)
	}
	run.Result = app.RunResult{Source: "Kassan", State: app.RunFailed, Error: &app.Error{Code: app.CodeStorageFull}}
	if err := j.AddRun(t.Context(), run, nil, nil); err != nil {
		t.Fatal(err)
	}
	j = openTest(t, dir) // what is written is there for another
	got, err := j.Place(t.Context(), "kassan")
	if err != nil || got.Marker != "m1" || !got.SafeUntil.Equal(now) {
		t.Errorf("place %+v, %v", got, err)
	}
	last, stored, err := j.LastRun(t.Context(), "kassan")
	if err != nil || last.Code() != app.CodeStorageFull || stored.Result.Point != "p1" {
		t.Errorf("last %+v, stored %+v, %v", last, stored, err)
	}
	verified, err := j.Verified(t.Context())
	if err != nil || verified["p1"].Seq != 3 {
		t.Errorf("verified %+v, %v", verified, err)
	}
	runs, err := j.Runs(t.Context(), "", now.Add(-time.Hour), now.Add(time.Hour))
	if err != nil || len(runs) != 2 {
		t.Errorf("runs %+v, %v", runs, err)
	}
}

func TestJournal_damagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journal.db"), []byte("this is no database, and never was one; it is long enough to be looked at as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	j := openTest(t, dir)
	if err := j.SetMeta(t.Context(), KeyState, "x"); err != nil {
		t.Fatal(err)
	}
	aside, err := filepath.Glob(filepath.Join(dir, "journal.db.damaged-*"))
	if err != nil || len(aside) != 1 {
		t.Errorf("set aside: %v, %v", aside, err)
	}
}

func TestJournal_newerFormIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openTest(t, dir)
	if err := j.exec(t.Context(), `PRAGMA user_version = 99`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, quiet()); app.CodeOf(err) != app.CodeGuardVersion {
		t.Errorf("got %v", err)
	}
}

func TestJournal_prolongedPauseReplacesItself(t *testing.T) {
	t.Parallel()
	j := openTest(t, t.TempDir())
	from := time.Now().Truncate(time.Millisecond)
	for _, to := range []time.Duration{time.Hour, 3 * time.Hour, 10 * time.Minute} {
		if err := j.AddPause(t.Context(), from, from.Add(to)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := j.Pauses(t.Context(), from, from.Add(24*time.Hour))
	if err != nil || len(got) != 1 || !got[0].To.Equal(from.Add(10*time.Minute)) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestJournal_foldersNobodyCanWriteTo(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		dir := filepath.Join(t.TempDir(), "missing", "folder")
		if _, err := Open(t.Context(), dir, quiet()); app.CodeOf(err) != app.CodeHomeReadOnly {
			t.Errorf("got %v", err)
		}
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, quiet()); app.CodeOf(err) != app.CodeHomeReadOnly {
		t.Errorf("got %v", err)
	}
}

// TestJournal_onShare: on a network drive no memory is shared over a file beside
// the journal, and nobody else gets in; one that was on a disk before is taken
// over, and back.
func TestJournal_onShare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	path := filepath.Join(dir, "journal.db")
	for i, open := range []func(context.Context, string, *slog.Logger) (*Journal, error){Open, OpenOnShare, OpenOnShare, Open} {
		j, err := open(t.Context(), dir, log)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		value, err := j.Meta(t.Context(), "k")
		if want := []string{"", "0", "1", "2"}[i]; err != nil || value != want {
			t.Errorf("%d: %q, %v, want %q", i, value, err, want)
		}
		if err := j.SetMeta(t.Context(), "k", strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
		share := i == 1 || i == 2
		for _, beside := range []string{"-wal", "-shm"} {
			if _, err := os.Stat(path + beside); share != errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%d: %s: %v", i, beside, err)
			}
		}
		if share {
			other, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=10")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := other.ExecContext(t.Context(), "INSERT INTO meta VALUES ('x', 'y')"); err == nil {
				t.Errorf("%d: another writes beside it", i)
			}
			if err := other.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
