package logging

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Tail(dir, 100); err == nil {
		t.Error("a log that is not there was read")
	}
	for _, tt := range []struct {
		text string
		most int64
		want []string
	}{
		{"", 100, nil},
		{"one\ntwo\n", 100, []string{"one", "two"}},
		{"one\ntwo\nthree\n", 8, []string{"three"}}, // the first of what is read is torn
		{"one\ntwo\nthr", 100, []string{"one", "two", "thr"}},
	} {
		if err := os.WriteFile(filepath.Join(dir, FileName), []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Tail(dir, tt.most); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, %v", tt.text, got, err)
		}
	}
}
