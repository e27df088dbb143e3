package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/app/updates"
)

// TestRun: what is signed is what the guard takes, and a key is never lost to
// another.
func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, deb, feed := filepath.Join(dir, "private.key"), filepath.Join(dir, "kvart_0.9.0_amd64.deb"), filepath.Join(dir, "feed.json")
	if err := os.WriteFile(deb, []byte("a package"), 0o600); err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	if err := run([]string{"key", "--out", key}, &public, time.Now()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if run([]string{"key", "--out", key}, &public, time.Now()) == nil {
		t.Error("a key was written over")
	}
	if err := run([]string{"feed", "--key", key, "--version", "0.9.0", "--serial", "3", "--out", feed, "--notes-sv", "Nytt", "linux/amd64/deb=" + deb}, nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer srv.Close()
	u := updates.New(updates.Options{System: "linux", Arch: "amd64", Kinds: []string{"deb"}})
	r, err := u.Look(t.Context(), app.UpdateSettings{Feed: srv.URL + "/feed.json", Key: strings.Fields(public.String())[0]}, 3)
	if err != nil || r.Version != "0.9.0" || r.Notes["sv"] != "Nytt" || r.File.URL != srv.URL+"/kvart_0.9.0_amd64.deb" || r.File.Size != 9 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRun_wrongUse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"x"}, {"key"}, {"feed"}, {"feed", "--key", "nothing", "--version", "1.0.0", "--serial", "1", "--out", "x", "linux=x"}} {
		if run(args, &bytes.Buffer{}, time.Now()) == nil {
			t.Errorf("%q is fine", args)
		}
	}
}
