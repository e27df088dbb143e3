package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Secrets that look different in every way of writing them down.
const (
	knownPassphrase = "Rallarros+Fjällvråk/77%&\"Zinkgrå"
	knownKey        = "wJalr+XUtnFEMI/K7MDENG%bPxRfi&CYhemlig"
)

// forms returns the ways a secret may be written, by name.
func forms(secret string) map[string]string {
	doc, err := json.Marshal(secret)
	if err != nil {
		panic(err) // a string always marshals
	}
	all := map[string]string{
		"as it is": secret, "for a query": url.QueryEscape(secret), "for a path": url.PathEscape(secret),
		"in JSON": strings.Trim(string(doc), `"`), "quoted": strings.Trim(strconv.Quote(secret), `"`), "in ASCII": strings.Trim(strconv.QuoteToASCII(secret), `"`),
		"in hex": hex.EncodeToString([]byte(secret)),
	}
	// in base64 it depends on what stands before it; the ends are cut off
	for before := range 3 {
		b := []byte(strings.Repeat("x", before) + secret)
		b = b[:len(b)-len(b)%3]
		skip := 4 * ((before + 2) / 3)
		all[fmt.Sprintf("in base64 after %d", before)] = base64.StdEncoding.EncodeToString(b)[skip:]
		all[fmt.Sprintf("in URL base64 after %d", before)] = base64.URLEncoding.EncodeToString(b)[skip:]
	}
	return all
}

func TestForms(t *testing.T) {
	t.Parallel()
	f := forms(knownKey)
	for before := range 3 {
		in := base64.StdEncoding.EncodeToString([]byte("abc"[:before] + knownKey + "tail"))
		if part := f[fmt.Sprintf("in base64 after %d", before)]; !strings.Contains(in, part) || len(part) < 20 {
			t.Errorf("%q is not in %q", part, in)
		}
	}
}

// clean makes sure that text holds no secret in any form.
func clean(t *testing.T, what, text string) {
	t.Helper()
	for name, secret := range map[string]string{"passphrase": knownPassphrase, "S3 secret": knownKey} {
		for form, written := range forms(secret) {
			if strings.Contains(text, written) {
				t.Errorf("%s holds the %s, %s", what, name, form)
			}
		}
	}
}

// watched is a storage that refuses everything and tells all it was told, and
// notes meanwhile the arguments of who asks.
type watched struct {
	mu        sync.Mutex
	asked     int
	arguments string
}

func (h *watched) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	h.arguments += arguments()
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, `<Error><Code>AccessDenied</Code><Message>%s %s</Message></Error>`, r.URL.Path, url.QueryEscape(r.Header.Get("Authorization")))
}

// arguments returns the arguments and the environment of every kvart-agent
// that runs, where the system tells.
func arguments() (all string) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return ""
	}
	for _, f := range files {
		args, err := os.ReadFile(f)
		if err != nil || !strings.HasPrefix(string(args), "kvart-agent\x00") {
			continue // somebody else, or ended meanwhile
		}
		if env, err := os.ReadFile(filepath.Join(filepath.Dir(f), "environ")); err == nil {
			all += string(args) + "\n" + string(env) + "\n"
		}
	}
	return all
}

// Passphrase and keys are where they belong and nowhere else: not in what is
// printed, not in logs, settings, journal or caches, not among arguments.
func TestSecrets_stayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.set("KVART_LOG", "debug")
	s.small()
	s.write("pass", []byte(knownPassphrase+"\n"))
	s.write("key", []byte(knownKey+"\n"))
	var said strings.Builder
	do := func(want int, args ...string) {
		t.Helper()
		for _, args := range [][]string{args, append(args, "--json")} {
			r := s.run(args...)
			if r.code != want {
				t.Errorf("%v: exit code %d, want %d\n%s\n%s", args, r.code, want, r.out, r.err)
			}
			said.WriteString(r.out + r.err)
		}
	}
	storage := &watched{}
	srv := httptest.NewServer(storage)
	defer srv.Close()
	s3 := func(endpoint string, more ...string) []string {
		return append([]string{
			"vault", "create", "--storage", "s3", "--set", "endpoint=" + endpoint, "--set", "bucket=kvart", "--set", "access_key=AKIAKVARTTEST",
			"--secret", "secret_key=key", "--passphrase-file", "pass",
		}, more...)
	}
	refusing := strings.TrimPrefix(srv.URL, "http://")
	do(exitFailed, s3(refusing, "--set", "insecure=true")...)
	do(exitFailed, s3("127.0.0.1:1", "--set", "insecure=true")...)
	do(exitFailed, s3(refusing)...) // TLS to somebody who speaks none
	do(exitUsage, append(s3("127.0.0.1:1"), "--set", "no_such=field")...)
	do(exitFailed, "vault", "open", "--storage", "folder", "--set", "path="+s.vault, "--passphrase-file", "pass")

	s.must([]string{"vault", "create", "--storage", "folder", "--set", "path=" + s.vault, "--passphrase-file", "pass"})
	s.must([]string{"source", "add", "sqlite", "--name", "Kassan", "--set", "path=" + s.db})
	s.must([]string{"source", "add", "folder", "--name", "Bilder", "--set", "path=" + s.pics})
	do(exitFailed, "vault", "create", "--storage", "folder", "--set", "path="+s.vault, "--passphrase-file", "key") // another passphrase
	for _, args := range [][]string{
		{"backup"},
		{"restore", "--yes"},
		{"undo"},
		{"drill"},
		{"status"},
		{"vault", "status"},
		{"vault", "verify"},
		{"vault", "maintain"},
		{"source", "list"},
		{"points"},
		{"restore", "--plan"},
	} {
		r := s.run(args...)
		said.WriteString(r.out + r.err)
		if r.code != exitDone {
			t.Errorf("%v: %+v", args, r)
		}
	}
	away := filepath.Join(s.root, "away")
	if err := os.Rename(s.vault, away); err != nil {
		t.Fatal(err)
	}
	do(exitFailed, "backup")
	if err := os.Rename(away, s.vault); err != nil {
		t.Fatal(err)
	}

	clean(t, "what was printed", said.String())
	clean(t, "the arguments or environment", storage.arguments)
	if storage.asked == 0 || runtime.GOOS == "linux" && storage.arguments == "" {
		t.Errorf("the storage was asked %d times and saw %d bytes of arguments: nothing was proved", storage.asked, len(storage.arguments))
	}
	files := 0
	err := filepath.WalkDir(s.root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || file == filepath.Join(s.root, "pass") || file == filepath.Join(s.root, "key") {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		files++
		clean(t, file, string(b)) // also those that may hold secrets: they are encrypted
		return nil
	})
	if err != nil || files < 20 {
		t.Errorf("%d files looked at: %v", files, err)
	}
	log, err := os.ReadFile(filepath.Join(s.data, "kvart.log"))
	if err != nil || len(log) < 1000 {
		t.Errorf("a log of %d bytes proves nothing: %v", len(log), err)
	}
	s.closed(s.data)
}
