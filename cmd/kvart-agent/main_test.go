package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"github.com/rogpeppe/go-internal/testscript"

	"kvart/app"
)

// TestMain makes the test binary a kvart-agent too: scripts and the tests that
// kill it run it as their own process.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kvart-agent": main})
}

// TestScripts runs whole recoveries as a script would: testdata/script.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("KVART_SECRETS", "file")
			e.Setenv("KVART_DATA", filepath.Join(e.WorkDir, "data"))
			e.Setenv("LC_ALL", "en_GB.UTF-8")
			e.Setenv("HOME", e.WorkDir)
			shop := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(e.WorkDir, "site"))))
			e.Defer(shop.Close)
			e.Setenv("SHOP", shop.URL)
			return os.WriteFile(filepath.Join(e.WorkDir, "pass"), []byte("mycket hemlig lösenfras\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sqlite": scriptSQLite,
			"json":   scriptJSON,
			"points": scriptPoints,
			"code":   scriptCode,
			"spoil":  scriptSpoil,
			"either": scriptEither,
			"proof":  scriptProof,
		},
	})
}

// scriptSQLite runs SQL on a database and prints the first row's first column:
// sqlite FILE SQL.
func scriptSQLite(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sqlite FILE SQL")
	}
	got, err := query(context.Background(), ts.MkAbs(args[0]), args[1])
	if neg != (err != nil) {
		ts.Fatalf("sqlite: %v", err)
	}
	fmt.Fprintln(ts.Stdout(), got)
}

// query runs statements and returns the first column of the last one's row.
func query(ctx context.Context, file, statements string) (got string, err error) {
	db, err := sql.Open("sqlite3", "file:"+file+"?_busy_timeout=5000")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var v sql.NullString
	if err := db.QueryRowContext(ctx, statements).Scan(&v); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	return v.String, nil
}

// scriptJSON looks a value up in the last command's stdout: json PATH WANT,
// where PATH is like runs.0.state and len is a list's length.
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH WANT")
	}
	var doc any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc); err != nil {
		ts.Fatalf("stdout is not one JSON document: %v", err)
	}
	got, err := dig(doc, strings.Split(args[0], "."))
	if err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %q, want %q", args[0], got, args[1])
	}
}

func dig(doc any, path []string) (string, error) {
	for _, p := range path {
		switch v := doc.(type) {
		case map[string]any:
			var ok bool
			if doc, ok = v[p]; !ok {
				return "", fmt.Errorf("no %q in %v", p, v)
			}
		case []any:
			if p == "len" {
				return fmt.Sprint(len(v)), nil
			}
			var i int
			if _, err := fmt.Sscan(p, &i); err != nil || i >= len(v) {
				return "", fmt.Errorf("no element %q of %d", p, len(v))
			}
			doc = v[i]
		default:
			return "", fmt.Errorf("%q of %v", p, doc)
		}
	}
	return fmt.Sprint(doc), nil
}

// scriptPoints sets an environment variable to the ID of a source's Nth newest
// point: points NAME SOURCE N.
func scriptPoints(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: points NAME SOURCE N")
	}
	var doc any
	if err := ts.Exec("kvart-agent", "points", "--source", args[1], "--json"); err != nil {
		ts.Fatalf("points: %v", err)
	}
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc); err != nil {
		ts.Fatalf("points: %v", err)
	}
	id, err := dig(doc, []string{args[2], "point"})
	if err != nil {
		ts.Fatalf("points: %v", err)
	}
	ts.Setenv(args[0], id)
}

// scriptProof places the proof that the shop is ours on its site: proof.
func scriptProof(ts *testscript.TestScript, _ bool, _ []string) {
	var p app.ShopProof
	if err := ts.Exec("kvart-agent", "capacity", "prove", "--json"); err != nil {
		ts.Fatalf("prove: %v", err)
	}
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &p); err != nil {
		ts.Fatalf("prove: %v", err)
	}
	path := ts.MkAbs(filepath.Join("site", filepath.FromSlash(strings.TrimPrefix(p.File, ts.Getenv("SHOP")))))
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	ts.Check(os.WriteFile(path, []byte(p.Token+"\n"), 0o600))
}

// scriptCode sets an environment variable to the check code of a kit's text:
// code NAME FILE.
func scriptCode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: code NAME FILE")
	}
	found := regexp.MustCompile(`(?m)^Check code: (\S+)$`).FindStringSubmatch(ts.ReadFile(args[1]))
	if found == nil {
		ts.Fatalf("%s holds no check code", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// scriptEither runs a command that may fail or not: either COMMAND [ARGUMENT]….
func scriptEither(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: either COMMAND [ARGUMENT]…")
	}
	if err := ts.Exec(args[0], args[1:]...); err != nil {
		ts.Logf("either: %v", err)
	}
}

// scriptSpoil turns one byte of every pack of a vault in a folder: spoil DIR.
func scriptSpoil(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: spoil DIR")
	}
	spoilt := 0
	err := filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".f") {
			return err
		}
		rel, err := filepath.Rel(ts.MkAbs(args[0]), path)
		if err != nil || rel[0] != 'p' && rel[0] != 'q' {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b[len(b)/2] ^= 1
		spoilt++
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil || spoilt == 0 {
		ts.Fatalf("spoilt %d packs: %v", spoilt, err)
	}
}
