//go:build unix

package main

import (
	"os"
	"testing"
	"time"
)

// An incident whose restore is killed again and again still ends: once, with
// everything back, and the whole can be undone to what was there before.
func TestKill_incident(t *testing.T) {
	t.Parallel()
	k := newKiller(t, 6000)
	want := k.contents(k.db)
	files := k.files(k.pics)
	wreck := []byte("this was a database once")
	if err := os.WriteFile(k.db, wreck, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"-wal", "-shm"} {
		if err := os.RemoveAll(k.db + tail); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(k.pics); err != nil {
		t.Fatal(err)
	}
	k.must([]string{"incident", "start", "crashed"}, "playbook", "crashed")
	k.must([]string{"incident", "tick", "stop-till"})
	k.must([]string{"incident", "tick", "confirm", "--no-wait"})
	whole := k.timed("restore", "--to", k.root+"/elsewhere", "--yes")
	for try := 0; k.hits < min(k.kills, 10) && try < killTries*k.kills; try++ {
		// each says that the restore should be done: what is under way goes on
		if k.kill(time.Duration(float64(whole)*(0.1+0.6*k.rand.Float64())), "incident", "tick", "restore") {
			k.hits++
		}
		if k.dig(k.must([]string{"incident", "show"}), "steps.4.state") == "done" {
			break
		}
	}
	t.Logf("%d kills hit", k.hits)
	k.must([]string{"incident", "tick", "restore"}, "steps.4.code", "restore", "steps.4.state", "done")
	if got := k.contents(k.db); got != want {
		t.Errorf("database: %s, want %s", got, want)
	}
	got := k.files(k.pics)
	if len(got) != len(files) {
		t.Errorf("%d pictures, want %d", len(got), len(files))
	}
	for name := range files {
		if got[name] != files[name] {
			t.Errorf("%s differs", name)
		}
	}
	for _, code := range []string{"start-till", "test-sale"} {
		k.must([]string{"incident", "tick", code})
	}
	k.must([]string{"incident", "close"})
	k.must([]string{"undo"}, "state", "done")
	if b, err := os.ReadFile(k.db); err != nil || string(b) != string(wreck) {
		t.Errorf("undone: %d bytes, %v", len(b), err)
	}
	k.leftovers()
}
