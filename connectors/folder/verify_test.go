package folder

import (
	"os"
	"path/filepath"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestConnector_Verify_findsDamage(t *testing.T) {
	t.Parallel()
	s := shopFolder(t, t.TempDir())
	point, _ := connectortest.Collect(t, captured(t, s, ""))
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point), Stats: app.Stats{"files": 5}}
	verify := func(says string) bool {
		t.Helper()
		checks, err := newConnector().Verify(t.Context(), r)
		if err != nil || len(checks) != 1 || checks[0].Code != "files" {
			t.Fatalf("checks %+v, %v", checks, err)
		}
		if got := connectortest.Seen(t, checks); got != says {
			t.Errorf("the owner is told %q, want %q", got, says)
		}
		return checks[0].OK
	}
	if !verify("") {
		t.Error("healthy folder fails")
	}
	put(t, filepath.Join(s.Settings[fieldPath], "a.txt"), "ab")
	if verify("files: files_differ 1 a.txt") {
		t.Error("wrong size passes")
	}
	if err := os.Remove(filepath.Join(s.Settings[fieldPath], "a.txt")); err != nil {
		t.Fatal(err)
	}
	r.Stats["files"] = 6
	if verify("files: files_missing 1 a.txt\nfiles: files_number 5/6") {
		t.Error("a missing file passes")
	}
}
