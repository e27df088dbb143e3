package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"kvart/app"
)

type document struct {
	Version  int
	Profile  string
	Language string
	Sources  []string
}

func open(dir string) (*Store[document], error) {
	return Open(filepath.Join(dir, "settings.json"), func() document { return document{Version: 1, Profile: "p"} }, func(d document) error {
		if d.Version > 1 {
			return app.Errorf(app.CodeGuardVersion, "read settings", "form %d", d.Version)
		}
		if d.Profile == "" {
			return errors.New("not a settings file")
		}
		return nil
	})
}

func TestStore_keepsAndReopens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	profile := s.Document().Profile
	err = s.Update(func(d *document) error {
		d.Sources = append(d.Sources, "kassan å")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := again.Document()
	if d.Profile != profile || len(d.Sources) != 1 || d.Sources[0] != "kassan å" {
		t.Errorf("got %+v", d)
	}
}

func TestStore_damagedFileIsAnsweredFromTheCopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "sv"} {
		if err := s.Update(func(d *document) error { d.Language = lang; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "settings.json")
	for name, wreck := range map[string]func() error{
		"truncated": func() error { return os.Truncate(path, 10) },
		"empty":     func() error { return os.Truncate(path, 0) },
		"gone":      func() error { return os.Remove(path) },
	} {
		if err := os.WriteFile(path, []byte(`{"version":1,"profile":"x","language":"en"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := wreck(); err != nil {
			t.Fatal(err)
		}
		s, err := open(dir)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := s.Document().Language; got != "sv" {
			t.Errorf("%s: language %q, want the copy's", name, got)
		}
	}
}

func TestStore_failedChangeChangesNothing(t *testing.T) {
	t.Parallel()
	s, err := open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("no")
	err = s.Update(func(d *document) error { d.Language = "sv"; return stop })
	if !errors.Is(err, stop) || s.Document().Language != "" {
		t.Errorf("err %v, document %+v", err, s.Document())
	}
}

func TestStore_newerFormIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "settings.json"), []byte(`{"version":99,"profile":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(dir); app.CodeOf(err) != app.CodeGuardVersion {
		t.Errorf("got %v", err)
	}
}
