package shopify

import (
	"encoding/json"
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

// The parent is found as the library finds it, wherever and however it is written.
func TestSpool_parentOfALine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{"id":"b","__parentId":"gid://shopify/Order/1"}`:                     "gid://shopify/Order/1",
		`{"id":"b","__parentId":""}`:                                          "",
		`{"id":"b","__parentId": "spaced"}`:                                   "spaced",
		`{"__parentId":"first","id":"b"}`:                                     "first",
		`{"id":"b","__parentId":"caf\u00e9"}`:                                 "café",
		`{"id":"b","__parentId":"a \"quoted\""}`:                              `a "quoted"`,
		`{"id":"b","note":"__parentId"}`:                                      "",
		`{"id":"b","note":"says \"__parentId\":\"x\""}`:                       "",
		`{"id":"b","value":{"__parentId":"inner"}}`:                           "",
		`{"id":"b","value":{"__parentId":"inner"},"__parentId":"outer"}`:      "outer",
		`{"id":"b","__parentId":"outer","value":{"__parentId":"inner"}}`:      "outer",
		`{"id":"b","value":[{"__parentId":"inner"}],"n":5,"__parentId":null}`: "",
		`{"id":"b","end":"\\"}`:                                               "",
		`{}`:                                                                  "",
	} {
		var whole lineHead
		if err := json.Unmarshal([]byte(line), &whole); err != nil || whole.Parent != want {
			t.Fatalf("%s: the library says %q, %v", line, whole.Parent, err)
		}
		if head, err := headOf([]byte(line)); err != nil || head.Parent != want {
			t.Errorf("%s: %q, %v, want %q", line, head.Parent, err, want)
		}
	}
	for _, line := range []string{`{`, `}`, `"}`, `{"id":"b","__parentId":"x`, `{"id":"b","__parentId":"x"`, `{"__parentId":"}`} {
		if head, err := headOf([]byte(line)); err == nil {
			t.Errorf("%s: %q and no error", line, head.Parent)
		}
	}
}

// Each line is one object, and what is wrong with one does not reach the next.
func TestSpool_lineIsOneObject(t *testing.T) {
	t.Parallel()
	s, err := newSpool(t.TempDir(), strings.NewReader("{\"n\":1}\n{\"n\":2}{\"n\":3}\n {\"n\":\"4\"} \r\n{\"n\":5,}\n{\"n\":6.50}\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	for range 3 { // readers are used again
		for i, want := range []any{json.Number("1"), nil, "4", nil, json.Number("6.50")} {
			m, err := s.line(i)
			if want == nil && err == nil || want != nil && (err != nil || len(m) != 1 || m["n"] != want) {
				t.Errorf("line %d: %v, %v", i, m, err)
			}
		}
	}
}
