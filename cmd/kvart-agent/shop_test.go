package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kvart/app"
)

const testPassphrase = "mycket hemlig lösenfras"

// shop is a shop under test: a database, a folder of pictures, a vault, and
// kvart-agent as a process of its own.
type shop struct {
	testing.TB
	root, data, vault, db, pics string
	// env is the whole environment of kvart-agent.
	env []string
	// exe and account are what runs and as whom; the zero values are this
	// account's own test binary.
	exe     string
	account *syscall.SysProcAttr
}

// newShop makes a shop's folders. Nothing is set up in it yet.
func newShop(tb testing.TB) *shop {
	tb.Helper()
	root := tb.TempDir()
	s := &shop{
		TB: tb, root: root, data: filepath.Join(root, "data"), vault: filepath.Join(root, "vault"),
		db: filepath.Join(root, "shop", "kassa.db"), pics: filepath.Join(root, "shop", "Bilder"),
	}
	for _, dir := range []string{s.pics, filepath.Join(root, "tmp")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	s.write("pass", []byte(testPassphrase+"\n"))
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + root, "TMPDIR=" + filepath.Join(root, "tmp"),
		"KVART_SECRETS=file", "KVART_DATA=" + s.data, "LC_ALL=en_GB.UTF-8",
	}
	return s
}

// without takes variables out of the environment, set puts one in.
func (s *shop) set(name, value string) {
	s.without(name)
	s.env = append(s.env, name+"="+value)
}

func (s *shop) without(name string) {
	var left []string
	for _, v := range s.env {
		if !strings.HasPrefix(v, name+"=") {
			left = append(left, v)
		}
	}
	s.env = left
}

// write writes a file below the shop's root.
func (s *shop) write(name string, b []byte) string {
	s.Helper()
	file := filepath.Join(s.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		s.Fatal(err)
	}
	return file
}

// result is how a command ended.
type result struct {
	code     int
	out, err string
}

// agentVar names, with its full path, the kvart-agent to test; without it this
// test binary is one, see TestMain.
const agentVar = "KVART_TEST_AGENT"

// command returns kvart-agent with arguments, not started.
func (s *shop) command(ctx context.Context, args ...string) *exec.Cmd {
	s.Helper()
	exe := cmp.Or(s.exe, os.Getenv(agentVar))
	if exe == "" {
		var err error
		if exe, err = os.Executable(); err != nil {
			s.Fatal(err)
		}
	}
	c := exec.CommandContext(ctx, exe, args...)
	c.Args[0] = "kvart-agent"
	c.Env, c.Dir, c.WaitDelay, c.SysProcAttr = s.env, s.root, 5*time.Second, s.account
	return c
}

// patience is how long a command may take: reading a vault back from a disk
// that is busy and cold takes minutes where it takes seconds from memory.
const patience = 5 * time.Minute

// run runs kvart-agent to its end.
func (s *shop) run(args ...string) result {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := s.command(ctx, args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		s.Fatalf("%v: %v", args, err)
	}
	if ctx.Err() != nil {
		s.Fatalf("%v did not end within %s; stderr:\n%s", args, patience, &errs)
	}
	return result{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

// must runs kvart-agent, which must succeed, and looks values up in its
// document as scripts do: path, want, path, want…
func (s *shop) must(args []string, pathsAndWants ...string) result {
	s.Helper()
	return s.expect(exitDone, args, pathsAndWants...)
}

// fails runs kvart-agent, which must fail with a code, told in the document
// and on stderr.
func (s *shop) fails(code string, args []string, pathsAndWants ...string) result {
	s.Helper()
	r := s.expect(exitFailed, args, pathsAndWants...)
	if !strings.Contains(r.err, "("+code+": ") {
		s.Errorf("%v: stderr does not say %s:\n%s", args, code, r.err)
	}
	if !strings.Contains(r.out, `"code":"`+code+`"`) {
		s.Errorf("%v: stdout does not say %s:\n%s", args, code, r.out)
	}
	return r
}

func (s *shop) expect(code int, args []string, pathsAndWants ...string) result {
	s.Helper()
	args = append(args, "--json")
	r := s.run(args...)
	if r.code != code {
		s.Fatalf("%v: exit code %d, want %d\nstdout: %s\nstderr: %s", args, r.code, code, r.out, r.err)
	}
	for i := 0; i+1 < len(pathsAndWants); i += 2 {
		if got := s.dig(r, pathsAndWants[i]); got != pathsAndWants[i+1] {
			s.Errorf("%v: %s is %q, want %q\nstdout: %s\nstderr: %s", args, pathsAndWants[i], got, pathsAndWants[i+1], r.out, r.err)
		}
	}
	return r
}

// dig looks a value up in a command's document.
func (s *shop) dig(r result, path string) string {
	s.Helper()
	var doc any
	if err := json.Unmarshal([]byte(r.out), &doc); err != nil {
		s.Fatalf("stdout is not one JSON document: %v\n%s\nstderr: %s", err, r.out, r.err)
	}
	got, err := dig(doc, strings.Split(path, "."))
	if err != nil {
		s.Fatalf("%s: %v\n%s", path, err, r.out)
	}
	return got
}

// protect makes the vault and protects the database and the folder.
func (s *shop) protect() {
	s.Helper()
	s.createVault()
	s.must([]string{"source", "add", "sqlite", "--name", "Kassan", "--set", "path=" + s.db})
	s.must([]string{"source", "add", "folder", "--name", "Bilder", "--set", "path=" + s.pics})
}

func (s *shop) createVault() {
	s.Helper()
	s.must([]string{"vault", "create", "--storage", "folder", "--set", "path=" + s.vault, "--passphrase-file", "pass", "--shop", "Björnbär"})
}

// small fills the shop with a little data.
func (s *shop) small() {
	s.Helper()
	s.sql(s.db, "CREATE TABLE sale (id INTEGER PRIMARY KEY, gen INTEGER, page BLOB)")
	s.sql(s.db, "INSERT INTO sale (gen, page) VALUES (0, 'Höstrost'), (0, 'Åre')")
	s.write("shop/Bilder/Blå kopp åäö.jpg", []byte("en kopp"))
}

func (s *shop) sql(file, statement string) string {
	s.Helper()
	got, err := query(s.Context(), file, statement)
	if err != nil {
		s.Fatalf("%s: %v", statement, err)
	}
	return got
}

// contents opens a database as a till does and returns a digest of all its
// rows. A database that is missing or unsound is fatal.
func (s *shop) contents(file string) string {
	s.Helper()
	if _, err := os.Stat(file); err != nil {
		s.Fatalf("no database: %v", err)
	}
	if got := s.sql(file, "PRAGMA integrity_check"); got != "ok" {
		s.Fatalf("integrity of %s: %s", file, got)
	}
	sum, err := digestRows(s.Context(), file)
	if err != nil {
		s.Fatalf("read %s: %v", file, err)
	}
	return sum
}

func digestRows(ctx context.Context, file string) (sum string, err error) {
	db, err := sql.Open("sqlite3", "file:"+file+"?_busy_timeout=5000")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT id, gen, page FROM sale ORDER BY id")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	h, n := sha256.New(), 0
	for rows.Next() {
		var id, gen int64
		var page sql.RawBytes
		if err := rows.Scan(&id, &gen, &page); err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%d %d %d ", id, gen, len(page))
		h.Write(page)
		n++
	}
	return fmt.Sprintf("%d rows, %s", n, hex.EncodeToString(h.Sum(nil)[:8])), rows.Err()
}

// points returns the IDs of all points that are said to be verified.
func (s *shop) points() (verified []app.PointID) {
	s.Helper()
	var points []pointDocument
	if err := json.Unmarshal([]byte(s.must([]string{"points"}).out), &points); err != nil {
		s.Fatal(err)
	}
	for _, p := range points {
		if p.Verified {
			verified = append(verified, p.Point)
		}
	}
	return verified
}

// files reads every file below dir: name to content.
func (s *shop) files(dir string) map[string]string {
	s.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		all[filepath.ToSlash(name)] = string(b)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return all
}

// names lists every file below dir whose base name matches one of the patterns.
func (s *shop) names(dir string, patterns ...string) (found []string) {
	s.Helper()
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, p := range patterns {
			if ok, err := filepath.Match(p, d.Name()); err != nil {
				return err
			} else if ok {
				found = append(found, file)
				break
			}
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

// closed makes sure that other accounts can't read anything below dir.
func (s *shop) closed(dir string) {
	s.Helper()
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0 {
			s.Errorf("others may open %s: %v", file, info.Mode())
		}
		return nil
	})
	if err != nil {
		s.Error(err)
	}
}

// bytesOf returns n bytes nobody can compress.
func bytesOf(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}
