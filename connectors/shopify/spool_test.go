package shopify

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// left are the files of spools that lie in a folder.
func left(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A spool is read as it was written, and leaves nothing behind: where the system
// lets it, not even when the program is killed meanwhile.
func TestSpool_leavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := newSpool(dir, strings.NewReader(`{"id":"a"}`+"\n"+`{"id":"b","__parentId":"a"}`+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if files := left(t, dir); len(files) > 0 && runtime.GOOS != "windows" {
		t.Errorf("while it is read there is %v", files)
	}
	for i, want := range []string{"a", "b"} {
		if m, err := s.line(i); err != nil || m["id"] != want {
			t.Errorf("line %d: %v, %v", i, m, err)
		}
	}
	if !slices.Equal(s.roots, []int{0}) || !slices.Equal(s.children["a"], []int{1}) {
		t.Errorf("roots %v, children %v", s.roots, s.children)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if err := s.close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if files := left(t, dir); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
	if _, err := newSpool(dir, strings.NewReader(`{"id":"a"}`+"\n"+`{"cut`)); err == nil || len(left(t, dir)) > 0 {
		t.Errorf("of a cut result: %v, %v", err, left(t, dir))
	}
}
