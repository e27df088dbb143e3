package agent

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"kvart/app"
	"kvart/app/config"
)

// home makes a data folder with settings as they are in a file.
func home(t *testing.T, settings []byte) (path string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Åsa Öbergs dator")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "settings.json")
	if err := os.WriteFile(path, settings, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lost names what a document held that another does not.
func lost(at string, was, is any) []string {
	switch was := was.(type) {
	case map[string]any:
		is, _ := is.(map[string]any)
		var out []string
		for k, v := range was {
			out = append(out, lost(at+"."+k, v, is[k])...)
		}
		return out
	case []any:
		is, _ := is.([]any)
		if len(is) != len(was) {
			return []string{at}
		}
		var out []string
		for i := range was {
			out = append(out, lost(at+"[]", was[i], is[i])...)
		}
		return out
	}
	if !reflect.DeepEqual(was, is) {
		return []string{at}
	}
	return nil
}

// TestSettings_everyEarlierForm: settings of any earlier program open, nothing
// of them is lost when they are written again, and they are of this form then.
func TestSettings_everyEarlierForm(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/settings-*.json")
	if err != nil || len(files) < 3 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		path := home(t, b)
		for range 2 {
			store, err := config.Open(path, NewDocument, CheckDocument)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if err := BringUpToDate(store); err != nil {
				t.Fatal(err)
			}
			var was, is map[string]any
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, &was); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(after, &is); err != nil {
				t.Fatal(err)
			}
			if is["version"] != float64(documentForm) {
				t.Errorf("%s is of form %v", file, is["version"])
			}
			delete(was, "version")
			if l := lost("", was, is); len(l) > 0 {
				t.Errorf("%s: lost %v", file, l)
			}
		}
	}
}

// TestSettings_newerChangesNothing: what a newer program wrote is refused, and
// not a byte of it is changed; likewise where it was cut off as it wrote.
func TestSettings_newerChangesNothing(t *testing.T) {
	t.Parallel()
	newer := []byte(`{"version": 99, "profile": "x", "something": {"new": true}}`)
	for name, files := range map[string]map[string][]byte{
		"whole":   {"settings.json": newer, "settings.json.bak": newer},
		"cut off": {"settings.json": newer[:20], "settings.json.bak": newer},
		"no copy": {"settings.json": newer},
		"gone":    {"settings.json.bak": newer},
	} {
		path := home(t, nil)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		for f, b := range files {
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), f), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := config.Open(path, NewDocument, CheckDocument); app.CodeOf(err) != app.CodeGuardVersion {
			t.Errorf("%s: %v", name, err)
		}
		there, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(there) != len(files) {
			t.Errorf("%s: there lies %v, %v", name, there, err)
		}
		for f, b := range files {
			if got, err := os.ReadFile(filepath.Join(filepath.Dir(path), f)); err != nil || !bytes.Equal(got, b) {
				t.Errorf("%s: %s was changed: %v", name, f, err)
			}
		}
	}
}

// TestSettings_cutOffAsTheyWereWritten: at whatever byte a power cut comes, the
// settings before or after it are there.
func TestSettings_cutOffAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile("testdata/settings-3.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, len(good) / 2, len(good) - 3} {
		path := home(t, good[:n]) // torn by the disk, whatever was promised
		for f, b := range map[string][]byte{".bak": good, ".1234.tmp": good[:n]} {
			if err := os.WriteFile(path+f, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		store, err := config.Open(path, NewDocument, CheckDocument)
		if err != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
		if d := store.Document(); len(d.Sources) != 2 || d.Vault.Shop != "Björnbär" || d.Kit.Number != 3 {
			t.Errorf("after %d bytes: %+v", n, d)
		}
	}
}
